"""The chain of the record: what is hashed, and how a chain is verified; needs no database.

docs/security.md defines the encoding. The database computes the same in SQL (`record_chain`); this is written apart
from it, so that one checks the other.
"""

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FIRST_PREVIOUS: Final = bytes(32)
"""What stands for the hash before the first event."""

_WORD: Final = re.compile(r"[a-z][a-z_]{0,39}")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_SALT: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Event:
    """What an event says, as text; what is None was not there."""

    salt: str
    recorded: str
    cluster: str | None
    role: str
    actor: str | None
    organisation: str | None
    action: str
    kind: str | None
    object: str | None
    content: str

    def is_well_formed(self) -> bool:
        """Whether each part has its form, so that no other event has the same text."""
        ids = (self.cluster, self.actor, self.organisation, self.object)
        return (
            bool(_SALT.fullmatch(self.salt) and _TIME.fullmatch(self.recorded))
            and all(_WORD.fullmatch(word) for word in (self.role, self.action, self.kind or "none"))
            and all(one is None or _ID.fullmatch(one) for one in ids)
        )

    def digest(self) -> bytes:
        """SHA-256 of its text."""
        parts = (
            *("enmusubi-event-1", self.salt, self.recorded, self.cluster or "-", self.role, self.actor or "-"),
            *(self.organisation or "-", self.action, self.kind or "-", self.object or "-", self.content),
        )
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain; `event` is None where it was removed, or is withheld from the reader."""

    sequence: int
    chained: str
    previous: bytes
    digest: bytes
    hash: bytes
    event: Event | None
    withheld: bool = False

    def removes_before(self) -> str:
        """Where it says that events were emptied, the time before which these were chained; else empty."""
        if self.event is None or self.event.action != "retained":
            return ""
        before = json.loads(self.event.content).get("before")
        return before if isinstance(before, str) else ""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: the sequence number and hash of its last event."""

    sequence: int = 0
    hash: bytes = FIRST_PREVIOUS

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first broken link: its sequence number, the kind of fault, and what is wrong in words."""

    sequence: int
    kind: str
    problem: str


def link_hash(previous: bytes, sequence: int, chained: str, digest: bytes) -> bytes:
    """SHA-256 of a link's text."""
    text = "\n".join(("enmusubi-link-1", previous.hex(), str(sequence), chained, digest.hex()))
    return hashlib.sha256(text.encode()).digest()


def as_text(moment: datetime.datetime) -> str:
    """A time as it is hashed: UTC, microseconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def content_text(content: Mapping[str, Any]) -> str:
    """Content as it is stored and hashed: JSON with sorted names, no blanks, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def read_head(text: str) -> Head:
    """The head that `SEQUENCE:HASH` names, whatever follows after a blank; ValueError where it is none."""
    found = re.match(r"\s*(\d{1,18}):([0-9a-f]{64})(?:\s|$)", text)
    if found is None:
        raise ValueError("expected SEQUENCE:HASH, as `enmusubi audit head` prints it")
    return Head(int(found[1]), bytes.fromhex(found[2]))


@dataclass(slots=True)
class Verifier:
    """Follows a chain from its beginning, link by link, in constant memory; stops at the first fault.

    `removed_before` is the latest time before which the contents of events may have been removed, in the form in
    which times are hashed; `heads` are heads that were noted elsewhere. A chain that does not begin with its first
    event is taken from `start` on.
    """

    heads: Mapping[int, bytes] = field(default_factory=dict)
    removed_before: str = ""
    start: Head | None = field(default_factory=Head)
    fault: Fault | None = None
    last: Head = field(default_factory=Head)
    chained: str = ""
    events: int = 0
    removed: int = 0
    withheld: int = 0
    began_at: int | None = None

    def __post_init__(self) -> None:
        if self.start is not None:
            self.last = self.start
        if self.last.sequence in self.heads and self.start is not None:
            self._compare(self.last)

    def follow(self, link: Link) -> bool:
        """Whether the chain holds up to and including this link."""
        if self.fault is None:
            self._follow(link)
        return self.fault is None

    def end(self) -> Fault | None:
        """The first fault, now that no link follows: a head that is further than the chain says that it was cut."""
        if self.fault is None:
            beyond = [sequence for sequence in self.heads if sequence > self.last.sequence]
            if beyond:
                self._break(
                    self.last.sequence + 1,
                    "truncated",
                    f"the record ends at {self.last.sequence}, but a head was noted at {min(beyond)}: its end was cut",
                )
        return self.fault

    def note(self, head: Head) -> None:
        """Compare a head with the link just followed, where it stands in the same file."""
        if self.fault is None and head != self.last:
            self._break(
                self.last.sequence + 1 if head.sequence > self.last.sequence else head.sequence,
                "truncated" if head.sequence > self.last.sequence else "rewritten",
                f"the head in the file is {head.sequence}, but the events before it end at {self.last.sequence}"
                if head.sequence != self.last.sequence
                else f"the head in the file has another hash than event {head.sequence}",
            )

    def _follow(self, link: Link) -> None:
        if self.start is None and self.began_at is None:
            self.last = Head(link.sequence - 1, link.previous)
        expected = self.last.sequence + 1
        self.began_at = self.began_at or link.sequence
        if link.sequence > expected:
            self._break(expected, "gap", f"missing; the next one there is {link.sequence}")
        elif link.sequence < expected:
            self._break(expected, "order", f"event {link.sequence} stands where {expected} is expected")
        elif not _TIME.fullmatch(link.chained) or link.chained < self.chained:
            self._break(expected, "order", "it was chained before the event before it")
        elif link.previous != self.last.hash:
            self._break(expected, "link", "it does not follow the event before it: one of the two was replaced")
        elif link.event is not None and not (link.event.is_well_formed() and link.event.digest() == link.digest):
            self._break(expected, "content", "what it says was changed")
        elif link_hash(link.previous, link.sequence, link.chained, link.digest) != link.hash:
            self._break(expected, "hash", "its hash is not that of its parts")
        elif link.event is None and not link.withheld and link.chained >= self.removed_before:
            self._break(expected, "removed", "what it says was removed, and no event says so")
        else:
            self._hold(link)

    def _hold(self, link: Link) -> None:
        self.last = Head(link.sequence, link.hash)
        self.chained = link.chained
        self.events += 1
        self.withheld += link.withheld
        self.removed += link.event is None and not link.withheld
        self._compare(self.last)

    def _compare(self, head: Head) -> None:
        noted = self.heads.get(head.sequence)
        if noted is not None and noted != head.hash:
            self._break(
                head.sequence,
                "rewritten",
                f"a head noted at {head.sequence} has another hash: the record was rewritten at or before it",
            )

    def _break(self, sequence: int, kind: str, problem: str) -> None:
        self.fault = Fault(sequence, kind, problem)
