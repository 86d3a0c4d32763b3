"""Reviews become comparisons: within an asking entry, an accepted candidate should be above a dismissed one."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.policy import PARTS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decision:
    """A coordinator's verdict on one candidate of an asking entry, with the parts of the score they saw.

    `accepted` is true for a match that was accepted or shortlisted and false for one that was dismissed; leave out
    dismissals whose reason says nothing of relevance (already in contact, no capacity). ValueError for an empty id,
    parts other than PARTS, a value that is not a finite number, a verdict that is neither true nor false.
    """

    asking: str
    candidate: str
    parts: Mapping[str, float]
    accepted: bool

    def __post_init__(self) -> None:
        where = f"decision on candidate {self.candidate!r} of {self.asking!r}"
        if not self.asking or not self.candidate:
            raise ValueError(f"{where}: the ids of the asking entry and of the candidate must not be empty")
        if set(self.parts) != set(PARTS):
            raise ValueError(f"{where}: its parts must be {', '.join(PARTS)}, not {', '.join(sorted(self.parts))}")
        for part in PARTS:
            value = self.parts[part]
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"{where}: {part} is {value!r}, not a finite number")
        if self.accepted not in (True, False):
            raise ValueError(f"{where}: accepted is {self.accepted!r}, neither true nor false")


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Pairs to learn from, in an order that does not depend on the order of the decisions.

    `differences` (pairs, parts): the accepted candidate's values minus the dismissed one's. `shares` (pairs,): how
    much each pair counts. `groups` (pairs,): which asking entry it is of, 0 to `group_count` - 1. `decisions`:
    verdicts on distinct candidates; `contradictions`: candidates left out, having as many yes as no.
    """

    differences: Floats
    shares: Floats
    groups: Integers
    group_count: int
    decisions: int
    contradictions: int

    def where(self, chosen: NDArray[np.bool_]) -> "Comparisons":
        """The chosen pairs, shape (pairs,), with the numbers of their groups as they were."""
        return Comparisons(
            self.differences[chosen],
            self.shares[chosen],
            self.groups[chosen],
            self.group_count,
            self.decisions,
            self.contradictions,
        )


def compare(decisions: Iterable[Decision]) -> Comparisons:
    """Every accepted candidate against every dismissed one of the same asking entry.

    Several reviews of one candidate count once: the majority decides, and the parts are averaged (a match may have
    been scored anew in between). Pairs of an entry are not independent, so they share what the entry is worth: as
    many comparisons as it has candidates of the rarer verdict.
    """
    reviews: defaultdict[str, defaultdict[str, list[Decision]]] = defaultdict(lambda: defaultdict(list))
    for decision in decisions:
        reviews[decision.asking][decision.candidate].append(decision)
    differences: list[Floats] = []
    shares: list[Floats] = []
    groups: list[Integers] = []
    settled = contradictions = 0
    for asking in sorted(reviews):
        verdicts: dict[bool, list[list[float]]] = {True: [], False: []}
        for candidate in sorted(reviews[asking]):
            of_one = reviews[asking][candidate]
            balance = sum(1 if decision.accepted else -1 for decision in of_one)
            if balance == 0:
                contradictions += 1
                continue
            # fsum is exact, so the mean does not depend on the order.
            mean = [math.fsum(decision.parts[part] for decision in of_one) / len(of_one) for part in PARTS]
            verdicts[balance > 0].append(mean)
            settled += 1
        if not verdicts[True] or not verdicts[False]:
            continue
        accepted, dismissed = np.array(verdicts[True]), np.array(verdicts[False])
        pairs = len(accepted) * len(dismissed)
        differences.append((accepted[:, None] - dismissed[None]).reshape(pairs, len(PARTS)))
        shares.append(np.full(pairs, 1.0 / max(len(accepted), len(dismissed))))
        groups.append(np.full(pairs, len(groups), dtype=np.int64))
    if not groups:
        nothing = np.zeros(0)
        return Comparisons(np.zeros((0, len(PARTS))), nothing, nothing.astype(np.int64), 0, settled, contradictions)
    return Comparisons(
        np.concatenate(differences),
        np.concatenate(shares),
        np.concatenate(groups),
        len(groups),
        settled,
        contradictions,
    )
