"""What a file looks like before anybody says which column fills which field: headings, samples, a proposal for each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from re import fullmatch
from typing import Final

from enmusubi.ingest.sources import fields, json_lines, opening, reading, tables
from enmusubi.ingest.sources.cells import CellError, Unreadable, text_of
from enmusubi.ingest.sources.grid import Grid
from enmusubi.ingest.sources.headings import is_marked, recognise
from enmusubi.ingest.sources.report import Kind, Limits, SourceError, shown
from enmusubi.ingest.sources.texts import examine

SAMPLES: Final = 3
RECOGNISED: Final = "recognised"
UNKNOWN: Final = "not recognised"
CONFIDENTIAL: Final = "confidential"
DOUBLE: Final = "double"


@dataclass(frozen=True)
class Proposed:
    """A column, the name by which a mapping means it, and the field that it may fill; `why` is one of the above."""

    number: int
    heading: str
    name: str
    field: str
    why: str
    samples: list[str]


@dataclass(frozen=True)
class Look:
    """A table of a file: its sheet among those there are, and its columns."""

    sheet: str | None
    sheets: list[str]
    columns: list[Proposed]

    @property
    def mapping(self) -> dict[str, str]:
        """The proposal, as `read` takes it."""
        return {column.name: column.field for column in self.columns}


def look(path: Path, kind: Kind, *, sheet: str | None = None, limits: Limits = Limits()) -> Look:  # noqa: B008 frozen
    """Look at the first rows of a file; SourceError where it cannot be read at all.

    Nothing public is proposed for a column that is marked confidential, and no field twice that holds one value: these
    are left out, as what is not recognised, until somebody says what they are.
    """
    path = opening.resolve(path, kind)
    found = opening.format_of(path, limits)
    if found in ("xlsx", "xls"):
        grids = reading.sheets_of(path, found, limits)
        if not grids:
            raise SourceError(f"{path.name} holds no sheets with cells")
        grid = _sheet(grids, kind, sheet)
        return Look(grid.sheet, [each.sheet or "" for each in grids], _columns(grid, kind))
    text = examine(path, None, limits)
    if found == "json-lines":
        return Look(None, [], _members(islice(json_lines.records(text), reading.PROBED), kind))
    return Look(None, [], _columns(reading.best_grid(text, kind, {}, limits)[1], kind))


def _sheet(grids: Sequence[Grid], kind: Kind, wanted: str | None) -> Grid:
    if wanted is not None and (named := [grid for grid in grids if grid.sheet == wanted]):
        return named[0]
    fitting = [grid for grid in grids if reading.qualifies(grid, kind, {})]
    return max(fitting or grids, key=lambda grid: grid.total or 0)


def _columns(grid: Grid, kind: Kind) -> list[Proposed]:
    header = tables.find_header(grid, kind, {})
    marked: Mapping[int, str] = {}
    paths: list[tuple[int, Sequence[str], bool]]
    if header is None:
        # Nothing is known: the first row with several texts is taken to be the headings.
        lines = grid.head
        last = next((line for line, cells in lines.items() if sum(bool(_text(cell)) for cell in cells) > 1), None)
        last = next(iter(lines), 0) if last is None else last
        named = enumerate(lines.get(last, ()), start=1)
        paths = [(place, (text,), False) for place, cell in named if (text := _text(cell))]
    else:
        last = header.last
        marked, _ = tables.marks_above(grid, grid.head, header)
        paths = [(place, path, place in header.continuations) for place, path in sorted(header.paths.items())]
    below = [cells for line, cells in grid.head.items() if line > last]
    samples = {place: _samples(below, place) for place, _, _ in paths}
    return _proposed(paths, kind, marked, samples)


def _samples(rows: Sequence[Sequence[object]], place: int) -> list[str]:
    texts = (_text(cells[place - 1]) for cells in rows if place <= len(cells))
    return list(islice((text for text in texts if text), SAMPLES))


def _heading(path: Sequence[str]) -> str:
    """As `decide` makes it."""
    return " ".join(dict.fromkeys(" ".join(part.split()) for part in path if part.strip()))


def _members(records: Iterable[object], kind: Kind) -> list[Proposed]:
    found = [record.members for record in records if isinstance(record, json_lines.Record)]
    names = list(dict.fromkeys(name for members in found for name in members))
    beir = bool(found) and all({"_id", "text"} <= members.keys() for members in found)
    known = reading.BEIR[kind] if beir else {}
    paths = [(number, (name,), False) for number, name in enumerate(names, start=1)]
    samples = {
        number: [shown(members[name]) for members in found if members.get(name) not in (None, "")][:SAMPLES]
        for number, (name,), _ in paths
    }
    return _proposed(paths, kind, {}, samples, known)


def _proposed(
    paths: Sequence[tuple[int, Sequence[str], bool]],
    kind: Kind,
    marked: Mapping[int, str],
    samples: Mapping[int, list[str]],
    known: Mapping[str, str] | None = None,
) -> list[Proposed]:
    headings = [
        " ".join(dict.fromkeys(" ".join(part.split()) for part in path if part.strip())) for _, path, _ in paths
    ]
    keys = Counter(
        name
        for heading, (_, path, _) in zip(headings, paths, strict=True)
        for name in {fields.key(heading), fields.key(path[-1])}
    )
    taken: set[str] = set()
    found = []
    for heading, (number, path, continues) in zip(headings, paths, strict=True):
        target = recognise(path, kind)
        given = (known or {}).get(heading)
        confidential = number in marked or any(is_marked(part) for part in path)
        field, why = fields.IGNORE, UNKNOWN
        if given is not None:
            field, why = given, RECOGNISED
        elif target is not None and confidential and target.field not in fields.SWITCHES | fields.CONFIDENTIAL[kind]:
            why = CONFIDENTIAL
        elif target is not None and target.field in taken and not continues and target.field not in fields.LISTS:
            why = DOUBLE
        elif target is not None:
            field, why = f"{target.field}:{target.detail}" if target.detail else target.field, RECOGNISED
            if not continues:
                taken.add(target.field)
        plain = fields.key(heading) and keys[fields.key(heading)] == 1 and not fullmatch(r"#\d+", heading)
        found.append(Proposed(number, heading, heading if plain else f"#{number}", field, why, samples[number]))
    return found


def _text(value: object) -> str:
    if isinstance(value, Unreadable):
        return ""
    try:
        return shown(text_of(value)).strip()
    except CellError:
        return ""
