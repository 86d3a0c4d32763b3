"""What a ranked list says of how sure each of its entries is: how crowded its place is, and how much of a hub it is."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.ranking import Ranked

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

FEATURES: Final = ("intercept", "crowding", "hub_alike")
"""The columns of the features, in their order."""

DEPTH: Final = 10
"""So many entries of a list, the best, are looked at; how many a client asked for makes no difference."""

TEMPERATURE: Final = 0.05
"""A competitor whose score is lower by so much counts as 0.27 of one, at three times as much as 0.05."""

_BACKGROUND: Final = 0.0  # what an entry scores that has nothing to do with the asking text
_FAR: Final = 100.0  # differences of scores beyond it say nothing more, and cannot overflow
_COMPETITORS: Final = DEPTH - 1 + 3  # the other entries of a full list, and three that are not there


def crowding(scores: Vector) -> Vector:
    """How many competitors do about as well as each entry or better, as ln(1 + count); scores (n,) best first.

    Competitors are the nine best others, and entries of the background, which score 0, to make twelve. So an entry
    with no others is measured against the background, and the best of a list of nothing but background is crowded.
    Each counts as the logistic function of its lead over the entry in units of TEMPERATURE: a smooth rank, in
    which equal scores are equally crowded. It falls as the score of an entry rises.
    """
    scores = np.clip(scores, -_FAR, _FAR)
    best = scores[:DEPTH]
    # An entry below the depth has the same nine others as the entry in the last place of it.
    without = [min(place, DEPTH - 1) for place in range(len(scores))]
    others = np.array([np.delete(best, place) for place in without]).reshape(len(scores), -1)
    background = np.full((len(scores), _COMPETITORS - others.shape[1]), _BACKGROUND)
    lead = (np.hstack((others, background)) - scores[:, None]) / TEMPERATURE
    return np.asarray(np.log1p(logistic(lead).sum(axis=1)), dtype=np.float64)


def features(ranked: Sequence[Ranked]) -> Matrix:
    """One row (1, crowding, hub_alike) for each entry of a list, best first; hub_alike is NaN where it is missing.

    Raises ValueError for scores that are not finite or not in descending order, and for a hub that is not finite.
    """
    scores = np.array([one.score for one in ranked], dtype=np.float64)
    if not np.isfinite(scores).all():
        raise ValueError("a score of the ranked list is not a finite number")
    if (scores[1:] > scores[:-1]).any():
        raise ValueError("the ranked list is not in descending order of score; give it best first")
    hubs = np.array([_hub(one) for one in ranked], dtype=np.float64)
    return np.column_stack((np.ones(len(scores)), crowding(scores), hubs))


def logistic(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) of each number, without overflow however large it is."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), dtype=np.float64)


def _hub(entry: Ranked) -> float:
    for part in entry.parts:
        if part.name == "hub_alike":
            if not math.isfinite(part.value):
                raise ValueError(f"hub_alike of {entry.public_id} is not a finite number")
            return part.value
    return math.nan
