"""Indicators as they go out: every figure with its unit."""

import datetime
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from enmusubi.app.indicators import Indicators, Row
from enmusubi.app.vocabulary import Breakdown, Counted, OutcomeKind, ReasonCode

Number = Annotated[int, Field(ge=0, json_schema_extra={"unit": "count"})]
Yen = Annotated[int, Field(ge=0, json_schema_extra={"unit": "JPY"})]
MedianDays = Annotated[float | None, Field(json_schema_extra={"unit": "days"})]
Share = Annotated[float | None, Field(ge=0, le=1, json_schema_extra={"unit": "share"})]


class CountedOut(BaseModel):
    """What a row is of; `id` is an organisation's or account's."""

    counted: Counted
    id: uuid.UUID | None
    name: str | None = Field(description="Of an organisation or coordinator; of a field its section, such as IPC:C")
    name_en: str | None


class TurnedDownOut(BaseModel):
    """How many were turned down, and why; a reason is missing where none was given."""

    count: Number
    reasons: dict[ReasonCode, Number]


class OutcomeFiguresOut(BaseModel):
    """Outcomes of one kind."""

    count: Number
    amount_yen: Yen = Field(description="Received by the university side (受入額), income of a licence")
    amounts: Number = Field(description="How many name an amount; the others are not in the sum")


class DaysOut(BaseModel):
    """Calendar days between two steps, of those that took the later one in the year."""

    median: MedianDays = Field(description="Null where there are none")
    count: Number


class TimesOut(BaseModel):
    """How long it took from one step to the next."""

    posted_to_introduced: DaysOut
    asked_to_answered: DaysOut
    introduced_to_accepted: DaysOut
    accepted_to_disclosed: DaysOut
    disclosed_to_agreement: DaysOut
    posted_to_outcome: DaysOut


class AnswersOut(BaseModel):
    """What became of the sides that were asked in the year, each time that one was."""

    asked: Number
    in_time: Number
    late: Number
    no_answer: Number = Field(description="Closed by the clock: silence is no consent")
    overdue: Number = Field(description="Still waited for, and past its day")
    waiting: Number = Field(description="Still waited for, and in time")
    closed: Number = Field(description="Closed by somebody else before an answer came")
    share_in_time: Share = Field(description="in_time of in_time, late, no_answer and overdue; null of none")
    share_no_answer: Share = Field(description="no_answer of the same")


class FiguresOut(BaseModel):
    """The figures of one row: what happened in the fiscal year."""

    needs_posted: Number
    seeds_registered: Number
    shortlisted: Number
    dismissed: TurnedDownOut
    introduced: Number
    accepted: Number
    declined: TurnedDownOut
    disclosed: Number
    meetings: Number
    agreements: Number
    outcomes: dict[OutcomeKind, OutcomeFiguresOut]
    answers: AnswersOut
    days: TimesOut


class IndicatorsRowOut(BaseModel):
    """One row of a breakdown."""

    of: CountedOut
    figures: FiguresOut


class IndicatorsOut(BaseModel):
    """Indicators of a cluster in one fiscal year."""

    cluster: uuid.UUID
    year: int
    begins: datetime.date
    ends: datetime.date
    by: Breakdown | None
    as_of: datetime.datetime = Field(description="The moment that all figures are of")
    rows: list[IndicatorsRowOut]


def indicators_out(indicators: Indicators) -> IndicatorsOut:
    """The indicators as they go out."""
    rows = [
        IndicatorsRowOut(
            of=CountedOut(counted=row.counted, id=row.id, name=row.name, name_en=row.name_en), figures=figures_out(row)
        )
        for row in indicators.rows
    ]
    return IndicatorsOut(
        cluster=indicators.cluster.public_id,
        year=indicators.year,
        begins=indicators.begins,
        ends=indicators.ends,
        by=indicators.by,
        as_of=indicators.as_of,
        rows=rows,
    )


def figures_out(row: Row) -> FiguresOut:
    """The figures of one row, those that nothing was counted for as zero."""
    counts: dict[str, dict[str | None, Mapping[str, Any]]] = {}
    medians: dict[str, Mapping[str, Any]] = {}
    for figure in row.figures:
        if "timed" in figure:
            medians[figure["measure"]] = figure
        else:
            counts.setdefault(figure["measure"], {})[figure["detail"]] = figure

    def number(measure: str) -> int:
        return sum(figure["count"] for figure in counts.get(measure, {}).values())

    def turned_down(measure: str) -> TurnedDownOut:
        reasons = {ReasonCode(code): one["count"] for code, one in counts.get(measure, {}).items() if code is not None}
        return TurnedDownOut(count=number(measure), reasons=reasons)

    def days(measure: str) -> DaysOut:
        found = medians.get(measure)
        return DaysOut(median=found["median_days"], count=found["timed"]) if found else DaysOut(median=None, count=0)

    return FiguresOut(
        needs_posted=number("need_posted"),
        seeds_registered=number("seed_registered"),
        shortlisted=number("shortlisted"),
        dismissed=turned_down("dismissed"),
        introduced=number("introduced"),
        accepted=number("accepted"),
        declined=turned_down("declined"),
        disclosed=number("disclosed"),
        meetings=number("meeting"),
        agreements=number("agreement"),
        outcomes={kind: _outcome(counts.get("outcome", {}).get(kind)) for kind in OutcomeKind},
        answers=_answers({str(state): one["count"] for state, one in counts.get("asked", {}).items()}),
        days=TimesOut(
            posted_to_introduced=days("introduced"),
            asked_to_answered=days("answered"),
            introduced_to_accepted=days("accepted"),
            accepted_to_disclosed=days("disclosed"),
            disclosed_to_agreement=days("agreement"),
            posted_to_outcome=days("first_outcome"),
        ),
    )


def _outcome(figure: Mapping[str, Any] | None) -> OutcomeFiguresOut:
    if figure is None:
        return OutcomeFiguresOut(count=0, amount_yen=0, amounts=0)
    return OutcomeFiguresOut(count=figure["count"], amount_yen=figure["amount_yen"] or 0, amounts=figure["amounts"])


def _answers(states: Mapping[str, int]) -> AnswersOut:
    in_time, silent = states.get("in_time", 0), states.get("none", 0)
    decided = in_time + silent + states.get("late", 0) + states.get("overdue", 0)
    return AnswersOut(
        asked=sum(states.values()),
        in_time=in_time,
        late=states.get("late", 0),
        no_answer=silent,
        overdue=states.get("overdue", 0),
        waiting=states.get("waiting", 0),
        closed=states.get("closed", 0),
        share_in_time=round(in_time / decided, 4) if decided else None,
        share_no_answer=round(silent / decided, 4) if decided else None,
    )
