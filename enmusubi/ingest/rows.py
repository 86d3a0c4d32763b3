"""The rows of a source with their ids, in batches, and the count of what becomes of them."""

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from enmusubi.ingest.sources import Entry, Place, Problem, Source

BATCH = 500


@dataclass(slots=True)
class Loaded:
    """What became of a file's rows."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    kept_withdrawn: int = 0  # changed in the file, but withdrawn by hand: the text is updated, the state kept
    reopened: int = 0  # pairs that were turned down for what has changed now, and are back in the queue
    without_organisation: int = 0
    rejected: list[Problem] = field(default_factory=list)
    rejected_rows: int = 0
    gone: list[str] = field(default_factory=list)
    withdrawn: int = 0
    organisations_added: list[str] = field(default_factory=list)
    identifying: list[tuple[int, str]] = field(default_factory=list)  # line and id of what surely tells its owner
    preview: list[tuple[int, str, str | None, list[str]]] = field(default_factory=list)  # line, id, title, fields

    def refuse(self, file: str, line: int, external_id: str, reason: str) -> None:
        """Note a row that could be read but is not taken."""
        self.rejected.append(Problem(Place(file, line), external_id, reason))
        self.rejected_rows += 1


def batches(source: Source, loaded: Loaded, seen: dict[str, int], file: str) -> Iterator[list[tuple[str, Entry]]]:
    """Batches of entries with their ids; problems and repeated ids are noted on the way."""
    batch: list[tuple[str, Entry]] = []
    rejected_lines: set[int | None] = set()
    contents: dict[bytes, int] = {}  # of rows without an id
    for found in source:
        if isinstance(found, Problem):
            loaded.rejected.append(found)
            rejected_lines.add(found.place.line)
            continue
        loaded.read += 1
        external_id = found.external_id or _own_id(found, seen)
        earlier = seen.get(external_id)
        if found.external_id is None:
            earlier = contents.get(found.digest, earlier)
            contents.setdefault(found.digest, found.line)
        if earlier is not None:
            reason = f"repeats the entry of line {earlier}; give it an id of its own or remove it"
            loaded.refuse(file, found.line, external_id, reason)
            continue
        seen[external_id] = found.line
        batch.append((external_id, found))
        if len(batch) == BATCH:
            yield batch
            batch = []
    loaded.rejected_rows += len(rejected_lines)
    loaded.read += len(rejected_lines)
    if batch:
        yield batch


def _own_id(entry: Entry, seen: dict[str, int]) -> str:
    """A stable id for a row that has none: from its title and owner, so that a revised text keeps it.

    Rows that share both are told apart by all of their content.
    """
    title = unicodedata.normalize("NFKC", entry.draft.title or "").strip()
    if title:
        owner = (entry.organisation.name if entry.organisation else None) or ""
        named = "auto:" + hashlib.sha256(f"{title}\n{owner}".encode()).hexdigest()[:20]
        if named not in seen:
            return named
    return "auto:" + entry.digest.hex()[:20]
