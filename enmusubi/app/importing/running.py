"""Read the next posted file to its end, wherever an earlier run of it came to."""

import datetime
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Row, Text, Uuid, column, func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.clock import Clock
from enmusubi.app.importing.checking import check
from enmusubi.app.importing.entering import enter
from enmusubi.app.importing.reading import OPEN, Reading, small_batches
from enmusubi.app.importing.reporting import end, note, reasons, told
from enmusubi.app.vocabulary import ImportState, Role
from enmusubi.ingest import sources
from enmusubi.ingest.rows import Loaded
from enmusubi.ingest.sources import SourceError
from enmusubi.matching.encoder import Encoder

KEPT: Final = datetime.timedelta(days=90)
"""Reports are kept so long after their end; the file itself only until then."""
UNDECIDED_KEPT: Final = datetime.timedelta(days=1)
"""A file that was looked through waits so long for a decision."""
MEND_KEPT: Final = datetime.timedelta(days=7)
"""So long the rows to mend can be fetched."""
MOST_ATTEMPTS: Final = 5
"""A file that ends its process so often is given up."""
_LOCK: Final = 7306  # first key of the advisory locks of imports
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


def run_next_import(sessions: Callable[[], Session], encoder: Encoder, clock: Clock) -> uuid.UUID | None:
    """Read the next posted file that nobody reads at the moment to its end; its id, None where there is none.

    Raises what the database raises; called again, it goes on from there.
    """
    with sessions() as session, acting_as_service(session):
        waiting = session.execute(_TO_RUN).all()
        session.commit()
    for row in waiting:
        with _alone(sessions, row[0]) as alone:
            if alone:
                reading = Reading(sessions, encoder, clock, row[0], _caller(row))
                begun = _begin(reading, active=row.active)
                if begun is ImportState.CHECKING:
                    check(reading)
                elif begun is ImportState.RUNNING:
                    _read(reading)
                if begun is not None:
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


def _begin(reading: Reading, *, active: bool) -> ImportState | None:
    """Mark it as being read, or looked through; None where it is to be neither."""
    with reading.writing() as (session, made):
        if made.state not in (*OPEN, ImportState.CHECKING):
            return None
        if not active or made.attempts >= MOST_ATTEMPTS:
            why = "the account was closed" if not active else "it could not be read; the server's log says why"
            end(reading, session, made, ImportState.FAILED, why)
            return None
        made.attempts += 1
        if made.state == ImportState.CHECKING:
            return ImportState.CHECKING
        made.state = ImportState.RUNNING
        made.started = made.started or reading.clock.now()
        return ImportState.RUNNING


def _read(reading: Reading) -> None:
    with reading.file() as file:
        if file is None:
            return  # cancelled meanwhile
        path, name, kind, done = file.path, file.name, file.kind, file.batches
        try:
            source = sources.read(path, file.of, mapping=file.mapping, sheet=file.sheet)
            loaded = Loaded()
            found = small_batches(source, loaded, name)
            for number, batch in enumerate(found, start=1):
                # Those of an earlier run were committed with their counts.
                if number > done and not enter(reading, kind, batch, loaded, number, source.total):
                    return
        except SourceError as error:
            with reading.writing() as (session, made):
                if made.state in OPEN:
                    end(reading, session, made, ImportState.FAILED, str(error).replace(path.name, name))
            return
        with reading.writing() as (session, made):
            if made.state in OPEN:
                note(made, loaded, source.total)
                made.mend = source.to_mend(reasons([told(problem) for problem in loaded.rejected], made.refused))
                made.headings = [asdict(heading) for heading in source.headings]
                made.notes = list(source.notes)
                end(reading, session, made, ImportState.FINISHED)
