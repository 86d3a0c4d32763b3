"""What an export says of itself: its format, of which cluster it is, and each file with its rows and checksum."""

import datetime
import uuid

from pydantic import BaseModel, ConfigDict, Field

FORMAT = "enmusubi-cluster"
VERSION = 1
"""Of the format: raised where a reader of an earlier one would misread a file."""
NAME = "manifest.json"


class FileListed(BaseModel):
    """One file of JSON Lines: a table."""

    model_config = ConfigDict(extra="forbid")

    rows: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    columns: list[str]


class ClusterNamed(BaseModel):
    """The cluster that an export holds."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    name: str


class Manifest(BaseModel):
    """The content of `manifest.json`."""

    model_config = ConfigDict(extra="forbid")

    format: str = FORMAT
    version: int = VERSION
    made: datetime.datetime
    software: str
    cluster: ClusterNamed
    files: dict[str, FileListed]


def file_of(table: str) -> str:
    """The file that holds a table's rows."""
    return f"{table}.jsonl"
