"""From a path to a stream of entries and located problems."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.ingest.sources import delimited, fields, json_lines, legacy_workbooks, mending, opening, tables, workbooks
from enmusubi.ingest.sources.cells import Unreadable
from enmusubi.ingest.sources.entries import build
from enmusubi.ingest.sources.grid import Grid, Row, is_blank
from enmusubi.ingest.sources.headings import Column, decide, is_marked, listed, refuse_doubles
from enmusubi.ingest.sources.report import Entry, HeadingMatch, Kind, Limits, Place, Problem, SourceError, shown
from enmusubi.ingest.sources.texts import Text, examine

# DOMAIN's lengths of forms: longer texts are stored whole, and reported.
FORM_LENGTHS = {
    "title": 256,
    "summary": 500,
    "description": 4_000,
    "advantages": 2_000,
    "expected_partner": 4_000,
    "expertise_sought": 2_000,
}
FORM_KEYWORDS = 5
_RAGGED = (
    "has {} cells where the headings have {}; check for a missing quotation mark, a separator inside a text, "
    "or a line break"
)
PROBED = 200  # lines of JSON looked at for their headings before the first entry
BEIR: dict[Kind, dict[str, str]] = {
    "seed": {"_id": "external_id", "title": "title", "text": "description", "metadata": fields.IGNORE},
    "need": {"_id": "external_id", "title": "title", "text": "summary", "metadata": fields.IGNORE},
}


class Source:
    """An opened file: iterate it (again and again) for its entries and problems, in the order of the file.

    `headings` and `notes` are complete once an iteration is; `total` counts the rows where it is known
    beforehand (for a progress bar: broken quotation marks and blank rows make it inexact). Iterating may raise
    SourceError as `read` does.
    """

    def __init__(
        self,
        file: str,
        name: str,
        encoding: str | None,
        columns: list[Column],
        notes: list[str],
        total: int | None,
        rows: Callable[["Source"], Iterator[Entry | Problem]],
        raw: Callable[[], Iterator[tuple[int, Sequence[object]]]] | None = None,
    ) -> None:
        self.file = file
        self.format = name
        self.encoding = encoding
        self.total = total
        self._columns = columns
        self._rows = rows
        self._raw = raw
        self._notes = notes
        self._found: Counter[str] = Counter()

    @property
    def headings(self) -> list[HeadingMatch]:
        """Each heading of the file with the field it fills, in the order of the file."""
        return [column.match for column in self._columns]

    @property
    def notes(self) -> list[str]:
        """What was done with the file that its sender should know."""
        ignored = [column for column in self._columns if column.field is None and column.heading]
        notes = [f"ignored, since they name no field: {listed(ignored)}"] if ignored else []
        return [*self._notes, *notes, *(text.format(f"{count:,}") for text, count in self._found.items())]

    def __iter__(self) -> Iterator[Entry | Problem]:
        self._found = Counter()
        try:
            for found in self._rows(self):
                if isinstance(found, Entry):
                    self._found.update(_over_form(found.draft))
                yield found
        except (OSError, UnicodeError) as error:
            raise SourceError(
                f"{self.file} changed or went away while it was read ({type(error).__name__}); run it again"
            ) from None

    def to_mend(self, reasons: Mapping[int, Sequence[str]]) -> bytes | None:
        """The rows of these lines as a CSV, with what is wrong; None where there are none, or no table."""
        if self._raw is None or not reasons:
            return None
        names = {column.number: column.heading for column in self._columns}
        return mending.to_mend([names.get(place, "") for place in range(1, max(names) + 1)], self._raw(), reasons)

    def count(self, note: str) -> None:
        """Count an entry for a note."""
        self._found[note] += 1


def _over_form(draft: SeedDraft | NeedDraft) -> Iterator[str]:
    for field, length in FORM_LENGTHS.items():
        if len(getattr(draft, field, None) or "") > length:
            yield f"{field} longer than the {length:,} characters of a form, stored whole: {{}} entries"
    for field in ("technology_keywords", "market_keywords"):
        if len(getattr(draft, field)) > FORM_KEYWORDS:
            yield f"{field}: more than the {FORM_KEYWORDS} of a form, all stored: {{}} entries"


def read(
    path: Path,
    kind: Kind,
    *,
    mapping: Mapping[str, str] = MappingProxyType({}),
    sheet: str | None = None,
    encoding: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 it is frozen
) -> Source:
    """Open a file of seeds or needs; SourceError where the file as a whole cannot be read.

    `mapping` names fields by heading, or by `#` and the 1-based number of the column; its values are field
    names, `field_codes:SCHEME`, or `ignore`.
    """
    path = opening.resolve(path, kind)
    found = opening.format_of(path, limits)
    try:
        if found in ("xlsx", "xls"):
            grids = sheets_of(path, found, limits)
            return _workbook(grids, f"Excel (.{found})", path.name, kind, mapping, sheet, limits)
        if sheet is not None:
            raise SourceError(f"{path.name} is no workbook, so it has no sheet {sheet!r}; leave --sheet out")
        text = examine(path, encoding, limits)
        if text.lines > limits.rows:
            raise SourceError(f"{path.name} has more than {limits.rows:,} lines; split it")
        if found == "json-lines":
            return _json_lines(text, kind, mapping)
        return _delimited(text, kind, mapping, limits)
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read ({error.strerror or error})") from None


def sheets_of(path: Path, found: opening.Format, limits: Limits) -> list[Grid]:
    """The sheets of a workbook of either format."""
    return workbooks.grids(path, limits) if found == "xlsx" else legacy_workbooks.grids(path, limits)


def _workbook(
    grids: list[Grid],
    name: str,
    file: str,
    kind: Kind,
    mapping: Mapping[str, str],
    sheet: str | None,
    limits: Limits,
) -> Source:
    names = ", ".join(repr(grid.sheet) for grid in grids)
    if sheet is not None:
        chosen = [grid for grid in grids if grid.sheet == sheet]
        if not chosen:
            raise SourceError(f"{file} has no sheet {sheet!r}; it has {names}")
    elif not grids:
        raise SourceError(f"{file} holds no sheets with cells")
    else:
        chosen = [grid for grid in grids if qualifies(grid, kind, mapping)]
        if not chosen:
            # Reading the fullest one as a whole file says what is amiss with it.
            chosen = [max(grids, key=lambda grid: grid.total or 0)]
        if len(chosen) > 1:
            among = ", ".join(repr(grid.sheet) for grid in chosen)
            raise SourceError(f"{file}: the sheets {among} all look like {kind}s; choose one with --sheet")
    notes = [f"the sheet {grid.sheet!r} is not read" for grid in grids if grid is not chosen[0]]
    if chosen[0].hidden:
        notes.append(f"the sheet {chosen[0].sheet!r} is hidden")
    return _table(chosen[0], name, None, kind, mapping, limits, notes, several=len(grids) > 1)


def qualifies(grid: Grid, kind: Kind, mapping: Mapping[str, str]) -> bool:
    """Whether a sheet has headings of the kind."""
    header = tables.find_header(grid, kind, mapping)
    return header is not None and header.has_text and (bool(mapping) or not _is_other(grid, header, kind))


def _is_other(grid: Grid, header: tables.Header, kind: Kind) -> bool:
    other = tables.find_header(grid, "need" if kind == "seed" else "seed", {})
    return other is not None and other.has_text and other.recognised > header.recognised


def best_grid(text: Text, kind: Kind, mapping: Mapping[str, str], limits: Limits) -> tuple[str, Grid]:
    """A delimited file by the delimiter that makes most sense of it."""
    ending = text.path.suffix.lower()
    ranked = []
    for order, delimiter in enumerate(delimited.DELIMITERS):
        grid = delimited.grid(text, delimiter, limits)
        header = tables.find_header(grid, kind, mapping)
        wide = max((len(row.cells) for row in islice(grid.rows(), 20) if isinstance(row, Row)), default=0)
        expected = (delimiter == "\t") == (ending in (".tsv", ".tab"))
        ranked.append(((header.recognised if header else 0, expected, wide, -order), delimiter, grid))
    _, delimiter, grid = max(ranked, key=lambda candidate: candidate[0])
    return delimiter, grid


def _delimited(text: Text, kind: Kind, mapping: Mapping[str, str], limits: Limits) -> Source:
    delimiter, grid = best_grid(text, kind, mapping, limits)
    notes = [f"read as {text.encoding_name}"]
    return _table(grid, delimited.DELIMITERS[delimiter], text.encoding, kind, mapping, limits, notes)


def _table(
    grid: Grid,
    name: str,
    encoding: str | None,
    kind: Kind,
    mapping: Mapping[str, str],
    limits: Limits,
    notes: list[str],
    several: bool = False,
) -> Source:
    header = tables.find_header(grid, kind, mapping)
    if header is not None and not mapping and _is_other(grid, header, kind):
        other = "need" if kind == "seed" else "seed"
        raise SourceError(
            f"{grid.file} looks like {other}s, not {kind}s, by its headings; ingest it as {other}s, or name its "
            "columns with --map column=field"
        )
    if header is None or not header.has_text:
        raise tables.not_found([grid], kind)
    columns, said = tables.columns_of(grid, header, kind, mapping, limits)
    notes = [*notes, *said, *_given_notes(columns)]
    file = f"{grid.file} [{grid.sheet}]" if several and grid.sheet else grid.file
    total = None if grid.total is None else max(0, grid.total - header.above)
    rows = partial(_table_rows, grid=grid, header=header, columns=columns, kind=kind, file=file)
    raw = partial(_raw_rows, grid, header)
    return Source(file, name, encoding, columns, notes, total, lambda source: rows(source), raw)


def _raw_rows(grid: Grid, header: tables.Header) -> Iterator[tuple[int, Sequence[object]]]:
    """The cells below the headings as they stand there, merged ones for every row that they cover."""
    covers = tables.Covers(grid, header.last)
    for row in grid.rows():
        if isinstance(row, Row) and row.line > header.last:
            yield row.line, [covers.value(row.line, place, value)[1] for place, value in enumerate(row.cells, start=1)]


def _given_notes(columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        if column.how == "--map" and column.field and is_marked(column.heading):
            yield f"{shown(column.heading)!r} is marked confidential and fills {column.field}, as --map says"


def _table_rows(
    source: Source, *, grid: Grid, header: tables.Header, columns: list[Column], kind: Kind, file: str
) -> Iterator[Entry | Problem]:
    width = max(column.number for column in columns)
    covers = tables.Covers(grid, header.last)
    ours = any(column.heading == mending.WHAT for column in columns)  # a file to mend comes back
    for row in grid.rows():
        if isinstance(row, Problem):
            if (row.place.line or 0) > header.last:
                yield row
            continue
        if row.line <= header.last:
            continue
        if grid.spread and (len(row.cells) < width or any(not is_blank(cell) for cell in row.cells[width:])):
            yield Problem(Place(file, row.line), None, _RAGGED.format(len(row.cells), width))
            continue
        filled = []
        for column in columns:
            value = row.cells[column.number - 1] if column.number <= len(row.cells) else None
            covered, value = covers.value(row.line, column.number, value)
            if covered:
                source.count("merged cells are taken for every row that they cover: {} cells")
                if column.field in ("title", "external_id"):
                    value = Unreadable("is merged with the row above; give each entry one row, and unmerge")
            filled.append((column, mending.plain(value) if ours and isinstance(value, str) else value))
        if all(is_blank(value) for _, value in filled):
            continue
        yield from build(kind, file, row.line, filled)


def _json_lines(text: Text, kind: Kind, mapping: Mapping[str, str]) -> Source:
    probed = [record for record in islice(json_lines.records(text), PROBED) if isinstance(record, json_lines.Record)]
    beir = bool(probed) and all({"_id", "text"} <= record.members.keys() for record in probed)
    given = {**(BEIR[kind] if beir else {}), **mapping}
    names = list(dict.fromkeys(name for record in probed for name in record.members))
    file = text.path.name
    columns = _members(names, 1, kind, given, file)
    name = "BEIR" if beir else "JSON Lines"
    texts = {column.field for column in columns} & (fields.TEXTS[kind])
    if not texts:
        raise SourceError(
            f"{file} has no member that names a text of a {kind} in its first {PROBED} lines ({listed(columns)}); "
            "check that each line is one object, and name its members with --map member=field"
        )
    notes = [f"read as {text.encoding_name}", *_given_notes(columns)]
    expected = {"corpus.jsonl": "seed", "queries.jsonl": "need"}.get(file, kind)
    if beir and expected != kind:
        notes.append(f"{file} usually holds {expected}s; it is read as {kind}s, as you asked")
    rows = partial(_json_rows, text=text, columns=columns, kind=kind, given=given)
    return Source(file, name, text.encoding, columns, notes, text.lines, lambda source: rows(source))


def _members(names: Sequence[str], first: int, kind: Kind, given: Mapping[str, str], file: str) -> list[Column]:
    paths = [(number, (name,), False) for number, name in enumerate(names, start=first)]
    columns = decide(paths, kind, given, file, strict=False)
    layout = BEIR[kind]
    return [
        replace(column, how="BEIR layout") if given.get(name) == layout.get(name, "") else column
        for name, column in zip(names, columns, strict=True)
    ]


def _json_rows(
    source: Source, *, text: Text, columns: list[Column], kind: Kind, given: Mapping[str, str]
) -> Iterator[Entry | Problem]:
    known = {column.heading: column for column in columns}
    file = text.path.name
    for record in json_lines.records(text):
        if isinstance(record, Problem):
            yield record
            continue
        for name in record.members:
            if name not in known:
                column = _members([name], len(columns) + 1, kind, given, file)[0]
                refuse_doubles([*columns, column], file)
                columns.append(column)
                known[name] = column
        yield from build(kind, file, record.line, [(known[name], value) for name, value in record.members.items()])
