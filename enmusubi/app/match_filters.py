"""Which of the stored matches a list holds: its filters, as conditions of a query that starts from what may be seen."""

import datetime
import uuid
from typing import Annotated, Final, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import PageQuery, Word, any_starts_with, holds
from enmusubi.app.errors import ForbiddenError
from enmusubi.app.models import Account, Match, Need, Seed, Wait
from enmusubi.app.refusals import back
from enmusubi.app.stepping.machine import INTRODUCED, OPEN
from enmusubi.app.verdicts import seen_as
from enmusubi.app.vocabulary import MatchStatus, Side

_FEW: Final = 3_000
"""Waits that are looked up first; where there are more, they are that dense among the matches."""
_OVERSEEING: Final = "For those who oversee the cluster"


class MatchFilters(PageQuery):
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
    field: Word | None = Field(
        default=None, description="Beginning of a field code of the need or the seed, for example IPC:A23L"
    )
    region: Word | None = Field(default=None, description="Of the need or the seed")
    language: Literal["ja", "en"] | None = Field(default=None, description="Of the need or the seed")
    trl_min: Annotated[int, Field(ge=1, le=9)] | None = Field(default=None, description="TRL of the seed, at least")
    score_min: float | None = Field(default=None, allow_inf_nan=False, description=f"{_OVERSEEING}: at least")
    score_max: float | None = Field(default=None, allow_inf_nan=False, description=f"{_OVERSEEING}: at most")


def chosen(
    session: Session, caller: Caller, query: MatchFilters, today: datetime.date
) -> list[ColumnElement[bool]]:  # fmt: skip
    """The conditions of the filters that are given. Goes with Match, of the matches that the caller may see.

    Raises ForbiddenError where scores are asked for by one who does not oversee a cluster.
    """
    conditions = [*_of_entries(query), *_of_scores(caller, query), *_of_waits(session, caller, query, today)]
    if query.status is not None:
        # For the sides it looks so; of a cluster it is said plainly, for its index.
        seen = Match.status == query.status if of_whole_cluster(caller) else seen_as(caller, query.status)
        conditions.append(seen)
    if query.need is not None:
        conditions.append(Match.need_id == select(Need.id).where(Need.public_id == query.need).scalar_subquery())
    if query.seed is not None:
        conditions.append(Match.seed_id == select(Seed.id).where(Seed.public_id == query.seed).scalar_subquery())
    if query.reopened is not None:
        conditions.append(back.told_to(caller) if query.reopened else ~back.told_to(caller))
    if query.coordinator is not None:
        handles = select(Account.id).where(Account.public_id == query.coordinator).scalar_subquery()
        here = Match.cluster_id == caller.cluster_id if caller.oversees else false()
        conditions.append(and_(here, Match.coordinator_id == handles))
    return conditions


def of_whole_cluster(caller: Caller) -> bool:
    """Whether the caller's matches are those of his cluster, and no others."""
    return caller.oversees and caller.organisation_id is None


def _of_entries(query: MatchFilters) -> list[ColumnElement[bool]]:
    """Looked up match by match, on the way to a page: most lists are full long before all matches were looked at."""
    kinds = (Need, Seed)
    conditions: list[ColumnElement[bool]] = []
    if query.field is not None:
        conditions.append(or_(*(any_starts_with(kind.field_codes, query.field.upper()) for kind in kinds)))
    if query.region is not None:
        conditions.append(or_(*(holds(kind.regions, query.region) for kind in kinds)))
    if query.language is not None:
        conditions.append(or_(*(kind.language == query.language for kind in kinds)))
    if query.trl_min is not None:
        conditions.append(Seed.trl >= query.trl_min)
    if not conditions:
        return []
    both = select(true()).where(Need.id == Match.need_id, Seed.id == Match.seed_id, *conditions).correlate(Match)
    return [func.coalesce(both.scalar_subquery(), false())]


def _of_scores(caller: Caller, query: MatchFilters) -> list[ColumnElement[bool]]:
    """By the exact score, which who asks may see: not where the index of another cluster ranked."""
    if query.score_min is None and query.score_max is None:
        return []
    if not caller.oversees:
        raise ForbiddenError("score_min and score_max are for those who oversee a cluster; leave them out")
    here = Match.cluster_id == caller.cluster_id
    conditions = [here, or_(Match.ranked_in.is_(None), Match.ranked_in == caller.cluster_id)]
    if query.score_min is not None:
        conditions.append(Match.score >= query.score_min)
    if query.score_max is not None:
        conditions.append(Match.score <= query.score_max)
    return conditions


def _of_waits(
    session: Session, caller: Caller, query: MatchFilters, today: datetime.date
) -> list[ColumnElement[bool]]:  # fmt: skip
    conditions = []
    if query.waiting_on is not None:
        conditions.append(_waited(session, caller, Wait.side == query.waiting_on))
    if query.overdue is not None:
        late = Wait.due_on < today
        every_side = Wait.side.in_(list(Side))  # of all of them, for the index by side
        overdue = _waited(session, caller, and_(every_side, late)) if query.overdue else ~_is_waited(caller, late)
        conditions.append(overdue)
    return conditions


def _waited(session: Session, caller: Caller, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Matches of which somebody is waited for like this. Few are found by their waits; of many, a page is soon full."""
    # Said of the match too: of most nobody is waited for, and nothing is looked up of these.
    under_way = Match.status.in_(sorted(OPEN if caller.oversees else INTRODUCED))
    if of_whole_cluster(caller):
        waits = select(Wait.match_id).where(Wait.cluster_id == caller.cluster_id, *_open_to(caller), condition)
        if _are_few(session, waits):
            return Match.id == visibility.any_of(waits)
    return and_(under_way, _is_waited(caller, condition))


def _are_few(session: Session, found: Select[int]) -> bool:
    counted = select(func.count()).select_from(found.limit(_FEW + 1).subquery())
    return session.scalars(counted).one() <= _FEW


def _is_waited(caller: Caller, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same, looked up match by match: `exists` would have the planner put all open waits beside each."""
    waited = select(true()).where(Wait.match_id == Match.id, *_open_to(caller), condition).limit(1).correlate(Match)
    return func.coalesce(waited.scalar_subquery(), false())


def _open_to(caller: Caller) -> tuple[ColumnElement[bool], ...]:
    return Wait.ended.is_(None), visibility.waits_visible_to(caller)
