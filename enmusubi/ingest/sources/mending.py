"""Rows that were not taken, as a CSV to mend and to post again: what a program would run is made inert, and back."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from enmusubi.ingest.sources.cells import CellError, Unreadable, text_of

WHAT: Final = "要修正 (what to mend)"
"""Heading of the column that says why; it names no field, and tells such a file when it comes back."""
LINE: Final = "元の行 (line)"
_RUN: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def inert(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula; `plain` gives back exactly what it was."""
    return f"'{text}" if text.lstrip("'").startswith(_RUN) else text


def plain(text: str) -> str:
    """A cell of such a file as it was."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_RUN) else text


def to_mend(
    headings: Sequence[str], rows: Iterable[tuple[int, Sequence[object]]], reasons: Mapping[int, Sequence[str]]
) -> bytes:
    """The file: each row with its line and what is wrong with it, in UTF-8 with the mark that Excel looks for."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    kept = [place for place, heading in enumerate(headings) if heading not in (WHAT, LINE)]
    writer.writerow([*(inert(headings[place]) for place in kept), LINE, WHAT])
    for line, cells in rows:
        if line in reasons:
            texts = [inert(_text(cells[place])) if place < len(cells) else "" for place in kept]
            # What stands beyond the headings would shift nothing, and is named by the reason.
            writer.writerow([*texts, line, inert(" / ".join(reasons[line]))])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _text(value: object) -> str:
    if isinstance(value, Unreadable):
        return ""
    try:
        return text_of(value)
    except CellError:
        return str(value)
