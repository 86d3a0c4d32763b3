"""Read a folder in the BEIR layout: corpus.jsonl, queries.jsonl, and qrels.tsv or qrels/test.tsv."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from enmusubi.matching.profile import Kind, Profile

ATTRIBUTES = ("region", "organisation")
"""What a line of corpus.jsonl may say of its document beside the text, by itself or within `metadata`."""

_JUDGEMENTS = ("qrels.tsv", "qrels/test.tsv")
_SURROGATE = re.compile("[\ud800-\udfff]")


class DatasetError(ValueError):
    """A file of the folder is missing or a line of it cannot be used; the message names the place."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents as seeds, queries as needs, by their ids; grades by query id and document id.

    `attributes` holds, by document id, those of ATTRIBUTES that its line has.
    """

    documents: dict[str, Profile]
    queries: dict[str, Profile]
    judgements: dict[str, dict[str, int]]
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)


def read_dataset(folder: Path, queries: Path | None = None) -> Dataset:
    """The dataset in `folder`; `queries` replaces its queries.jsonl.

    Raises DatasetError, with file and line, for whatever cannot be read as it stands.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder")
    judged = next((folder / name for name in _JUDGEMENTS if (folder / name).is_file()), None)
    if judged is None:
        raise DatasetError(f"{folder} has neither {' nor '.join(_JUDGEMENTS)}")
    attributes: dict[str, dict[str, str]] = {}
    return Dataset(
        _read_entries(folder / "corpus.jsonl", "seed", attributes),
        _read_entries(queries or folder / "queries.jsonl", "need"),
        _read_judgements(judged),
        attributes,
    )


def _read_entries(path: Path, kind: Kind, attributes: dict[str, dict[str, str]] | None = None) -> dict[str, Profile]:
    """The entries of a file by their ids; what is known of each is put into `attributes`, where that is given."""
    entries: dict[str, Profile] = {}
    for place, line in _lines(path):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{place}: not a line of JSON ({error})") from error
        if not isinstance(entry, dict):
            raise DatasetError(f"{place}: a JSON object is expected, with _id, title and text")
        identifier = entry.get("_id")
        if isinstance(identifier, int) and not isinstance(identifier, bool):
            identifier = str(identifier)
        if not isinstance(identifier, str) or not identifier:
            raise DatasetError(f"{place}: _id is missing or not a text")
        if identifier in entries:
            raise DatasetError(f"{place}: _id {identifier!r} occurs a second time")
        title = _text(place, entry, "title", required=False)
        text = _text(place, entry, "text", required=True)
        entries[identifier] = (
            Profile("seed", title=title or None, description=text or None)
            if kind == "seed"
            else Profile("need", title=title or None, summary=text or None)
        )
        if attributes is not None:
            attributes[identifier] = _attributes(place, entry)
    if not entries:
        raise DatasetError(f"{path}: no entries")
    return entries


def _attributes(place: str, entry: dict[str, object]) -> dict[str, str]:
    metadata = entry.get("metadata")
    described: Mapping[str, object] = {**metadata, **entry} if isinstance(metadata, dict) else entry
    found = {name: described[name] for name in ATTRIBUTES if described.get(name) not in (None, "")}
    return {name: _text(place, found, name, required=True) for name in found}


def _text(place: str, entry: Mapping[str, object], name: str, *, required: bool) -> str:
    value = entry.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise DatasetError(f"{place}: {name} is {'missing' if value is None else 'not a text'}")
    if _SURROGATE.search(value):
        raise DatasetError(f"{place}: {name} holds half a surrogate pair, which is no character")
    return value


def _read_judgements(path: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    for number, (place, line) in enumerate(_lines(path)):
        columns = line.rstrip("\r\n").split("\t")
        if len(columns) != 3:
            raise DatasetError(
                f"{place}: {len(columns)} columns where query, document and grade are expected, tab-separated"
            )
        query, document, grade = (column.strip() for column in columns)
        if number == 0 and not _is_integer(grade):
            continue  # the heading
        if not _is_integer(grade):
            raise DatasetError(f"{place}: the grade {grade!r} is not a whole number")
        if document in judgements.setdefault(query, {}):
            raise DatasetError(f"{place}: {query!r} and {document!r} are judged a second time")
        judgements[query][document] = int(grade)
    if not judgements:
        raise DatasetError(f"{path}: no judgements")
    return judgements


def _is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 10


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line that is not blank, with its place as `file:line`."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                place = f"{path}:{number}"
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise DatasetError(f"{place}: not UTF-8 (byte {error.start + 1} of the line)") from error
                if text.strip():
                    yield place, text
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
