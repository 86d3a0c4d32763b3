"""Where the terms that two texts share stand in them, as written."""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from enmusubi.matching.reasons.passages import Passage

Spans = Callable[[str], Sequence[tuple[str, int, int]]]
"""A text in; its terms in order out, each with the start and end of what is written for it."""

MOST_TERMS: Final = 50
"""So many shared terms are told, the heaviest; further ones are counted."""
MOST_PLACES: Final = 5
"""So many places of a term are told on each side, the first; further ones are counted."""

Places = dict[str, list[tuple[str, int, int]]]
"""Field, start and end of every occurrence, by term."""


@dataclass(frozen=True, slots=True)
class SharedTerm:
    """A term of both texts with its weight, and where it stands first; no place where only keywords or codes hold it.

    `more_in_need` and `more_in_seed` count the further places.
    """

    term: str
    weight: float
    need_offsets: tuple[Passage, ...]
    seed_offsets: tuple[Passage, ...]
    more_in_need: int = 0
    more_in_seed: int = 0


class SharedTerms(tuple[SharedTerm, ...]):
    """The heaviest shared terms, heaviest first; `more` is how many lighter ones are left out."""

    more: int = 0


def places_of(texts: Mapping[str, str], spans: Spans) -> Places:
    """Every word and phrase (two adjacent words, joined by an underscore) of the fields, with its places in order."""
    places: Places = {}
    for name, text in texts.items():
        before: tuple[str, int, int] | None = None
        for term, start, end in spans(text):
            places.setdefault(term, []).append((name, start, end))
            if before is not None:
                places.setdefault(f"{before[0]}_{term}", []).append((name, before[1], end))
            before = (term, start, end)
    return places


def shared_terms(
    weighted: Iterable[tuple[str, float]],
    need: tuple[Mapping[str, str], Places],
    seed: tuple[Mapping[str, str], Places],
) -> SharedTerms:
    """The 50 heaviest shared terms, equal weights by term, each with its first places in the texts of both sides."""
    given = list(weighted)
    heaviest = heapq.nsmallest(MOST_TERMS, given, key=lambda item: (-item[1], item[0]))
    told = SharedTerms(
        SharedTerm(
            term, weight, _written(term, *need), _written(term, *seed), _more(term, need[1]), _more(term, seed[1])
        )
        for term, weight in heaviest
    )
    told.more = len(given) - len(told)
    return told


def _written(term: str, texts: Mapping[str, str], places: Places) -> tuple[Passage, ...]:
    told = places.get(term, [])[:MOST_PLACES]
    return tuple(Passage(name, start, end, texts[name][start:end]) for name, start, end in told)


def _more(term: str, places: Places) -> int:
    return max(len(places.get(term, ())) - MOST_PLACES, 0)
