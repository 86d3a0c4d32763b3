"""A table as a page shows it, and the same as a file."""

import csv
import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi.responses import Response

from enmusubi.app.indicators_table import MARK, harmless
from enmusubi.app.web.languages import Speech

CSV: Final = "text/csv; charset=utf-8; header=present"

Value = str | int | float | datetime.date | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell; where it leads, if anywhere."""

    value: Value
    address: str | None = None
    share: bool = False

    @property
    def is_figure(self) -> bool:
        """Whether it is a number."""
        return isinstance(self.value, int | float)

    @property
    def kind(self) -> str | None:
        """How it is set: what must not be broken over lines is named."""
        if self.is_figure:
            return "figure"
        return "day" if isinstance(self.value, datetime.date) else None

    def said(self, speech: Speech) -> str:
        """As its reader reads it."""
        if self.value is None:
            return "–"
        if isinstance(self.value, datetime.date):
            return speech.day(self.value)
        if isinstance(self.value, int | float):
            return speech.percent(self.value) if self.share else speech.number(self.value)
        return self.value


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and rows of as many cells."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def figures_at(self, place: int) -> bool:
        """Whether a column is of numbers."""
        return any(row[place].is_figure for row in self.rows)


def cells(*values: Value) -> list[Cell]:
    """Cells that lead nowhere."""
    return [Cell(value) for value in values]


def as_csv(table: Table, name: str) -> Response:
    """The table as a file for spreadsheets: plain numbers, days as ISO says them, no text that could be a formula."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(table.headings)
    writer.writerows([_plain(cell.value) for cell in row] for row in table.rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(MARK + written.getvalue(), media_type=CSV, headers=headers)


def _plain(value: Value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value
