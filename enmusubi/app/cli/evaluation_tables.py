"""What `enmusubi evaluate` shows to people."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from enmusubi.matching.evaluation import Report
from enmusubi.matching.evaluation.comparing import Change
from enmusubi.matching.evaluation.exposure import ATTRIBUTES, Exposure
from enmusubi.matching.evaluation.grouping import gap
from enmusubi.matching.evaluation.measuring import COMPARED

_ROWS_OF_A_KIND = 12


def show(console: Console, reports: Sequence[Report], others: Sequence[Report], *, needs_unknown: bool) -> None:
    """The measures of every report, `others` being those with the needs unknown, and what else was asked for."""
    for place, report in enumerate(reports):
        _measures(console, report, others[place] if others else None, needs_unknown=needs_unknown)
    if any(report.comparisons for report in reports):
        _side_by_side(console, reports)
    for report in reports:
        _comparisons(console, report)
        _groups(console, report)
        for each in report.configurations:
            if each.exposure is not None:
                _exposure(console, f"{report.dataset}, {each.configuration.name}", each.exposure)
    console.print(f"{sum(report.seconds for report in (*reports, *others)):.1f} s", style="dim")


def _measures(console: Console, report: Report, other: Report | None, *, needs_unknown: bool) -> None:
    title = f"{report.dataset}: {report.queries:,} needs, {report.documents:,} seeds"
    table = Table("Measure", title=title)
    table.add_column("needs unknown" if needs_unknown else "needs known", justify="right")
    if other is not None:
        table.add_column("needs unknown", justify="right")
    for name, value in report.measures.items():
        table.add_row(name, f"{value:.4f}", *([] if other is None else [f"{other.measures[name]:.4f}"]))
    console.print(table)


def _side_by_side(console: Console, reports: Sequence[Report]) -> None:
    table = Table("Configuration", "What", *(report.dataset for report in reports), title=f"{COMPARED}")
    for place, first in enumerate(reports[0].configurations):
        values = [report.configurations[place].measures[COMPARED] for report in reports]
        table.add_row(first.configuration.name, first.configuration.about, *(f"{value:.4f}" for value in values))
    console.print(table)


def _comparisons(console: Console, report: Report) -> None:
    if not report.comparisons:
        return
    table = Table("Configuration", "against", title=f"{report.dataset}: differences of {COMPARED}")
    for heading in ("difference", "95 % interval", "p", "better", "worse", "equal"):
        table.add_column(heading, justify="right")
    for each in report.comparisons:
        interval = "–" if each.interval is None else "{:+.4f} to {:+.4f}".format(*each.interval)
        counts = (str(each.better), str(each.worse), str(each.equal))
        table.add_row(each.name, each.against, f"{each.difference:+.4f}", interval, f"{each.p:.4f}", *counts)
    console.print(table)
    last = report.comparisons[-1]
    changes = Table("Need", last.against, last.name, title=f"{report.dataset}: largest gains and losses of {last.name}")
    for change in (*last.gains, *reversed(last.losses)):
        changes.add_row(*_row(change))
    if changes.row_count:
        console.print(changes)


def _row(change: Change) -> tuple[str, str, str]:
    return change.query, f"{change.before:.4f}", f"{change.after:.4f}"


def _groups(console: Console, report: Report) -> None:
    if not report.own.by:
        return
    configurations = report.configurations
    for name, groups in report.own.by.items():
        table = Table(name.capitalize(), "needs", title=f"{report.dataset}: {COMPARED} by {name}")
        for each in configurations:
            table.add_column(each.configuration.name, justify="right")
        for place, group in enumerate(groups):
            values = [each.by[name][place].value for each in configurations]
            table.add_row(group.name, str(group.queries), *(f"{value:.4f}" for value in values))
        gaps = [gap(each.by[name]) for each in configurations]
        if None not in gaps:
            table.add_section()
            table.add_row("gap", "", *(f"{value:+.4f}" for value in gaps if value is not None))
        console.print(table)


def _exposure(console: Console, title: str, exposure: Exposure) -> None:
    console.print(
        f"\n{title}: {exposure.reached:.1%} of {exposure.seeds:,} seeds reach a top ten of {exposure.queries:,} needs "
        f"({exposure.attainable:.1%} could); Gini {exposure.gini:.3f} (least {exposure.least_gini:.3f})",
        highlight=False,
        markup=False,
    )
    table = Table("Seeds by", "", "seeds", "reach a top ten", "share of seeds", "share of places")
    for attribute in ATTRIBUTES:
        if attribute not in exposure.by:
            table.add_row(attribute, "not known")
            continue
        shown = exposure.by[attribute]
        for each in shown[:_ROWS_OF_A_KIND]:
            shares = (each.reached / each.seeds, each.share_of_seeds, each.share_of_places)
            table.add_row(attribute, each.value, str(each.seeds), *(f"{share:.1%}" for share in shares))
        if len(shown) > _ROWS_OF_A_KIND:
            table.add_row(attribute, f"{len(shown) - _ROWS_OF_A_KIND} more: see --json")
    console.print(table)
    hubs = ", ".join(f"{seed} ({count})" for seed, count in exposure.hubs)
    console.print(f"in most top tens: {hubs}", highlight=False, markup=False)
