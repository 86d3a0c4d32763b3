"""Old Excel workbooks (.xls), read by xlrd."""

import datetime
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import xlrd
from xlrd.xldate import xldate_as_datetime

from enmusubi.ingest.sources.cells import Unreadable
from enmusubi.ingest.sources.grid import Grid, Merge, Row
from enmusubi.ingest.sources.report import Limits, SourceError


def grids(path: Path, limits: Limits) -> list[Grid]:
    """The sheets of an old workbook; SourceError where it is damaged, encrypted or too large."""
    workbook = _open(path)
    found = []
    for sheet in workbook.sheets():
        if sheet.nrows > limits.rows or sheet.ncols > limits.columns:
            raise SourceError(
                f"{path.name}: the sheet {sheet.name!r} has more than {limits.rows:,} rows or {limits.columns} "
                "columns; split it"
            )
        # xlrd's ends are exclusive and its counts start at nought.
        merges = tuple(Merge(top + 1, left + 1, bottom, right) for top, bottom, left, right in sheet.merged_cells)
        found.append(
            Grid(
                file=path.name,
                rows=partial(_rows, sheet, workbook.datemode),
                merges=merges,
                total=sheet.nrows,
                sheet=sheet.name,
                hidden=sheet.visibility != 0,
            )
        )
    return found


def _open(path: Path) -> Any:
    try:
        # Without the formatting xlrd leaves out the merged ranges. What it logs is for its developers.
        return xlrd.open_workbook(str(path), logfile=io.StringIO(), formatting_info=True)
    except xlrd.XLRDError as error:
        if "encrypt" in str(error).lower():
            raise SourceError(f"{path.name} is encrypted; save it without a password and retry") from None
        raise _damaged(path, error) from None
    except MemoryError:
        raise
    except Exception as error:  # xlrd fails on damaged bytes with whatever it stumbles over
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> SourceError:
    return SourceError(
        f"{path.name} is a damaged workbook ({type(error).__name__}); open it in a spreadsheet program, "
        "save it as .xlsx, and retry"
    )


def _rows(sheet: Any, datemode: int) -> Iterator[Row]:
    for number in range(sheet.nrows):
        cells = [_value(cell, datemode) for cell in sheet.row(number)]
        if any(cell is not None for cell in cells):
            yield Row(number + 1, cells)


def _value(cell: Any, datemode: int) -> object:
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return cell.value or None
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return cell.value
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        return _moment(cell.value, datemode)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        name = xlrd.error_text_from_code.get(cell.value, "#ERROR")
        return Unreadable(f"holds the error {name}; mend the formula or type the value")
    return None


def _moment(serial: float, datemode: int) -> datetime.datetime | Unreadable:
    try:
        return xldate_as_datetime(serial, datemode)  # type: ignore[no-any-return]
    except (xlrd.xldate.XLDateError, ValueError, OverflowError):
        return Unreadable("is shown as a date but is no possible one; type the date")
