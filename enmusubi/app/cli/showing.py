"""Tables and progress that fit a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from enmusubi.app.representations import ProvenanceOut, RankedOut, RankingOut
from enmusubi.ingest.run import Report

PROBLEMS_SHOWN = 20
LINES_SHOWN = 10
EXCERPT_CELLS = 84  # two lines of a table in a terminal of 80


class _Rate(ProgressColumn):
    """Entries a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="cyan")


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Any]:
    """A progress bar with rate and remaining time on standard error; yields what is called with each advance."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=False,
    )
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)
        bar.update(task, total=bar.tasks[0].completed)


def show_report(console: Console, report: Report) -> None:
    """The report of one file: counts, what was noted, and the first problems with their places."""
    table = Table(title=f"{report.file} → {report.kind}", title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column()
    encoding = f", {report.encoding}" if report.encoding else ""
    table.add_row("format", f"{report.format}{encoding}")
    table.add_row("source", escape(report.source))
    table.add_row("read", f"{report.read:,}")
    if report.dry_run:
        table.add_row("good", f"{report.new:,}  (dry run: nothing was written)")
    elif not report.refused:
        table.add_row("new / changed / unchanged", f"{report.new:,} / {report.changed:,} / {report.unchanged:,}")
    if report.rejected:
        table.add_row("rejected", f"[red]{report.rejected:,}[/]")
    if report.without_organisation:
        table.add_row("without an organisation", f"{report.without_organisation:,}, handled by the coordinators")
    if report.identifying:
        lines = ", ".join(str(row["line"]) for row in report.identifying[:LINES_SHOWN])
        more = "…" if len(report.identifying) > LINES_SHOWN else ""
        table.add_row("would identify their owner", f"[yellow]{len(report.identifying):,}[/], lines {lines}{more}")
    if report.organisations_added:
        table.add_row("organisations added", escape(", ".join(report.organisations_added)))
    if report.kept_withdrawn:
        table.add_row("kept withdrawn", f"{report.kept_withdrawn:,}")
    if report.reopened:
        table.add_row("matches back in the queue", f"{report.reopened:,}")
    if report.gone:
        what = f"{report.withdrawn:,} withdrawn" if report.withdrawn else "kept; withdraw them with --complete"
        few = ", ".join(report.gone[:5]) + ("…" if len(report.gone) > 5 else "")
        table.add_row("gone from the file", escape(f"{len(report.gone):,} ({what}): {few}"))
    table.add_row("seconds", f"{report.seconds:.1f}")
    console.print(table)
    if report.dry_run:
        _show_headings(console, report)
    for note in report.notes:
        console.print(f"  note: {escape(note)}", style="yellow", highlight=False)
    _show_problems(console, report)
    if report.refused:
        console.print("[red]refused:[/] --strict takes a file only as a whole; nothing of it was written")


def _show_headings(console: Console, report: Report) -> None:
    table = Table("Heading", "Field", "How", box=None, header_style="dim")
    for heading in report.headings:
        field = heading["field"] or "[yellow]ignored[/]"
        table.add_row(escape(str(heading["heading"])), field, escape(str(heading["how"])))
    console.print(table)
    first = Table("Line", "Id", "Title", "Fields filled", box=None, header_style="dim")
    for row in report.preview:
        title = escape(row["title"]) if row["title"] else "[dim](no title)[/]"
        first.add_row(str(row["line"]), escape(row["id"]), title, ", ".join(row["fields"]))
    console.print(first)


def _show_problems(console: Console, report: Report) -> None:
    if not report.problems:
        return
    table = Table("Line", "Column", "Value", "Reason", box=None, header_style="dim")
    for problem in report.problems[:PROBLEMS_SHOWN]:
        cells = (problem["line"], problem["column"], problem["value"], problem["reason"])
        table.add_row(*(escape("–" if cell is None else str(cell)) for cell in cells))
    console.print(table)
    if len(report.problems) > PROBLEMS_SHOWN:
        console.print(f"  … and {len(report.problems) - PROBLEMS_SHOWN:,} more; all are in the kept report")


def show_ranking(console: Console, title: str, ranking: RankingOut) -> None:
    """Ranked entries with their reasons."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", show_lines=True)
    table.add_column("#", justify="right")
    table.add_column("Sure", justify="right")
    table.add_column("Score", justify="right")
    table.add_column("Entry", ratio=5, overflow="fold")
    table.add_column("Why", ratio=3, overflow="fold")
    for ranked in ranking.ranking:
        table.add_row(str(ranked.rank), _sure(ranked), f"{ranked.score:.3f}", _entry(ranked), escape(_reasons(ranked)))
    if ranking.ranking:
        console.print(table)
    else:
        console.print(f"[bold]{escape(title)}[/]")
    if ranking.message:
        console.print(f"  {ranking.message}")
    show_provenance(console, ranking.provenance)


def show_provenance(console: Console, source: ProvenanceOut) -> None:
    """What ranked."""
    snapshot = source.snapshot or "none (all scored exactly)"
    console.print(
        f"snapshot {snapshot}, model {source.model} ({source.precision}), "
        f"policy {source.policy}, calibration {source.calibration}",
        style="dim",
        highlight=False,
    )


def _entry(ranked: RankedOut) -> str:
    """Title, the beginning of the text and the owner, a line or two each."""
    entry = ranked.entry
    lines = [f"[bold]{escape(entry.title)}[/]" if entry.title else "[dim](no title)[/]"]
    if entry.excerpt:
        # In cells of the terminal: a Japanese character takes two.
        text = " ".join(entry.excerpt.split())
        lines.append(escape(text if cell_len(text) <= EXCERPT_CELLS else set_cell_size(text, EXCERPT_CELLS - 1) + "…"))
    owner = entry.organisation
    lines.append(f"[dim]{escape(owner.name) if owner else 'organisation not shown'}[/]")
    return "\n".join(lines)


def _sure(ranked: RankedOut) -> str:
    """The probability that it is worth a look, its interval below it."""
    sure = ranked.probability
    return f"{sure.value:.0%}\n[dim]{sure.low:.0%}–{sure.high:.0%}[/]" if sure else "–"


def _reasons(ranked: RankedOut) -> str:
    reasons = [
        f"{part.name} {part.value:.2f} × {part.weight:+g}{' (estimated)' if part.estimated else ''}"
        for part in ranked.parts
    ]
    if ranked.shared.other_language:
        reasons.append(f"across languages ({ranked.entry.language})")
    if ranked.shared.keywords:
        reasons.append("shared terms: " + ", ".join(ranked.shared.keywords))
    if ranked.shared.field_codes:
        reasons.append("same fields: " + ", ".join(ranked.shared.field_codes))
    if ranked.entry.trl is not None:
        reasons.append(f"TRL {ranked.entry.trl}")
    return "\n".join(reasons)
