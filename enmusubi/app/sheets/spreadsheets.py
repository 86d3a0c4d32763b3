"""Tables as CSV and as Excel: whole, and with nothing in them that a spreadsheet would carry out."""

import csv
import datetime
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from enmusubi.app.indicators_table import MARK, harmless
from enmusubi.app.sheets.tables import Cell, Table
from enmusubi.app.sheets.wording import N_, Wording

_IN_MEMORY: Final = 4 * 1024 * 1024
"""Bytes of a file; a larger one is written to a temporary file without a name."""
LONGEST: Final = 32_767
"""What a cell of Excel holds, in units of UTF-16."""
_SHEET_NAME: Final = 31
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REPLACEMENT: Final = "\ufffd"
_NOT_IN_NAMES: Final = re.compile(r"[\\/*?:\[\]]")

CUT: Final = N_("… [the beginning of %(length)s characters; the CSV export holds all]")
CUT_NOTE: Final = N_(
    "Texts too long for a cell of Excel: %(count)s. Their cells say so at their end; the CSV export holds them whole."
)
REPLACED_NOTE: Final = N_(
    "Texts with characters that no Excel file can hold: %(count)s. The sign � stands in their place."
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file from its beginning, and how many rows it has."""

    file: IO[bytes]
    rows: int


def as_csv(table: Table) -> Written:
    """CSV (RFC 4180) in UTF-8 with its mark, by which Excel knows it."""
    count = 0
    with _file() as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        try:
            text.write(MARK)
            writer = csv.writer(text)
            writer.writerow(table.headings)
            for count, row in enumerate(table.rows, 1):  # noqa: B007 how many there were
                writer.writerow([_plain(cell) for cell in row])
        finally:
            text.detach()
    return Written(file, count)


@contextmanager
def _file() -> Iterator[IO[bytes]]:
    """A file that is read from its beginning afterwards, and gone where it could not be written."""
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 it stays open
    try:
        yield file
    except BaseException:
        file.close()
        raise
    file.seek(0)


def _plain(cell: Cell) -> str | int | float | None:
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return harmless(cell) if isinstance(cell, str) else cell


@dataclass(slots=True)
class _Noted:
    """What the second sheet says of the first."""

    cut: int = 0
    replaced: int = 0


def as_xlsx(table: Table, wording: Wording, about: list[tuple[str, Cell]]) -> Written:
    """An Excel file: the table under a frozen heading, and a sheet that says what it is of and what to know of it."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(_sheet_name(table.title))
    sheet.freeze_panes = "B2"
    for place, width in enumerate(table.widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    noted = _Noted()
    sheet.append([_heading(sheet, heading) for heading in table.headings])
    count = 0
    for row in table.rows:
        sheet.append([_cell(sheet, cell, wording, noted) for cell in row])
        count += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.headings))}{count + 1}"
    _describe(book, wording, [*about, (wording.say(N_("Rows")), count)], noted)
    with _file() as file:
        book.save(file)
    return Written(file, count)


def _describe(book: Workbook, wording: Wording, about: list[tuple[str, Cell]], noted: _Noted) -> None:
    sheet: Any = book.create_sheet(_sheet_name(wording.say(N_("About this table"))))
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 100
    lines: list[tuple[str, Cell]] = list(about)
    for note, number in ((CUT_NOTE, noted.cut), (REPLACED_NOTE, noted.replaced)):
        if number:
            lines.append((wording.say(N_("To note")), wording.say(note, count=wording.number(number))))
    for name, value in lines:
        sheet.append([_heading(sheet, name), _cell(sheet, value, wording, _Noted())])


def _heading(sheet: Any, text: str) -> Any:
    cell: Any = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(sheet: Any, value: Cell, wording: Wording, noted: _Noted) -> Any:
    """What is appended to a row: a cell where it needs a style of its own, which takes longer than the value alone."""
    if not isinstance(value, str):
        return value
    text, replaced = _NOT_IN_XML.subn(_REPLACEMENT, value.replace("\r\n", "\n").replace("\r", "\n"))
    noted.replaced += replaced > 0
    if _units(text) > LONGEST:
        noted.cut += 1
        end = wording.say(CUT, length=wording.number(len(text)))
        text = _beginning(text, LONGEST - _units(end)) + end
    if harmless(text) == text and not text.startswith("#"):
        return text
    cell: Any = WriteOnlyCell(sheet, text)
    # Whatever it begins with it is a text, no error either, and stays one when somebody edits the cell.
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _beginning(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore")


def _sheet_name(title: str) -> str:
    return _NOT_IN_NAMES.sub(" ", title)[:_SHEET_NAME]
