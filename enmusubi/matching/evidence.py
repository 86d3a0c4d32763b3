"""What speaks for and against each row of a side, and the rows for which most speaks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.lexical.index import Weighed
from enmusubi.matching.ranking import Part
from enmusubi.matching.rows import Asking
from enmusubi.matching.similarity import Keys, Matrix, Scores, inner_products, similarities
from enmusubi.matching.statistics import Hubs, Statistics

# What a float32 similarity can be off by, and a score as many times as it weighs; far more than rounding_bound says.
_MARGIN = 1e-4

Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of an asking text before any row is looked at."""

    asking: Asking
    queries: Matrix
    """Centred unit vectors (1 + p, d): of the whole text, and of its parts."""
    weighed: Weighed
    statistics: Statistics
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The parts of the scores of some rows, each (n,), where the terms are estimated, and how many were eligible.

    Parts for which there is no evidence are missing: terms where the text has none, hubs where nothing else is known.
    """

    keys: Keys
    parts: Mapping[str, Scores]
    estimated: NDArray[np.bool_]
    eligible: int

    def scores(self, weights: Mapping[str, float]) -> Scores:
        """The weighted sum of the parts (n,)."""
        total = np.zeros(len(self.keys))
        for name, values in self.parts.items():
            total += weights[name] * values
        return total

    def of(self, place: int, weights: Mapping[str, float]) -> tuple[Part, ...]:
        """The parts of one row."""
        estimated = bool(self.estimated[place])
        return tuple(
            Part(name, float(values[place]), weights[name], estimated and name == "terms")
            for name, values in self.parts.items()
        )


@dataclass(frozen=True, slots=True)
class Side:
    """The rows of a side, ready to be scored: keys (n,), centred unit vectors (n, d), language numbers, hubs (n,)."""

    keys: Keys
    rows: Matrix
    languages: NDArray[np.int16]
    numbers: Mapping[str, int]
    """The number of each language."""
    hubs: Hubs
    share: Callable[[Weighed], Scores]
    """The share of an asking text's words and phrases that each row holds (n,)."""

    def strongest(self, asked: Asked, k: int, eligible: Chosen | None = None) -> Evidence:
        """The evidence of the k rows with the highest scores, of every row that ties with the k-th, and some more.

        All rows are scored in float32 first; those that can be among the k best are scored again in float64, each by
        itself, so that a score is the same to the last bit wherever its row lies.
        """
        count = len(self.keys) if eligible is None else int(np.count_nonzero(eligible))
        k = min(k, count)
        if k <= 0:
            return self._evidence(asked, np.zeros(0), np.zeros(0), np.empty(0, dtype=np.intp), count)
        share = self.share(asked.weighed)
        rough = _similarity(inner_products(self.rows, query).astype(np.float64) for query in asked.queries)
        scores = self._evidence(asked, rough, share, slice(None), count).scores(asked.weights)
        if eligible is not None:
            scores[~eligible] = -np.inf
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= least - _MARGIN * max(1.0, *asked.weights.values()))
        chosen = self.rows[places]
        exact = _similarity(similarities(chosen, query) for query in asked.queries)
        return self._evidence(asked, exact, share[places], places, count)

    def _evidence(
        self, asked: Asked, similarity: Scores, share: Scores, places: NDArray[np.intp] | slice, eligible: int
    ) -> Evidence:
        estimated = self.languages[places] != self.numbers.get(asked.asking.language, -1)
        terms = share
        if estimated.any():
            # Terms of another language cannot be found. What such a similarity lets one expect stands in for them, and
            # what is found all the same, names and formulae, counts where it is more.
            expected = asked.statistics.expectation(similarity[estimated], asked.asking.role)
            found = share[estimated]
            terms = share.copy()
            terms[estimated] = np.maximum(expected, found)
            estimated[estimated] = expected >= found
        parts = {"similarity": similarity}
        if asked.weighed.words:
            parts["terms"] = terms
        for name, hub in zip(("hub_across", "hub_alike"), self.hubs, strict=True):
            if hub is not None:
                parts[name] = hub[places]
        return Evidence(self.keys[places], parts, estimated, eligible)


def _similarity(cosines: Iterator[Scores]) -> Scores:
    """The cosine with the whole text; where it has parts, half of it and half of the mean of the two best parts.

    A long text's vector is a mean of all it says, and near to nothing in particular.
    """
    whole = next(cosines)
    best = second = None
    for part in cosines:
        if best is None:
            best = part
        else:
            lower = np.minimum(best, part)
            best = np.maximum(best, part)
            second = lower if second is None else np.maximum(second, lower)
    if best is None:
        return whole
    similarity: Scores = 0.5 * whole + 0.5 * (best if second is None else (best + second) / 2)
    return similarity
