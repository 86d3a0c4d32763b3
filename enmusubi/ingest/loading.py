"""Entries of a source into the database: upserts by (source, external id), a transaction per batch."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload, undefer

from enmusubi.app.catalogue import needs, organisations, seeds
from enmusubi.app.catalogue.rules import check_expiry
from enmusubi.app.database import Database
from enmusubi.app.embeddings import Kind
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.models import Need, NeedDetail, Seed
from enmusubi.app.schemas import NeedDraft, OrganisationDraft, SeedDraft
from enmusubi.app.vocabulary import EntryStatus, OrganisationKind
from enmusubi.ingest.sources import Entry, OrganisationNamed, Place, Problem, Source

BATCH = 500
_LOCK = 7302  # first key of the advisory locks of ingest runs
_ENDED = (EntryStatus.WITHDRAWN, EntryStatus.ARCHIVED, EntryStatus.REJECTED)


@dataclass(slots=True)
class Loaded:
    """What became of a file's rows."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    kept_withdrawn: int = 0  # changed in the file, but withdrawn by hand: the text is updated, the state kept
    without_organisation: int = 0
    rejected: list[Problem] = field(default_factory=list)
    rejected_rows: int = 0
    gone: list[str] = field(default_factory=list)
    withdrawn: int = 0
    organisations_added: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where entries go: the cluster, the name of their source, and the owner of rows that name none."""

    cluster_id: int
    source: str
    owner_id: int | None = None


def load(
    database: Database,
    source: Source,
    kind: Kind,
    destination: Destination,
    *,
    file: str,
    complete: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Upsert a source's entries; what is committed survives a kill, and the next run goes on from there.

    With `complete`, entries of the source that the file no longer holds are withdrawn, but not when any of its
    rows was rejected: one of these may be the missing one. Raises ConflictError where another run of the same
    source is under way.
    """
    loaded = Loaded()
    seen: dict[str, int] = {}
    owners: dict[OrganisationNamed, int] = {}
    with database.engine.connect() as lock:
        key = func.hashtext(f"{destination.cluster_id}/{destination.source}")
        if not lock.execute(select(func.pg_try_advisory_lock(_LOCK, key))).scalar_one():
            raise ConflictError(f"another ingest of the source {destination.source!r} is running; wait for its end")
        lock.commit()
        for batch in _batches(source, loaded, seen, file):
            with database.session() as session:
                _load_batch(session, batch, kind, destination, loaded, owners, file)
                session.commit()
            if progress is not None:
                progress(len(batch))
        with database.session() as session:
            _find_gone(session, kind, destination, seen, loaded, withdraw=complete and not loaded.rejected)
            session.commit()
    return loaded


def check(source: Source, file: str, progress: Callable[[int], None] | None = None) -> Loaded:
    """Read a source without writing: what would be rejected, and how many rows are good (`new`)."""
    loaded = Loaded()
    for batch in _batches(source, loaded, {}, file):
        loaded.new += len(batch)
        if progress is not None:
            progress(len(batch))
    return loaded


def _batches(source: Source, loaded: Loaded, seen: dict[str, int], file: str) -> Iterator[list[tuple[str, Entry]]]:
    """Batches of entries with their ids; problems and repeated ids are noted on the way."""
    batch: list[tuple[str, Entry]] = []
    rejected_lines: set[int | None] = set()
    for found in source:
        if isinstance(found, Problem):
            loaded.rejected.append(found)
            rejected_lines.add(found.place.line)
            continue
        loaded.read += 1
        external_id = found.external_id or _own_id(found, seen)
        if external_id in seen:
            reason = f"repeats the entry of line {seen[external_id]}; give it an id of its own or remove it"
            loaded.rejected.append(Problem(Place(file, found.line), external_id, reason))
            loaded.rejected_rows += 1
            continue
        seen[external_id] = found.line
        batch.append((external_id, found))
        if len(batch) == BATCH:
            yield batch
            batch = []
    loaded.rejected_rows += len(rejected_lines)
    loaded.read += len(rejected_lines)
    if batch:
        yield batch


def _own_id(entry: Entry, seen: dict[str, int]) -> str:
    """A stable id for a row that has none: from its title and owner, so that a revised text keeps it.

    Rows that share both are told apart by all of their content.
    """
    title = unicodedata.normalize("NFKC", entry.draft.title or "").strip()
    if title:
        owner = (entry.organisation.name if entry.organisation else None) or ""
        named = "auto:" + hashlib.sha256(f"{title}\n{owner}".encode()).hexdigest()[:20]
        if named not in seen:
            return named
    return "auto:" + _digest(entry).hex()[:20]


def _digest(entry: Entry) -> bytes:
    # Of the draft, not of the file's bytes: another encoding or order of columns is no change.
    return hashlib.sha256(f"{entry.draft.model_dump_json()}\n{entry.organisation!r}".encode()).digest()


def _load_batch(
    session: Session,
    batch: list[tuple[str, Entry]],
    kind: Kind,
    destination: Destination,
    loaded: Loaded,
    owners: dict[OrganisationNamed, int],
    file: str,
) -> None:
    digests = {external_id: _digest(entry) for external_id, entry in batch}
    known = {
        row.external_id: row
        for row in session.execute(
            select(kind.external_id, kind.id, kind.source_digest).where(
                kind.cluster_id == destination.cluster_id,
                kind.source == destination.source,
                kind.external_id.in_(digests),
            )
        )
    }
    changed = {row.id for name, row in known.items() if row.source_digest != digests[name]}
    stored = _stored(session, kind, changed)
    for external_id, entry in batch:
        present = known.get(external_id)
        if present is not None and present.id not in changed:
            loaded.unchanged += 1
            continue
        try:
            # Whatever may refuse the row comes before it is touched.
            check_expiry(entry.draft.expires_on)
            owner = _owner(session, entry, kind, destination, owners, loaded)
        except InvalidInputError as error:
            loaded.rejected.append(Problem(Place(file, entry.line), external_id, error.detail))
            loaded.rejected_rows += 1
            continue
        row = _filled(session, kind, destination, entry, owner, stored.get(external_id), loaded)
        row.external_id = external_id
        row.source_digest = digests[external_id]
        session.add(row)
        loaded.without_organisation += owner is None
        if present is None:
            loaded.new += 1
        else:
            loaded.changed += 1


def _stored(session: Session, kind: Kind, ids: set[int]) -> dict[str | None, Seed | Need]:
    if not ids:
        return {}
    options = [undefer(kind.source_digest), selectinload(kind.openings)]
    if kind is Need:
        options.append(selectinload(Need.detail).selectinload(NeedDetail.exclusions))
    rows: list[Seed | Need] = list(session.scalars(select(kind).where(kind.id.in_(ids)).options(*options)))
    return {row.external_id: row for row in rows}


def _filled(
    session: Session,
    kind: Kind,
    destination: Destination,
    entry: Entry,
    owner_id: int | None,
    stored: Seed | Need | None,
    loaded: Loaded,
) -> Seed | Need:
    """The stored row, or a new one, with the draft's values."""
    row = stored
    if row is None:
        new = seeds.new_seed if kind is Seed else needs.new_need
        row = new(destination.cluster_id, destination.source)
    # The digest is forgotten where --complete withdrew a row, so such a row comes back with its file.
    kept_status = row.status if stored is not None and row.status in _ENDED and row.source_digest is not None else None
    if isinstance(row, Seed) and isinstance(entry.draft, SeedDraft):
        seeds.fill_seed(row, entry.draft, owner_id)
    elif isinstance(row, Need) and isinstance(entry.draft, NeedDraft):
        with session.no_autoflush:
            needs.fill_need(session, row, entry.draft, owner_id)
    if kept_status is not None:
        row.status = kept_status
        loaded.kept_withdrawn += 1
    return row


def _owner(
    session: Session,
    entry: Entry,
    kind: Kind,
    destination: Destination,
    owners: dict[OrganisationNamed, int],
    loaded: Loaded,
) -> int | None:
    """The key of the row's owner; an organisation named for the first time is added, and reported."""
    named = entry.organisation
    if named is None:
        return destination.owner_id
    if named in owners:
        return owners[named]
    found = organisations.find_organisation(
        session,
        destination.cluster_id,
        name=named.name,
        ror=named.ror,
        corporate_number=named.corporate_number,
    )
    if found is None:
        if named.name is None:
            raise InvalidInputError("the number names no organisation of the cluster; add its name too")
        draft = OrganisationDraft(
            name=named.name,
            kind=OrganisationKind.UNIVERSITY if kind is Seed else OrganisationKind.COMPANY,
            ror=named.ror,
            corporate_number=named.corporate_number,
        )
        found = organisations.create_organisation(session, destination.cluster_id, draft)
        loaded.organisations_added.append(named.name)
    owners[named] = found.id
    return found.id


def _find_gone(
    session: Session, kind: Kind, destination: Destination, seen: dict[str, int], loaded: Loaded, *, withdraw: bool
) -> None:
    rows = session.execute(
        select(kind.id, kind.external_id).where(
            kind.cluster_id == destination.cluster_id,
            kind.source == destination.source,
            kind.status.not_in(_ENDED),
        )
    ).all()
    gone = {row.id: row.external_id or "" for row in rows if row.external_id not in seen}
    loaded.gone = sorted(gone.values())
    if withdraw and gone:
        session.execute(
            update(kind)
            .where(kind.id.in_(gone))
            .values(status=EntryStatus.WITHDRAWN, source_digest=None, version=kind.version + 1)
        )
        loaded.withdrawn = len(gone)
