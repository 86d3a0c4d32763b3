"""The parts of a score as bars to the right, for, and to the left, against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from enmusubi.app.web.languages import N_
from enmusubi.matching.ranking import Part

NAMES: Final = {
    "similarity": N_("Meaning"),
    "terms": N_("Words in common"),
    "hub_across": N_("Fits much of the other side"),
    "hub_alike": N_("Resembles much of its own side"),
    "reranker": N_("Second reading"),
}
WIDTH: Final = 200
_MIDDLE: Final = WIDTH / 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A part's bar: where it begins and how long it is, in units of the picture, WIDTH wide."""

    name: str
    contribution: float
    estimated: bool
    x: float
    width: float

    @property
    def speaks_for(self) -> bool:
        """Whether it adds to the score."""
        return self.contribution >= 0


def bars_of(parts: Sequence[Part]) -> list[Bar]:
    """A bar for each part; the longest reaches the edge, so that they compare with each other."""
    longest = max((abs(part.contribution) for part in parts), default=0.0) or 1.0
    bars = []
    for part in parts:
        length = round(abs(part.contribution) / longest * _MIDDLE, 1)
        start = _MIDDLE if part.contribution >= 0 else round(_MIDDLE - length, 1)
        bars.append(Bar(NAMES.get(part.name, part.name), part.contribution, part.estimated, start, length))
    return bars
