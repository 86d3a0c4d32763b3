"""What goes out of imports: how far they are, and what became of the rows."""

import datetime
import uuid

from pydantic import BaseModel, Field

from enmusubi.app.models import Import
from enmusubi.app.representations import PUBLIC_ID, Representation
from enmusubi.app.vocabulary import ImportKind, ImportState


class ImportProblem(BaseModel):
    """Why a row, or a cell of it, was not taken."""

    line: int | None = Field(description="The physical line of a text, or the row of a sheet, from 1")
    column: str | None = Field(description="The heading; null where it is about the whole row")
    value: str | None = Field(description="What stands there, shortened; withheld where it is confidential")
    reason: str


class ImportHeading(BaseModel):
    """A heading of the file and the field that it fills."""

    heading: str
    field: str | None = Field(description="Null where it is ignored")
    how: str


class ImportOut(Representation):
    """A posted file, and how far it is; counts are of rows that are committed."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    kind: ImportKind
    source: str = Field(description="With the row's id it names an entry: the same again is the same entry")
    file: str
    size: int = Field(description="In bytes")
    state: ImportState
    total: int | None = Field(description="Rows of the file, as far as that is known; null before it is begun")
    read: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    waiting: int = Field(description="Of the new and changed ones, those that wait for a second pair of eyes")
    created: datetime.datetime
    started: datetime.datetime | None
    finished: datetime.datetime | None


class ImportReport(ImportOut):
    """An import with its report."""

    fault: str | None = Field(description="Why the file as a whole could not be read")
    problems: list[ImportProblem] = Field(description="In the order of the file, the first 1,000")
    problems_found: int
    headings: list[ImportHeading] = Field(description="Empty before it is finished")
    notes: list[str]
    identifying: list[int] = Field(description="Lines of anonymous needs whose public text surely tells whose they are")


def import_out(made: Import) -> ImportOut:
    """An import as a list shows it."""
    return ImportOut.model_validate(made)


def report_out(made: Import) -> ImportReport:
    """An import with its report."""
    return ImportReport.model_validate(made)
