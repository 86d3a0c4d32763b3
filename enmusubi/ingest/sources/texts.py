"""Text files: which encoding, how many lines, and none so long that it fills the memory."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enmusubi.ingest.sources.report import Limits, SourceError

_CHUNK = 2**20
_NAMES = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp932": "CP932 (Shift_JIS)", "utf-16": "UTF-16"}


@dataclass(frozen=True)
class Text:
    """A text file that decodes to its end, and how many of its lines are not blank.

    `records` leaves out the lines that end inside quotation marks, as those within a cell of a CSV do.
    """

    path: Path
    encoding: str
    lines: int
    records: int

    @property
    def encoding_name(self) -> str:
        return _NAMES.get(self.encoding, self.encoding)

    def numbered(self, newline: str | None) -> Iterator[tuple[int, str]]:
        """The lines with their numbers and endings; `newline` as in `open`."""
        with self.path.open(encoding=self.encoding, errors="strict", newline=newline) as handle:
            yield from enumerate(handle, start=1)


class _UndecodableError(Exception):
    def __init__(self, offset: int, line: int) -> None:
        super().__init__(offset, line)
        self.offset = offset
        self.line = line


def examine(path: Path, encoding: str | None, limits: Limits) -> Text:
    """Find the encoding by decoding the whole file strictly: the given one, else UTF-8, then CP932.

    SourceError where none fits, or where a line is longer than the limit. Memory stays bounded.
    """
    candidates = _candidates(path, encoding)
    failures = []
    for candidate in candidates:
        try:
            lines, records = _scan(path, candidate, limits)
        except _UndecodableError as error:
            name = _NAMES.get(candidate, candidate)
            failures.append(f"as {name} (byte {error.offset:,}, line {error.line:,})")
        else:
            return Text(path, candidate, lines, records)
    raise SourceError(
        f"{path.name} cannot be decoded {' nor '.join(failures)}; name the right one with --encoding, "
        "or save the file as UTF-8"
    )


def _candidates(path: Path, encoding: str | None) -> list[str]:
    if encoding is not None:
        try:
            name = codecs.lookup(encoding).name
            b"ab".decode(name, errors="replace")  # a LookupError where it is a transformation, such as hex
        except (LookupError, ValueError):
            raise SourceError(
                f"{path.name}: --encoding {encoding} is not a known encoding; known are for example utf-8, cp932, "
                "utf-16 and euc_jp"
            ) from None
        return ["utf-8-sig" if name == "utf-8" else name]
    with path.open("rb") as handle:
        start = handle.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    return ["utf-8-sig", "cp932"]


def _scan(path: Path, encoding: str, limits: Limits) -> tuple[int, int]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    consumed = line = lines = records = length = quotes = 0
    blank = True
    with path.open("rb") as handle:
        while True:
            chunk = handle.read(_CHUNK)
            consumed += len(chunk)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                offset = consumed - len(error.object) + error.start
                before = error.object[: error.start].count(b"\n")
                raise _UndecodableError(offset, line + 1 + before) from None
            except UnicodeError:
                raise _UndecodableError(consumed, line + 1) from None
            parts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            for place, part in enumerate(parts):
                if place:
                    records += not blank and quotes % 2 == 0
                    line, lines, length, blank = line + 1, lines + (not blank), 0, True
                quotes += part.count('"')
                length += len(part)
                blank = blank and not part.strip()
                if length > limits.line:
                    raise SourceError(
                        f"{path.name}, line {line + 1:,} is longer than {limits.line:,} characters, which no row of "
                        "seeds or needs is; check that the file is text with one row a line"
                    )
            if not chunk:
                return lines + (not blank), records + (not blank)
