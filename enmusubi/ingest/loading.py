"""Entries of a source into the database: upserts by (source, external id), a transaction per batch."""

import datetime
import secrets
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload, undefer

from enmusubi.app.catalogue import introduced, needs, seeds
from enmusubi.app.catalogue.rules import check_expiry, clusters_to_open
from enmusubi.app.clock import SystemClock
from enmusubi.app.database import Database
from enmusubi.app.embeddings import Kind
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.models import Need, NeedDetail, NeedOpening, Seed, SeedOpening
from enmusubi.app.recording import Operator, record, record_all
from enmusubi.app.refusals import reopening
from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.app.vocabulary import Action, EntryChange, EntryStatus, RecordedKind
from enmusubi.ingest.identifying import tells_owner
from enmusubi.ingest.owners import Owners
from enmusubi.ingest.rows import Loaded, batches
from enmusubi.ingest.sources import Entry, Source

PREVIEWED = 3
_CHANCE = secrets.SystemRandom()
_LOCK = 7302  # first key of the advisory locks of ingest runs
_ENDED = (EntryStatus.WITHDRAWN, EntryStatus.ARCHIVED, EntryStatus.REJECTED)
_WITHDRAWN_AT_ONCE = 10_000  # a statement takes 65,535 parameters at most


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
    owners = Owners(destination.cluster_id, kind, destination.owner_id)
    with database.engine.connect() as lock:
        # Closed, not given back to the pool, in the end: the lock belongs to the connection.
        lock.detach()
        key = func.hashtext(f"{destination.cluster_id}/{destination.source}")
        if not lock.execute(select(func.pg_try_advisory_lock(_LOCK, key))).scalar_one():
            raise ConflictError(f"another ingest of the source {destination.source!r} is running; wait for its end")
        lock.commit()
        for batch in batches(source, loaded, seen, file):
            with database.session() as session:
                _load_batch(session, batch, kind, destination, loaded, owners, file)
                session.commit()
            loaded.organisations_added = owners.added
            if progress is not None:
                progress(len(batch))
        with database.session() as session:
            _find_gone(session, kind, destination, seen, loaded, withdraw=complete and not loaded.rejected)
            _record_run(session, kind, destination, loaded)
            session.commit()
    return loaded


def check(
    source: Source,
    kind: Kind,
    file: str,
    database: Database | None = None,
    destination: Destination | None = None,
    progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Read a source without writing: what would be rejected, how many rows are good (`new`), and the first few.

    With a database, owners that it does not know are found too.
    """
    loaded = Loaded()
    owners = Owners(destination.cluster_id, kind) if destination is not None else None
    for batch in batches(source, loaded, {}, file):
        good = []
        with database.session() if database is not None else nullcontext() as session:
            for external_id, entry in batch:
                try:
                    check_expiry(entry.draft.expires_on)
                    if session is not None and destination is not None and owners is not None:
                        _opened_to(session, destination, entry)
                        owners.check(session, entry)
                except InvalidInputError as error:
                    loaded.refuse(file, entry.line, external_id, error.detail)
                else:
                    good.append((external_id, entry))
        loaded.new += len(good)
        loaded.identifying += [(entry.line, external_id) for external_id, entry in good if tells_owner(entry)]
        for external_id, entry in good[: PREVIEWED - len(loaded.preview)]:
            filled = [name for name in type(entry.draft).model_fields if name in entry.draft.model_fields_set]
            loaded.preview.append((entry.line, external_id, entry.draft.title, filled))
        if progress is not None:
            progress(len(batch))
    return loaded


def _load_batch(
    session: Session,
    batch: list[tuple[str, Entry]],
    kind: Kind,
    destination: Destination,
    loaded: Loaded,
    owners: Owners,
    file: str,
) -> None:
    digests = {external_id: entry.digest for external_id, entry in batch}
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
    created: list[Seed | Need] = []
    revised: list[Seed | Need] = []
    told: list[tuple[Seed | Need, frozenset[EntryChange]]] = []
    for external_id, entry in batch:
        present = known.get(external_id)
        if present is not None and present.id not in changed:
            loaded.unchanged += 1
            continue
        try:
            # Whatever may refuse the row comes before it is touched.
            check_expiry(entry.draft.expires_on)
            opened_to = _opened_to(session, destination, entry)
            owner = owners.of(session, entry)
            known_row = stored.get(external_id)
            if known_row is not None:
                _refuse_undoing(session, known_row, entry, owner)
        except (InvalidInputError, ConflictError) as error:
            loaded.refuse(file, entry.line, external_id, error.detail)
            continue
        earlier = None if known_row is None else reopening.before(known_row)
        row = _filled(session, kind, destination, entry, owner, known_row, loaded)
        if earlier is not None:
            # A file brings what the owner has written.
            told.append((row, reopening.changes_since(earlier, row, by_owner=True)))
        if "opened_to" in entry.draft.model_fields_set:
            _open(row, opened_to)
        if isinstance(row, Need) and present is None:
            # Rows of one transaction share its time, which would join an anonymous need to others of its file.
            row.created = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=_CHANCE.uniform(0, 86_400))
        row.external_id = external_id
        row.source_digest = digests[external_id]
        session.add(row)
        loaded.without_organisation += owner is None
        if tells_owner(entry):
            loaded.identifying.append((entry.line, external_id))
        if present is None:
            loaded.new += 1
            created.append(row)
        else:
            loaded.changed += 1
            revised.append(row)
    session.flush()
    for action, rows in ((Action.CREATED, created), (Action.REVISED, revised)):
        done = [(row.public_id, _said(row.version)) for row in rows]
        record_all(session, Operator(destination.cluster_id), action, _recorded(kind), done)
    loaded.reopened += len(reopening.reopen_mended(session, told))


def _said(version: int) -> dict[str, Any]:
    return {"version": version, "through": "ingest"}


def _recorded(kind: Kind) -> RecordedKind:
    return RecordedKind.SEED if kind is Seed else RecordedKind.NEED


def _record_run(session: Session, kind: Kind, destination: Destination, loaded: Loaded) -> None:
    # Counts alone: the name of a source may tell whose needs it holds.
    counted = ("read", "new", "changed", "unchanged", "withdrawn")
    counts = {name: getattr(loaded, name) for name in counted} | {"rejected": loaded.rejected_rows}
    record(session, Operator(destination.cluster_id), Action.INGESTED, _recorded(kind), None, **counts)


def _stored(session: Session, kind: Kind, ids: set[int]) -> dict[str | None, Seed | Need]:
    if not ids:
        return {}
    options = [undefer(kind.source_digest), selectinload(kind.openings)]
    if kind is Seed:
        options.append(selectinload(Seed.detail))
    else:
        options.append(selectinload(Need.detail).selectinload(NeedDetail.exclusions))
    # Locked: who revises one of them over the API meanwhile waits for us, or we for them.
    query = select(kind).where(kind.id.in_(ids)).options(*options).order_by(kind.id).with_for_update(of=kind)
    rows: list[Seed | Need] = list(session.scalars(query))
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
    kept_status = stored.status if stored is not None and _keeps_status(stored, entry) else None
    if isinstance(row, Seed) and isinstance(entry.draft, SeedDraft):
        seeds.fill_seed(row, entry.draft, owner_id)
    elif isinstance(row, Need) and isinstance(entry.draft, NeedDraft):
        with session.no_autoflush:
            needs.fill_need(session, row, entry.draft, owner_id)
    today = SystemClock().today()
    if kept_status == EntryStatus.EXPIRED and row.expires_on >= today:
        kept_status = EntryStatus.PUBLISHED  # the file keeps it for longer
    if kept_status is not None:
        row.status = kept_status
        loaded.kept_withdrawn += kept_status in _ENDED
    if row.status == EntryStatus.PUBLISHED and row.published_on is None:
        # Who runs the server is trusted: what a file publishes waits for nobody.
        row.published_on = today
    return row


def _keeps_status(stored: Seed | Need, entry: Entry) -> bool:
    # The digest is forgotten where --complete withdrew a row, so such a row comes back with its file. Any other
    # status set by hand stays: for good where it ends the entry's life, else until the file names another.
    ended_or_unnamed = stored.status in _ENDED or "status" not in entry.draft.model_fields_set
    return stored.source_digest is not None and ended_or_unnamed


def _refuse_undoing(session: Session, stored: Seed | Need, entry: Entry, owner_id: int | None) -> None:
    """Raise ConflictError where the row would undo an introduction; what it changes else waits for steps under way."""
    draft = entry.draft
    if draft.status == EntryStatus.DRAFT != stored.status and not _keeps_status(stored, entry):
        introduced.refuse_recall(session, stored)
    if owner_id != (stored.organisation_id if isinstance(stored, Seed) else stored.detail.owner_id):
        introduced.refuse_other_owner(session, stored)
    if isinstance(stored, Need) and isinstance(draft, NeedDraft):
        present = [exclusion.name for exclusion in stored.detail.exclusions]
        if present != draft.excluded_organisations:
            introduced.hold_matches(session, stored)


def _opened_to(session: Session, destination: Destination, entry: Entry) -> list[int]:
    """The keys of the other clusters that the row names; InvalidInputError where one does not exist."""
    if not entry.draft.opened_to:
        return []
    return [cluster.id for cluster in clusters_to_open(session, destination.cluster_id, entry.draft.opened_to)]


def _open(row: Seed | Need, cluster_ids: list[int]) -> None:
    """Open the row to these other clusters, and to no further ones."""
    if isinstance(row, Seed):
        opened = {opening.cluster_id: opening for opening in row.openings}
        row.openings = [opened.get(key) or SeedOpening(cluster_id=key) for key in cluster_ids]
    else:
        shown = {opening.cluster_id: opening for opening in row.openings}
        row.openings = [shown.get(key) or NeedOpening(cluster_id=key) for key in cluster_ids]


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
    if not withdraw:
        return
    keys = sorted(gone)
    for start in range(0, len(keys), _WITHDRAWN_AT_ONCE):
        withdrawn = session.execute(
            update(kind)
            .where(kind.id.in_(keys[start : start + _WITHDRAWN_AT_ONCE]))
            .values(status=EntryStatus.WITHDRAWN, source_digest=None, version=kind.version + 1)
            .returning(kind.public_id, kind.version)
        ).all()
        done = [(row.public_id, _said(row.version)) for row in withdrawn]
        record_all(session, Operator(destination.cluster_id), Action.WITHDRAWN, _recorded(kind), done)
    loaded.withdrawn = len(gone)
