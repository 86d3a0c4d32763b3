"""Would a calibration fitted to these lists have stated better probabilities for lists it never saw?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from enmusubi.matching.calibration.features import DEPTH
from enmusubi.matching.calibration.fitting import JudgedList, fit
from enmusubi.matching.calibration.model import Calibration

FOLDS: Final = 5
LEAST_LISTS: Final = 10
"""Fewer judged lists than this are too few to divide."""

_LEAST_PROBABILITY: Final = 1e-12  # what a probability of 0 counts as, so that the loss is finite


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Mean log loss, in nats, over the judged entries of lists held out: of `before`, and of what was fitted."""

    before: float
    fitted: float

    @property
    def not_worse(self) -> bool:
        """Whether what was fitted states probabilities at least as good."""
        return self.fitted <= self.before


def cross_validate(judged: Sequence[JudgedList], *, policy: str, before: Calibration, seed: int = 0) -> HeldOut:
    """Fit to four fifths of the lists, shrunk to `before`, and compare both on the last fifth; every fifth in turn.

    The entries of a list are always on one side. Deterministic for a seed. Raises ValueError for fewer lists than
    LEAST_LISTS, and as `fit` does.
    """
    if len(judged) < LEAST_LISTS:
        raise ValueError(f"{len(judged)} judged lists are too few to divide; at least {LEAST_LISTS} are needed")
    fold_of = np.random.default_rng(seed).permutation(len(judged)) % FOLDS
    losses: dict[str, list[float]] = {"before": [], "fitted": []}
    for fold in range(FOLDS):
        training = [one for one, place in zip(judged, fold_of, strict=True) if place != fold]
        fitted = fit(training, name="held out", policy=policy, shrink_to=before)
        for one, place in zip(judged, fold_of, strict=True):
            if place == fold:
                losses["before"] += _losses(before, one)
                losses["fitted"] += _losses(fitted, one)
    return HeldOut(float(np.mean(losses["before"])), float(np.mean(losses["fitted"])))


def _losses(calibration: Calibration, judged: JudgedList) -> list[float]:
    """The log loss of each judged entry among the first ten."""
    stated = calibration.probabilities(judged.ranked)[:DEPTH]
    return [
        -float(np.log(max(one.value if grade > 0 else 1 - one.value, _LEAST_PROBABILITY)))
        for one, grade in zip(stated, judged.grades, strict=False)
        if grade is not None
    ]
