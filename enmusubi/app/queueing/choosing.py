"""Which matches the queue is made of: conditions on matches alone, so that no list is joined before it is cut off."""

import datetime
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import any_starts_with, holds
from enmusubi.app.models import Match, Need, Seed, Wait
from enmusubi.app.queueing.drafts import Band, Handled, QueueFilters
from enmusubi.app.vocabulary import MatchStatus

BANDS: Final = {Band.LIKELY: (0.6, None), Band.POSSIBLE: (0.3, 0.6), Band.UNLIKELY: (None, 0.3)}
"""From which probability on, and below which."""


def in_states(states: Sequence[MatchStatus]) -> ColumnElement[bool]:
    """Matches in these states; of suggested ones those alone that may be introduced now. Goes with Match."""
    rules: list[ColumnElement[bool]] = []
    told = [str(state) for state in states if state is not MatchStatus.SUGGESTED]
    if told:
        rules.append(Match.status.in_(told))
    if MatchStatus.SUGGESTED in states:
        open_now = and_(_of_seed(visibility.open_for_matching(Seed)), _of_need(visibility.open_for_matching(Need)))
        rules.append(and_(Match.status == MatchStatus.SUGGESTED, open_now))
    return or_(*rules)


def chosen(caller: Caller, filters: QueueFilters, today: datetime.date) -> list[ColumnElement[bool]]:
    """Matches of the caller's cluster that the filters let through, in whatever state. Goes with Match."""
    rules = [Match.cluster_id == caller.cluster_id, visibility.matches_visible_to(caller)]
    if filters.need is not None:
        rules.append(
            Match.need_id == select(Need.id).where(Need.public_id == filters.need).correlate(None).scalar_subquery()
        )
    if filters.handled is Handled.MINE:
        rules.append(Match.coordinator_id == caller.id)
    if filters.handled is Handled.NOBODY:
        rules.append(Match.coordinator_id.is_(None))
    if filters.band is not None:
        rules.append(_in_band(filters.band))
    if filters.waiting is not None or filters.overdue:
        rules.append(_is_waited(caller, filters, today))
    of_seed = _seed_rules(filters)
    if of_seed:
        rules.append(_of_seed(*of_seed))
    if filters.field is not None:
        beginning = filters.field
        rules.append(
            or_(
                _of_seed(any_starts_with(Seed.field_codes, beginning)),
                _of_need(any_starts_with(Need.field_codes, beginning)),
            )
        )
    return rules


def _seed_rules(filters: QueueFilters) -> list[ColumnElement[bool]]:
    rules: list[ColumnElement[bool]] = []
    if filters.region is not None:
        rules.append(holds(Seed.regions, filters.region))
    if filters.trl is not None:
        rules.append(Seed.trl >= filters.trl)
    if filters.language is not None:
        rules.append(Seed.language == filters.language)
    return rules


def _in_band(band: Band) -> ColumnElement[bool]:
    if band is Band.UNKNOWN:
        return Match.probability.is_(None)
    # As it is shown: of what another cluster's index ranked, in steps of five per cent.
    shown: Any = case((Match.ranked_in.is_(None), Match.probability), else_=func.round(Match.probability * 20) / 20)
    least, below = BANDS[band]
    return and_(true() if least is None else shown >= least, true() if below is None else shown < below)


def _is_waited(caller: Caller, filters: QueueFilters, today: datetime.date) -> ColumnElement[bool]:
    # Looked up match by match: `exists` would have the planner put all open waits beside each.
    waited = select(true()).where(Wait.match_id == Match.id, Wait.ended.is_(None), visibility.waits_visible_to(caller))
    if filters.waiting is not None:
        waited = waited.where(Wait.side == filters.waiting)
    if filters.overdue:
        waited = waited.where(Wait.due_on < today)
    return waited.limit(1).correlate(Match).scalar_subquery()


def _of_seed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(true()).where(Seed.id == Match.seed_id, *conditions).correlate(Match).scalar_subquery()


def _of_need(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(true()).where(Need.id == Match.need_id, *conditions).correlate(Match).scalar_subquery()
