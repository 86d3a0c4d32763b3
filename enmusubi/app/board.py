"""What a cluster's board shows beside its indicators: who carries how much, what is late, and what nobody takes up."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, load_only, selectinload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.clock import day_of
from enmusubi.app.clusters import own_cluster
from enmusubi.app.models import Account, Match, Need, Seed, Wait
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, Awaited, MatchStatus, RecordedKind, Side

SHOWN: Final = 10
"""Lines of each list on the board; all are in its table."""
MOST: Final = 10_000
"""Lines of a table."""

_WORKED_ON: Final = [
    str(status)
    for status in (
        MatchStatus.SHORTLISTED, MatchStatus.INTRODUCED, MatchStatus.ACCEPTED, MatchStatus.DISCLOSED,
        MatchStatus.MEETING, MatchStatus.NEGOTIATION, MatchStatus.AGREEMENT,
    )
]  # fmt: skip
_TAKEN_UP: Final = [*_WORKED_ON, str(MatchStatus.OUTCOME)]


@dataclass(frozen=True, slots=True)
class Load:
    """What a coordinator handles now; no name: what nobody has taken yet."""

    id: uuid.UUID | None
    name: str | None
    shortlisted: int
    introduced: int
    following: int
    """Accepted by both sides, and on from there."""
    waited_for: int
    """Steps that the coordinator is to take."""
    overdue: int

    @property
    def matches(self) -> int:
        """All together."""
        return self.shortlisted + self.introduced + self.following


@dataclass(frozen=True, slots=True)
class Late:
    """A step that is overdue."""

    match: uuid.UUID
    need: str | None
    seed: str | None
    awaited: Awaited
    side: Side
    coordinator: str | None
    due_on: datetime.date
    days: int


@dataclass(frozen=True, slots=True)
class Alone:
    """A published entry that no match has come of, and how many were proposed for it."""

    id: uuid.UUID
    title: str | None
    since: datetime.date
    days: int
    proposed: int


@dataclass(frozen=True, slots=True)
class Some:
    """The first lines of a list, and how many there are."""

    lines: Sequence[Any]
    count: int


def require_board(caller: Caller) -> None:
    """Who may read the indicators of the cluster may read its board; ForbiddenError for others."""
    require(caller, Right.READ_INDICATORS, Relation.HERE)


def loads(session: Session, caller: Caller) -> list[Load]:
    """What each coordinator of the cluster handles, the active ones in any case, by name."""
    require_board(caller)
    today = day_of(datetime.datetime.now(datetime.UTC))
    here = and_(Match.cluster_id == caller.cluster_id, visibility.matches_visible_to(caller))
    matches = select(Match.coordinator_id, Match.status, func.count()).where(here, Match.status.in_(_WORKED_ON))
    waits = (
        select(Match.coordinator_id, func.count(), func.count().filter(Wait.due_on < today))
        .join(Match, Wait.match_id == Match.id)
        .where(here, Wait.ended.is_(None), Wait.acts == Side.CLUSTER, visibility.waits_visible_to(caller))
        .group_by(Match.coordinator_id)
    )
    handled: dict[int | None, dict[str, int]] = {}
    for key, status, count in session.execute(matches.group_by(Match.coordinator_id, Match.status)):
        handled.setdefault(key, {})[status] = count
    waiting = {key: (count, overdue) for key, count, overdue in session.execute(waits)}
    keys = {*handled, *waiting}
    accounts = select(Account.id, Account.public_id, Account.name).where(
        Account.cluster_id == caller.cluster_id,
        or_(and_(Account.role == "coordinator", Account.active), Account.id.in_([key for key in keys if key])),
    )
    people = {row.id: (row.public_id, row.name) for row in session.execute(accounts)}
    found = []
    for key in {*people, *keys}:
        counts = handled.get(key, {})
        shortlisted, introduced = counts.get("shortlisted", 0), counts.get("introduced", 0)
        public_id, name = people.get(key, (None, None)) if key is not None else (None, None)
        following = sum(counts.values()) - shortlisted - introduced
        found.append(Load(public_id, name, shortlisted, introduced, following, *waiting.get(key, (0, 0))))
    return sorted(found, key=lambda load: (load.name is None, load.name or ""))


def overdue(session: Session, caller: Caller, most: int = SHOWN) -> Some:
    """Steps of the cluster's matches that are past their day, the longest first."""
    require_board(caller)
    today = day_of(datetime.datetime.now(datetime.UTC))
    late = and_(
        Wait.cluster_id == caller.cluster_id, Wait.ended.is_(None), Wait.due_on < today,
        visibility.waits_visible_to(caller),
        Wait.match_id.in_(select(Match.id).where(visibility.matches_visible_to(caller))),
    )  # fmt: skip
    chosen = (
        select(Wait)
        .where(late)
        .options(
            selectinload(Wait.match).options(
                load_only(Match.public_id, Match.need_id, Match.seed_id, Match.coordinator_id),
                selectinload(Match.need).load_only(Need.title),
                selectinload(Match.seed).load_only(Seed.title),
            )
        )
        .order_by(Wait.due_on, Wait.public_id)
        .limit(most)
    )
    waits = session.scalars(chosen).all()
    handlers = {wait.match.coordinator_id for wait in waits if wait.match.coordinator_id is not None}
    named = select(Account.id, Account.name).where(Account.id.in_(handlers))
    names = {row.id: row.name for row in session.execute(named)}
    lines = [
        Late(
            match=wait.match.public_id,
            need=wait.match.need.title,
            seed=wait.match.seed.title,
            awaited=Awaited(wait.awaited),
            side=Side(wait.side),
            coordinator=names.get(wait.match.coordinator_id) if wait.match.coordinator_id is not None else None,
            due_on=wait.due_on,
            days=(today - wait.due_on).days,
        )
        for wait in waits
    ]
    return Some(lines, _count(session, select(Wait.id).where(late), len(lines), most))


def unanswered_needs(session: Session, caller: Caller, most: int = SHOWN) -> Some:
    """Needs of the cluster that may be matched and of which nothing was shortlisted, the oldest first."""
    return _alone(session, caller, Need, most)


def unasked_seeds(session: Session, caller: Caller, most: int = SHOWN) -> Some:
    """Seeds of the cluster that may be matched and of which nothing was shortlisted, the oldest first."""
    return _alone(session, caller, Seed, most)


def _alone(session: Session, caller: Caller, kind: type[Seed] | type[Need], most: int) -> Some:
    require_board(caller)
    today = day_of(datetime.datetime.now(datetime.UTC))
    match = aliased(Match)
    own = match.need_id == Need.id if kind is Need else match.seed_id == Seed.id
    seen = visibility.needs_visible_to(caller) if kind is Need else visibility.seeds_visible_to(caller)
    taken_up = exists().where(own, match.status.in_(_TAKEN_UP)).correlate(kind)
    proposed = select(func.count()).where(own, match.status == MatchStatus.SUGGESTED).correlate(kind)
    alone = and_(seen, kind.cluster_id == caller.cluster_id, visibility.open_for_matching(kind), ~taken_up)
    # To the day: to the moment it would join anonymous needs to each other.
    since = case((kind.published_on.is_not(None), kind.published_on), else_=func.date(kind.created))
    chosen = (
        select(kind.public_id, kind.title, since, proposed.scalar_subquery())
        .where(alone)
        .order_by(since, kind.public_id)
        .limit(most)
    )
    lines = [
        Alone(public_id, title, day, (today - day).days, count)
        for public_id, title, day, count in session.execute(chosen)
    ]
    return Some(lines, _count(session, select(kind.id).where(alone), len(lines), most))


def _count(session: Session, of: Select[Any], lines: int, most: int) -> int:
    """How many there are; asked only where not all of them are there."""
    return lines if lines < most else session.scalar(select(func.count()).select_from(of.subquery())) or 0


def note_export(session: Session, caller: Caller, table: str) -> None:
    """Record that a table of the board was taken away."""
    cluster = own_cluster(session, caller)
    record(session, caller, Action.EXPORTED, RecordedKind.CLUSTER, cluster.public_id, through=f"board_{table}")
