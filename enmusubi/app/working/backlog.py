"""What waits to be sent, and whether anybody is there to send it."""

import datetime
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from enmusubi.app.database import Database
from enmusubi.app.working.worker import STALLED

LATE: Final = datetime.timedelta(minutes=5)
"""A notice that nobody has looked at for so long, or an attempt that is so long overdue, is late."""

_COUNTED: Final = text(
    "select (select count(*) from procrastinate_workers where last_heartbeat > now() - cast(:stalled as interval)) "
    "as workers, "
    "(select count(*) from notices where dispatched is null) "
    "+ (select count(*) from deliveries where state = 'waiting') as waiting, "
    "(select count(*) from notices where dispatched is null and created < now() - cast(:late as interval)) "
    "+ (select count(*) from deliveries where state = 'waiting' and next_attempt < now() - cast(:late as interval)) "
    "as late, "
    "(select count(*) from deliveries where state = 'failed') as failed"
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many workers live, and how much waits, is late, or was given up."""

    workers: int
    waiting: int
    late: int
    failed: int

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.workers} workers alive, {self.waiting:,} notices wait, {self.failed:,} were given up"


def of(database: Database) -> Backlog:
    """What there is, as the owner of the tables sees it."""
    with database.engine.connect() as connection:
        found = connection.execute(_COUNTED, {"stalled": datetime.timedelta(seconds=STALLED), "late": LATE}).one()
    return Backlog(found.workers, found.waiting, found.late, found.failed)
