"""A match as it is opened in the queue: both sides, its history, earlier decisions on either side, past likes of it."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, null, or_, select, union
from sqlalchemy.orm import Session, joinedload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import any_starts_with
from enmusubi.app.errors import NotFoundError
from enmusubi.app.models import Account, Match, MatchStep, Need, Outcome, Seed, StepActor
from enmusubi.app.permissions import Relation, Right, may, require
from enmusubi.app.stepping.machine import Actor, is_legal
from enmusubi.app.vocabulary import MatchStatus, OutcomeKind, ReasonCode, Side, Step
from enmusubi.matching.shared import field_of

MOST_EARLIER: Final = 20
MOST_LIKE_IT: Final = 5
_FIELDS: Final = 5
"""So many fields of a side are compared with those of others."""
_DECIDING: Final = (
    *(Step.SHORTLIST, Step.DISMISS, Step.PAIR, Step.DECLINE, Step.CLOSE, Step.LAPSE),
    *(Step.DISCLOSE, Step.REPORT_OUTCOME),
)
_PAST: Final = (
    *(MatchStatus.OUTCOME, MatchStatus.AGREEMENT, MatchStatus.NEGOTIATION, MatchStatus.MEETING, MatchStatus.DISCLOSED),
    *(MatchStatus.DECLINED, MatchStatus.DISMISSED),
)
"""States that tell how it went, the further along the earlier."""


class Whose(StrEnum):
    """Which side an earlier decision is of."""

    THIS = "this"
    NEED = "need"
    SEED = "seed"


@dataclass(frozen=True, slots=True)
class Decision:
    """A step of this match, or of another one with the same need or seed."""

    whose: Whose
    match: uuid.UUID
    other_title: str | None
    """Of the other match's other side."""
    step: Step
    side: Side
    reason: ReasonCode | None
    by: str | None
    note: str | None
    """For coordinators alone."""
    taken: datetime.datetime


@dataclass(frozen=True, slots=True)
class Past:
    """Another pair of the same field, and what became of it."""

    match: uuid.UUID
    need_title: str | None
    seed_title: str | None
    status: MatchStatus
    reason: ReasonCode | None
    outcome: OutcomeKind | None


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened match."""

    match: Match
    coordinator: str | None
    may_decide: bool
    may_undo: bool
    history: Sequence[Decision]
    earlier: Sequence[Decision]
    past: Sequence[Past]


def open_match(session: Session, caller: Caller, public_id: uuid.UUID) -> Opened:
    """A match of the caller's cluster with what was decided about it and what is like it; NotFoundError otherwise.

    The public parts alone: to look at a need's confidential part is a step of its own, which is recorded.
    """
    require(caller, Right.READ_REVIEWS, Relation.HERE)
    query = (
        select(Match, Account.name)
        .outerjoin(Account, Account.id == Match.coordinator_id)
        .where(Match.public_id == public_id, Match.cluster_id == caller.cluster_id)
        .where(visibility.matches_visible_to(caller))
        .options(
            joinedload(Match.need, innerjoin=True).joinedload(Need.organisation),
            joinedload(Match.seed, innerjoin=True).joinedload(Seed.organisation),
        )
    )
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFoundError("no such match, or it is not open to you")
    match, coordinator = found
    steps = _steps(session, caller, match)
    return Opened(
        match=match,
        coordinator=coordinator,
        may_decide=may(caller, Right.REVIEW_MATCH, Relation.HERE) and _is_legal(match, Step.DISMISS),
        may_undo=may(caller, Right.HANDLE_MATCH, Relation.HERE) and _is_legal(match, Step.RECONSIDER),
        history=[step for step in steps if step.whose is Whose.THIS],
        earlier=[step for step in steps if step.whose is not Whose.THIS][:MOST_EARLIER],
        past=_past(session, caller, match),
    )


def _is_legal(match: Match, step: Step) -> bool:
    return is_legal(step, Actor.COORDINATOR, MatchStatus(match.status), ())


def _steps(session: Session, caller: Caller, match: Match) -> list[Decision]:
    """Steps of this match, and deciding ones of others of its need or its seed, newest first."""
    beside = union(
        select(Match.id).where(Match.need_id == match.need_id), select(Match.id).where(Match.seed_id == match.seed_id)
    ).subquery()
    told = or_(MatchStep.match_id == match.id, MatchStep.step.in_([str(step) for step in _DECIDING]))
    query = (
        select(
            *(Match.public_id, Match.id, Match.need_id, Match.seed_id),
            Need.title.label("need_title"),
            Seed.title.label("seed_title"),
            *(MatchStep.step, MatchStep.side, MatchStep.reason, MatchStep.taken),
            Account.name.label("by"),
            StepActor.note if caller.coordinates else null().label("note"),
        )
        .join(Match, Match.id == MatchStep.match_id)
        .join(Need, Need.id == Match.need_id)
        .join(Seed, Seed.id == Match.seed_id)
        .outerjoin(StepActor, (StepActor.step_id == MatchStep.id) & visibility.step_actors_visible_to(caller))
        .outerjoin(Account, Account.id == StepActor.account_id)
        .where(Match.id.in_(select(beside.c.id)), visibility.matches_visible_to(caller))
        .where(visibility.steps_visible_to(caller), told)
        .order_by((MatchStep.match_id == match.id).desc(), MatchStep.id.desc())
        .limit(3 * MOST_EARLIER)
    )
    return [_decision(match, row) for row in session.execute(query)]


def _decision(match: Match, row: Any) -> Decision:
    whose = Whose.THIS if row.id == match.id else Whose.NEED if row.need_id == match.need_id else Whose.SEED
    return Decision(
        whose=whose,
        match=row.public_id,
        other_title=row.seed_title if whose is Whose.NEED else row.need_title,
        step=Step(row.step),
        side=Side(row.side),
        reason=ReasonCode(row.reason) if row.reason else None,
        by=row.by,
        note=row.note,
        taken=row.taken,
    )


def _past(session: Session, caller: Caller, match: Match) -> list[Past]:
    """Decided matches of the cluster, of another need and seed, with whose need or seed this one's shares a field.

    Of IPC and CPC the subclass, as where a match says what both sides share.
    """
    alike = [
        any_starts_with(column, field)
        for column, codes in ((Need.field_codes, match.need.field_codes), (Seed.field_codes, match.seed.field_codes))
        for field in list(dict.fromkeys(map(field_of, codes)))[:_FIELDS]
    ]
    return [] if not alike else [_told(row) for row in session.execute(_like_it(caller, match, or_(*alike)))]


def _like_it(caller: Caller, match: Match, alike: ColumnElement[bool]) -> Select[Any]:
    reason = (
        select(MatchStep.reason)
        .where(MatchStep.match_id == Match.id, MatchStep.reason.is_not(None), visibility.steps_visible_to(caller))
        .order_by(MatchStep.id.desc())
        .limit(1)
        .correlate(Match)
    )
    outcome = select(Outcome.kind).where(Outcome.match_id == Match.id).order_by(Outcome.id.desc()).limit(1)
    return (
        select(
            *(Match.public_id, Match.status),
            Need.title.label("need_title"),
            Seed.title.label("seed_title"),
            reason.scalar_subquery().label("reason"),
            outcome.correlate(Match).scalar_subquery().label("outcome"),
        )
        .join(Need, Need.id == Match.need_id)
        .join(Seed, Seed.id == Match.seed_id)
        .where(
            and_(Match.cluster_id == caller.cluster_id, Match.status.in_([str(status) for status in _PAST])),
            and_(Match.need_id != match.need_id, Match.seed_id != match.seed_id),
            visibility.matches_visible_to(caller),
            alike,
        )
        .order_by(func.array_position([str(status) for status in _PAST], Match.status), Match.id.desc())
        .limit(MOST_LIKE_IT)
    )


def _told(row: Any) -> Past:
    status = MatchStatus(row.status)
    refused = status in (MatchStatus.DECLINED, MatchStatus.DISMISSED)
    return Past(
        match=row.public_id,
        need_title=row.need_title,
        seed_title=row.seed_title,
        status=status,
        reason=ReasonCode(row.reason) if refused and row.reason else None,
        outcome=OutcomeKind(row.outcome) if row.outcome else None,
    )
