"""Files as the tests of sources write them, and a reader that parts the good rows from the bad."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.ingest.sources import Entry, Problem, Source, read
from enmusubi.ingest.sources.report import Kind


def a_text(folder: Path, content: str | bytes, name: str = "seeds.csv", encoding: str = "utf-8") -> Path:
    """A text file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def a_workbook(
    folder: Path,
    rows: Sequence[Any],
    *,
    merges: Sequence[str] = (),
    more: Mapping[str, Sequence[Any]] | None = None,
    name: str = "seeds.xlsx",
    title: str = "Sheet1",
) -> Path:
    """An .xlsx with these rows on its first sheet."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook["Sheet"])
    sheet = workbook.create_sheet(title)
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    for extra, cells in (more or {}).items():
        other = workbook.create_sheet(extra)
        for row in cells:
            other.append(list(row))
    path = folder / name
    workbook.save(path)
    return path


def everything(source: Source) -> tuple[list[Entry], list[Problem]]:
    """The entries and the problems of a source."""
    found = list(source)
    return [one for one in found if isinstance(one, Entry)], [one for one in found if isinstance(one, Problem)]


def drafts(path: Path, kind: Kind = "seed", **options: Any) -> list[Any]:
    """The drafts of a file in which no row is bad."""
    entries, problems = everything(read(path, kind, **options))
    assert problems == []
    return [entry.draft for entry in entries]


def problems_of(path: Path, kind: Kind = "seed", **options: Any) -> list[Problem]:
    """The problems of a file."""
    return everything(read(path, kind, **options))[1]


def one_seed(folder: Path, heading: str, value: Any) -> SeedDraft:
    """The draft of a seed with one further cell."""
    (draft,) = drafts(a_workbook(folder, [["発明の名称", heading], ["凍結に強い床板", value]]))
    assert isinstance(draft, SeedDraft)
    return draft


def one_need(folder: Path, heading: str, value: Any) -> NeedDraft:
    """The draft of a need with one further cell."""
    (draft,) = drafts(a_workbook(folder, [["件名", heading], ["床が凍る", value]], name="needs.xlsx"), "need")
    assert isinstance(draft, NeedDraft)
    return draft


def the_problem(folder: Path, heading: str, value: Any, kind: Kind = "seed") -> Problem:
    """The one problem of an entry with one further cell."""
    (problem,) = problems_of(a_workbook(folder, [["件名", heading], ["床が凍る", value]]), kind)
    return problem


def an_old_workbook(folder: Path, rows: Sequence[Any], merges: Sequence[tuple[int, int, int, int]] = ()) -> Path:
    """A BIFF8 .xls in its compound file; a tuple `(serial,)` is a date, merges are 0-based top, bottom, left, right."""

    def record(code: int, data: bytes) -> bytes:
        return struct.pack("<HH", code, len(data)) + data

    cells = b""
    for line, row in enumerate(rows):
        for place, value in enumerate(row):
            where = struct.pack("<HH", line, place)
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                cells += record(0x0204, where + struct.pack("<HHB", 0, len(value), 1) + text)
            elif isinstance(value, tuple):
                cells += record(0x0203, where + struct.pack("<Hd", 1, value[0]))
            elif value is not None:
                cells += record(0x0203, where + struct.pack("<Hd", 0, value))
    if merges:
        ranges = b"".join(struct.pack("<4H", *merge) for merge in merges)
        cells += record(0x00E5, struct.pack("<H", len(merges)) + ranges)
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    sheet = record(0x0809, begin[:2] + struct.pack("<H", 0x0010) + begin[4:]) + cells + record(0x000A, b"")
    font = record(0x0031, struct.pack("<5H4BBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0, 5, 0) + b"Arial")
    styles = b"".join(record(0x00E0, struct.pack("<HHH", 0, form, 0) + bytes(14)) for form in (0, 14))
    head = record(0x0809, begin) + record(0x0042, struct.pack("<H", 1200)) + record(0x0022, bytes(2))
    head += font * 4 + styles
    name = b"\x04\x00Seed"
    offset = len(head) + 4 + 6 + len(name) + 4
    stream = head + record(0x0085, struct.pack("<IH", offset, 0) + name) + record(0x000A, b"") + sheet
    path = folder / "seeds.xls"
    path.write_bytes(_compound(stream.ljust(max(4096, len(stream)), b"\x00")))
    return path


def _compound(stream: bytes) -> bytes:
    """The compound file that holds one stream named Workbook, in sectors of 512 bytes."""
    sectors = -(-len(stream) // 512)
    end, free, table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    assert sectors + 2 <= 128

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\x00").encode("utf-16-le")
        links = struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return text.ljust(64, b"\x00") + links + bytes(36) + struct.pack("<IQ", start, size)

    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIIII", 1, 1, 0, 4096, end, 0, end, 0, 0) + struct.pack("<I", free) * 108
    chain = [table, end, *range(3, sectors + 2), end]
    allocation = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, len(stream)) + bytes(256)
    return header + allocation + directory + stream.ljust(sectors * 512, b"\x00")
