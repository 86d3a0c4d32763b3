"""The board of a cluster as sheets for the yearly report: the funnel, outcomes, answers and times, organisations.

It is made to be handed on: companies behind anonymous needs are one row in it, whoever asks.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from enmusubi.app import indicators
from enmusubi.app.caller import Caller
from enmusubi.app.clock import day_of
from enmusubi.app.clusters import own_cluster
from enmusubi.app.indicators import Indicators, IndicatorsQuery, Row
from enmusubi.app.indicators_shown import FiguresOut, figures_out
from enmusubi.app.sheets.printing import clean, printed, shortened
from enmusubi.app.sheets.wording import N_, Wording, named
from enmusubi.app.vocabulary import Breakdown, Counted, OutcomeKind, ReasonCode

Content = dict[str, Any]
_THROUGH: Final = "report"

_GATHERED: Final[Mapping[Counted, str]] = {
    Counted.CLUSTER: N_("the whole cluster"),
    Counted.ORGANISATION: N_("an organisation that is not shown"),
    Counted.ANONYMOUS: N_("companies behind anonymous needs, together"),
    Counted.ELSEWHERE: N_("organisations of other clusters, together"),
    Counted.NONE: N_("none"),
}
_FUNNEL: Final = (
    (N_("Needs posted"), "needs_posted"),
    (N_("Shortlisted"), "shortlisted"),
    (N_("Introduced"), "introduced"),
    (N_("Accepted by both"), "accepted"),
    (N_("Disclosed"), "disclosed"),
    (N_("Agreements"), "agreements"),
)
_TIMES: Final = (
    (N_("from posted to introduced"), "posted_to_introduced"),
    (N_("from asked to answered"), "asked_to_answered"),
    (N_("from introduced to accepted"), "introduced_to_accepted"),
    (N_("from accepted to disclosed"), "accepted_to_disclosed"),
    (N_("from disclosed to agreement"), "disclosed_to_agreement"),
    (N_("from posted to outcome"), "posted_to_outcome"),
)
_ANSWERS: Final = (
    (N_("sides asked"), "asked"),
    (N_("answered in time"), "in_time"),
    (N_("answered late"), "late"),
    (N_("no answer"), "no_answer"),
    (N_("overdue now"), "overdue"),
    (N_("waited for now"), "waiting"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """The PDF, and the fiscal year that it is of."""

    pdf: bytes
    year: int


def board_sheet(
    session: Session, caller: Caller, year: int | None, wording: Wording, oldest: float, now: datetime.datetime
) -> Report:
    """The report of a fiscal year, the present one if none is named; recorded as an export of the cluster."""
    cluster = own_cluster(session, caller)
    whole, by_organisation = (
        indicators.read(session, caller, cluster.public_id, IndicatorsQuery(year=year, by=by), oldest, _THROUGH)
        for by in (None, Breakdown.ORGANISATION)
    )
    figures = figures_out(whole.rows[0])
    say = wording.say
    content = {
        "language": str(wording.language),
        "title": say(N_("Report of the fiscal year %(year)s"), year=whole.year),
        "cluster": clean(cluster.name),
        "span": say(N_("%(first)s to %(last)s"), first=wording.day(whole.begins), last=wording.day(whole.ends)),
        "as_of": say(N_("figures of %(day)s"), day=wording.day(day_of(whole.as_of))),
        "page": say(N_("page")),
        "glance": _glance(wording, figures),
        "funnel": _funnel(wording, figures),
        "outcomes": _outcomes(wording, figures),
        "times": _times(wording, figures),
        "answers": _answers(wording, figures),
        "reasons": _reasons(wording, figures),
        "organisations": _organisations(wording, by_organisation),
    }
    made, _ = printed("board.typ", content, now)
    return Report(made, whole.year)


def _glance(wording: Wording, figures: FiguresOut) -> list[Content]:
    outcomes = figures.outcomes.values()
    amount = sum(each.amount_yen for each in outcomes)
    shown = (
        (N_("Needs posted"), wording.number(figures.needs_posted)),
        (N_("Seeds registered"), wording.number(figures.seeds_registered)),
        (N_("Introduced"), wording.number(figures.introduced)),
        (N_("Meetings"), wording.number(figures.meetings)),
        (N_("Outcomes"), wording.number(sum(each.count for each in outcomes))),
        (N_("Amount received"), wording.yen(amount)),
    )
    return [{"label": wording.say(label), "text": text} for label, text in shown]


def _funnel(wording: Wording, figures: FiguresOut) -> Content:
    steps = [(wording.say(label), int(getattr(figures, name))) for label, name in _FUNNEL]
    steps.append((wording.say(N_("Outcomes")), sum(each.count for each in figures.outcomes.values())))
    most = max(1, *(count for _, count in steps))
    return {
        "heading": wording.say(N_("From need to outcome")),
        "note": wording.say(N_("What happened in the year: outcomes may be of needs that were posted before it.")),
        "steps": [{"label": label, "text": wording.number(n), "share": n / most} for label, n in steps],
    }


def _table(wording: Wording, heading: str, columns: Sequence[str], rows: list[list[str]], nothing: str) -> Content:
    return {
        "heading": wording.say(heading), "columns": [wording.say(column) for column in columns], "rows": rows,
        "nothing": wording.say(nothing),
    }  # fmt: skip


_NOTHING: Final = N_("Nothing in this year.")


def _outcomes(wording: Wording, figures: FiguresOut) -> Content:
    rows = [
        [wording.word(OutcomeKind(kind)), wording.number(each.count), wording.yen(each.amount_yen),
         wording.number(each.amounts)]
        for kind, each in figures.outcomes.items() if each.count
    ]  # fmt: skip
    columns = (N_("Kind"), N_("Count"), N_("Amount received"), N_("of which with an amount"))
    return _table(wording, N_("Outcomes"), columns, rows, _NOTHING)


def _times(wording: Wording, figures: FiguresOut) -> Content:
    found = [(label, getattr(figures.days, name)) for label, name in _TIMES]
    rows = [
        [wording.say(label), "–" if days.median is None else wording.number(days.median), wording.number(days.count)]
        for label, days in found
    ]
    return _table(wording, N_("Time between steps"), (N_("Step"), N_("Median days"), N_("Count")), rows, _NOTHING)


def _answers(wording: Wording, figures: FiguresOut) -> Content:
    answers = figures.answers
    rows = [[wording.say(label), wording.number(getattr(answers, name))] for label, name in _ANSWERS]
    for label, share in (
        (N_("share answered in time"), answers.share_in_time), (N_("share without an answer"), answers.share_no_answer)
    ):  # fmt: skip
        rows.append([wording.say(label), "–" if share is None else wording.percent(share)])
    return _table(wording, N_("Answers to introductions"), (N_("Answer"), N_("Count")), rows, _NOTHING)


def _reasons(wording: Wording, figures: FiguresOut) -> Content:
    counted = sorted(figures.declined.reasons.items(), key=lambda one: -one[1])
    rows = [[wording.word(ReasonCode(reason)), wording.number(count)] for reason, count in counted if count]
    return _table(wording, N_("Why introductions were declined"), (N_("Reason"), N_("Count")), rows, _NOTHING)


def _organisations(wording: Wording, found: Indicators) -> Content:
    rows = [_organisation(wording, row) for row in found.rows]
    columns = (
        N_("Organisation"), N_("Needs posted"), N_("Seeds registered"), N_("Introduced"), N_("Accepted by both"),
        N_("Agreements"), N_("Outcomes"), N_("Amount received"),
    )  # fmt: skip
    return _table(wording, N_("By organisation"), columns, rows, _NOTHING)


def _organisation(wording: Wording, row: Row) -> list[str]:
    figures = figures_out(row)
    name = named(wording, row.name, row.name_en) if row.name else wording.say(_GATHERED[row.counted])
    outcomes = figures.outcomes.values()
    numbers = (
        figures.needs_posted, figures.seeds_registered, figures.introduced, figures.accepted, figures.agreements,
        sum(each.count for each in outcomes),
    )  # fmt: skip
    amount = wording.yen(sum(each.amount_yen for each in outcomes))
    return [shortened(wording, name, 80), *(wording.number(number) for number in numbers), amount]
