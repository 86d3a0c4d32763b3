"""Would learned weights have served better on asking entries they never saw? Cross-validation and its test."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from enmusubi.matching.learning.fitting import fit
from enmusubi.matching.learning.reviews import Comparisons, Floats

_FOLDS: Final = 5
_REPEATS: Final = 3  # other divisions into folds, averaged: one division's luck weighs less
_FLIPS: Final = 4999
_FLIPS_AT_ONCE: Final = 250


@dataclass(frozen=True, slots=True)
class Validation:
    """Figures on held-out asking entries.

    `gain`: mean rise of an entry's log-likelihood over the default, in nats; `p_value`: of that rise, one-sided;
    `accuracy_default` and `accuracy_learned`: mean share of an entry's pairs in the right order, ties half;
    `worse_p_value`: of a fall from the first to the second, one-sided.
    """

    gain: float
    p_value: float
    accuracy_default: float
    accuracy_learned: float
    worse_p_value: float


def cross_validate(comparisons: Comparisons, default: Floats) -> Validation:
    """Learn on four fifths of the asking entries, compare with `default` (parts,) on the last; every fifth in turn.

    An entry's pairs are always on one side. The likelihood is what is tested, each side with its own best slope from
    the same training entries, since it sees how sure a right order is; the order alone, on a top ten, sees too little.
    """
    groups = comparisons.group_count
    gains, right_default, right_learned = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    for repeat in range(_REPEATS):
        fold_of = np.empty(groups, dtype=np.int64)
        fold_of[np.random.default_rng(repeat).permutation(groups)] = np.arange(groups) % _FOLDS
        for fold in range(_FOLDS):
            held_out = fold_of[comparisons.groups] == fold
            training, unseen = comparisons.where(~held_out), comparisons.where(held_out)
            learned, unlearned = fit(training, default), fit(training, default, slope_only=True)
            gains += np.bincount(unseen.groups, unlearned.losses(unseen) - learned.losses(unseen), groups)
            right_default += _right(unseen, default)
            right_learned += _right(unseen, learned.weights)
    pairs = np.bincount(comparisons.groups, minlength=groups)
    return Validation(
        gain=float(np.mean(gains)) / _REPEATS,
        p_value=sign_flip_test(gains),
        accuracy_default=float(np.mean(right_default / pairs)) / _REPEATS,
        accuracy_learned=float(np.mean(right_learned / pairs)) / _REPEATS,
        worse_p_value=sign_flip_test((right_default - right_learned) / pairs),
    )


def sign_flip_test(gains: Floats) -> float:
    """One-sided p-value of a mean above 0: how often random signs, if either were as likely, reach this mean.

    A paired randomisation test (Fisher), `gains` of shape (groups,), reproducible.
    """
    generator = np.random.default_rng(0)
    # Sums in another order differ in the last bits; an equal one must count as reached.
    reach = float(gains.sum()) - 1e-9 * float(np.abs(gains).sum())
    reached = 0
    for start in range(0, _FLIPS, _FLIPS_AT_ONCE):
        flips = min(_FLIPS_AT_ONCE, _FLIPS - start)
        signs = generator.integers(0, 2, (flips, len(gains)), dtype=np.int8) * 2 - 1
        reached += int(np.count_nonzero(signs @ gains >= reach))
    return (1 + reached) / (1 + _FLIPS)


def _right(comparisons: Comparisons, weights: Floats) -> Floats:
    margins = comparisons.differences @ weights
    right = np.where(np.abs(margins) < 1e-12, 0.5, margins > 0)
    return np.bincount(comparisons.groups, right, comparisons.group_count).astype(np.float64)
