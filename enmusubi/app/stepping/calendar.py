"""Working days of Japan: no Saturday, Sunday or national holiday, nor when public offices close over New Year."""

import datetime
from typing import Final

import holidays

_HOLIDAYS: Final = holidays.country_holidays("JP")
# 行政機関の休日に関する法律: 29 December to 3 January. Universities and foundations keep them too.
_CLOSED: Final = frozenset({(12, 29), (12, 30), (12, 31), (1, 2), (1, 3)})
_SATURDAY: Final = 5
_DAY: Final = datetime.timedelta(days=1)


def is_working_day(day: datetime.date) -> bool:
    """Whether people can be expected to work on that day."""
    return day.weekday() < _SATURDAY and (day.month, day.day) not in _CLOSED and day not in _HOLIDAYS


def working_days_after(day: datetime.date, days: int) -> datetime.date:
    """The working day that is so many working days after a day; with none, the day itself."""
    while days > 0:
        day += _DAY
        days -= is_working_day(day)
    return day


def first_day_past(day: datetime.date, days: int) -> datetime.date:
    """The day on which so many working days after a day have passed."""
    return working_days_after(day, days) + _DAY
