"""Tables as files: whole, harmless, and clear about what a format cannot hold."""

import csv
import datetime
import io
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from enmusubi.app.errors import InvalidInputError
from enmusubi.app.sheets import tables
from enmusubi.app.sheets.spreadsheets import LONGEST, Written, as_csv, as_xlsx
from enmusubi.app.sheets.tables import Cell, Column, Table, table
from enmusubi.app.vocabulary import Language
from enmusubi.app.web.exporting.speaking import Words

WORDS = Words(Language.JA)
DAY = datetime.date(2026, 4, 1)
HOSTILE = (
    *("=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠A1"),
    *("  =cmd|' /C calc'!A0", "|x", "%x"),
)


def _of(*cells: Cell) -> Table:
    return Table("表", [f"h{place}" for place in range(len(cells))], [10] * len(cells), iter([list(cells)]))


def _bytes(written: Written) -> bytes:
    with written.file as file:
        return file.read()


def _lines(written: Written) -> list[list[str]]:
    return list(csv.reader(io.StringIO(_bytes(written).decode("utf-8-sig"), newline="")))


def _book(written: Written) -> Any:
    return load_workbook(io.BytesIO(_bytes(written)))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_is_a_formula(text: str) -> None:
    """In CSV an apostrophe stands before it; in Excel it is a text as it was written, and stays one when edited."""
    assert _lines(as_csv(_of(text)))[1] == [f"'{text}"]
    book = io.BytesIO(_bytes(as_xlsx(_of(text), WORDS, [])))
    with ZipFile(book) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    cell: Any = load_workbook(book).worksheets[0]["A2"]
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert cell.value == text.replace("\r", "\n")


def test_ordinary_texts_are_as_they_are() -> None:
    """Commas, quotes, lines and numbers come back unchanged from both."""
    cells = ('a,"b"\nc', "漢字　かな", 7, 0.25, None)
    assert _lines(as_csv(_of(*cells)))[1] == ['a,"b"\nc', "漢字　かな", "7", "0.25", ""]
    sheet = _book(as_xlsx(_of(*cells), WORDS, [])).worksheets[0]
    assert [cell.value for cell in sheet[2]] == list(cells)
    assert not sheet["A2"].quotePrefix
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:E2")


def test_days_are_days() -> None:
    """A day can be sorted and reckoned with in Excel, and is ISO 8601 in CSV; the mark of UTF-8 comes first."""
    assert _bytes(as_csv(_of(DAY))).startswith(b"\xef\xbb\xbf")
    assert _lines(as_csv(_of(DAY)))[1] == ["2026-04-01"]
    cell = _book(as_xlsx(_of(DAY), WORDS, [])).worksheets[0]["A2"]
    assert (cell.is_date, cell.value.date(), cell.number_format) == (True, DAY, "yyyy-mm-dd")


def test_an_error_of_excel_is_a_text() -> None:
    """What somebody wrote is no result of a formula that failed."""
    cell = _book(as_xlsx(_of("#N/A"), WORDS, [])).worksheets[0]["A2"]
    assert (cell.data_type, cell.value) == ("s", "#N/A")


def test_what_excel_cannot_hold_is_said() -> None:
    """A text too long ends with its length, one with controls shows where they were; both are noted; CSV is whole."""
    long, odd = "長" * 40_000, "a\x00b\x0bc\x1b\ufffe"
    book = _book(as_xlsx(_of(long, odd, "𠮷" * LONGEST), WORDS, []))
    first, second, third = (cell.value for cell in book.worksheets[0][2])
    assert first.startswith("長" * 30_000)
    assert first.endswith("…【全40,000文字の冒頭のみ。全文はCSVに出力されます】")
    assert len(first) == LONGEST
    assert second == "a�b�c��"
    assert len(third.encode("utf-16-le")) // 2 <= LONGEST
    notes = [row[1].value for row in book.worksheets[1].iter_rows() if row[0].value == "注意"]
    assert len(notes) == 2
    assert "2件" in notes[0]
    assert "1件" in notes[1]
    assert _lines(as_csv(_of(long)))[1] == [long]


def test_an_empty_table_is_its_headings() -> None:
    """Nothing found is no error."""
    empty = Table("表", ["a", "b"], [5, 5], iter([]))
    assert _lines(as_csv(empty)) == [["a", "b"]]
    sheet = _book(as_xlsx(Table("表", ["a", "b"], [5, 5], iter([])), WORDS, [])).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [["a", "b"]]


def test_too_many_rows_are_refused() -> None:
    """Nothing is cut in silence: one more than fits, and there is no file."""

    def numbers(count: int) -> Iterator[int]:
        yield from range(count)

    columns: list[Column[int]] = [Column("TRL", 6, lambda _, row: row)]
    assert len(_lines(as_csv(table(WORDS, "TRL", columns, numbers(tables.MOST))))) == tables.MOST + 1
    with pytest.raises(InvalidInputError, match="20,000 rows"):
        as_csv(table(WORDS, "TRL", columns, numbers(tables.MOST + 1)))
