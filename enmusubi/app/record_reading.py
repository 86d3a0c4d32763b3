"""Read the record: who looked at an entry, the events of a cluster, and links for a verifier, all in pages."""

import datetime
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, Text, Uuid, column, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.catalogue.needs import read_need
from enmusubi.app.catalogue.seeds import read_seed
from enmusubi.app.chain import Event, Head, Link, as_text
from enmusubi.app.chain_file import as_line, head_line
from enmusubi.app.errors import InvalidInputError, NotFoundError, Sentence
from enmusubi.app.models import Account, Cluster, NeedDetail, Organisation, RecordActor, RecordEvent, Seed
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, RecordedKind

READ_AT_ONCE: Final = 1_000

_COLUMNS: Final = RecordEvent.__table__.c
_LINK_NAMES: Final = ("sequence", "chained", "previous", "digest", "hash")


def _as_hashed(name: str) -> ColumnElement[Any]:
    """A column as it is hashed: a time as text, which also shows one that no clock could have given."""
    column: ColumnElement[Any] = _COLUMNS[name]
    return func.record_time(column, type_=Text).label(name) if name in ("chained", "recorded") else column


_LINK: Final = [_as_hashed(name) for name in _LINK_NAMES]
_EVENT: Final = [_as_hashed(name) for name in Event.__slots__]


class EventQuery(PageQuery):
    """Filters of the record; all given ones must hold."""

    action: Action | None = None
    kind: RecordedKind | None = None
    object: uuid.UUID | None = Field(default=None, description="Id of what it was done to")
    since: datetime.datetime | None = Field(default=None, description="Recorded then or later")
    until: datetime.datetime | None = Field(default=None, description="Recorded before then")


class ExportQuery(PageQuery):
    """Which part of the chain: `limit` events after the event `after`."""

    cursor: None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    after: Annotated[int, Field(ge=0, le=2**62)] = Field(default=0, description="Sequence number of the event before")


@dataclass(frozen=True, slots=True)
class Read:
    """Events with their actors, and the cursor of the next page."""

    rows: Sequence[Row[Any]]
    next: str | None


def need_views(session: Session, caller: Caller, public_id: uuid.UUID, query: PageQuery) -> Read:
    """Who looked at the confidential part of a need, newest first, for those who may read that part themselves."""
    need = read_need(session, caller, public_id)
    knows = select(NeedDetail.need_id).where(NeedDetail.need_id == need.id, visibility.need_details_visible_to(caller))
    if session.scalar(knows) is None:
        raise NotFoundError("no such need, or it is not open to you")  # in the words of a need that is not there
    return _views(session, RecordedKind.NEED, public_id, query)


def seed_views(session: Session, caller: Caller, public_id: uuid.UUID, query: PageQuery) -> Read:
    """Who looked at the unpublished part of a seed, newest first, for those who may read that part themselves."""
    seed = read_seed(session, caller, public_id)
    knows = select(Seed.id).where(Seed.id == seed.id, visibility.seed_details_visible_to(caller))
    if session.scalar(knows) is None:
        raise NotFoundError("no such seed, or it is not open to you")
    return _views(session, RecordedKind.SEED, public_id, query)


def _views(session: Session, kind: RecordedKind, public_id: uuid.UUID, query: PageQuery) -> Read:
    chosen = _with_actors().where(
        RecordEvent.object == public_id, RecordEvent.action == Action.VIEWED, RecordEvent.kind == kind
    )
    position = tuple_(RecordEvent.recorded, RecordEvent.salt)
    if query.cursor is not None:
        chosen = chosen.where(position < tuple_(*_read_position(query.cursor)))
    chosen = chosen.order_by(RecordEvent.recorded.desc(), RecordEvent.salt.desc())
    rows = session.execute(chosen.limit(query.limit + 1)).all()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Read(rows, _position(rows[-1].RecordEvent) if more else None)


def list_events(session: Session, caller: Caller, query: EventQuery) -> Read:
    """A page of the cluster's events, newest first, for auditors and cluster administrators."""
    require(caller, Right.READ_RECORD, Relation.HERE)
    chosen = _with_actors().where(RecordEvent.sequence.is_not(None), RecordEvent.salt.is_not(None), _of(caller))
    equal = {RecordEvent.action: query.action, RecordEvent.kind: query.kind, RecordEvent.object: query.object}
    for compared, value in equal.items():
        if value is not None:
            chosen = chosen.where(compared == value)
    if query.since is not None:
        chosen = chosen.where(RecordEvent.recorded >= _with_zone(query.since))
    if query.until is not None:
        chosen = chosen.where(RecordEvent.recorded < _with_zone(query.until))
    if query.cursor is not None:
        chosen = chosen.where(RecordEvent.sequence < _read_cursor(query.cursor))
    rows = session.execute(chosen.order_by(RecordEvent.sequence.desc()).limit(query.limit + 1)).all()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Read(rows, str(rows[-1].RecordEvent.sequence) if more else None)


def export(session: Session, caller: Caller, query: ExportQuery) -> Iterator[str]:
    """JSON Lines of a part of the chain, and as the last where it ends: other clusters' events without what they say.

    Raises InvalidInputError where the chain ends before the part begins.
    """
    require(caller, Right.READ_RECORD, Relation.HERE)
    # One more, before the part: where nothing follows yet, that is where the chain ends.
    found = _links_after(session, max(query.after - 1, 0), query.limit + (query.after > 0))
    if query.after and not (found and found[0].sequence == query.after):
        raise InvalidInputError(Sentence("after: the record ends before %(after)s", after=query.after))
    last = Head(found[-1].sequence, found[-1].hash) if found else Head()
    said = select(*_LINK, *_EVENT).where(
        RecordEvent.sequence > query.after,
        RecordEvent.sequence <= last.sequence,
        RecordEvent.salt.is_not(None),
        _of(caller),
    )
    events = {row.sequence: _event(row) for row in session.execute(said)}
    record(session, caller, Action.EXPORTED, RecordedKind.RECORD, None, after=query.after, through=last.sequence)
    shown = [
        replace(link, event=events.get(link.sequence), withheld=link.sequence not in events)
        for link in found
        if link.sequence > query.after
    ]
    return iter([*map(as_line, shown), head_line(last)])


def _links_after(session: Session, sequence: int, most: int) -> list[Link]:
    columns = func.record_links(sequence, most).table_valued(*(_COLUMNS[name] for name in _LINK_NAMES))
    rows = session.execute(select(columns)).all()
    return [Link(row.sequence, as_text(row.chained), row.previous, row.digest, row.hash, None) for row in rows]


def links(session: Session) -> Iterator[Link]:
    """The whole chain, a part at a time; for whoever runs the server."""
    last = 0
    while True:
        query = select(*_LINK, *_EVENT).where(RecordEvent.sequence > last).order_by(RecordEvent.sequence)
        rows = session.execute(query.limit(READ_AT_ONCE)).all()
        if not rows:
            return
        for row in rows:
            # What a constraint rules out is read all the same, for the verifier to judge.
            hashes = (row.previous or b"", row.digest or b"", row.hash or b"")
            yield Link(row.sequence, row.chained or "", *hashes, _event(row))
        last = rows[-1].sequence


def removed_before(session: Session) -> str:
    """The latest time before which events were emptied, as an event says; empty where none does."""
    query = select(RecordEvent.content).where(RecordEvent.action == Action.RETAINED)
    return max((json.loads(content)["before"] for content in session.scalars(query) if content), default="")


def waiting(session: Session) -> int:
    """How many events are not linked yet."""
    return session.scalar(select(func.count()).where(RecordEvent.sequence.is_(None))) or 0


def unexplained_actors(session: Session) -> int:
    """How many pseudonyms stand in events, but neither belong to an account nor were erased."""
    erased = select(RecordEvent.object).where(RecordEvent.action == Action.ERASED, RecordEvent.object.is_not(None))
    known = select(RecordActor.actor)
    unexplained = (
        select(RecordEvent.actor)
        .where(RecordEvent.actor.is_not(None), RecordEvent.actor.not_in(known), RecordEvent.actor.not_in(erased))
        .distinct()
    )
    return session.scalar(select(func.count()).select_from(unexplained.subquery())) or 0


def false_actors(session: Session) -> int:
    """How many accounts have the pseudonym of another."""
    computed = func.record_actor_of(Account.public_id, RecordActor.salt)
    query = select(func.count()).select_from(RecordActor).join(Account, Account.id == RecordActor.account_id)
    return session.scalar(query.where(computed != RecordActor.actor)) or 0


def _of(caller: Caller) -> Any:
    """Events of the caller's cluster, and those of the whole installation."""
    cluster = select(Cluster.public_id).where(Cluster.id == caller.cluster_id).scalar_subquery()
    return or_(RecordEvent.cluster == cluster, RecordEvent.cluster.is_(None))


def _with_actors() -> Select[*tuple[Any, ...]]:
    # A function of the database: who may read an event may know who did it, also where the account is not his to read.
    valued = func.actor_named(RecordEvent.actor).table_valued(column("account_id", Uuid), column("account_name", Text))
    named = valued.lateral("named")
    return (
        select(
            RecordEvent,
            named.c.account_id,
            named.c.account_name,
            Organisation.public_id.label("organisation_id"),
            Organisation.name.label("organisation_name"),
            Organisation.name_en.label("organisation_name_en"),
        )
        .select_from(RecordEvent)
        .outerjoin(named, true())
        .outerjoin(Organisation, Organisation.public_id == RecordEvent.organisation)
    )


def _event(row: Row[Any]) -> Event | None:
    if row.salt is None:
        return None
    return Event(
        salt=row.salt.hex(),
        recorded=row.recorded or "",
        cluster=_text(row.cluster),
        role=row.role or "",
        actor=_text(row.actor),
        organisation=_text(row.organisation),
        action=row.action or "",
        kind=row.kind,
        object=_text(row.object),
        content=row.content or "",
    )


def _text(value: uuid.UUID | None) -> str | None:
    return str(value) if value is not None else None


def _with_zone(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _read_cursor(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidInputError("cursor: not one that a page of this list gave; start without it")
    return int(cursor)


def _position(event: RecordEvent) -> str:
    """Where a page ended, by the event's own time and salt: a number of it would tell how much others do."""
    assert event.recorded is not None  # what was viewed is not emptied
    assert event.salt is not None
    return f"{event.recorded.timestamp():.6f}-{event.salt.hex()}"


def _read_position(cursor: str) -> tuple[datetime.datetime, bytes]:
    moment, _, salt = cursor.partition("-")
    try:
        seconds, _, micro = moment.partition(".")
        since = datetime.timedelta(seconds=int(seconds), microseconds=int(micro))
        return datetime.datetime.fromtimestamp(0, datetime.UTC) + since, bytes.fromhex(salt)
    except (ValueError, OverflowError):
        raise InvalidInputError("cursor: not one that a page of this list gave; start without it") from None
