"""Configurations against each other, query by query: how large a difference is, and how sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 9999
CONFIDENCE: Final = 0.95
NAMED: Final = 5
"""So many of the largest gains and losses are named."""


@dataclass(frozen=True, slots=True)
class Change:
    """A query whose value changed."""

    query: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a configuration gains over another on the same queries.

    `interval` is the bootstrap's 95 % interval of the mean difference, None for fewer than two queries; `p` the
    probability of a difference at least as large, either way, if the two were alike.
    """

    name: str
    against: str
    difference: float
    interval: tuple[float, float] | None
    p: float
    deviation: float
    """Standard deviation of the differences of single queries."""
    better: int
    worse: int
    equal: int
    gains: Sequence[Change]
    losses: Sequence[Change]

    def as_json(self) -> dict[str, Any]:
        """All of it, with plain values."""
        return {
            "configuration": self.name,
            "against": self.against,
            "measure": "nDCG@10",
            "difference": self.difference,
            "interval": None if self.interval is None else list(self.interval),
            "p": self.p,
            "standard_deviation": self.deviation,
            "better": self.better,
            "worse": self.worse,
            "equal": self.equal,
            "largest_gains": [_plain(change) for change in self.gains],
            "largest_losses": [_plain(change) for change in self.losses],
        }


def _plain(change: Change) -> dict[str, Any]:
    """A change with plain values."""
    return {"query": change.query, "before": change.before, "after": change.after}


def compared(values: Sequence[tuple[str, Mapping[str, float]]], *, previous: bool = False) -> list[Comparison]:
    """Each configuration after the first against the first, or against the one before it.

    `values` holds, by configuration, the value of each query; all have the same queries.
    """
    return [compare(name, after, *values[place if previous else 0]) for place, (name, after) in enumerate(values[1:])]


def compare(name: str, after: Mapping[str, float], against: str, before: Mapping[str, float]) -> Comparison:
    """One configuration's values by query against another's; ValueError for other queries or none."""
    if not after or after.keys() != before.keys():
        raise ValueError(f"{name} and {against} are compared on the same queries, at least one")
    changes = [Change(query, before[query], after[query]) for query in after]
    differences = np.array([change.after - change.before for change in changes])
    # Of equally large changes those first that come first in the dataset.
    order = np.argsort(-differences, kind="stable").tolist()
    worst = np.argsort(differences, kind="stable").tolist()
    return Comparison(
        name,
        against,
        float(differences.mean()),
        interval(differences),
        significance(differences),
        float(differences.std(ddof=1)) if len(differences) > 1 else 0.0,
        int((differences > 0).sum()),
        int((differences < 0).sum()),
        int((differences == 0).sum()),
        [changes[place] for place in order[:NAMED] if differences[place] > 0],
        [changes[place] for place in worst[:NAMED] if differences[place] < 0],
    )


def significance(differences: NDArray[np.float64]) -> float:
    """The two-sided p-value of paired differences (n,), by randomisation: if the two are alike, so is either sign.

    Smucker, Allan and Carterette, A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation, 2007. Exact where there are few enough queries, else from 9,999 seeded resamples.
    """
    from scipy.stats import permutation_test  # slow to import, and needed for comparisons only

    if len(differences) < 2 or not differences.any():
        return 1.0
    tested = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, vectorized=True, rng=0
    )
    return float(tested.pvalue)


def interval(differences: NDArray[np.float64]) -> tuple[float, float] | None:
    """The percentile bootstrap's 95 % interval of the mean of differences (n,); None for fewer than two.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    from scipy.stats import bootstrap

    if len(differences) < 2:
        return None
    found = bootstrap(
        (differences,), np.mean, method="percentile", confidence_level=CONFIDENCE, n_resamples=RESAMPLES, rng=0
    ).confidence_interval
    return float(found.low), float(found.high)
