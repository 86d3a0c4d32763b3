"""Lists of seeds, needs and organisations: filters, text search, and pages by cursor."""

import base64
import binascii
import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, ScalarSelect, Select, any_, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.rules import search_key
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.identifiers import normalise
from enmusubi.app.models import (
    Account,
    Alert,
    Delivery,
    Import,
    Match,
    Need,
    NeedDetail,
    Organisation,
    SavedSearch,
    Seed,
)
from enmusubi.app.vocabulary import Cooperation, EntryStatus, OrganisationKind

Entry = TypeVar("Entry", Seed, Need, Organisation, Match, Account, Alert, Delivery, Import, SavedSearch)
Word = Annotated[str, Field(max_length=200)]


class PageQuery(BaseModel):
    """Which part of a list: `limit` items after `cursor`."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="The `next` of the page before"
    )


class EntryQuery(PageQuery):
    """Filters that seeds and needs share; all given ones must hold."""

    q: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="Words that must all occur in the public text, whatever their case or width"
    )
    status: EntryStatus | None = None
    organisation: uuid.UUID | None = None
    language: Literal["ja", "en"] | None = None
    field: Word | None = Field(default=None, description="Beginning of a field code, for example IPC:A23L")
    keyword: Word | None = None
    region: Word | None = None
    external_id: Annotated[str, Field(max_length=2_000)] | None = None
    source: Word | None = None
    modified_since: datetime.datetime | None = None
    mine: Annotated[bool, Field(description="Only entries of your own organisation")] = False


class SeedQuery(EntryQuery):
    """Filters of seeds."""

    trl_min: Annotated[int, Field(ge=1, le=9)] | None = None
    trl_max: Annotated[int, Field(ge=1, le=9)] | None = None


class NeedQuery(EntryQuery):
    """Filters of needs."""

    cooperation: Cooperation | None = None

    @property
    def asks_for_owner(self) -> bool:
        """Whether what is found tells whose it is, also where that is confidential."""
        return any(given is not None for given in (self.organisation, self.source, self.external_id))


class OrganisationQuery(PageQuery):
    """Filters of organisations."""

    q: Annotated[str, Field(max_length=500)] | None = None
    kind: OrganisationKind | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows of a page and the cursor of the next."""

    rows: Sequence[Any]
    next: str | None


def list_seeds(session: Session, caller: Caller, query: SeedQuery) -> Listed:
    """A page of the seeds that the caller may see, newest first."""
    chosen = _filtered(select(Seed).where(visibility.seeds_visible_to(caller)), Seed, query)
    if query.organisation is not None:
        chosen = chosen.where(Seed.organisation_id == _organisation(query.organisation))
    if query.mine:
        chosen = chosen.where(visibility.own(caller, Seed))
    if query.trl_min is not None:
        chosen = chosen.where(Seed.trl >= query.trl_min)
    if query.trl_max is not None:
        chosen = chosen.where(Seed.trl <= query.trl_max)
    return page(session, chosen.options(joinedload(Seed.organisation)), Seed, query)


def list_needs(session: Session, caller: Caller, query: NeedQuery) -> Listed:
    """A page of the needs that the caller may see, newest first."""
    known = (
        select(NeedDetail.need_id)
        .where(NeedDetail.need_id == Need.id, visibility.need_details_visible_to(caller))
        .correlate(Need)
    )
    chosen = _filtered(select(Need).where(visibility.needs_visible_to(caller)), Need, query)
    if query.source is not None or query.external_id is not None:
        # These may name the owner: they select only among needs whose owner the caller may know.
        chosen = chosen.where(known.exists())
    if query.organisation is not None:
        owner = _organisation(query.organisation)
        chosen = chosen.where(or_(Need.organisation_id == owner, known.where(NeedDetail.owner_id == owner).exists()))
    if query.mine:
        chosen = chosen.where(visibility.own(caller, Need))
    if query.cooperation is not None:
        chosen = chosen.where(holds(Need.cooperation, query.cooperation))
    return page(session, chosen.options(joinedload(Need.organisation)), Need, query)


def count_own(session: Session, caller: Caller, kind: type[Seed] | type[Need]) -> dict[EntryStatus, int]:
    """How many entries of the caller's own organisation are in which status."""
    counted = select(kind.status, func.count()).where(visibility.own(caller, kind)).group_by(kind.status)
    found = {EntryStatus(status): count for status, count in session.execute(counted)}
    return {status: found[status] for status in EntryStatus if status in found}


def list_organisations(session: Session, caller: Caller, query: OrganisationQuery) -> Listed:
    """A page of the organisations that the caller may see, newest first."""
    chosen = select(Organisation).where(visibility.organisations_visible_to(caller), ~Organisation.withdrawn)
    if query.kind is not None:
        chosen = chosen.where(Organisation.kind == query.kind)
    for word in _words(query.q):
        names = func.concat_ws(" ", Organisation.name_key, func.lower(Organisation.name_en))
        chosen = chosen.where(names.contains(word, autoescape=True))
    return page(session, chosen, Organisation, query)


def _filtered(chosen: Select[Entry], kind: type[Seed] | type[Need], query: EntryQuery) -> Select[Entry]:
    equal = {
        kind.status: query.status,
        kind.language: query.language,
        kind.source: query.source,
        kind.external_id: query.external_id,
    }
    for column, value in equal.items():
        if value is not None:
            chosen = chosen.where(column == _storable(str(value)))
    if query.field is not None:
        chosen = chosen.where(any_starts_with(kind.field_codes, query.field.upper()))
    if query.region is not None:
        chosen = chosen.where(holds(kind.regions, query.region))
    if query.keyword is not None:
        words = (kind.technology_keywords, kind.market_keywords)
        chosen = chosen.where(or_(*(holds(column, query.keyword) for column in words)))
    if query.modified_since is not None:
        since: Any = _with_zone(query.modified_since)
        modified: Any = kind.last_modified
        if kind is Need:
            # By the day: to the microsecond it would tell which were changed in one go, by one owner.
            modified, since = (func.date_trunc("day", moment, "UTC") for moment in (modified, literal(since)))
        chosen = chosen.where(modified >= since)
    for word in _words(query.q):
        chosen = chosen.where(kind.search_text.contains(word, autoescape=True))
    return chosen


def _organisation(public_id: uuid.UUID) -> ScalarSelect[int]:
    return select(Organisation.id).where(Organisation.public_id == public_id).scalar_subquery()


def holds(column: InstrumentedAttribute[list[str]], value: str) -> ColumnElement[bool]:
    """Lists that hold this value, in normal form."""
    return any_(column) == _storable(normalise(value))


def any_starts_with(column: InstrumentedAttribute[list[str]], beginning: str) -> Any:
    """Lists that hold a value with this beginning."""
    # array_to_string with a separator that no code holds lets one LIKE serve the whole array
    joined = func.concat("\n", func.array_to_string(column, "\n"))
    return joined.contains("\n" + _storable(beginning), autoescape=True)


def _words(text: str | None) -> list[str]:
    return [_storable(word) for word in search_key(text or "").split()]


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError("the query holds a character that no text can hold")
    return text


def _with_zone(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def page(session: Session, chosen: Select[Entry], kind: type[Entry], query: PageQuery) -> Listed:
    """Newest first, ties by public id; the cursor names the last row seen, so that inserts shift nothing."""
    return listed(session.scalars(newest(chosen, kind, query)).all(), query)


def newest(chosen: Select[Any], kind: Any, query: PageQuery) -> Select[Any]:
    """The rows of a page, and one more; `kind` says where their time and public id are read."""
    if query.cursor is not None:
        chosen = chosen.where(tuple_(kind.created, kind.public_id) < tuple_(*read_cursor(query.cursor)))
    return chosen.order_by(kind.created.desc(), kind.public_id.desc()).limit(query.limit + 1)


def listed(rows: Sequence[Any], query: PageQuery) -> Listed:
    """A page of rows, of which one more was read than it holds where there is a next one."""
    if len(rows) <= query.limit:
        return Listed(rows, None)
    rows = rows[: query.limit]
    return Listed(rows, cursor_at(rows[-1].created, rows[-1].public_id))


def cursor_at(created: datetime.datetime, public_id: uuid.UUID) -> str:
    """The cursor of a row with that time and public id: the page after it begins there."""
    microseconds = (created - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(microseconds=1)
    return base64.urlsafe_b64encode(microseconds.to_bytes(8, "big") + public_id.bytes).decode()


def read_cursor(cursor: str) -> tuple[datetime.datetime, uuid.UUID]:
    """The time and public id that a cursor names; InvalidInputError where it is none."""
    try:
        raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        since = datetime.timedelta(microseconds=int.from_bytes(raw[:8], "big"))
        return datetime.datetime.fromtimestamp(0, datetime.UTC) + since, uuid.UUID(bytes=raw[8:])
    except (ValueError, binascii.Error, OverflowError):
        raise InvalidInputError("cursor: not one that a page of this list gave; start without it") from None
