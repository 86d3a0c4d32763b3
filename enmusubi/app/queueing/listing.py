"""A page of the queue: needs by their best match, and of each its best matches, in one statement."""

import base64
import binascii
import datetime
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Executable, Row, Subquery, and_, func, select, true, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import Account, Match, Need, Organisation, Seed, Wait
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.queueing.choosing import chosen, in_states
from enmusubi.app.queueing.drafts import QueueFilters
from enmusubi.app.stored_parts import seen_probability
from enmusubi.app.vocabulary import Awaited, MatchStatus, Side
from enmusubi.matching.calibration import Probability

NEEDS: Final = 5
"""So many needs are on a page."""
EACH: Final = 10
"""So many matches of each; as many as are proposed at once."""
OF_ONE: Final = NEEDS * EACH
"""So many where one need is looked at alone."""
_CURSOR: Final = struct.Struct(">d16s")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who is waited for, and since when it is late."""

    side: Side
    awaited: Awaited
    due_on: datetime.date
    overdue: bool


@dataclass(frozen=True, slots=True)
class Queued:
    """A match as the queue lists it."""

    id: uuid.UUID
    version: int
    status: MatchStatus
    score: float
    probability: float | None
    seed_title: str | None
    seed_language: str | None
    seed_organisation: str | None
    trl: int | None
    regions: Sequence[str]
    by_hand: bool
    reopened: bool
    coordinator: str | None
    waiting: Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class Group:
    """A need with its best matches; `more`: it has others that are not on the page."""

    need: uuid.UUID
    title: str | None
    language: str | None
    wanted_trl: int | None
    matches: Sequence[Queued]
    more: bool


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The needs of a page, and the cursor of the next."""

    groups: Sequence[Group]
    next: str | None

    @property
    def matches(self) -> list[Queued]:
        """All matches of the page, in its order."""
        return [match for group in self.groups for match in group.matches]


def list_queue(
    session: Session, caller: Caller, filters: QueueFilters, cursor: str | None, today: datetime.date
) -> QueuePage:
    """A page of the queue, best need first; for those who oversee the cluster.

    A need's place is that of its best match. It is looked up need by need, in the order of an index, so that of each
    need one match is read and not all.
    """
    require(caller, Right.READ_REVIEWS, Relation.HERE)
    after = None if cursor is None else _read_cursor(cursor)
    if filters.need is not None:
        return _of_one_need(session, caller, filters, after, today)
    best = _best_needs(caller, filters, after, today)
    rows = session.execute(_matches_of(caller, filters, best, EACH + 1, None, today)).all()
    groups = _grouped(caller, rows, EACH, today)
    further = len(groups) > NEEDS
    groups = groups[:NEEDS]
    return QueuePage(groups, _cursor_at(groups[-1].matches[0]) if further else None)


def _of_one_need(
    session: Session, caller: Caller, filters: QueueFilters, after: tuple[float, uuid.UUID] | None, today: datetime.date
) -> QueuePage:
    alone = select(Need.id.label("need_id"), Need.id.label("score"), Need.id.label("public_id"))
    best = alone.where(Need.public_id == filters.need).subquery()
    rows = session.execute(_matches_of(caller, filters, best, OF_ONE + 1, after, today)).all()
    groups = _grouped(caller, rows, OF_ONE, today)
    further = bool(groups) and groups[0].more
    return QueuePage(groups, _cursor_at(groups[0].matches[-1]) if further else None)


def _best_needs(
    caller: Caller, filters: QueueFilters, after: tuple[float, uuid.UUID] | None, today: datetime.date
) -> Subquery:
    """Keys of needs with the score and id of their best match, best first, and one more than a page has."""
    top = (
        select(Match.score, Match.public_id)
        .where(Match.need_id == Need.id, in_states(filters.states), *chosen(caller, filters, today))
        .order_by(Match.score.desc(), Match.public_id.desc())
        .limit(1)
        .correlate(Need)
        .lateral("top")
    )
    found = (
        select(Need.id.label("need_id"), top.c.score, top.c.public_id)
        .join(top, true())
        .where(Need.cluster_id == caller.cluster_id)
        .order_by(top.c.score.desc(), top.c.public_id.desc())
        .limit(NEEDS + 1)
    )
    if filters.states == (MatchStatus.SUGGESTED,):
        found = found.where(visibility.open_for_matching(Need))
    if after is not None:
        found = found.where(tuple_(top.c.score, top.c.public_id) < tuple_(*after))
    return found.subquery("best")


def _matches_of(
    caller: Caller,
    filters: QueueFilters,
    best: Subquery,
    most: int,
    after: tuple[float, uuid.UUID] | None,
    today: datetime.date,
) -> Executable:
    each = (
        select(Match.id, Match.score.label("at"), Match.public_id.label("then"))
        .where(Match.need_id == best.c.need_id, in_states(filters.states), *chosen(caller, filters, today))
        .order_by(Match.score.desc(), Match.public_id.desc())
        .limit(most)
        .correlate(best)
    )
    if after is not None:
        each = each.where(tuple_(Match.score, Match.public_id) < tuple_(*after))
    of_need = each.lateral("of_need")
    return (
        select(
            *(Match.public_id, Match.version, Match.status, Match.score, Match.ranked_in, Match.by_hand),
            *(Match.probability, Match.probability_low, Match.probability_high, Match.reopened),
            Need.public_id.label("need"),
            Need.title.label("need_title"),
            Need.language.label("need_language"),
            Need.wanted_trl,
            Seed.title.label("seed_title"),
            Seed.language.label("seed_language"),
            *(Seed.trl, Seed.regions),
            Organisation.name.label("organisation"),
            Account.name.label("coordinator"),
            _waits(caller).label("waits"),
        )
        .select_from(best)
        .join(of_need, true())
        .join(Match, Match.id == of_need.c.id)
        .join(Need, Need.id == Match.need_id)
        .join(Seed, Seed.id == Match.seed_id)
        .outerjoin(Organisation, Organisation.id == Seed.organisation_id)
        .outerjoin(Account, Account.id == Match.coordinator_id)
        .order_by(best.c.score.desc(), best.c.public_id.desc(), of_need.c.at.desc(), of_need.c.then.desc())
    )


def _waits(caller: Caller) -> Any:
    """Who is waited for in a match, as JSON."""
    said = func.jsonb_build_array(Wait.side, Wait.awaited, Wait.due_on)
    waits = select(func.jsonb_agg(said, type_=JSONB)).where(
        and_(Wait.match_id == Match.id, Wait.ended.is_(None), visibility.waits_visible_to(caller))
    )
    return waits.correlate(Match).scalar_subquery()


def _grouped(caller: Caller, rows: Sequence[Row[Any]], most: int, today: datetime.date) -> list[Group]:
    by_need: dict[uuid.UUID, list[Row[Any]]] = {}
    for row in rows:
        by_need.setdefault(row.need, []).append(row)
    return [
        Group(
            need=need,
            title=found[0].need_title,
            language=found[0].need_language,
            wanted_trl=found[0].wanted_trl,
            matches=[_queued(caller, row, today) for row in found[:most]],
            more=len(found) > most,
        )
        for need, found in by_need.items()
    ]


def _queued(caller: Caller, row: Row[Any], today: datetime.date) -> Queued:
    return Queued(
        id=row.public_id,
        version=row.version,
        status=MatchStatus(row.status),
        score=row.score,
        probability=_probability(caller, row),
        seed_title=row.seed_title,
        seed_language=row.seed_language,
        seed_organisation=row.organisation,
        trl=row.trl,
        regions=row.regions,
        by_hand=row.by_hand,
        reopened=row.reopened is not None,
        coordinator=row.coordinator,
        waiting=[_waiting(said, today) for said in row.waits or ()],
    )


def _probability(caller: Caller, row: Row[Any]) -> float | None:
    if row.probability is None:
        return None
    told = Probability(row.probability, row.probability_low, row.probability_high)
    return seen_probability(told, caller, elsewhere=row.ranked_in is not None).value


def _waiting(said: Sequence[str], today: datetime.date) -> Waiting:
    due_on = datetime.date.fromisoformat(said[2])
    return Waiting(Side(said[0]), Awaited(said[1]), due_on, due_on < today)


def _cursor_at(match: Queued) -> str:
    return base64.urlsafe_b64encode(_CURSOR.pack(match.score, match.id.bytes)).decode()


def _read_cursor(cursor: str) -> tuple[float, uuid.UUID]:
    try:
        score, key = _CURSOR.unpack(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, struct.error):
        raise InvalidInputError("cursor: not one that a page of this list gave; start without it") from None
    return score, uuid.UUID(bytes=key)
