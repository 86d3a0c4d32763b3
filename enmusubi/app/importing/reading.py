"""One import while it is read, and the transactions in which that is done."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import posted_files
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.clock import Clock
from enmusubi.app.models import Account, Import
from enmusubi.app.vocabulary import ImportState
from enmusubi.matching.encoder import Encoder

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
