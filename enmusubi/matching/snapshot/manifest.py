"""What a snapshot says of itself, and how a changed byte in it is noticed."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from enmusubi.matching.encoder import Role

FORMAT = 4
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
VECTORS: Mapping[Role, str] = {"seed": "seeds.faiss", "need": "needs.faiss"}
TERMS: Mapping[Role, str] = {"seed": "seeds.npz", "need": "needs.npz"}
STATISTICS = "statistics.npz"
COUNTS: Mapping[Role, str] = {"seed": "seeds", "need": "needs"}

# A manifest is a few hundred bytes; more than this is not one and is not read into memory.
_LARGEST_MANIFEST = 64 * 1024
_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{16}")


class SnapshotError(Exception):
    """A snapshot cannot be used; the message names what is wrong and what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; run `enmusubi index`")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot was built from; `id` holds a digest of all the rest."""

    id: str
    format: int
    created: str
    model: str
    revision: str
    precision: str
    dimension: int
    fingerprint: str
    analysis: str
    counts: Mapping[str, int]
    watermark: int
    database: str
    cluster: str
    checksums: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """The only spelling of this manifest that is accepted on reading."""
        return _spelling(asdict(self))


def identify(described: Mapping[str, Any]) -> str:
    """The id of a manifest without one: its time of creation, so that ids sort by age, and a digest."""
    time = re.sub("[-:]", "", described["created"])
    return f"{time}-{hashlib.sha256(_spelling(described)).hexdigest()[:16]}"


def is_id(text: str) -> bool:
    """Whether a text has the form of a snapshot's id (and so names no other place on the disk)."""
    return _ID.fullmatch(text) is not None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a snapshot's folder; SnapshotError when it is missing, changed or of another format."""
    name = f"snapshot {folder.name}"
    try:
        with (folder / MANIFEST).open("rb") as file:
            written = file.read(_LARGEST_MANIFEST)
    except OSError as error:
        raise SnapshotError(f"{name}: cannot read {MANIFEST} ({error.strerror})") from error
    try:
        described = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"{name}: {MANIFEST} is not readable as JSON") from error
    if not isinstance(described, dict) or set(described) != {field.name for field in fields(Manifest)}:
        raise SnapshotError(f"{name}: {MANIFEST} does not have the fields of format {FORMAT}")
    if described["format"] != FORMAT:
        raise SnapshotError(f"{name}: format {described['format']!r} where {FORMAT} is understood")
    rest = {key: value for key, value in described.items() if key != "id"}
    if (
        not isinstance(described["created"], str)
        or described["id"] != identify(rest)
        or _spelling(described) != written
    ):
        raise SnapshotError(f"{name}: {MANIFEST} was changed after it was written")
    if described["id"] != folder.name:
        raise SnapshotError(f"{name}: the folder holds the snapshot {described['id']}")
    return Manifest(**described)


def read_current(directory: Path) -> str | None:
    """The id of the published snapshot; None when none was published yet."""
    try:
        with (directory / CURRENT).open("rb") as file:
            written = file.read(200)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SnapshotError(f"cannot read {CURRENT} ({error.strerror})") from error
    name = written.decode("ascii", "replace")
    if not name.endswith("\n") or not is_id(name[:-1]):
        raise SnapshotError(f"{CURRENT} does not name a snapshot")
    return name[:-1]


def _spelling(described: Mapping[str, Any]) -> bytes:
    return (json.dumps(described, indent=2, sort_keys=True) + "\n").encode("ascii")
