"""A clock that tests move."""

import datetime
from dataclasses import dataclass, field

from enmusubi.app.clock import day_of


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class SetClock:
    """Stands still until it is moved; begins with the present."""

    moment: datetime.datetime = field(default_factory=_now)

    def now(self) -> datetime.datetime:
        """The moment it was set to."""
        return self.moment

    def today(self) -> datetime.date:
        """That day in Japan."""
        return day_of(self.moment)

    def elapsed(self) -> float:
        """Seconds up to that moment."""
        return self.moment.timestamp()

    def forward(self, **by: float) -> None:
        """Move on, by days, hours, minutes or seconds."""
        self.moment += datetime.timedelta(**by)
