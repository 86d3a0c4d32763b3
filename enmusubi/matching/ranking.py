"""Pure scoring: evidence in, a total order with reasons out."""

from collections.abc import Iterable
from dataclasses import dataclass

DECIMALS = 6
"""Scores are rounded to so many decimals: below them lies the noise of how sums are added."""


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a score: what was found, how much it weighs, whether it is estimated for want of evidence."""

    name: str
    value: float
    weight: float = 1.0
    estimated: bool = False

    @property
    def contribution(self) -> float:
        """What the part adds to the score."""
        return self.weight * self.value


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may be proposed: its integer key, its public id, and what speaks for and against it."""

    key: int
    public_id: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place, with the score and every part the score came from."""

    key: int
    public_id: str
    score: float
    parts: tuple[Part, ...]


def rank(candidates: Iterable[Candidate], n: int, floor: float | None = None) -> list[Ranked]:
    """The n best candidates that score at least `floor`, best first; equal scores by public id.

    The score is the sum of the contributions of the parts, in their order.
    """
    scored = (
        Ranked(
            candidate.key,
            candidate.public_id,
            round(sum(part.contribution for part in candidate.parts), DECIMALS),
            candidate.parts,
        )
        for candidate in candidates
    )
    kept = [ranked for ranked in scored if floor is None or ranked.score >= floor]
    kept.sort(key=lambda ranked: (-ranked.score, ranked.public_id))
    return kept[: max(n, 0)]
