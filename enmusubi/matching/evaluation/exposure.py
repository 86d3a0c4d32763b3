"""Who is shown: which share of the seeds ever reaches a top ten, how evenly, and which seeds are in everybody's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.evaluation.runs import Run

DEPTH: Final = 10
ATTRIBUTES: Final = ("language", "region", "organisation")
NAMED_HUBS: Final = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """Seeds of one kind: how many, how many of them reach a top ten, and their share of all places."""

    value: str
    seeds: int
    reached: int
    places: int
    share_of_seeds: float
    share_of_places: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """How a run's places in the top ten fall to the seeds.

    `attainable` is the share of seeds that so many places could reach at most, `least_gini` the Gini coefficient that
    they would then have. `by` holds no entry for an attribute that no seed has.
    """

    queries: int
    seeds: int
    places: int
    reached: float
    attainable: float
    gini: float
    least_gini: float
    by: Mapping[str, Sequence[Shown]]
    hubs: Sequence[tuple[str, int]]
    """The seeds that are in most top tens, with the number of these."""

    def as_json(self) -> dict[str, Any]:
        """All of it, with plain values; None for an attribute that no seed has."""
        return {
            "depth": DEPTH,
            "queries": self.queries,
            "seeds": self.seeds,
            "places": self.places,
            "reached": self.reached,
            "attainable": self.attainable,
            "gini": self.gini,
            "least_gini": self.least_gini,
            "by": {
                name: None
                if name not in self.by
                else {
                    shown.value: {
                        "seeds": shown.seeds,
                        "reached": shown.reached / shown.seeds,
                        "share_of_seeds": shown.share_of_seeds,
                        "share_of_places": shown.share_of_places,
                    }
                    for shown in self.by[name]
                }
                for name in ATTRIBUTES
            },
            "hubs": [{"seed": seed, "queries": count} for seed, count in self.hubs],
        }


def exposure_of(run: Run, seeds: Mapping[str, Mapping[str, str]]) -> Exposure:
    """How the first ten places of every query fall to the seeds; `seeds` has each one's attributes by its id.

    Places held by seeds that are not among `seeds` do not count.
    """
    counts = Counter(dict.fromkeys(seeds, 0))
    for documents in run.values():
        counts.update(name for name, _ in documents[:DEPTH] if name in seeds)
    exposures = np.array([counts[name] for name in seeds], dtype=np.int64)
    places = int(exposures.sum())
    even = np.zeros(len(seeds), dtype=np.int64)
    if len(seeds):
        even += places // len(seeds)
        even[: places % len(seeds)] += 1
    return Exposure(
        queries=len(run),
        seeds=len(seeds),
        places=places,
        reached=_share((exposures > 0).sum(), len(seeds)),
        attainable=_share(min(places, len(seeds)), len(seeds)),
        gini=gini(exposures),
        least_gini=gini(even),
        by={name: _by(name, counts, seeds) for name in ATTRIBUTES if any(name in each for each in seeds.values())},
        hubs=sorted(((name, count) for name, count in counts.items() if count), key=lambda hub: (-hub[1], hub[0]))[
            :NAMED_HUBS
        ],
    )


def gini(values: NDArray[np.int64]) -> float:
    """The Gini coefficient of values (n,) that are 0 or more: 0 for all alike, towards 1 where few have all.

    The form over ordered values, Damgaard and Weiner, Describing Inequality in Plant Size or Fecundity, 2000:
    sum of (2 i - n - 1) x(i) over n times the sum of x. 0 where there is nothing to share out.
    """
    total, count = int(values.sum()), len(values)
    if total == 0:
        return 0.0
    places = 2 * np.arange(1, count + 1) - count - 1
    return float((places * np.sort(values)).sum() / (count * total))


def _by(attribute: str, counts: Mapping[str, int], seeds: Mapping[str, Mapping[str, str]]) -> list[Shown]:
    members: dict[str, list[int]] = {}
    for name, attributes in seeds.items():
        members.setdefault(attributes.get(attribute, "not known"), []).append(counts[name])
    places = sum(map(sum, members.values()))
    return [
        Shown(
            value,
            len(each),
            sum(count > 0 for count in each),
            sum(each),
            _share(len(each), len(seeds)),
            _share(sum(each), places),
        )
        for value, each in sorted(members.items(), key=lambda member: (-len(member[1]), member[0]))
    ]


def _share(part: int, whole: int) -> float:
    return float(part) / whole if whole else 0.0
