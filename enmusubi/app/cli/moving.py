"""`enmusubi export` and `enmusubi import`: a whole cluster into a file, and out of it."""

from pathlib import Path

from rich.console import Console

from enmusubi.app.cli.opening import find_cluster, opened, read_settings
from enmusubi.app.clock import SystemClock
from enmusubi.app.moving.exporting import export_cluster
from enmusubi.app.moving.importing import import_cluster


def export(cluster_name: str, path: Path) -> None:
    """Write a cluster's export and say what is in it."""
    with opened(read_settings()) as database:
        with database.session() as session:
            cluster = find_cluster(session, cluster_name)
        made = export_cluster(database, cluster, path, SystemClock())
    console = Console()
    for name, file in made.files.items():
        console.print(f"  {file.rows:>9,}  {name}", highlight=False)
    text = f"{path} holds all of {cluster.name!r}, confidential parts too; keep it as you keep the database"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def import_(path: Path, *, without_foreign: bool) -> None:
    """Read an export and say what is in, and what is to be done next."""
    with opened(read_settings()) as database:
        cluster, imported = import_cluster(database, path, without_foreign=without_foreign)
    console = Console()
    for table, rows in imported.rows.items():
        console.print(f"  {rows:>9,}  {table}", highlight=False)
    for table, rows in imported.left_out.items():
        console.print(f"  {rows:>9,}  {table} left out: they refer to another cluster", highlight=False)
    for table, rows in imported.loosened.items():
        console.print(f"  {rows:>9,}  {table} without a reference to another cluster", highlight=False)
    text = (
        f"{cluster.name!r} is in; run `enmusubi index` so that its entries can be matched. Nobody has a password or "
        "token yet: people ask for a new password by their address, or get a link from `enmusubi account reset`"
    )
    console.print(text, highlight=False, markup=False, soft_wrap=True)
