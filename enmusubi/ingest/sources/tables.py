"""Where the headings of a table stand, and what they are, across title rows and merged group headings."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from enmusubi.ingest.sources import fields
from enmusubi.ingest.sources.cells import CellError, Unreadable, text_of
from enmusubi.ingest.sources.grid import DEEPEST, SEARCHED, Grid, Merge
from enmusubi.ingest.sources.headings import Column, decide, explains, is_marked, listed, recognise
from enmusubi.ingest.sources.report import Kind, Limits, SourceError, shown

_REMARKS = frozenset(
    map(fields.key, ("公開", "必須", "任意", "選択", "公開・必須", "公開・任意", "public", "required", "optional"))
)


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
    remarks: Mapping[int, str]  # below the headings: 公開, 非公開, 必須 and their like


def find_header(grid: Grid, kind: Kind, mapping: Mapping[str, str]) -> Header | None:
    """The rows of headings with the most recognised ones among the first twenty; None where there are none."""
    lines = grid.head
    best: Header | None = None
    for last in lines:
        if last > SEARCHED:
            break
        # Group rows always count: they may say whose 氏名 it is, or carry a mark that must not be lost.
        first = last
        while first - 1 in lines and last - first + 1 < DEEPEST and _is_group(grid, lines, first - 1):
            first -= 1
        header = _header(grid, lines, range(first, last + 1), kind, mapping)
        if best is None or header.recognised > best.recognised or _completes(header, best, grid):
            best = header if header.recognised else best
    return _with_remarks(grid, best) if best else None


def _with_remarks(grid: Grid, header: Header) -> Header:
    """The headings with the row below them, where it only says of each column whether it is public or required."""
    cells = grid.head.get(header.last + 1, ())
    remarks = {place: text for place, value in enumerate(cells, start=1) if (text := _text(value))}
    if len(remarks) < 2 or not all(fields.key(text) in _REMARKS or is_marked(text) for text in remarks.values()):
        return header
    return replace(header, last=header.last + 1, above=header.above + 1, remarks=remarks)


def _completes(header: Header, best: Header, grid: Grid) -> bool:
    """Whether a block holds another and merged cells say that its further rows are headings, not data."""
    return (
        header.recognised == best.recognised
        and header.first <= best.last < header.last
        and any(
            merge.top <= best.last and (merge.bottom >= header.last or merge.right > merge.left)
            for merge in grid.head_merges
        )
    )


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
    return any(merge.top <= line <= merge.bottom and merge.bottom > merge.top for merge in grid.head_merges)


def _spread(grid: Grid, lines: Mapping[int, Sequence[object]], line: int, width: int) -> dict[int, str]:
    """The text over each column in a row: merged cells count for all they cover."""
    texts = {place: text for place, value in enumerate(lines.get(line, ()), start=1) if (text := _text(value))}
    for merge in grid.head_merges:
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
        for merge in grid.head_merges
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
    return Header(paths, continuations, block[0], block[-1], count, has_text, above, {})


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
    lines = grid.head
    if max(header.paths) > limits.columns:
        raise SourceError(f"{grid.file} has more than {limits.columns} columns; delete those that are not needed")
    marked, notes = marks_above(grid, lines, header)
    paths = [(place, path, place in header.continuations) for place, path in sorted(header.paths.items())]
    return decide(paths, kind, mapping, grid.file, marked), notes


def marks_above(grid: Grid, lines: Mapping[int, Sequence[object]], header: Header) -> tuple[dict[int, str], list[str]]:
    """The columns below a mark such as 非公開 in a line above the last headings, each with that line."""
    marked: dict[int, str] = {}
    notes = []
    places = sorted(header.paths)
    for line in (line for line in lines if line < header.last - bool(header.remarks)):
        filled = [place for place, value in enumerate(lines[line], start=1) if _text(value)]
        for start in filled:
            text = _text(lines[line][start - 1])
            if not is_marked(text):
                continue
            merge = next((merge for merge in grid.head_merges if (merge.top, merge.left) == (line, start)), None)
            # Without a merged range it may stand for all columns up to the next text.
            end = merge.right if merge else next((place for place in filled if place > start), places[-1] + 1) - 1
            covered = {place for place in places if start <= place <= end}
            if covered == set(places) and explains(text):
                notes.append(f"line {line} says {shown(text)!r}; check that no public column is meant")
            else:
                marked |= dict.fromkeys(covered, f"line {line} above says {shown(text)!r}")
    for place, text in header.remarks.items():
        if is_marked(text):
            marked[place] = f"line {header.last} below says {shown(text)!r}"
    return marked, notes


def not_found(grids: Sequence[Grid], kind: Kind) -> SourceError:
    """The error for a file without recognisable headings, listing what stands in its first row."""
    grid = grids[0]
    first = next(iter(grid.head.items()), None)
    if first is None:
        return SourceError(f"{grid.file} holds no rows in its first {SEARCHED} lines; put the headings there")
    cells = [Column(_text(value), place, None, "") for place, value in enumerate(first[1], start=1)]
    return SourceError(
        f"{grid.file} has no heading that names a text of a {kind} in its first {SEARCHED} lines (line "
        f"{first[0]}: {listed(cells)}); name the columns with --map column=field, for example --map "
        f"'{'お困りごと=summary' if kind == 'need' else '技術の要点=summary'}'"
    )


class Covers:
    """The merged ranges below the headings: the value of their first row counts for every row they cover."""

    def __init__(self, grid: Grid, after: int) -> None:
        ranges: dict[int, list[Merge]] = defaultdict(list)
        for merge in sorted(grid.merges, key=lambda merge: merge.top):
            if merge.top > after and merge.bottom > merge.top:
                ranges[merge.left].append(merge)
        self._ranges = dict(ranges)
        self._values: dict[int, tuple[int, object]] = {}

    def value(self, line: int, place: int, value: object) -> tuple[bool, object]:
        """Whether a merged cell of a row above covers this one, and the value that counts here."""
        ranges = self._ranges.get(place)
        if not ranges:
            return False, value
        found = bisect_right(ranges, line, key=lambda merge: merge.top) - 1
        if found < 0 or ranges[found].bottom < line:
            return False, value
        top = ranges[found].top
        if top == line:
            self._values[place] = (top, value)
            return False, value
        last, above = self._values.get(place, (0, None))
        return last == top and above is not None, above if last == top else None
