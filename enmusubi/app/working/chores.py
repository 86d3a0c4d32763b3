"""What is to be done again and again, by exactly one worker each time. Add a chore to `CHORES`."""

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.clock import Clock
from enmusubi.app.introducing.keeping_time import keep_time

logger = logging.getLogger(__name__)

_LOCKS: Final = 7302  # the class of our advisory locks of chores
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR


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
        hourly = self.minutes % _HOUR == 0 and _DAY % self.minutes == 0
        if self.minutes < 1 or not (hourly or _HOUR % self.minutes == 0):
            raise ValueError(f"{self.name}: {self.minutes} minutes divide neither an hour nor a day")

    @property
    def cron(self) -> str:
        """When it is due, as cron says it, in UTC."""
        if self.minutes < _HOUR:
            return f"*/{self.minutes} * * * *"
        return "0 0 * * *" if self.minutes == _DAY else f"0 */{self.minutes // _HOUR} * * *"

    def run(self, sessions: Callable[[], Session], clock: Clock) -> bool:
        """Do it in a transaction of its own; whether it was done, and not by somebody else at this moment."""
        with sessions() as session, acting_as_service(session):
            # Held until the transaction ends, also by a kill.
            if not session.scalar(select(func.pg_try_advisory_xact_lock(_LOCKS, func.hashtext(self.name)))):
                return False
            self.work(session, clock.now())
            session.commit()
        return True


CHORES: tuple[Chore, ...] = (Chore("late steps", _HOUR, keep_time),)
"""All there are."""
