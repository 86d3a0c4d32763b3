"""Rules that seeds, needs and organisations share: who may write, versions, lifetimes, merge patches."""

import datetime
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.lifecycle import BEGINNINGS, CLOSED
from enmusubi.app.errors import (
    ConflictError,
    InvalidInputError,
    PreconditionFailedError,
    Sentence,
    located,
)
from enmusubi.app.models import Cluster, Need, Organisation, Seed, WebhookEndpoint
from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.app.vocabulary import EntryStatus

Draft = TypeVar("Draft", bound=BaseModel)

DEFAULT_LIFE = datetime.timedelta(days=365)
LONGEST_LIFE = datetime.timedelta(days=731)  # two years, one of them a leap year
API_SOURCE = "api"
# Draft fields that are no column of the entry's own row.
NOT_COLUMNS = {"organisation", "opened_to", "status", "expires_on", "excluded_organisations", "grown_from"}


@dataclass(frozen=True, slots=True)
class FromFile:
    """Where an entry comes from that an account has posted with others, in a file."""

    source: str
    digest: bytes
    created: datetime.datetime


def search_key(text: str) -> str:
    """The form in which texts and search words are compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def check_version(entry: Seed | Need | Organisation | WebhookEndpoint, version: int | None) -> None:
    """Raise PreconditionFailedError where `version` is not the present one; None stands for any."""
    if version is not None and entry.version != version:
        raise PreconditionFailedError(
            "somebody changed it after you read it; read it again and repeat your change",
            present=f'"{entry.version}"',
        )


def check_revisable(entry: Seed | Need, version: int | None) -> None:
    """Raise PreconditionFailedError for an old version, ConflictError for an entry whose life has ended."""
    check_version(entry, version)
    if entry.status in CLOSED:
        raise ConflictError(
            Sentence(
                "the entry is %(status)s and can no longer be revised; enter it anew",
                status=EntryStatus(entry.status),
            )
        )


def api_source(session: Session, owner_id: int | None) -> str:
    """The source of what an organisation enters over the API: its own, so that no external id meets another's."""
    if owner_id is None:
        return API_SOURCE
    return f"{API_SOURCE}/{session.scalar(select(Organisation.public_id).where(Organisation.id == owner_id))}"


def default_expiry() -> datetime.date:
    """The last day of an entry that names none: 365 days from today."""
    return datetime.date.today() + DEFAULT_LIFE  # noqa: DTZ011 the server's calendar day


def refuse_past(day: datetime.date | None, name: str = "expires_on") -> None:
    """Raise InvalidInputError for a day before today."""
    if day is not None and day < datetime.date.today():  # noqa: DTZ011 the server's calendar day
        raise InvalidInputError(Sentence("%(name)s: %(day)s is past", name=name, day=day))


def check_expiry(day: datetime.date | None) -> None:
    """Raise InvalidInputError where an entry is to live for more than two years."""
    if day is not None and day > datetime.date.today() + LONGEST_LIFE:  # noqa: DTZ011 the server's calendar day
        raise InvalidInputError("expires_on: an entry is kept for two years at most; renew it later")


def refuse_hidden_draft(caller: Caller, status: EntryStatus, owner_id: int | None) -> None:
    """Raise InvalidInputError for a draft of somebody else: only its owner could see it."""
    if status is EntryStatus.DRAFT and (owner_id is None or owner_id != caller.organisation_id):
        raise InvalidInputError("status: a draft is seen by its owner alone; publish the entry or put it on hold")


def refuse_known(session: Session, kind: type[Seed] | type[Need], entry: Seed | Need) -> None:
    """Two entries with one external id are a mistake; asked before the write, so that the error can say so."""
    if entry.external_id is None:
        return
    known = select(kind.id).where(
        kind.cluster_id == entry.cluster_id,
        kind.source == entry.source,
        kind.external_id == entry.external_id,
        kind.id.is_distinct_from(entry.id),
    )
    with session.no_autoflush:
        if session.scalar(known.limit(1)) is not None:
            raise ConflictError("external_id: an entry with this external id exists already; revise that one")


def refuse_other_id(entry: Seed | Need, changes: BaseModel) -> None:
    """What a file brought keeps its id there: the next file finds it by that, and other ids are others' to know."""
    changed = "external_id" in changes.model_fields_set and getattr(changes, "external_id") != entry.external_id  # noqa: B009
    if changed and entry.source.partition("/")[0] != API_SOURCE:
        raise ConflictError("external_id: the entry comes from a file, which knows it by the present one")


def moved_source(session: Session, entry: Seed | Need, owner_id: int | None) -> str:
    """The source of an entry that another organisation owns from now on; a file's stays what it is."""
    return api_source(session, owner_id) if entry.source.partition("/")[0] == API_SOURCE else entry.source


def revised(draft: type[Draft], present: dict[str, Any], changes: BaseModel) -> Draft:
    """JSON merge patch (RFC 7396) on the top level: null takes a value away, which brings back the default.

    Raises InvalidInputError where the result is not a valid draft.
    """
    changed = present | changes.model_dump(exclude_unset=True)
    try:
        return draft.model_validate({name: value for name, value in changed.items() if value is not None})
    except ValidationError as error:
        raise InvalidInputError("see errors: each names its place", errors=located(error.errors())) from None


def stored(value: Any) -> Any:
    """A draft's value as its column holds it."""
    if isinstance(value, list):
        return [item.model_dump() if isinstance(item, BaseModel) else item for item in value]
    return value


def fill_life(entry: Seed | Need, draft: SeedDraft | NeedDraft) -> None:
    """Status and last day; where the draft names no last day, the entry keeps its own."""
    check_expiry(draft.expires_on)
    if draft.expires_on is not None:
        keep_until(entry, draft.expires_on)
    entry.status = draft.status
    entry.submitted = entry.submitted or draft.status is not EntryStatus.DRAFT


def keep_until(entry: Seed | Need, day: datetime.date) -> None:
    """Move the last day of an entry; its owner is to be told anew before that comes."""
    if entry.expires_on != day:
        entry.expires_on = day
        entry.expiry_noticed_on = None


def status_to_show(status: str) -> EntryStatus:
    """What stands for a present status in a draft, which holds only what a person may ask for."""
    return EntryStatus(status) if status in BEGINNINGS else EntryStatus.DRAFT


def asked_status(draft: SeedDraft | NeedDraft, changes: BaseModel) -> EntryStatus | None:
    """The status that a change asks for; None where it says nothing of it."""
    return draft.status if "status" in changes.model_fields_set else None


def search_text(entry: Seed | Need, own: Sequence[str]) -> str:
    """The public words of an entry as text search compares them; `own` are the kind's further public texts."""
    shared = ("title", "translation_title", "summary", "translation_summary", "applications")
    texts = [getattr(entry, name) for name in (*shared, *own)]
    listed = [*entry.technology_keywords, *entry.market_keywords, *entry.field_codes]
    return search_key("\n".join(text for text in (*texts, *listed) if text))


def clusters_to_open(session: Session, own_id: int, public_ids: Iterable[uuid.UUID]) -> list[Cluster]:
    """The clusters named; InvalidInputError where one does not exist or is the entry's own."""
    wanted = set(public_ids)
    if not wanted:
        return []
    found = session.scalars(select(Cluster).where(Cluster.public_id.in_(wanted), Cluster.id != own_id)).all()
    if len(found) != len(wanted):
        raise InvalidInputError("opened_to: names a cluster that does not exist, or your own")
    return list(found)


def touch(entry: Seed | Need | Organisation) -> None:
    """Give the entry a new version at the next flush."""
    # Also where only the detail changed: the version that readers hold is no longer the present one.
    entry.last_modified = datetime.datetime.now(datetime.UTC)
