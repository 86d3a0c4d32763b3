"""Excel workbooks (.xlsx): checked before they are parsed, then streamed row by row."""

import re
import struct
import warnings
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils import range_boundaries
from openpyxl.utils.escape import unescape

from enmusubi.ingest.sources.cells import Unreadable
from enmusubi.ingest.sources.grid import Grid, Merge, Row
from enmusubi.ingest.sources.report import Limits, SourceError

_CHUNK = 2**20
_EXCEL_ROWS = 2**20
_OVERLAP = 200  # longer than any tag looked for
_TAG = re.compile(rb'<(?:\w+:)?(row|v|is|f|mergeCell)(?=[\s/>])(?:[^<>]*?\bref=["\']([A-Z0-9:$]{1,40})["\'])?')
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, IndexError, AttributeError, OSError,
    EOFError, ParseError, DefusedXmlException, RuntimeError, struct.error, OverflowError, AssertionError,
)  # fmt: skip


@dataclass
class _Part:
    """What a look at the bytes of a sheet tells: rows with values, merged ranges, whether there are formulas."""

    rows: int = 0
    formulas: bool = False
    merges: list[Merge] = field(default_factory=list)


def grids(path: Path, limits: Limits) -> list[Grid]:
    """The sheets of a workbook; SourceError where it is damaged, encrypted, too large or expands entities."""
    parts = _inspect(path, limits)
    with ExitStack() as stack:
        workbook = _open(stack, path, data_only=True)
        return [
            Grid(
                file=path.name,
                rows=partial(_rows, path, sheet.title, parts[sheet._worksheet_path], limits),
                merges=tuple(parts[sheet._worksheet_path].merges),
                total=parts[sheet._worksheet_path].rows,
                sheet=sheet.title,
                hidden=sheet.sheet_state != "visible",
            )
            for sheet in workbook.worksheets
        ]


def _open(stack: ExitStack, path: Path, data_only: bool) -> Any:
    # A handle, since openpyxl judges a path by its ending.
    handle = stack.enter_context(path.open("rb"))
    try:
        with warnings.catch_warnings():
            # openpyxl warns of what it will not write back (validations, pictures); nothing is written back here.
            warnings.simplefilter("ignore")
            workbook = openpyxl.load_workbook(handle, read_only=True, data_only=data_only, keep_links=False)
    except _DAMAGE as error:
        raise _damaged(path, error) from None
    stack.callback(workbook.close)
    return workbook


def _damaged(path: Path, error: BaseException) -> SourceError:
    if "encrypted" in str(error):
        return SourceError(f"{path.name} is encrypted; save it without a password and retry")
    if isinstance(error.__cause__ or error, DefusedXmlException):
        return SourceError(f"{path.name} holds XML entities, which no spreadsheet needs; it is refused as hostile")
    return SourceError(
        f"{path.name} is a damaged workbook ({type(error).__name__}); open it in a spreadsheet program, "
        "save it again as .xlsx, and retry"
    )


def _inspect(path: Path, limits: Limits) -> dict[str, _Part]:
    """Inflate every part once, in pieces, counting what really comes out: declared sizes may lie."""
    parts: dict[str, _Part] = defaultdict(_Part)
    left = limits.inflated
    bomb = SourceError(
        f"{path.name} unpacks to more than {limits.inflated // 2**20:,} MB; it is refused as a zip bomb. "
        "Split a real list into smaller workbooks, or save it as CSV"
    )
    crowded = SourceError(f"{path.name} has more than {limits.merges:,} merged cells; unmerge them")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > limits.parts or sum(member.file_size for member in members) > limits.inflated:
                raise bomb
            for member in members:
                left = _inspect_part(archive, member, parts[member.filename], left)
                if len(parts[member.filename].merges) > limits.merges:
                    raise crowded
                if left < 0:
                    raise bomb
    except _DAMAGE as error:
        raise _damaged(path, error) from None
    return parts


def _inspect_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo, part: _Part, left: int) -> int:
    is_sheet = "worksheets/" in member.filename and member.filename.endswith(".xml")
    tail, filled = b"", True
    with archive.open(member) as handle:
        while chunk := handle.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                return left
            if not is_sheet:
                continue
            text = tail + chunk
            # A tag cut by the end of the piece is looked at with the next one.
            end = text.rfind(b"<") if text.rfind(b"<") > text.rfind(b">") else len(text)
            end = max(end, len(text) - _OVERLAP)
            for found in _TAG.finditer(text, 0, end):
                name, reference = found[1], found[2]
                if name == b"row":
                    filled = False
                elif name == b"f":
                    part.formulas = True
                elif name == b"mergeCell" and reference:
                    left_column, top, right_column, bottom = range_boundaries(reference.decode())
                    part.merges.append(Merge(top or 1, left_column or 1, bottom or 1, right_column or 1))
                if name in (b"v", b"is") and not filled:
                    part.rows, filled = part.rows + 1, True
            tail = text[end:]
    return left


def _rows(path: Path, title: str, part: _Part, limits: Limits) -> Iterator[Row]:
    with ExitStack() as stack:
        books = [_open(stack, path, data_only=True)]
        if part.formulas:
            books.append(_open(stack, path, data_only=False))
        try:
            yield from _checked(path, title, [_stream(book, title, limits) for book in books], limits)
        except _DAMAGE as error:
            raise _damaged(path, error) from None


def _checked(path: Path, title: str, streams: list[Iterator[Any]], limits: Limits) -> Iterator[Row]:
    """The rows of the stored values, held against those of the formulas where there are any."""
    previous = None
    for number, rows in enumerate(zip(*streams, strict=False), start=1):
        if number > min(limits.rows, _EXCEL_ROWS):
            raise SourceError(f"{path.name}: the sheet {title!r} has more than {number - 1:,} rows; split it")
        if rows[0] is previous:
            continue  # openpyxl fills a gap between rows with one and the same blank row
        previous = rows[0]
        cells = [None if cell is EMPTY_CELL else _value(cell) for cell in rows[0]]
        for place, (cell, formula) in enumerate(zip(*rows, strict=False) if len(rows) > 1 else ()):
            if formula.data_type == "f" and cell.value is None and cell.data_type != "str":
                cells[place] = Unreadable(
                    "holds a formula with no stored value; open the file in a spreadsheet program, "
                    "let it calculate, and save"
                )
        while cells and cells[-1] is None:
            cells.pop()
        if len(cells) > limits.columns:
            raise SourceError(
                f"{path.name}, line {number}: more than {limits.columns} columns; delete those that are not needed"
            )
        if cells:
            yield Row(number, cells)


def _stream(workbook: Any, title: str, limits: Limits) -> Iterator[Any]:
    sheet = workbook[title]
    sheet.reset_dimensions()  # the declared size is often wrong, and cells outside it would be lost
    rows = sheet.iter_rows(max_col=limits.columns + 1)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an impossible date becomes an error cell, which is reported
            row = next(rows, None)
        if row is None:
            return
        yield row


def _value(cell: Any) -> object:
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "e":
        return Unreadable(f"holds the error {str(value)[:10]}; mend the formula or type the value")
    if isinstance(value, str):
        return unescape(value) or None
    return value
