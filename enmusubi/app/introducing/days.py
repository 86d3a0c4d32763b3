"""Days that people report: of a time in which a cluster could have been at work, so that a slip is noticed."""

import datetime
from collections.abc import Mapping
from typing import Final

from enmusubi.app.clock import day_of
from enmusubi.app.errors import InvalidInputError, Sentence

EARLIEST: Final = datetime.date(1990, 1, 1)
AHEAD: Final = 10
"""Years from now in which something may be agreed, met for, or begin."""
LONGEST: Final = 30
"""Years from now in which it may end: longer than a patent lasts."""


def refuse_far(days: Mapping[str, datetime.date | None], now: datetime.datetime) -> None:
    """Raise InvalidInputError, with every place, where a day is before or after all that can be meant."""
    today = day_of(now)
    errors: list[dict[str, str]] = []
    first: Sentence | None = None
    for name, day in days.items():
        # The day of the year matters to nobody, and 29 February to the calendar.
        latest = datetime.date(today.year + (LONGEST if name == "ends_on" else AHEAD), 12, 31)
        if day is not None and not EARLIEST <= day <= latest:
            said = Sentence(
                "%(place)s: expected a day from %(first)s to %(last)s", place=name, first=EARLIEST, last=latest
            )
            first = first or said
            errors.append({"at": f"/body/{name}", "reason": said.removeprefix(f"{name}: "), "kind": "day"})
    if first:
        raise InvalidInputError(first, errors=errors)
