"""Stored matches: list, read, review."""

import datetime
import uuid
from typing import Final

from pydantic import Field
from sqlalchemy import ColumnElement, Select, false, func, select, true
from sqlalchemy.orm import Session, selectinload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.errors import NotFoundError
from enmusubi.app.models import Account, Match, Need, Review, Seed, Wait
from enmusubi.app.permissions import Relation, Right, relation_to, require
from enmusubi.app.recording import record
from enmusubi.app.refusals import back
from enmusubi.app.schemas import ReviewDraft
from enmusubi.app.stepping.taking import Saying, check_version, hold, take
from enmusubi.app.verdicts import seen_as
from enmusubi.app.vocabulary import Action, MatchStatus, RecordedKind, Side, Step, Verdict

_FEW: Final = 1_000
"""Waits that are looked up first; where there are more, they are that dense among the matches."""


def _matches(caller: Caller) -> Select[Match]:
    """The matches that the caller may see, with both sides and the reviews.

    These are read afterwards: joined, all of a cluster would be put together before a page of it is cut off.
    """
    return (
        select(Match)
        .where(visibility.matches_visible_to(caller))
        .options(
            selectinload(Match.need).joinedload(Need.organisation),
            selectinload(Match.seed).joinedload(Seed.organisation),
            selectinload(Match.reviews),
        )
    )


def read_match(session: Session, caller: Caller, public_id: uuid.UUID) -> Match:
    """The match with its two sides and reviews, if the caller may see it; NotFoundError otherwise."""
    query = _matches(caller).where(Match.public_id == public_id)
    match = session.scalar(query.execution_options(populate_existing=True))
    if match is None:
        raise NotFoundError("no such match, or it is not open to you")
    return match


class MatchListQuery(PageQuery):
    """Filters of stored matches; all given ones must hold."""

    status: MatchStatus | None = None
    need: uuid.UUID | None = None
    seed: uuid.UUID | None = None
    reopened: bool | None = Field(
        default=None,
        description="Whether it was turned down and is back, since what it was turned down for changed",
    )
    waiting_on: Side | None = Field(default=None, description="Who is waited for: need, seed or cluster")
    overdue: bool | None = Field(default=None, description="Whether somebody is waited for whose last day is past")
    coordinator: uuid.UUID | None = Field(default=None, description="Id of who handles it, for those who oversee it")


def list_matches(session: Session, caller: Caller, query: MatchListQuery, today: datetime.date) -> Listed:
    """A page of the stored matches that the caller may see, newest first."""
    chosen = _matches(caller)
    if caller.oversees and caller.organisation_id is None:
        # Said once more of the match itself, whose index has its cluster first and then the order of the list.
        chosen = chosen.where(Match.cluster_id == caller.cluster_id)
    if query.status is not None:
        chosen = chosen.where(seen_as(caller, query.status))
    if query.need is not None:
        chosen = chosen.where(Match.need_id == select(Need.id).where(Need.public_id == query.need).scalar_subquery())
    if query.seed is not None:
        chosen = chosen.where(Match.seed_id == select(Seed.id).where(Seed.public_id == query.seed).scalar_subquery())
    if query.reopened is not None:
        chosen = chosen.where(back.told_to(caller) if query.reopened else ~back.told_to(caller))
    if query.waiting_on is not None:
        chosen = chosen.where(_waited(session, caller, Wait.side == query.waiting_on))
    if query.overdue is not None:
        late = Wait.due_on < today
        chosen = chosen.where(_waited(session, caller, late) if query.overdue else ~_is_waited(caller, late))
    if query.coordinator is not None:
        handles = select(Account.id).where(Account.public_id == query.coordinator).scalar_subquery()
        here = Match.cluster_id == caller.cluster_id if caller.oversees else false()
        chosen = chosen.where(here, Match.coordinator_id == handles)
    return page(session, chosen, Match, query)


def _waited(session: Session, caller: Caller, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Matches of which somebody is waited for like this. Few are found by their waits; of many, a page is soon full."""
    if caller.oversees and caller.organisation_id is None:
        waits = select(Wait.match_id).where(
            Wait.cluster_id == caller.cluster_id, *_open_to(caller), condition
        )  # fmt: skip
        few = session.scalars(waits.limit(_FEW + 1)).all()
        if len(few) <= _FEW:
            return Match.id.in_(few)
    return _is_waited(caller, condition)


def _is_waited(caller: Caller, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same, looked up match by match: `exists` would have the planner put all open waits beside each."""
    waited = select(true()).where(Wait.match_id == Match.id, *_open_to(caller), condition).limit(1).correlate(Match)
    return func.coalesce(waited.scalar_subquery(), false())


def _open_to(caller: Caller) -> tuple[ColumnElement[bool], ...]:
    return Wait.ended.is_(None), visibility.waits_visible_to(caller)


def review(
    session: Session,
    caller: Caller,
    public_id: uuid.UUID,
    draft: ReviewDraft,
    version: int | None,
    now: datetime.datetime,
) -> Review:
    """Take a coordinator's verdict; a pair with a verdict is no longer proposed."""
    match = read_match(session, caller, public_id)
    # Who sees a match without overseeing a cluster has a side in it.
    relation = relation_to(caller, match.cluster_id, None) if caller.oversees else Relation.OWN
    require(caller, Right.REVIEW_MATCH, relation)
    held = hold(session, match)
    check_version(session, caller, match, version)
    step = Step.SHORTLIST if draft.verdict is Verdict.SHORTLIST else Step.DISMISS
    take(session, caller, held, step, now, Saying(draft.reason, draft.note))
    verdict = Review(
        match_id=match.id, account_id=caller.id, verdict=draft.verdict, reason=draft.reason, note=draft.note,
        created=now,
    )  # fmt: skip
    session.add(verdict)
    session.flush()
    record(
        *(session, caller, Action.REVIEWED, RecordedKind.MATCH, match.public_id),
        version=match.version,
        verdict=str(draft.verdict),
        reason=str(draft.reason) if draft.reason else None,
        status=str(match.status),
    )
    return verdict
