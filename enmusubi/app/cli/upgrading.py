"""`enmusubi migrate`: the database in its newest form, and what is left to do after it."""

from rich.console import Console

from enmusubi.app import embeddings, migrating
from enmusubi.app.cli.opening import read_settings
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.runtime import encoder_for
from enmusubi.matching.encoder import BundledModelError, ModelError


def migrate() -> None:
    """Bring the database to the newest form, and say how many entries wait for `enmusubi index`."""
    settings = read_settings()
    console = Console()
    with connect(settings) as database:
        before = migrating.present(database)
        migrating.upgrade(database)
        after = migrating.present(database)
        was = "" if before == after else f" (was {before or 'empty'})"
        console.print(f"database at migration {after}{was}", soft_wrap=True)
        waiting = _waiting(settings, database) if before is not None else None
    if waiting:
        console.print(waiting, style="yellow", highlight=False, soft_wrap=True)


def _waiting(settings: Settings, database: Database) -> str | None:
    try:
        encoder = encoder_for(settings)
        with database.session() as session:
            waiting = embeddings.count_waiting(session, encoder)
    except (BundledModelError, ModelError):
        # The database is migrated all the same.
        return "the model cannot be read: run `enmusubi doctor`, then `enmusubi index`"
    if not waiting:
        return None
    return f"{waiting:,} entries wait and are not proposed until then: run `enmusubi index` before `enmusubi serve`"
