"""What waits for me: the steps that the account that asks is waited for, by what is due first."""

import base64
import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, and_, false, or_, select, true, tuple_
from sqlalchemy.orm import Session, load_only, selectinload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.clock import day_of
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.introducing.hindrances import hindrances_of, standing_of
from enmusubi.app.introducing.shown import EntryNamed, entry_named, wait_since
from enmusubi.app.models import Match, Need, Seed, Wait
from enmusubi.app.stepping.machine import INTRODUCED
from enmusubi.app.verdicts import seen_status
from enmusubi.app.vocabulary import Awaited, Hindrance, MatchStatus, Role, Side


class WorkQuery(PageQuery):
    """Which part of it, and of whom."""

    overdue: bool | None = Field(default=None, description="Only what is overdue, or only what is not")
    everybody: Annotated[
        bool, Field(description="For coordinators: what other coordinators of the cluster handle, too")
    ] = False


class WorkItem(BaseModel):
    """A step that somebody is waited for."""

    match: uuid.UUID
    status: MatchStatus
    need: EntryNamed
    seed: EntryNamed
    awaited: Awaited
    side: Side
    since: datetime.datetime
    due_on: datetime.date
    overdue: bool
    reminded: datetime.datetime | None
    escalated: datetime.datetime | None = Field(description="When the coordinators were told that it is overdue")
    raised: datetime.datetime | None = Field(description="When the cluster administrators were")
    hindered_by: list[Hindrance] = Field(
        description="What stands in the way of it, for the match's coordinators; empty for others"
    )


@dataclass(frozen=True, slots=True)
class Work:
    """One page of it, and the cursor of the next."""

    items: Sequence[WorkItem]
    next: str | None


def list_work(session: Session, caller: Caller, query: WorkQuery, now: datetime.datetime) -> Work:
    """A page of what waits for the caller; for cluster administrators what was raised to them.

    The page is cut off from the waits alone, in the order of their index: joined, all matches that the caller sees
    would be put together with them first.
    """
    position = tuple_(Wait.due_on, Wait.public_id)
    chosen = (
        select(Wait)
        .where(Wait.ended.is_(None), visibility.waits_visible_to(caller), _waits_for(caller, everybody=query.everybody))
        .options(
            # Read afterwards, of what is on the page.
            selectinload(Wait.match).options(
                load_only(Match.public_id, Match.status, Match.cluster_id, Match.need_id, Match.seed_id),
                selectinload(Match.need).load_only(Need.public_id, Need.title),
                selectinload(Match.seed).load_only(Seed.public_id, Seed.title),
            )
        )
        .order_by(Wait.due_on, Wait.public_id)
        .limit(query.limit + 1)
    )
    today = day_of(now)
    if query.overdue is not None:
        chosen = chosen.where(Wait.due_on < today if query.overdue else Wait.due_on >= today)
    if query.cursor is not None:
        chosen = chosen.where(position > tuple_(*_read_cursor(query.cursor)))
    found = session.scalars(chosen).all()
    page = found[: query.limit]
    standings = standing_of(session, caller, [wait.match for wait in page])
    return Work(
        [_item(caller, wait, today, hindrances_of(standings, wait)) for wait in page],
        _cursor_at(page[-1]) if len(found) > query.limit else None,
    )


def _waits_for(caller: Caller, *, everybody: bool) -> ColumnElement[bool]:
    rules: list[ColumnElement[bool]] = []
    of_cluster = Wait.cluster_id == caller.cluster_id
    if caller.role is Role.CLUSTER_ADMINISTRATOR:
        rules.append(and_(of_cluster, Wait.raised.is_not(None), _of_match()))
    if caller.coordinates:
        mine = or_(Wait.coordinator_id == caller.id, Wait.coordinator_id.is_(None))
        rules.append(and_(of_cluster, Wait.acts == Side.CLUSTER, *(() if everybody else (mine,)), _of_match()))
    if caller.organisation_id is not None:
        for side, of_own_entries in visibility.own_sides(caller):
            # A side is waited for once it was asked.
            own = visibility.any_of(select(Match.id).where(of_own_entries, Match.status.in_(sorted(INTRODUCED))))
            rules.append(and_(Wait.side == side, Wait.match_id == own))
    return or_(false(), *rules)


def _of_match() -> ColumnElement[bool]:
    """Waits of a match that the caller sees: looked up wait by wait."""
    return select(true()).where(Match.id == Wait.match_id).correlate(Wait).scalar_subquery()


def _item(caller: Caller, wait: Wait, today: datetime.date, hindered_by: list[Hindrance]) -> WorkItem:
    match = wait.match
    return WorkItem(
        match=match.public_id,
        status=seen_status(match, caller),
        need=entry_named(match.need),
        seed=entry_named(match.seed),
        awaited=Awaited(wait.awaited),
        side=Side(wait.side),
        since=wait_since(caller, wait),
        due_on=wait.due_on,
        overdue=wait.due_on < today,
        reminded=wait.reminded,
        escalated=wait.escalated,
        raised=wait.raised,
        hindered_by=hindered_by,
    )


def _cursor_at(wait: Wait) -> str:
    return base64.urlsafe_b64encode(wait.due_on.toordinal().to_bytes(4, "big") + wait.public_id.bytes).decode()


def _read_cursor(cursor: str) -> tuple[datetime.date, uuid.UUID]:
    try:
        raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        return datetime.date.fromordinal(int.from_bytes(raw[:4], "big")), uuid.UUID(bytes=raw[4:])
    except (ValueError, OverflowError):
        raise InvalidInputError("cursor: not one that a page of this list gave; start without it") from None
