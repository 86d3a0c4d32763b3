"""Input that is hostile, damaged or no file at all ends quickly in a clear error."""

import os
import random
import socket
import struct
import time
import zipfile
from pathlib import Path

import pytest

from enmusubi.ingest.sources import Limits, SourceError, read
from tests.ingest.files import a_text, a_workbook, an_old_workbook, everything, problems_of


def refusal(path: Path, **options: object) -> str:
    """The message with which a file is refused."""
    with pytest.raises(SourceError) as caught:
        list(read(path, "seed", **options))  # type: ignore[arg-type]
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The name is said, and no more of the path."""
    message = refusal(tmp_path / "none.csv")
    assert message.startswith("none.csv does not exist")
    assert str(tmp_path) not in message


def test_special_files_are_refused_without_hanging(tmp_path: Path) -> None:
    """A pipe, a socket and a device are no files."""
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is a pipe" in refusal(tmp_path / "pipe.csv")
    server = socket.socket(socket.AF_UNIX)
    try:
        server.bind(str(tmp_path / "socket.csv"))
        assert "is a socket" in refusal(tmp_path / "socket.csv")
    finally:
        server.close()
    assert "is a device" in refusal(Path("/dev/zero"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file, so there is no refusal to see")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    """The error names the permission."""
    path = a_text(tmp_path, "title\na\n")
    path.chmod(0)
    assert "permission" in refusal(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """Nothing in it is not the same as no rows."""
    assert "is empty" in refusal(a_text(tmp_path, ""))
    assert "holds no rows" in refusal(a_text(tmp_path, "\n\n"))


@pytest.mark.parametrize("name", ["seeds.pdf", "seeds", "seeds.ods"])
def test_an_unknown_format_lists_the_known(tmp_path: Path, name: str) -> None:
    """The endings that are read are named."""
    assert ".csv, .tsv" in refusal(a_text(tmp_path, "title\na\n", name))


@pytest.mark.parametrize("name", ["seeds.xlsx", "seeds.xls"])
def test_text_named_as_a_workbook_is_refused(tmp_path: Path, name: str) -> None:
    """Web pages are often saved under .xls."""
    assert "is not an Excel workbook" in refusal(a_text(tmp_path, "<html><table>", name))


@pytest.mark.parametrize("name", ["big.csv", "big.jsonl"])
def test_a_line_of_two_gigabytes_is_refused_in_a_moment(tmp_path: Path, name: str) -> None:
    """A sparse file of one endless line is neither loaded nor read to its end."""
    path = tmp_path / name
    with path.open("wb") as handle:
        handle.write(b'{"title": "')
        handle.truncate(2 * 2**30)
    started = time.monotonic()
    assert "line 1 is longer than 8,388,608 characters" in refusal(path)
    assert time.monotonic() - started < 5


def test_nul_bytes_spoil_their_rows_alone(tmp_path: Path) -> None:
    """A NUL in a cell is located; the other rows are read."""
    path = a_text(tmp_path, "title,summary\na,b\x00c\nd,e\n")
    entries, problems = everything(read(path, "seed"))
    assert [entry.draft.title for entry in entries] == ["d"]
    assert [(p.place.line, p.place.column, p.value) for p in problems] == [(2, "summary", "b�c")]
    assert "NUL" in problems[0].reason
    (problem,) = problems_of(a_text(tmp_path, '{"title": "a"}\n\x00\n', "seeds.jsonl"))
    assert problem.place.line == 2


def a_zip(path: Path, parts: dict[str, bytes]) -> Path:
    """A zip archive of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    """What says that it unpacks to more than the limit is not unpacked."""
    path = a_zip(tmp_path / "seeds.xlsx", {"xl/worksheets/sheet1.xml": bytes(30 * 2**20)})
    assert path.stat().st_size < 2**20
    assert "zip bomb" in refusal(path, limits=Limits(inflated=20 * 2**20))


def test_a_zip_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """What comes out is counted, whatever was declared."""
    path = a_zip(tmp_path / "seeds.xlsx", {"xl/worksheets/sheet1.xml": bytes(30 * 2**20)})
    declared, lie = struct.pack("<I", 30 * 2**20), struct.pack("<I", 100)
    path.write_bytes(path.read_bytes().replace(declared, lie))
    message = refusal(path, limits=Limits(inflated=20 * 2**20))
    assert "zip bomb" in message or "damaged" in message


def test_entities_in_a_workbook_are_refused(tmp_path: Path) -> None:
    """XML entities (a billion laughs) are never expanded."""
    path = a_workbook(tmp_path, [["発明の名称"], ["床"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        content = parts[part]
        start = content.index(b"?>") + 2 if content.startswith(b"<?xml") else 0
        message = refusal(a_zip(path, parts | {part: content[:start] + laughs + content[start:]}))
        assert "entities" in message


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.99])
def test_a_damaged_workbook_is_refused(tmp_path: Path, kept: float) -> None:
    """A workbook cut short is damaged, old or new."""
    for path in (a_workbook(tmp_path, [["発明の名称"], ["床"]]), an_old_workbook(tmp_path, [["発明の名称"], ["床"]])):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])
        if path.suffix == ".xls" and kept > 0.5:
            continue  # only padding was cut
        assert "damaged" in refusal(path)


def test_other_archives_are_no_workbooks(tmp_path: Path) -> None:
    """A zip of something else is said to be damaged as a workbook."""
    assert "damaged workbook" in refusal(a_zip(tmp_path / "seeds.xlsx", {"a.txt": b"a"}))


def test_an_encrypted_workbook_asks_for_one_without_a_password(tmp_path: Path) -> None:
    """Excel wraps an encrypted .xlsx into an old container."""
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(2000)
    assert "without a password" in refusal(a_text(tmp_path, content, "seeds.xlsx"))


def test_limits_of_rows_and_columns_hold(tmp_path: Path) -> None:
    """Files beyond the limits are refused before they are read."""
    assert "more than 2 lines" in refusal(a_text(tmp_path, "title\na\nb\nc\n"), limits=Limits(rows=2))
    wide = ",".join(["title", *(f"x{number}" for number in range(600))])
    assert "more than 500 columns" in refusal(a_text(tmp_path, wide + "\n"))


def test_a_sheet_is_asked_of_workbooks_alone(tmp_path: Path) -> None:
    """--sheet with a text file is a mistake to be told."""
    assert "no sheet" in refusal(a_text(tmp_path, "title\na\n"), sheet="x")


@pytest.mark.parametrize("seed", range(40))
def test_scrambled_bytes_end_in_rows_problems_or_a_refusal(tmp_path: Path, seed: int) -> None:
    """Whatever is wrong with a file, nothing but a SourceError leaves the reader."""
    chance = random.Random(seed)
    path = chance.choice(
        [
            a_workbook(tmp_path, [["発明の名称", "TRL"], ["床", 4], ["糸", "=1+1"]], merges=["A2:A3"]),
            an_old_workbook(tmp_path, [["発明の名称", "TRL"], ["床", 4.0], ["糸", (46000.0,)]]),
            a_text(tmp_path, '発明の名称,TRL\n床,"4"\n', encoding="cp932"),
            a_text(tmp_path, '{"title": "a", "trl": 4}\n', "seeds.jsonl"),
        ]
    )
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 5, 25])):
        content[chance.randrange(len(content))] = chance.choice([0, 10, 34, 44, 255, chance.randrange(256)])
    path.write_bytes(content)
    try:
        everything(read(path, "seed"))
    except SourceError as error:
        assert path.name in str(error)  # noqa: PT017 both ends are good ones
