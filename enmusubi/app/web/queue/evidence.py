"""The texts of both sides cut at what speaks for the match: each requirement, and each sentence that supports one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from enmusubi.app.models import Need, Seed
from enmusubi.app.web.languages import N_
from enmusubi.matching.reasons import Passage, Reasons

EXCERPT: Final = 90
"""So much of a sentence stands in the table of evidence; the whole of it is marked in its text above."""

NEED_FIELDS: Final = {
    "summary": N_("Summary"),
    "expertise_sought": N_("Expertise sought"),
    "applications": N_("Applications"),
    "translation_title": N_("Title in the other language"),
    "translation_summary": N_("Summary in the other language"),
}
SEED_FIELDS: Final = {
    "summary": N_("Summary"),
    "description": N_("Description"),
    "advantages": N_("Compared with existing technology"),
    "applications": N_("Applications"),
    "open_challenges": N_("Challenges on the way to use"),
    "expected_partner": N_("What is expected of a company"),
    "translation_title": N_("Title in the other language"),
    "translation_summary": N_("Summary in the other language"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text; with numbers where it is evidence: those of the requirements it states or supports."""

    text: str
    id: str | None = None
    numbers: Sequence[int] = ()
    is_open: bool = False
    """A requirement that no sentence of the seed supports."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of an entry, in pieces."""

    name: str
    label: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Supporting:
    """A sentence of the seed beside the requirement that it supports."""

    id: str
    excerpt: str
    strength: float


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement, and what supports it."""

    number: int
    excerpt: str
    wanted: bool
    support: Sequence[Supporting]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides in pieces, and the lines that tie them."""

    need: Sequence[Part]
    seed: Sequence[Part]
    lines: Sequence[Line]
    not_addressed: Sequence[Line]
    targets: Mapping[int, str] = field(default_factory=dict)
    """By the number of a requirement, the id of the first sentence that supports it."""


@dataclass(slots=True)
class _Mark:
    id: str
    numbers: list[int] = field(default_factory=list)
    is_open: bool = False


def evidence_of(need: Need, seed: Seed, reasons: Reasons) -> Evidence:
    """The evidence of a match, numbered by the requirements in their order."""
    of_need: dict[Passage, _Mark] = {}
    of_seed: dict[Passage, _Mark] = {}
    lines: list[Line] = []
    open_lines: list[Line] = []
    left_open = {each.passage for each in reasons.not_addressed}
    for number, aligned in enumerate(reasons.aligned, start=1):
        passage = aligned.requirement.passage
        is_open = passage in left_open
        if not aligned.support and not is_open:
            continue
        of_need[passage] = _Mark(f"r{number}", [number], is_open)
        support = []
        for each in aligned.support:
            mark = of_seed.setdefault(each.passage, _Mark(f"s{len(of_seed) + 1}"))
            mark.numbers.append(number)
            support.append(Supporting(mark.id, _excerpt(each.passage.text), each.strength))
        line = Line(number, _excerpt(passage.text), aligned.requirement.wanted, support)
        (open_lines if is_open else lines).append(line)
    return Evidence(
        need=_parts(need, NEED_FIELDS, of_need),
        seed=_parts(seed, SEED_FIELDS, of_seed),
        lines=lines,
        not_addressed=open_lines,
        targets={line.number: line.support[0].id for line in lines},
    )


def _parts(entry: Need | Seed, fields: Mapping[str, str], marks: Mapping[Passage, _Mark]) -> list[Part]:
    """The fields that say something; the title, which stands above them all, where it is evidence."""
    found = []
    for name, label in {"title": N_("Title"), **fields}.items():
        text = getattr(entry, name)
        own = sorted(((passage, mark) for passage, mark in marks.items() if passage.field == name), key=_starts)
        if text and (own or name != "title"):
            found.append(Part(name, label, list(_pieces(text, own))))
    return found


def _starts(marked: tuple[Passage, _Mark]) -> int:
    return marked[0].start


def _pieces(text: str, marks: Iterable[tuple[Passage, _Mark]]) -> Iterable[Piece]:
    done = 0
    for passage, mark in marks:
        if passage.start < done or text[passage.start : passage.end] != passage.text:
            continue  # of another version of the text: what is shown is what stands there now
        if passage.start > done:
            yield Piece(text[done : passage.start])
        yield Piece(passage.text, mark.id, mark.numbers, mark.is_open)
        done = passage.end
    if done < len(text):
        yield Piece(text[done:])


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + "…"
