"""Files of entries that an account posts: take in, list, read, cancel. `importing` reads them into the catalogue."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, Sentence
from enmusubi.app.models import Import, ImportRow, Organisation
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
_UNDECIDED: Final = (ImportState.CHECKING, ImportState.MAPPING)
_BEGUN: Final = (ImportState.QUEUED, ImportState.RUNNING, ImportState.FINISHED)
_OPEN: Final = (*_UNDECIDED, ImportState.QUEUED, ImportState.RUNNING)


@dataclass(frozen=True, slots=True)
class Posted:
    """A file as it comes in."""

    kind: ImportKind
    content_type: str
    content: bytes
    file: str | None = None
    source: str | None = None
    instead: Import | None = None
    """One's own earlier import that this file mends: the same source, so that the same ids are the same entries."""


def take_in(session: Session, caller: Caller, posted: Posted, *, check: bool = False) -> Import:
    """Store a file to be read later, on behalf of the caller; InvalidInputError where it can be told to be none.

    With `check` it is only looked through, and waits then for the caller's `confirm`.
    """
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
        source=_source(session, caller, _name("source", posted.source or stem))
        if posted.instead is None
        else posted.instead.source,
        state=ImportState.CHECKING if check else ImportState.QUEUED,
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
                "the import is %(state)s; only one that is not at its end can be cancelled",
                state=ImportState(made.state),
            )
        )
    end(made, ImportState.CANCELLED)
    session.flush()
    record(session, caller, Action.WITHDRAWN, RecordedKind.IMPORT, made.public_id)


def read_whole(session: Session, caller: Caller, public_id: uuid.UUID) -> Import:
    """One's own import with what a look through it found, and the rows to mend."""
    read_import(session, caller, public_id)
    query = select(Import).where(Import.public_id == public_id, Import.account_id == caller.id)
    whole = query.options(undefer(Import.checked), undefer(Import.mend))
    return session.scalars(whole.execution_options(populate_existing=True)).one()


def rows_of(session: Session, made: Import, after: int, most: int) -> list[ImportRow]:
    """What became of the rows that were taken, in the order of the file, behind a line."""
    query = select(ImportRow).where(ImportRow.import_id == made.id, ImportRow.line > after)
    return list(session.scalars(query.order_by(ImportRow.line).limit(most)))


def lay_out(session: Session, caller: Caller, public_id: uuid.UUID, layout: dict[str, Any]) -> None:
    """Say what the columns hold: the file is looked through anew; ConflictError once it was decided on."""
    made = read_import(session, caller, public_id, lock=True)
    if made.state not in _UNDECIDED:
        raise ConflictError(
            Sentence(
                "the import is %(state)s; its columns can be chosen before it is confirmed",
                state=ImportState(made.state),
            )
        )
    check_again(made, layout)
    session.flush()


def check_again(made: Import, layout: dict[str, Any]) -> None:
    """Back to the look through it, from its beginning."""
    made.layout, made.checked, made.mend = layout, None, None
    made.state, made.attempts, made.read, made.total = ImportState.CHECKING, 0, 0, None


def confirm(session: Session, caller: Caller, public_id: uuid.UUID, shown: str) -> bool:
    """Have the file read as it was shown, named by `layout_key`; False where that was said before.

    ConflictError where it is not looked through, was laid out anew meanwhile, or cannot be read.
    """
    made = read_import(session, caller, public_id, lock=True)
    if made.state in _BEGUN:
        return False
    if made.state != ImportState.MAPPING:
        raise ConflictError(
            Sentence(
                "the import is %(state)s; only one that was looked through can be confirmed",
                state=ImportState(made.state),
            )
        )
    if layout_key(made) != shown:
        raise ConflictError("the columns were changed meanwhile; look at the preview again")
    if made.checked is None or made.checked.get("fault"):
        raise ConflictError("the file cannot be read as it is laid out; choose what its columns hold")
    made.state, made.checked, made.mend = ImportState.QUEUED, None, None
    made.attempts, made.read, made.total = 0, 0, None
    session.flush()
    record(session, caller, Action.MOVED, RecordedKind.IMPORT, made.public_id, state=str(ImportState.QUEUED))
    return True


def layout_key(made: Import) -> str:
    """What tells one layout of a file from another."""
    return hashlib.sha256(json.dumps(made.layout, sort_keys=True).encode()).hexdigest()[:32]


def end(made: Import, state: ImportState) -> None:
    """Put an import into its last state: the file's bytes go with it."""
    made.state, made.content, made.checked, made.finished = state, None, None, func.now()
    if state is not ImportState.FINISHED:
        made.mend = None


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
