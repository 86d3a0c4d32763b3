"""A clock that a test moves."""

import datetime
from collections.abc import Mapping

from enmusubi.app.clock import day_of
from enmusubi.app.database import Database
from enmusubi.app.introducing.keeping_time import tick
from enmusubi.app.stepping.calendar import working_days_after
from enmusubi.app.vocabulary import Step


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime.datetime | None = None) -> None:
        """Begin at a moment, by default the present one."""
        self._now = now or datetime.datetime.now(datetime.UTC)

    def now(self) -> datetime.datetime:
        """The moment it stands at."""
        return self._now

    def today(self) -> datetime.date:
        """Its day in Japan."""
        return day_of(self._now)

    def elapsed(self) -> float:
        """Seconds up to that moment."""
        return self._now.timestamp()

    def pass_working_days(self, days: int) -> None:
        """Move it to the first day on which so many working days have passed."""
        until = working_days_after(self.today(), days) + datetime.timedelta(days=1)
        self._now += until - self.today()

    def pass_seconds(self, seconds: float) -> None:
        """Move it a little."""
        self._now += datetime.timedelta(seconds=seconds)


def tick_of(database: Database, clock: MovedClock) -> Mapping[Step, int]:
    """What the service's clock did when it looked."""
    with database.session() as session:
        return tick(session, clock.now()).steps
