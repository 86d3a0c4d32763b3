"""Where the headings of a table stand, and what they are, across title rows and merged group headings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from enmusubi.ingest.sources import fields
from enmusubi.ingest.sources.cells import CellError, Unreadable, text_of
from enmusubi.ingest.sources.grid import Grid, Row
from enmusubi.ingest.sources.headings import Column, decide, explains, is_marked, listed, recognise
from enmusubi.ingest.sources.report import Kind, Limits, SourceError, shown

_SEARCHED = 20  # rows in which the headings must stand
_TALLEST = 10_000  # rows of one merged cell
_DEEPEST = 3  # rows of headings


@dataclass(frozen=True)
class Header:
    """The rows of headings found: the heading path of each column by its number, and the last of their lines."""

    paths: dict[int, tuple[str, ...]]
    continuations: frozenset[int]
    first: int
    last: int
    recognised: int
    has_text: bool
    above: int  # rows that are not blank, down to the last of the headings


def find_header(grid: Grid, kind: Kind, mapping: Mapping[str, str]) -> Header | None:
    """The rows of headings with the most recognised ones among the first twenty; None where there are none."""
    lines = _first_rows(grid)
    best: Header | None = None
    for start in lines:
        if start > _SEARCHED:
            break
        for depth in range(1, _DEEPEST + 1):
            # A group row may leave no blank row between itself and its headings.
            block = [start + step for step in range(depth) if start + step in lines]
            if len(block) < depth or (depth > 1 and not all(_is_group(grid, lines, line) for line in block[:-1])):
                break
            header = _header(grid, lines, block, kind, mapping)
            if _rank(header) > (_rank(best) if best else (0, 0)):
                best = header
    return best


def _rank(header: Header) -> tuple[int, int]:
    # Of equal blocks the deeper wins: its group row may carry a mark that must not be lost.
    return header.recognised, header.last - header.first


def _first_rows(grid: Grid) -> dict[int, Sequence[object]]:
    limit = _SEARCHED + _DEEPEST
    rows: Iterator[Row] = (row for row in grid.rows() if isinstance(row, Row))
    found = {}
    for row in takewhile(lambda row: row.line <= limit, rows):
        found[row.line] = row.cells
    return found


def _text(value: object) -> str:
    if isinstance(value, Unreadable):
        return ""
    try:
        return text_of(value).strip()
    except CellError:
        return ""


def _is_group(grid: Grid, lines: Mapping[int, Sequence[object]], line: int) -> bool:
    """Whether a row can stand above headings: merged cells, or several cells, not one title."""
    filled = [place for place, value in enumerate(lines[line], start=1) if _text(value)]
    if len(filled) > 1:
        return True
    return any(merge.top <= line <= merge.bottom and merge.bottom > merge.top for merge in grid.merges)


def _spread(grid: Grid, lines: Mapping[int, Sequence[object]], line: int, width: int) -> dict[int, str]:
    """The text over each column in a row: merged cells count for all they cover."""
    texts = {place: text for place, value in enumerate(lines.get(line, ()), start=1) if (text := _text(value))}
    for merge in grid.merges:
        if merge.top <= line <= merge.bottom:
            text = _text(_cell(lines, merge.top, merge.left))
            texts.update({place: text for place in range(merge.left, min(merge.right, width) + 1) if text})
    return texts


def _cell(lines: Mapping[int, Sequence[object]], line: int, place: int) -> object:
    cells = lines.get(line, ())
    return cells[place - 1] if place <= len(cells) else None


def _header(
    grid: Grid,
    lines: Mapping[int, Sequence[object]],
    block: Sequence[int],
    kind: Kind,
    mapping: Mapping[str, str],
) -> Header:
    width = max(len(lines[line]) for line in block)
    layers = [_spread(grid, lines, line, width) for line in block]
    if grid.spread:
        for layer in layers[:-1]:
            _spread_right(layer, layers[-1], width)
    paths = {}
    for place in range(1, width + 1):
        path = tuple(dict.fromkeys(layer[place] for layer in layers if layer.get(place)))
        if path:
            paths[place] = path
    continuations = frozenset(
        place
        for merge in grid.merges
        if merge.top <= block[-1] <= merge.bottom
        for place in range(merge.left + 1, min(merge.right, width) + 1)
    )
    given = {fields.key(heading) for heading in mapping}
    found = {
        target.field if (target := recognise(path, kind)) else "--map"
        for place, path in paths.items()
        if recognise(path, kind) or fields.key(" ".join(path)) in given or f"#{place}" in mapping
    }
    count = sum(
        bool(recognise(path, kind)) or fields.key(" ".join(path)) in given
        for place, path in paths.items()
        if place not in continuations
    )
    has_text = bool(found & (fields.TEXTS[kind] | {"--map"}))
    above = sum(line <= block[-1] for line in lines)
    return Header(paths, continuations, block[0], block[-1], count, has_text, above)


def _spread_right(layer: dict[int, str], below: Mapping[int, str], width: int) -> None:
    text = ""
    for place in range(1, width + 1):
        text = layer.get(place, text)
        if place not in layer and text and place in below:
            layer[place] = text


def columns_of(
    grid: Grid, header: Header, kind: Kind, mapping: Mapping[str, str], limits: Limits
) -> tuple[list[Column], list[str]]:
    """The columns of a table and what must be said of the lines above them; SourceError as `decide` raises it."""
    lines = _first_rows(grid)
    if max(header.paths) > limits.columns:
        raise SourceError(f"{grid.file} has more than {limits.columns} columns; delete those that are not needed")
    marked, notes = _marks_above(grid, lines, header)
    paths = [(place, path, place in header.continuations) for place, path in sorted(header.paths.items())]
    return decide(paths, kind, mapping, grid.file, marked), notes


def _marks_above(grid: Grid, lines: Mapping[int, Sequence[object]], header: Header) -> tuple[dict[int, str], list[str]]:
    """The columns below a mark such as 非公開 in a line above the last headings, each with that line."""
    marked: dict[int, str] = {}
    notes = []
    places = sorted(header.paths)
    for line in (line for line in lines if line < header.last):
        filled = [place for place, value in enumerate(lines[line], start=1) if _text(value)]
        for start in filled:
            text = _text(lines[line][start - 1])
            if not is_marked(text):
                continue
            merge = next((merge for merge in grid.merges if (merge.top, merge.left) == (line, start)), None)
            # Without a merged range it may stand for all columns up to the next text.
            end = merge.right if merge else next((place for place in filled if place > start), places[-1] + 1) - 1
            covered = {place for place in places if start <= place <= end}
            if covered == set(places) and explains(text):
                notes.append(f"line {line} says {shown(text)!r}; check that no public column is meant")
            else:
                marked |= dict.fromkeys(covered, f"line {line} above says {shown(text)!r}")
    return marked, notes


def not_found(grids: Sequence[Grid], kind: Kind) -> SourceError:
    """The error for a file without recognisable headings, listing what stands in its first row."""
    grid = grids[0]
    first = next(iter(_first_rows(grid).items()), None)
    if first is None:
        return SourceError(f"{grid.file} holds no rows in its first {_SEARCHED} lines; put the headings there")
    cells = [Column(_text(value), place, None, "") for place, value in enumerate(first[1], start=1)]
    return SourceError(
        f"{grid.file} has no heading that names a text of a {kind} in its first {_SEARCHED} lines (line "
        f"{first[0]}: {listed(cells)}); name the columns with --map column=field, for example --map "
        f"'{'お困りごと=summary' if kind == 'need' else '技術の要点=summary'}'"
    )


class Covers:
    """The merged ranges below the headings: the value of their first row counts for every row they cover."""

    def __init__(self, grid: Grid, after: int) -> None:
        self._above: dict[tuple[int, int], int] = {}
        self._values: dict[tuple[int, int], object] = {}
        for merge in grid.merges:
            if merge.top > after:
                for line in range(merge.top, min(merge.bottom, merge.top + _TALLEST) + 1):
                    self._above[line, merge.left] = merge.top

    def value(self, line: int, place: int, value: object) -> tuple[bool, object]:
        """Whether a merged cell of a row above covers this one, and the value that counts here."""
        top = self._above.get((line, place))
        if top is None:
            return False, value
        if top == line:
            self._values[top, place] = value
            return False, value
        above = self._values.get((top, place))
        return above is not None, above
