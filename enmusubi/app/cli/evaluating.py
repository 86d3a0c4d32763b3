"""`enmusubi evaluate`: the measures of a judged folder, through the production matchmaker."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from enmusubi.app.cli.opening import read_settings
from enmusubi.app.runtime import encoder_for
from enmusubi.matching.evaluation import evaluate as measure


def evaluate(folder: Path, queries: Path | None, *, as_json: bool, needs_unknown: bool) -> None:
    """Rank the folder's queries as needs against its corpus as seeds; nothing is written to the database."""
    settings = read_settings()
    errors = Console(stderr=True)
    with ExitStack() as stack:
        advance = None
        if sys.stderr.isatty():
            bar = stack.enter_context(Progress(console=errors, transient=True))
            task = bar.add_task("embedding", total=None)

            def advance(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

        report = measure(
            folder,
            encoder_for(settings),
            settings.home / "evaluation",
            queries=queries,
            needs_unknown=needs_unknown,
            progress=advance,
        )
    for notice in report.notices:
        errors.print(f"note: {notice}", style="yellow", markup=False, highlight=False)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))  # noqa: T201 for other programs
        return
    table = Table("Measure", "Value", title=f"{report.dataset}: {report.queries:,} needs, {report.documents:,} seeds")
    for name, value in report.measures.items():
        table.add_row(name, f"{value:.4f}")
    console = Console()
    console.print(table)
    console.print(f"{report.seconds:.1f} s", style="dim")
