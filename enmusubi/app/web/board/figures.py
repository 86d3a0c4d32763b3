"""The figures of a fiscal year as plots and tables."""

from collections.abc import Sequence
from typing import Any, Final

from enmusubi.app.board import Alone, Late, Load
from enmusubi.app.indicators import Indicators, Row
from enmusubi.app.indicators_shown import DaysOut, FiguresOut, figures_out
from enmusubi.app.vocabulary import Counted
from enmusubi.app.web.board.fields import section_said
from enmusubi.app.web.board.plots import Plot, figures_axis, named_rows
from enmusubi.app.web.board.tables import Cell, Table, cells
from enmusubi.app.web.languages import N_, Speech
from enmusubi.app.web.words import word

MOST_BARS: Final = 15
"""Rows that a plot of organisations shows; its table has them all."""

_STEPS: Final = (
    N_("needs posted"), N_("matches shortlisted"), N_("introduced to each other"), N_("accepted by both sides"),
    N_("disclosed"), N_("agreements"), N_("outcomes"),
)  # fmt: skip
_COUNTED: Final = {
    Counted.CLUSTER: N_("the whole cluster"),
    Counted.ORGANISATION: N_("an organisation that is not open to you"),
    Counted.ANONYMOUS: N_("companies behind anonymous needs, together"),
    Counted.ELSEWHERE: N_("organisations of other clusters, together"),
    Counted.FIELD: N_("a field"),
    Counted.COORDINATOR: N_("a coordinator"),
    Counted.NONE: N_("none named"),
}


def outcomes_of(figures: FiguresOut) -> int:
    """Outcomes of all kinds."""
    return sum(outcome.count for outcome in figures.outcomes.values())


def amount_of(figures: FiguresOut) -> int:
    """What outcomes of all kinds brought, in yen."""
    return sum(outcome.amount_yen for outcome in figures.outcomes.values())


def _counts(figures: FiguresOut) -> list[int]:
    return [
        figures.needs_posted, figures.shortlisted, figures.introduced, figures.accepted, figures.disclosed,
        figures.agreements, outcomes_of(figures),
    ]  # fmt: skip


def whole(indicators: Indicators) -> FiguresOut:
    """The figures of a cluster that is not broken down."""
    return figures_out(indicators.rows[0])


def funnel(speech: Speech, figures: FiguresOut) -> tuple[Plot, Table]:
    """From posted to outcome, and how long each step took."""
    steps = [speech.say(step) for step in _STEPS]
    counts = _counts(figures)
    days: list[DaysOut | None] = [
        None, None, figures.days.posted_to_introduced, figures.days.introduced_to_accepted,
        figures.days.accepted_to_disclosed, figures.days.disclosed_to_agreement, figures.days.posted_to_outcome,
    ]  # fmt: skip
    since = [
        None, None, speech.say(N_("since it was posted")), speech.say(N_("since introduced")),
        speech.say(N_("since accepted")), speech.say(N_("since disclosed")), speech.say(N_("since it was posted")),
    ]  # fmt: skip
    said = [
        f"{speech.number(count)}" + (f" · {_days(speech, one)} {what}" if one and one.median is not None else "")
        for count, one, what in zip(counts, days, since, strict=True)
    ]
    plot = Plot(
        "funnel",
        speech.say(N_("From posted to outcome")),
        [{"type": "bar", "orientation": "h", "y": steps, "x": counts, "text": said, "hoverinfo": "text+y",
          "textposition": "auto", "colour": "--plot-1", "cliponaxis": False}],
        {"height": 340, "yaxis": {"autorange": "reversed"}, "xaxis": figures_axis(counts)},
    )  # fmt: skip
    headings = [
        speech.say(N_("step")), speech.say(N_("number")), speech.say(N_("median days")),
        speech.say(N_("counted from")), speech.say(N_("of how many")),
    ]  # fmt: skip
    rows = [
        cells(step, count, one.median if one else None, what, one.count if one else None)
        for step, count, one, what in zip(steps, counts, days, since, strict=True)
    ]
    return plot, Table(headings, rows)


def _days(speech: Speech, days: DaysOut) -> str:
    median = days.median or 0
    return speech.say(N_("%(days)s days"), days=speech.number(median))


def years(speech: Speech, of: Sequence[Indicators]) -> tuple[Plot, Table]:
    """Fiscal years beside each other."""
    names = [speech.say(N_("FY %(year)s"), year=each.year) for each in of]
    counted = [_counts(whole(each)) for each in of]
    shown = (0, 2, 3, 5, 6)
    traces = [
        {"type": "bar", "name": speech.say(_STEPS[place]), "x": names, "y": [counts[place] for counts in counted],
         "colour": f"--plot-{number + 1}"}
        for number, place in enumerate(shown)
    ]  # fmt: skip
    layout = {"height": 320, "barmode": "group", "xaxis": {"type": "category"}, "yaxis": figures_axis(*counted)}
    plot = Plot("years", speech.say(N_("Fiscal years")), traces, layout)
    headings = [
        speech.say(N_("fiscal year")), *(speech.say(step) for step in _STEPS), speech.say(N_("amount (JPY)")),
        speech.say(N_("answered in time")),
    ]  # fmt: skip
    rows = [_row(name, whole(each)) for name, each in zip(names, of, strict=True)]
    return plot, Table(headings, rows)


def _row(name: str, figures: FiguresOut, *more: int) -> list[Cell]:
    share = Cell(figures.answers.share_in_time, share=True)
    return [*cells(name, *more, *_counts(figures), amount_of(figures)), share]


def breakdown(speech: Speech, of: Indicators) -> tuple[Plot, Table]:
    """Rows of organisations, fields or coordinators."""
    named = [(row_said(speech, row), figures_out(row)) for row in of.rows]
    most = sorted(named, key=lambda one: -sum(_counts(one[1])[place] for place in (2, 5, 6)))[:MOST_BARS]
    traces: list[dict[str, Any]] = [
        {"type": "bar", "orientation": "h", "name": speech.say(_STEPS[place]), "y": list(range(len(most))),
         "x": [_counts(figures)[place] for _, figures in most], "colour": f"--plot-{number + 2}"}
        for number, place in enumerate((2, 5, 6))
    ]  # fmt: skip
    rows_named = named_rows([name for name, _ in most])
    layout = {"height": 160 + 42 * len(most), "barmode": "group", "yaxis": rows_named,
              "xaxis": figures_axis(*(trace["x"] for trace in traces))}  # fmt: skip
    plot = Plot("breakdown", speech.say(N_("Introductions, agreements and outcomes")), traces, layout)
    headings = [
        speech.say(N_("name")), speech.say(N_("seeds registered")), *(speech.say(step) for step in _STEPS),
        speech.say(N_("amount (JPY)")), speech.say(N_("answered in time")),
    ]  # fmt: skip
    return plot, Table(headings, [_row(name, figures, figures.seeds_registered) for name, figures in named])


def row_said(speech: Speech, row: Row) -> str:
    """What a row is of, by its name or in words."""
    if row.counted is Counted.FIELD:
        return section_said(speech, row.name)
    name = (row.name_en or row.name) if speech.language == "en" else row.name
    return name or speech.say(_COUNTED[row.counted])


def load(speech: Speech, of: Sequence[Load]) -> tuple[Plot, Table]:
    """Who handles how much now."""
    names = [each.name or speech.say(N_("nobody yet")) for each in of]
    parts = (
        (speech.say(N_("shortlisted")), [each.shortlisted for each in of], "--plot-1"),
        (speech.say(N_("waiting for answers")), [each.introduced for each in of], "--plot-2"),
        (speech.say(N_("on their way")), [each.following for each in of], "--plot-3"),
        (speech.say(N_("own steps overdue")), [each.overdue for each in of], "--plot-bad"),
    )
    rows_numbered = list(range(len(of)))
    traces = [
        {"type": "bar", "orientation": "h", "name": name, "y": rows_numbered, "x": counts, "colour": colour,
         "offsetgroup": "late" if colour == "--plot-bad" else "open"}
        for name, counts, colour in parts
    ]  # fmt: skip
    layout = {"height": 172 + 48 * len(of), "barmode": "stack", "yaxis": named_rows(names),
              "xaxis": figures_axis([each.matches for each in of], [each.overdue for each in of])}  # fmt: skip
    headings = [
        speech.say(N_("coordinator")), *(part[0] for part in parts[:3]),
        speech.say(N_("own steps waited for")), parts[3][0],
    ]  # fmt: skip
    rows = [
        cells(name, each.shortlisted, each.introduced, each.following, each.waited_for, each.overdue)
        for name, each in zip(names, of, strict=True)
    ]
    return Plot("load", speech.say(N_("Load of each coordinator")), traces, layout), Table(headings, rows)


def late(speech: Speech, lines: Sequence[Late]) -> Table:
    """Steps that are overdue."""
    headings = [
        speech.say(N_("match")), speech.say(N_("what is waited for")), speech.say(N_("of whom")),
        speech.say(N_("coordinator")), speech.say(N_("due")), speech.say(N_("days late")),
    ]  # fmt: skip
    rows = [
        [
            Cell(f"{line.need or ''} × {line.seed or ''}", f"/matches/{line.match}"),
            *cells(word(speech, line.awaited), word(speech, line.side), line.coordinator, line.due_on, line.days),
        ]
        for line in lines
    ]
    return Table(headings, rows)


def alone(speech: Speech, lines: Sequence[Alone], place: str) -> Table:
    """Entries of which nothing has come; `place` is where one of them is shown."""
    headings = [
        speech.say(N_("title")), speech.say(N_("since")), speech.say(N_("days")), speech.say(N_("matches proposed")),
    ]  # fmt: skip
    rows = [
        [Cell(line.title or speech.say(N_("without a title")), f"{place}/{line.id}"),
         *cells(line.since, line.days, line.proposed)]
        for line in lines
    ]  # fmt: skip
    return Table(headings, rows)
