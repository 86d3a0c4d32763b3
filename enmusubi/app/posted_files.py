"""Files of entries that an account posts: take in, list, read, cancel. `importing` reads them into the catalogue."""

import uuid
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, Sentence
from enmusubi.app.models import Import, Organisation
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.recording import record
from enmusubi.app.schemas import storable
from enmusubi.app.vocabulary import Action, ImportKind, ImportState, RecordedKind

ENDINGS: Final = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
}
"""The ending that names the format of a file, by its content type."""
LONGEST_NAME: Final = 200
_ENTERING: Final = {ImportKind.SEEDS: Right.REGISTER_SEED, ImportKind.NEEDS: Right.POST_NEED}
_OPEN: Final = (ImportState.QUEUED, ImportState.RUNNING)


@dataclass(frozen=True, slots=True)
class Posted:
    """A file as it comes in."""

    kind: ImportKind
    content_type: str
    content: bytes
    file: str | None = None
    source: str | None = None


def take_in(session: Session, caller: Caller, posted: Posted) -> Import:
    """Store a file to be read later, on behalf of the caller; InvalidInputError where it can be told to be none."""
    require(caller, Right.IMPORT_ENTRIES, Relation.HERE)
    require(caller, _ENTERING[posted.kind], Relation.OWN)
    ending = ENDINGS.get(posted.content_type.partition(";")[0].strip().lower())
    if ending is None:
        raise InvalidInputError(Sentence("Content-Type: expected one of %(endings)s", endings=tuple(ENDINGS)))
    if not posted.content:
        raise InvalidInputError("the body is empty; send the file as it is")
    stem = PurePath(posted.file or "").stem or str(posted.kind)
    name = _name("file", stem) + ending
    made = Import(
        account_id=caller.id,
        cluster_id=caller.cluster_id,
        kind=posted.kind,
        source=_source(session, caller, _name("source", posted.source or stem)),
        file=name,
        size=len(posted.content),
        content=posted.content,
    )
    session.add(made)
    session.flush()
    record(session, caller, Action.CREATED, RecordedKind.IMPORT, made.public_id, size=made.size)
    return made


def read_import(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> Import:
    """One's own import; NotFoundError otherwise."""
    query = select(Import).where(Import.public_id == public_id, Import.account_id == caller.id)
    made = session.scalar((query.with_for_update() if lock else query).execution_options(populate_existing=True))
    if made is None:
        raise NotFoundError("no such import, or it is not yours")
    return made


def list_imports(session: Session, caller: Caller, query: PageQuery) -> Listed:
    """A page of one's own imports, the newest first."""
    return page(session, select(Import).where(Import.account_id == caller.id), Import, query)


def cancel(session: Session, caller: Caller, public_id: uuid.UUID) -> None:
    """Take back a file that waits, or what is left of one that is being read; rows that are in stay in."""
    made = read_import(session, caller, public_id, lock=True)
    if made.state not in _OPEN:
        raise ConflictError(
            Sentence(
                "the import is %(state)s; only one that is queued or running can be cancelled",
                state=ImportState(made.state),
            )
        )
    end(made, ImportState.CANCELLED)
    session.flush()
    record(session, caller, Action.WITHDRAWN, RecordedKind.IMPORT, made.public_id)


def end(made: Import, state: ImportState) -> None:
    """Put an import into its last state: the file's bytes go with it."""
    made.state, made.content, made.finished = state, None, func.now()


def _source(session: Session, caller: Caller, name: str) -> str:
    """Apart for each organisation, so that no external id meets another's; for coordinators, the cluster's own."""
    if caller.coordinates:
        return f"import/{name}"
    own = session.scalar(select(Organisation.public_id).where(Organisation.id == caller.organisation_id))
    return f"import/{own}/{name}"


def _name(what: str, name: str) -> str:
    try:
        storable(name)
    except ValueError as error:
        raise InvalidInputError(Sentence("%(what)s: %(why)s", what=what, why=error.args[0])) from None
    if len(name) > LONGEST_NAME or "/" in name or not name.strip():
        raise InvalidInputError(
            Sentence("%(what)s: expected a name of 1 to %(most)s characters without /", what=what, most=LONGEST_NAME)
        )
    return name
