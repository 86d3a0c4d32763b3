"""Read posted files into the catalogue, each on behalf of the account that posted it; the one user of `ingest` here.

Rows are entered and revised as that account's own calls would do it, in batches, a transaction each, with their counts.
Killed in the middle, it goes on behind the last batch that is committed.
"""

import datetime
import logging
import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Row,
    Text,
    Uuid,
    column,
    func,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enmusubi.app import posted_files
from enmusubi.app.caller import Caller, act_as, acting_as_service
from enmusubi.app.catalogue import needs, seeds
from enmusubi.app.catalogue.rules import FromFile
from enmusubi.app.clock import Clock
from enmusubi.app.errors import EnmusubiError
from enmusubi.app.models import Account, Import, Need, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.recording import record
from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.app.vocabulary import (
    Action,
    Audience,
    EntryStatus,
    ImportKind,
    ImportState,
    NoticeKind,
    RecordedKind,
    Role,
)
from enmusubi.ingest import sources
from enmusubi.ingest.identifying import tells_owner
from enmusubi.ingest.rows import Loaded, batches
from enmusubi.ingest.sources import Entry, Problem, SourceError
from enmusubi.ingest.whose import Whose
from enmusubi.matching.encoder import Encoder

logger = logging.getLogger(__name__)

BATCH: Final = 100
"""Rows of a transaction."""
MOST_PROBLEMS: Final = 1_000
"""Problems that a report holds; it says how many there were."""
KEPT: Final = datetime.timedelta(days=90)
"""Reports are kept so long after their end; the file itself only until then."""
MOST_ATTEMPTS: Final = 5
"""A file that ends its process so often is given up."""
_LOCK: Final = 7306  # first key of the advisory locks of imports
_CHANCE = secrets.SystemRandom()
_DAY_SECONDS: Final = 86_400
_OPEN: Final = (ImportState.QUEUED, ImportState.RUNNING)
_TO_RUN = select(
    func.imports_to_run().table_valued(
        column("import", Uuid),
        column("account", BigInteger),
        column("account_public_id", Uuid),
        column("cluster", BigInteger),
        column("organisation", BigInteger),
        column("role", Text),
        column("active", Boolean),
    )
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One import while it is read: as whom, and with what."""

    sessions: Callable[[], Session]
    encoder: Encoder
    clock: Clock
    public_id: uuid.UUID
    caller: Caller

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, Import]]:
        """A transaction of the account, with its import locked; committed in the end."""
        with self.sessions() as session:
            act_as(session, self.caller)
            yield session, posted_files.read_import(session, self.caller, self.public_id, lock=True)
            session.commit()


def run_next_import(sessions: Callable[[], Session], encoder: Encoder, clock: Clock) -> uuid.UUID | None:
    """Read the next posted file that nobody reads at the moment to its end; its id, None where there is none.

    Raises what the database raises; called again, it goes on from there.
    """
    with sessions() as session, acting_as_service(session):
        session.execute(select(func.forget_old_imports(KEPT)))
        waiting = session.execute(_TO_RUN).all()
        session.commit()
    for row in waiting:
        with _alone(sessions, row[0]) as alone:
            if alone:
                reading = Reading(sessions, encoder, clock, row[0], _caller(row))
                if _begin(reading, active=row.active):
                    _read(reading)
                    return reading.public_id
    return None


@contextmanager
def _alone(sessions: Callable[[], Session], public_id: uuid.UUID) -> Iterator[bool]:
    """Whether nobody else reads it; nobody begins to, as long as this lasts. Also a kill ends it."""
    with sessions() as holding:
        key = func.hashtext(str(public_id))
        yield bool(holding.scalar(select(func.pg_try_advisory_xact_lock(_LOCK, key))))
        holding.rollback()


def _caller(row: Row[Any]) -> Caller:
    return Caller(row.account, row.account_public_id, row.cluster, row.organisation, Role(row.role))


def _begin(reading: Reading, *, active: bool) -> bool:
    """Mark it as being read; whether it is to be."""
    with reading.writing() as (session, made):
        if made.state not in _OPEN:
            return False
        if not active or made.attempts >= MOST_ATTEMPTS:
            why = "the account was closed" if not active else "it could not be read; the server's log says why"
            _end(reading, session, made, ImportState.FAILED, why)
            return False
        made.state = ImportState.RUNNING
        made.attempts += 1
        made.started = made.started or reading.clock.now()
        return True


def _read(reading: Reading) -> None:
    with reading.sessions() as session:
        act_as(session, reading.caller)
        made = posted_files.read_import(session, reading.caller, reading.public_id)
        name, content, kind, done = made.file, made.content, ImportKind(made.kind), made.batches
    if content is None:
        return  # cancelled meanwhile
    with tempfile.TemporaryDirectory(prefix="enmusubi-import-") as folder:
        path = Path(folder) / f"posted{Path(name).suffix}"  # a name of ours: theirs may be too long for a file
        path.write_bytes(content)
        del content
        try:
            source = sources.read(path, "seed" if kind is ImportKind.SEEDS else "need")
            loaded = Loaded()
            found = _small(batches(source, loaded, {}, name))
            for number, batch in enumerate(found, start=1):
                # Those of an earlier run were committed with their counts.
                if number > done and not _enter(reading, kind, batch, loaded, number, source.total):
                    return
        except SourceError as error:
            with reading.writing() as (session, made):
                if made.state in _OPEN:
                    _end(reading, session, made, ImportState.FAILED, str(error).replace(path.name, name))
            return
        with reading.writing() as (session, made):
            if made.state in _OPEN:
                _note(made, loaded, source.total)
                made.headings = [asdict(heading) for heading in source.headings]
                made.notes = list(source.notes)
                _end(reading, session, made, ImportState.FINISHED)


def _small(found: Iterator[list[tuple[str, Entry]]]) -> Iterator[list[tuple[str, Entry]]]:
    for batch in found:
        rows = iter(batch)
        while part := list(islice(rows, BATCH)):
            yield part


def _enter(
    reading: Reading, kind: ImportKind, batch: list[tuple[str, Entry]], loaded: Loaded, number: int, total: int | None
) -> bool:
    """Enter a batch and say how far it is, in one transaction; False where the import was cancelled."""
    with reading.writing() as (session, made):
        if made.state not in _OPEN:
            return False
        model: type[Seed] | type[Need] = Seed if kind is ImportKind.SEEDS else Need
        known = {
            row.external_id: row
            for row in session.execute(
                select(model.external_id, model.public_id, model.source_digest).where(
                    model.cluster_id == reading.caller.cluster_id,
                    model.source == made.source,
                    model.external_id.in_([external_id for external_id, _ in batch]),
                )
            )
        }
        whose = Whose(reading.caller, model)
        refused = list(made.refused)
        identifying = list(made.identifying)
        for external_id, entry in batch:
            row = known.get(external_id)
            if row is not None and row.source_digest == entry.digest:
                made.unchanged += 1
                continue
            try:
                # What the database or a rule refuses leaves nothing of its row, and all of the others.
                with session.begin_nested():
                    owner = whose.of(session, entry)
                    stored = (
                        _add(reading, session, external_id, entry, owner, made.source)
                        if row is None
                        else _revise(reading, session, row.public_id, external_id, entry, owner)
                    )
                    waits = stored.status == EntryStatus.UNDER_REVIEW
            except EnmusubiError as error:
                reason = error.detail
            except IntegrityError:
                # Its words may quote the row. A draft that the account does not see may have the id.
                reason = "external_id: an entry with this id exists already"
            else:
                made.new += row is None
                made.changed += row is not None
                made.waiting += waits
                if tells_owner(entry):
                    identifying.append(entry.line)
                continue
            refused.append(_told(Problem(sources.Place(made.file, entry.line), None, reason)))
        made.refused, made.identifying, made.batches = refused, identifying, number
        _note(made, loaded, total)
        session.flush()
        # What was entered is not needed any more: memory stays as it is, however long the file.
        session.expire_all()
    return True


def _add(
    reading: Reading, session: Session, external_id: str, entry: Entry, owner: uuid.UUID | None, source: str
) -> Seed | Need:
    file = FromFile(source, entry.digest, _entered(reading, entry))
    draft = entry.draft.model_copy(update={"external_id": external_id, "organisation": owner})
    today = reading.clock.today()
    if isinstance(draft, SeedDraft):
        return seeds.register_seed(session, reading.caller, draft, reading.encoder, today, file)
    return needs.post_need(session, reading.caller, draft, reading.encoder, today, file)


def _entered(reading: Reading, entry: Entry) -> datetime.datetime:
    now = reading.clock.now()
    if isinstance(entry.draft, SeedDraft):
        return now
    # Rows of one transaction would share its time, which joins an anonymous need to the others of its file.
    return now - datetime.timedelta(seconds=_CHANCE.uniform(0, _DAY_SECONDS))


def _revise(
    reading: Reading,
    session: Session,
    public_id: uuid.UUID,
    external_id: str,
    entry: Entry,
    owner: uuid.UUID | None,
) -> Seed | Need:
    """Put the row in the entry's place: fields that it does not have are empty again, but for those set by hand."""
    draft = entry.draft
    by_hand = {"status", "expires_on", "opened_to", "organisation"} - draft.model_fields_set
    if owner is not None and (entry.organisation is not None or draft.organisation is not None):
        by_hand.discard("organisation")
    values = {name: getattr(draft, name) for name in type(draft).model_fields if name not in by_hand}
    values |= {"external_id": external_id} | ({} if "organisation" in by_hand else {"organisation": owner})
    changes = type(draft).model_construct(_fields_set=set(values), **values)
    today = reading.clock.today()
    stored: Seed | Need
    if isinstance(draft, NeedDraft):
        stored = needs.revise_need(session, reading.caller, public_id, None, changes, reading.encoder, today)
    else:
        stored = seeds.revise_seed(session, reading.caller, public_id, None, changes, reading.encoder, today)
    stored.source_digest = entry.digest
    session.flush()
    return stored


def _note(made: Import, loaded: Loaded, total: int | None) -> None:
    """How far it is, and what is wrong so far: what the reader found, and what the catalogue refused."""
    unread = {problem.place.line for problem in loaded.rejected} - {None}
    told = [_told(problem) for problem in loaded.rejected] + list(made.refused)
    told.sort(key=lambda problem: problem["line"] or 0)
    made.total = total
    made.read = made.new + made.changed + made.unchanged + len(made.refused) + len(unread)
    made.rejected = len(unread) + len(made.refused)
    made.problems, made.problems_found = told[:MOST_PROBLEMS], len(told)


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.place.line, "column": problem.place.column, "value": problem.value, "reason": problem.reason
    }  # fmt: skip


def _end(reading: Reading, session: Session, made: Import, state: ImportState, fault: str | None = None) -> None:
    posted_files.end(made, state)
    made.fault = fault
    session.flush()
    counts = {name: getattr(made, name) for name in ("read", "new", "changed", "unchanged", "rejected")}
    record(
        *(session, reading.caller, Action.INGESTED, RecordedKind.IMPORT, made.public_id),
        state=str(state), of=made.kind, **counts,
    )  # fmt: skip
    notify(
        session,
        cluster_id=made.cluster_id,
        kind=NoticeKind.IMPORT_FINISHED,
        audience=Audience.ACCOUNT,
        account=session.get_one(Account, reading.caller.id),
        facts={"import": str(made.public_id), "state": str(state), "kind": made.kind, **counts},
    )
    if made.waiting:
        notify(
            session,
            cluster_id=made.cluster_id,
            kind=NoticeKind.ENTRY_SUBMITTED,
            audience=Audience.COORDINATORS,
            facts={"waiting": made.waiting, "kind": made.kind},
        )
