"""What reading a file yields: entries, located problems, and what was made of its headings."""

from dataclasses import dataclass
from typing import Literal

from enmusubi.app.schemas import NeedDraft, SeedDraft

Kind = Literal["seed", "need"]

WITHHELD = "(withheld)"
SHOWN = 60  # characters of a value shown in a report


class SourceError(Exception):
    """A whole file cannot be read; the message names the file, the fault and the fix."""


@dataclass(frozen=True)
class Limits:
    """How much of a file is read before it is refused: sizes in bytes, lines in characters."""

    line: int = 8 * 2**20
    field: int = 1_000_000
    rows: int = 5_000_000
    columns: int = 500
    workbook: int = 200 * 2**20
    inflated: int = 400 * 2**20
    parts: int = 5_000
    merges: int = 200_000


@dataclass(frozen=True)
class Place:
    """Where in a file: `line` is the 1-based physical line of a text or row of a sheet, `column` the heading."""

    file: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Problem:
    """Why a row was not taken: the place, the value (shortened, or withheld where confidential), the reason."""

    place: Place
    value: str | None
    reason: str


@dataclass(frozen=True)
class OrganisationNamed:
    """The owner of an entry as the file names it."""

    name: str | None = None
    ror: str | None = None
    corporate_number: str | None = None


@dataclass(frozen=True)
class Entry:
    """One good row: its line, its id in the file, its owner, the checked draft and the sha256 of its content."""

    line: int
    external_id: str | None
    organisation: OrganisationNamed | None
    draft: SeedDraft | NeedDraft
    digest: bytes


@dataclass(frozen=True)
class HeadingMatch:
    """A heading of the file, the field it fills (None: ignored) and how that was decided."""

    heading: str
    field: str | None
    how: str


def shown(value: object) -> str:
    """A value as a report may print it: one line, at most 60 characters, no control characters."""
    text = str(value) if not isinstance(value, str) else value
    cut = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return "".join(character if character.isprintable() else "�" for character in cut)
