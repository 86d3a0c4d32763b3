"""A table as any format yields it: numbered rows of cells, and which cells are merged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from enmusubi.ingest.sources.report import Problem

SEARCHED = 20  # rows in which the headings must stand
DEEPEST = 3  # rows of headings


@dataclass(frozen=True)
class Merge:
    """A merged range of a sheet, 1-based and inclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Row:
    """A row's line in the file and its cells from the first column on."""

    line: int
    cells: Sequence[object]


@dataclass(frozen=True)
class Grid:
    """One sheet, or a whole delimited file (`sheet` None); `rows` reads it afresh each time.

    `total` counts the rows that are not blank, headings included, where that is known. `spread` says that
    merged cells are lost, as in a delimited file: a group heading then stands left of blank cells.
    """

    file: str
    rows: Callable[[], Iterator[Row | Problem]]
    merges: tuple[Merge, ...] = ()
    total: int | None = None
    sheet: str | None = None
    hidden: bool = False
    spread: bool = False

    @cached_property
    def head(self) -> dict[int, Sequence[object]]:
        """The cells of the first rows by their line, those in which headings are looked for."""
        rows = (row for row in self.rows() if isinstance(row, Row))
        return {row.line: row.cells for row in takewhile(lambda row: row.line <= SEARCHED + DEEPEST, rows)}

    @cached_property
    def head_merges(self) -> tuple[Merge, ...]:
        """The merged ranges that begin in the first rows."""
        return tuple(merge for merge in self.merges if merge.top <= SEARCHED + DEEPEST)


def is_blank(value: object) -> bool:
    """Whether a cell holds nothing at all."""
    return value is None or (isinstance(value, str) and not value.strip())
