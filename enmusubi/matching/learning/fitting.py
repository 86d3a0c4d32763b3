"""Fitting the weights: pairwise logistic regression, shrunk to the default, each sign kept."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from enmusubi.matching.learning.reviews import Comparisons, Floats
from enmusubi.matching.policy import PARTS

PRIOR: Final = {"terms": 0.75, "hub_across": 0.15, "hub_alike": 0.10}
"""Standard deviation of the Gaussian prior of each weight about its default; similarity's weight is fixed.

Reviews are of what the ranking put on top, where few hubs are left to judge: their weights are held tightly.
"""

_SLOPE_MEDIAN: Final = 10.0  # a difference of 0.1 in score makes the higher one 73 % likely to be the accepted one
_SLOPE_DEVIATION: Final = 1.0  # of the slope's logarithm
_SLOPE_BOUNDS: Final = (math.log(0.1), math.log(1000.0))


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights (parts,) in the order of PARTS, and how steeply the chance of being accepted rises with the score."""

    weights: Floats
    slope: float

    def losses(self, comparisons: Comparisons) -> Floats:
        """Each pair's share of the negative log-likelihood, in nats, shape (pairs,)."""
        margins = self.slope * (comparisons.differences @ self.weights)
        losses: Floats = comparisons.shares * np.logaddexp(0.0, -margins)
        return losses


def fit(comparisons: Comparisons, default: Floats, *, slope_only: bool = False) -> Fit:
    """The most probable weights, or with `slope_only` the default weights with their most probable slope.

    P(accepted above dismissed) = 1 / (1 + exp(-slope * weights . difference)), as in RankNet (Burges et al. 2005)
    with a linear score. The prior of the weights is Gaussian about `default` (parts,), that of the slope log-normal;
    similarity's weight stays as it is, which fixes the scale, and terms stay >= 0, hubs <= 0. The slope is a
    parameter of its own so that noisy reviews flatten it and leave the weights alone.
    """
    deviations = np.array([PRIOR[part] for part in PARTS[1:]])
    differences, shares = comparisons.differences, comparisons.shares

    def objective(parameters: Floats) -> tuple[float, Floats]:
        slope = math.exp(parameters[0])
        away = (parameters[1:] - default[1:]) / deviations
        steeper = (parameters[0] - math.log(_SLOPE_MEDIAN)) / _SLOPE_DEVIATION
        margins = slope * (differences @ np.concatenate((default[:1], parameters[1:])))
        by_margin = -shares * np.exp(-np.logaddexp(0.0, margins))
        value = shares @ np.logaddexp(0.0, -margins) + (away @ away + steeper**2) / 2
        gradient = np.empty_like(parameters)
        gradient[0] = by_margin @ margins + steeper / _SLOPE_DEVIATION
        gradient[1:] = slope * (by_margin @ differences[:, 1:]) + away / deviations
        return float(value), gradient

    start = np.concatenate(([math.log(_SLOPE_MEDIAN)], default[1:]))
    signs = [(weight, weight) for weight in default[1:]] if slope_only else [(0.0, None), (None, 0.0), (None, 0.0)]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[_SLOPE_BOUNDS, *signs])
    return Fit(np.concatenate((default[:1], found.x[1:])), math.exp(found.x[0]))
