"""How well probabilities fit what happened: calibration error, skill, and the points of a reliability plot."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

BINS: Final = 15

_Z: Final = NormalDist().inv_cdf(0.95)  # both ends of a 90 % interval


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """A bin of pairs: how many, their mean probability, the share worth a look, and its 90 % interval.

    The interval is Wilson's, Probable inference, the law of succession, and statistical inference, 1927.
    """

    count: int
    probability: float
    observed: float
    low: float
    high: float


def reliability_table(
    probabilities: Sequence[float], outcomes: Sequence[bool | int | float], bins: int = BINS
) -> list[ReliabilityPoint]:
    """The points of a reliability plot, lowest probabilities first: equal-mass bins, fewer than `bins` for fewer pairs.

    Bins differ in size by one pair at most. The outcomes of pairs with the same probability are spread evenly over
    them, so that the order of the pairs makes no difference where a bin ends among them.

    Raises ValueError for no pairs, other lengths, and numbers that are no probabilities or outcomes.
    """
    stated, happened = _checked(probabilities, outcomes)
    if bins < 1:
        raise ValueError(f"the number of bins is at least 1, not {bins}")
    distinct, place = np.unique(stated, return_inverse=True)
    mean = np.bincount(place, happened) / np.bincount(place)
    points = []
    for members in np.array_split(np.sort(place), min(bins, len(stated))):
        count, observed = len(members), float(mean[members].mean())
        middle = (observed + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
        half = _Z / (1 + _Z**2 / count) * np.sqrt(observed * (1 - observed) / count + _Z**2 / (4 * count**2))
        low, high = max(0.0, float(middle - half)), min(1.0, float(middle + half))
        points.append(ReliabilityPoint(count, float(distinct[members].mean()), observed, low, high))
    return points


def expected_calibration_error(
    probabilities: Sequence[float], outcomes: Sequence[bool | int | float], bins: int = BINS
) -> float:
    """The mean distance between what was stated and what happened, over equal-mass bins weighted by their size.

    Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, 2015, with the
    adaptive bins of Nguyen and O'Connor, Posterior calibration and exploratory analysis for natural language processing
    models, 2015. Raises ValueError as `reliability_table` does.
    """
    points = reliability_table(probabilities, outcomes, bins)
    return sum(one.count * abs(one.probability - one.observed) for one in points) / sum(one.count for one in points)


def brier_skill_score(probabilities: Sequence[float], outcomes: Sequence[bool | int | float]) -> float:
    """1 less the mean squared error relative to that of always stating the share that happened; at most 1.

    Brier, Verification of forecasts expressed in terms of probability, 1950; Murphy, A new vector partition of the
    probability score, 1973. Raises ValueError as `reliability_table` does, and where only one outcome occurs: there is
    no skill to show then.
    """
    stated, happened = _checked(probabilities, outcomes)
    uncertainty = float(happened.mean() * (1 - happened.mean()))
    if uncertainty == 0:
        raise ValueError("all outcomes are the same; the skill of a forecast is not defined")
    return 1 - float(np.mean((stated - happened) ** 2)) / uncertainty


def _checked(
    probabilities: Sequence[float], outcomes: Sequence[bool | int | float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    stated, happened = np.asarray(probabilities, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if stated.ndim != 1 or stated.shape != happened.shape:
        raise ValueError(f"probabilities {stated.shape} and outcomes {happened.shape} are not two lists of one length")
    if not len(stated):
        raise ValueError("there are no probabilities to measure")
    if not ((stated >= 0) & (stated <= 1)).all():  # false for NaN, too
        raise ValueError("a probability is not a number from 0 to 1")
    if not ((happened == 0) | (happened == 1)).all():
        raise ValueError("an outcome is neither 0 nor 1")
    return stated, happened
