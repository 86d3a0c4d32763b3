"""One import while it is read, and the transactions in which that is done."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import posted_files
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.clock import Clock
from enmusubi.app.models import Account, Import
from enmusubi.app.vocabulary import ImportKind, ImportState
from enmusubi.ingest.rows import Loaded, batches
from enmusubi.ingest.sources import Entry, Source
from enmusubi.ingest.sources.report import Kind
from enmusubi.matching.encoder import Encoder

BATCH: Final = 100
"""Rows of a transaction."""
OPEN: Final = (ImportState.QUEUED, ImportState.RUNNING)
"""States in which an import is read, or will be."""


CLOSED: Final = (
    "the account was closed while the file was read; what had been entered until then stays, and the rest was not read"
)
"""Why an import ends whose account was."""


def is_active(session: Session, caller: Caller) -> bool:
    """Whether the account may still do something. Not held: who closes it does not wait for a batch."""
    return bool(session.scalar(select(Account.active).where(Account.id == caller.id)))


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A posted file on disk, while it is read, and how it is to be read."""

    path: Path
    name: str
    kind: ImportKind
    layout: dict[str, Any]
    source: str
    batches: int

    @property
    def of(self) -> Kind:
        """What `sources` calls it."""
        return "seed" if self.kind is ImportKind.SEEDS else "need"

    @property
    def mapping(self) -> dict[str, str]:
        """The fields of its columns, as far as somebody said."""
        return dict(self.layout.get("mapping") or {})

    @property
    def sheet(self) -> str | None:
        """Its sheet, where somebody said."""
        return self.layout.get("sheet")


def small_batches(source: Source, loaded: Loaded, name: str) -> Iterator[list[tuple[str, Entry]]]:
    """The rows of a file in batches of a transaction."""
    for batch in batches(source, loaded, {}, name):
        rows = iter(batch)
        while part := list(islice(rows, BATCH)):
            yield part


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

    @contextmanager
    def file(self) -> Iterator[PostedFile | None]:
        """The file in a folder of its own; None where it was cancelled meanwhile."""
        with self.sessions() as session:
            act_as(session, self.caller)
            made = posted_files.read_import(session, self.caller, self.public_id)
            name, content, kind = made.file, made.content, ImportKind(made.kind)
            layout, source, done = made.layout, made.source, made.batches
        if content is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="enmusubi-import-") as folder:
            path = Path(folder) / f"posted{Path(name).suffix}"  # a name of ours: theirs may be too long for a file
            path.write_bytes(content)
            del content
            yield PostedFile(path, name, kind, layout, source, done)
