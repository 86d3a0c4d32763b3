"""What is to be done again and again, by exactly one worker each time. Add a chore to `CHORES`."""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.catalogue import expiring
from enmusubi.app.clock import Clock, day_of
from enmusubi.app.importing.running import MEND_KEPT, UNDECIDED_KEPT
from enmusubi.app.introducing.keeping_time import keep_time

logger = logging.getLogger(__name__)

_LOCKS: Final = 7302  # the class of our advisory locks of chores
_HOUR: Final = 60
DAY: Final = 24 * _HOUR
"""So many minutes."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that is due every so many minutes: a divisor of an hour, or of a day in whole hours.

    `work` gets a session that acts as the service, and the time; what it writes is committed when it returns. It may be
    run again after a kill, or late, and has to find out from the database what is left to do.
    """

    name: str
    minutes: int
    work: Callable[[Session, datetime.datetime], None]

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that does not divide a day evenly."""
        whole = self.minutes >= 1 and (
            _HOUR % self.minutes == 0 or (self.minutes % _HOUR == 0 and DAY % self.minutes == 0)
        )
        if not whole:
            raise ValueError(f"{self.name}: {self.minutes} minutes divide neither an hour nor a day")

    @property
    def cron(self) -> str:
        """When it is due, as cron says it, in UTC."""
        if self.minutes < _HOUR:
            return f"*/{self.minutes} * * * *"
        return "0 0 * * *" if self.minutes == DAY else f"0 */{self.minutes // _HOUR} * * *"

    def run(self, sessions: Callable[[], Session], clock: Clock) -> bool:
        """Do it in a transaction of its own; whether it was done, and not by somebody else at this moment."""
        with sessions() as session, acting_as_service(session):
            # Held until the transaction ends, also by a kill.
            if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCKS, func.hashtext(self.name)))):
                return False
            self.work(session, clock.now())
            session.commit()
        return True


def _end_entries(session: Session, now: datetime.datetime) -> None:
    today = day_of(now)
    while expiring.expire(session, today):
        pass


def _announce_ends(session: Session, now: datetime.datetime) -> None:
    today = day_of(now)
    while expiring.expiring(session, today):
        pass


def _forget_undecided(session: Session, now: datetime.datetime) -> None:
    session.execute(select(func.forget_undecided_imports(UNDECIDED_KEPT, MEND_KEPT)))


CHORES: tuple[Chore, ...] = (
    Chore("end-entries", _HOUR, _end_entries),
    Chore("announce-ends", _HOUR, _announce_ends),
    Chore("forget undecided files", _HOUR, _forget_undecided),
    Chore("late steps", _HOUR, keep_time),
)
"""All there are."""
