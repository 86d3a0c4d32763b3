"""The chain as JSON Lines: a link a line, and the head last, so that a file that ends early is seen to."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from enmusubi.app.chain import Event, Head, Link, content_text, read_head
from enmusubi.app.errors import InvalidInputError

_LONGEST_LINE: Final = 1_000_000  # bytes; a link takes some hundred


def as_line(link: Link) -> str:
    """A link as a line of an export."""
    event = link.event
    said: dict[str, Any] | None = None
    if event is not None:
        said = {name: getattr(event, name) for name in Event.__slots__}
        said["content"] = json.loads(event.content)
    line: dict[str, Any] = {
        "sequence": link.sequence,
        "chained": link.chained,
        "previous": link.previous.hex(),
        "digest": link.digest.hex(),
        "hash": link.hash.hex(),
        "event": said,
    }
    if link.withheld:
        line["withheld"] = True
    return json.dumps(line) + "\n"


def head_line(head: Head) -> str:
    """The last line of an export."""
    return json.dumps({"head": str(head)}) + "\n"


def read(path: Path) -> Iterator[Link | Head]:
    """The links and heads of an export, one line at a time; InvalidInputError names a line that is neither."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1):
            if not line.strip():
                continue
            try:
                yield parse(line)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                raise InvalidInputError(f"{path.name}, line {number}: not a line of an export of the record") from None


def read_heads(text: str) -> dict[int, bytes]:
    """The heads that were noted, by sequence number: one as `SEQUENCE:HASH`, or a file of such lines or an export.

    Raises InvalidInputError where there is none, or two contradict each other.
    """
    try:
        return _by_sequence([read_head(text)])
    except ValueError:
        path = Path(text)
    if not path.is_file():
        raise InvalidInputError(f"--head {text!r}: neither SEQUENCE:HASH nor a file of such lines")
    heads = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                if line.lstrip().startswith("{"):
                    found = json.loads(line).get("head")
                    heads += [read_head(found)] if found else []
                elif line.strip():
                    heads.append(read_head(line))
            except (ValueError, TypeError, RecursionError):
                raise InvalidInputError(f"{path.name}, line {number}: expected SEQUENCE:HASH") from None
    if not heads:
        raise InvalidInputError(f"{path.name}: holds no head of a record")
    return _by_sequence(heads)


def _by_sequence(heads: list[Head]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for head in heads:
        if found.setdefault(head.sequence, head.hash) != head.hash:
            raise InvalidInputError(f"two of the heads noted at {head.sequence} contradict each other")
    return found


def parse(text: str | bytes) -> Link | Head:
    """The link or the head that a line holds; one of many errors where it holds neither."""
    line = json.loads(text)
    if "head" in line:
        return read_head(line["head"])
    sequence = line["sequence"]
    if type(sequence) is not int or not isinstance(line["chained"], str):
        raise TypeError
    return Link(
        sequence=sequence,
        chained=line["chained"],
        previous=_hash(line["previous"]),
        digest=_hash(line["digest"]),
        hash=_hash(line["hash"]),
        event=_event(line["event"]),
        withheld=line.get("withheld") is True,
    )


def _hash(text: str) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != 32:
        raise ValueError("not a SHA-256")
    return value


def _event(said: Any) -> Event | None:
    if said is None:
        return None
    if set(said) != set(Event.__slots__) or not isinstance(said["content"], dict):
        raise ValueError("not an event")
    texts = {name: value for name, value in said.items() if name != "content"}
    for name, value in texts.items():
        if not (isinstance(value, str) or (value is None and name in _MAY_BE_MISSING)):
            raise TypeError
        if name in _IDS and value is not None:
            texts[name] = str(uuid.UUID(value))
    return Event(**texts, content=content_text(said["content"]))


_IDS: Final = ("cluster", "actor", "organisation", "object")
_MAY_BE_MISSING: Final = (*_IDS, "kind")
