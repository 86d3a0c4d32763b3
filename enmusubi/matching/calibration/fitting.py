"""Fit a calibration to judged lists, shrunk to another one where judgements are few."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.calibration.features import DEPTH, FEATURES, Matrix, Vector, features, logistic
from enmusubi.matching.calibration.model import Calibration, Hubs
from enmusubi.matching.ranking import Ranked

PRIOR_LISTS: Final = 30
"""The calibration shrunk to counts as so many judged lists."""

REPLICATES: Final = 40

_WEAK: Final = 0.01  # precision of the coefficients where there is nothing to shrink to: standard deviation 10
_DECIMALS: Final = 6  # below them lies what depends on the order in which a machine adds
_STEPS: Final = 100
_SMALL_STEP: Final = 1e-9


@dataclass(frozen=True, slots=True)
class JudgedList:
    """The list one asking entry was given, best first, with the grade of each entry: above 0 is worth a look.

    A grade of None says that nobody judged the entry: it competes, but is no outcome. `source` names the catalogue or
    the judged set; sources count equally, however many lists they have. Only the first ten entries are used.
    """

    ranked: Sequence[Ranked]
    grades: Sequence[int | None]
    source: str = "reviews"

    def __post_init__(self) -> None:
        if len(self.ranked) != len(self.grades):
            raise ValueError(f"a judged list of {len(self.ranked)} entries has {len(self.grades)} grades")
        for one, grade in zip(self.ranked, self.grades, strict=True):
            if grade is not None and (isinstance(grade, bool) or not isinstance(grade, int) or grade < 0):
                raise ValueError(f"the grade of {one.public_id} is {grade!r}, not a whole number from 0 on, or None")
        if not self.source.strip():
            raise ValueError("a judged list needs a source, such as reviews")


class _Rows(NamedTuple):
    """The judged entries of all lists: features (n, 3), outcomes (n,), and the number of the list each is in (n,)."""

    features: Matrix
    outcomes: Vector
    of_list: NDArray[np.intp]


def fit(
    judged: Sequence[JudgedList],
    *,
    name: str,
    policy: str,
    shrink_to: Calibration | None,
    prior_lists: float = PRIOR_LISTS,
    seed: int = 0,
) -> Calibration:
    """The calibration with the highest posterior probability given the judged lists, and its bootstrap replicates.

    The prior is normal around the coefficients of `shrink_to`, with the information that `prior_lists` of its lists
    hold (a power prior: Ibrahim and Chen, Power prior distributions for regression models, 2000), or weak around 0 for
    None. Coefficients of crowding and hubs are kept at 0 or less. For a replicate, sources are drawn with replacement
    and then lists within each (a cluster bootstrap in two stages: Davison and Hinkley, Bootstrap Methods and their
    Application, 1997, section 3.8), and the prior is centred on a replicate of `shrink_to`, so that with few lists the
    interval is as wide as that of `shrink_to` and never narrower for want of data.

    Deterministic for a seed. Raises ValueError where nothing is judged, where without `shrink_to` only one outcome
    occurs, and for lists that are out of order or hold numbers that are not finite.
    """
    if not 0 < prior_lists < float("inf"):
        raise ValueError(f"prior_lists is a number above 0, not {prior_lists}")
    used = [one for one in judged if any(grade is not None for grade in one.grades[:DEPTH])]
    rows = _rows(used)
    if not len(rows.outcomes):
        raise ValueError("no entry of any list is judged; there is nothing to fit")
    if shrink_to is None and len(np.unique(rows.outcomes)) < 2:
        raise ValueError("all judged entries have the same outcome; judge some of the other kind, or give shrink_to")
    known = rows.features[:, 2][~np.isnan(rows.features[:, 2])]
    if shrink_to is not None:
        hubs = shrink_to.hubs
    elif len(known):
        low, typical, high = np.round(np.quantile(known, (0.01, 0.5, 0.99)), _DECIMALS)
        hubs = Hubs(float(low), float(typical), float(high))
    else:
        raise ValueError(
            "no judged entry has a part hub_alike, and there is no shrink_to to take its typical value from"
        )
    filled = np.where(np.isnan(rows.features[:, 2]), hubs.typical, rows.features[:, 2])
    rows.features[:, 2] = np.clip(filled, hubs.low, hubs.high)

    if shrink_to is None:
        centres = np.zeros((REPLICATES + 1, len(FEATURES)))
        precision = np.eye(len(FEATURES)) * _WEAK
    else:
        resampled = [shrink_to.replicates[number % len(shrink_to.replicates)] for number in range(REPLICATES)]
        centres = np.array([shrink_to.coefficients, *resampled])
        # A little more than the information, which may leave a direction open.
        precision = np.array(shrink_to.information) * prior_lists + np.eye(len(FEATURES)) * 1e-6

    members = [
        np.array([place for place, one in enumerate(used) if one.source == source], dtype=np.intp)
        for source in sorted({one.source for one in used})
    ]
    whole = _balanced(members, len(used))[rows.of_list]
    coefficients = _posterior_mode(rows, whole, centres[0], precision)
    random = np.random.default_rng(seed)
    replicates = []
    for number in range(REPLICATES):
        drawn = [members[place] for place in random.integers(len(members), size=len(members))]
        weights = _balanced([random.choice(lists, size=len(lists)) for lists in drawn], len(used))
        replicates.append(_posterior_mode(rows, weights[rows.of_list], centres[number + 1], precision))

    fitted = logistic(rows.features @ coefficients)
    information = (rows.features * (whole * fitted * (1 - fitted))[:, None]).T @ rows.features / len(used)
    if shrink_to is not None:
        # What an average list of both tells, the prior's counting as it counted in the fit.
        prior = np.array(shrink_to.information) * prior_lists
        information = (information * len(used) + prior) / (len(used) + prior_lists)
    return Calibration(
        name=name,
        policy=policy,
        coefficients=_rounded(coefficients),
        replicates=tuple(_rounded(one) for one in replicates),
        information=tuple(_rounded(row) for row in information),
        hubs=hubs,
        sources=tuple(sorted({one.source for one in used})),
        lists=len(used),
        pairs=len(rows.outcomes),
    )


def _rows(judged: Sequence[JudgedList]) -> _Rows:
    blocks: list[Matrix] = []
    outcomes: list[float] = []
    of_list: list[int] = []
    for place, one in enumerate(judged):
        grades = one.grades[:DEPTH]
        blocks.append(features(one.ranked[:DEPTH])[[grade is not None for grade in grades]])
        outcomes += [float(grade > 0) for grade in grades if grade is not None]
        of_list += [place] * len(blocks[-1])
    stacked = np.vstack(blocks) if blocks else np.empty((0, len(FEATURES)))
    return _Rows(stacked, np.array(outcomes), np.array(of_list, dtype=np.intp))


def _balanced(members: Sequence[NDArray[np.intp]], count: int) -> Vector:
    """The weight of each of `count` lists: each group of members weighs the same, all together weigh `count`."""
    weights = np.zeros(count)
    for lists in members:
        np.add.at(weights, lists, count / (len(members) * len(lists)))
    return weights


def _posterior_mode(rows: _Rows, weights: Vector, centre: Vector, precision: Matrix) -> Vector:
    """Newton's method on the penalised likelihood; a coefficient whose sign would be wrong stays at 0."""
    free = np.ones(len(FEATURES), dtype=bool)
    while True:
        found = _newton(rows, weights, centre, precision, free)
        wrong = free & (found > 0)
        wrong[0] = False  # the intercept may have either sign
        if not wrong.any():
            return found
        # One at a time, the worst first: with it at 0 the other may well be right.
        free[np.argmax(np.where(wrong, found, -np.inf))] = False


def _newton(rows: _Rows, weights: Vector, centre: Vector, precision: Matrix, free: NDArray[np.bool_]) -> Vector:
    x, y = rows.features, rows.outcomes
    found = np.where(free, centre, 0.0)
    loss = _loss(found, rows, weights, centre, precision)
    for _ in range(_STEPS):
        fitted = logistic(x @ found)
        gradient = x.T @ (weights * (fitted - y)) + precision @ (found - centre)
        curvature = (x * (weights * fitted * (1 - fitted))[:, None]).T @ x + precision
        step = np.zeros(len(found))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        while True:  # the loss is convex: a step short enough never makes it larger
            if np.abs(step).max() < _SMALL_STEP:
                return found
            trial = _loss(found - step, rows, weights, centre, precision)
            if trial <= loss:
                break
            step /= 2
        found, loss = found - step, trial
    raise ValueError("the fit did not settle; look for lists whose scores or grades make no sense")


def _loss(found: Vector, rows: _Rows, weights: Vector, centre: Vector, precision: Matrix) -> float:
    logits = rows.features @ found
    away = found - centre
    return float(weights @ (np.logaddexp(0, logits) - rows.outcomes * logits) + away @ precision @ away / 2)


def _rounded(numbers: Vector) -> tuple[float, ...]:
    return tuple(round(float(number), _DECIMALS) + 0.0 for number in numbers)
