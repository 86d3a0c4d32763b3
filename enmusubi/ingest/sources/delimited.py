"""CSV and TSV: records over physical lines, with a located problem for each that is broken."""

import csv
from collections import deque
from collections.abc import Iterator

from enmusubi.ingest.sources.grid import Grid, Row
from enmusubi.ingest.sources.report import Limits, Place, Problem
from enmusubi.ingest.sources.texts import Text

DELIMITERS = {",": "CSV", "\t": "TSV", ";": "CSV (semicolons)"}


class _Lines:
    """The physical lines of a file, of which those of a broken record can be put back."""

    def __init__(self, numbered: Iterator[tuple[int, str]]) -> None:
        self._numbered = numbered
        self._returned: deque[tuple[int, str]] = deque()
        self.record: list[tuple[int, str]] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        pair = self._returned.popleft() if self._returned else next(self._numbered)
        self.record.append(pair)
        return pair[1]

    def put_back_all_but_first(self) -> None:
        self._returned.extendleft(reversed(self.record[1:]))


def grid(text: Text, delimiter: str, limits: Limits) -> Grid:
    """The delimited file as a grid; its rows read lazily."""
    return Grid(
        file=text.path.name,
        rows=lambda: records(text, delimiter, limits),
        total=text.records,
        spread=True,
    )


def records(text: Text, delimiter: str, limits: Limits) -> Iterator[Row | Problem]:
    """The records with the line each starts on; a broken one is a problem, and the next line is read afresh."""
    # The limit belongs to the whole csv module, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), limits.field))
    lines = _Lines(text.numbered(newline=""))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.record = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            start = lines.record[0][0]
            lines.put_back_all_but_first()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield Problem(Place(text.path.name, start), None, _reason(error))
            continue
        if any(cell.strip() for cell in cells):
            yield Row(lines.record[0][0], cells)


def _reason(error: csv.Error) -> str:
    message = str(error)
    if "unexpected end of data" in message or "field limit" in message:
        return 'a quotation mark (") is opened here and never closed; close it, or write "" for a plain one'
    if "expected after" in message:
        return 'text follows a closing quotation mark ("); write "" for a quotation mark inside a quoted cell'
    return f"is not a well-formed line of a delimited file ({message})"
