"""A table for spreadsheets: its columns, and its rows one after the other."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from enmusubi.app.errors import InvalidInputError
from enmusubi.app.sheets.wording import N_, Wording

Row = TypeVar("Row")
Cell = str | int | float | datetime.date | None

MOST: Final = 20_000
"""Rows of a table: so many are written while the transaction of the request is open."""
TOO_MANY: Final = N_("an export holds 20,000 rows at most, and there are more: narrow the list by its filters first")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A heading, how wide it is shown in characters, and what stands in its cells."""

    heading: str
    width: int
    cell: Callable[[Wording, Row], Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """What is written: `headings` are in the reader's language already."""

    title: str
    headings: list[str]
    widths: list[int]
    rows: Iterator[list[Cell]]


def table(wording: Wording, title: str, columns: list[Column[Row]], found: Iterator[Row]) -> Table:
    """The table of what is found, in the reader's words; InvalidInputError at the row that is one too many."""

    def rows() -> Iterator[list[Cell]]:
        for place, row in enumerate(found):
            if place == MOST:
                raise InvalidInputError(TOO_MANY)
            yield [column.cell(wording, row) for column in columns]

    headings = [wording.say(column.heading) for column in columns]
    return Table(wording.say(title), headings, [column.width for column in columns], rows())
