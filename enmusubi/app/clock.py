"""What time it is: injected, so that tests move it instead of waiting."""

import datetime
import time
from typing import Final, Protocol

JAPAN: Final = datetime.timezone(datetime.timedelta(hours=9), "JST")
"""Where days begin and end: terms are kept, and letters dated, there. Without summer time, it needs no table."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime.datetime:
        """This moment, with its zone."""
        ...

    def today(self) -> datetime.date:
        """The day it is in Japan."""
        ...

    def elapsed(self) -> float:
        """Seconds since some moment: for how long something has lasted, whatever the time is set to."""
        ...


class SystemClock:
    """The machine's."""

    def now(self) -> datetime.datetime:
        """This moment, in UTC."""
        return datetime.datetime.now(datetime.UTC)

    def today(self) -> datetime.date:
        """The day it is in Japan."""
        return day_of(self.now())

    def elapsed(self) -> float:
        """Seconds since some moment, which are never set back."""
        return time.monotonic()


def day_of(moment: datetime.datetime) -> datetime.date:
    """The day of a moment in Japan."""
    return moment.astimezone(JAPAN).date()
