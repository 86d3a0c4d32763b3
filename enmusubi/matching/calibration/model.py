"""A calibration: a few numbers that turn the place of a match in its list into a probability with an interval."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from enmusubi.matching.calibration.features import FEATURES, Matrix, features, logistic
from enmusubi.matching.ranking import Ranked

FLOOR: Final = 0.1
"""Where no entry of a list is as probable as this, the answer is "no good match yet"."""

LEVEL: Final = 0.9
"""The level of the intervals."""

_FIELDS: Final = frozenset(
    {"name", "digest", "policy", "sources", "lists", "pairs", "coefficients", "replicates", "information", "hubs"}
)


@dataclass(frozen=True, slots=True)
class Probability:
    """The probability that a match is worth a look, with the ends of its 90 % interval; all in 0..1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Hubs:
    """What hub_alike was where the calibration comes from: values beyond `low` and `high` count as these.

    `typical` stands in for one that is missing.
    """

    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic regression on the features, and the same from resampled judgements for the interval.

    `coefficients` are (intercept, crowding, hub_alike), `replicates` a few more such triples, and `information` is the
    Fisher information (3 rows of 3) of an average judged list, by which another calibration is shrunk to this one.
    `policy` names the ranking it belongs to, `sources` the judged sets, `lists` and `pairs` count what was judged.

    Raises ValueError for numbers that are missing, not finite or without sense.
    """

    name: str
    policy: str
    coefficients: tuple[float, ...]
    replicates: tuple[tuple[float, ...], ...]
    information: tuple[tuple[float, ...], ...]
    hubs: Hubs
    sources: tuple[str, ...]
    lists: int
    pairs: int

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise ValueError(f"calibration {self.name or '(no name)'}: {problem}")

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of all that probabilities come from: what gives the same ones has the same."""
        numbers = (*self.coefficients, *self.hubs_in_order, *(one for row in self.replicates for one in row))
        # Adding 0.0 makes -0.0 the same as 0.0.
        return hashlib.sha256("\n".join((float(one) + 0.0).hex() for one in numbers).encode()).hexdigest()

    @property
    def hubs_in_order(self) -> tuple[float, float, float]:
        """The low, the typical and the high hub."""
        return self.hubs.low, self.hubs.typical, self.hubs.high

    def probabilities(self, ranked: Sequence[Ranked]) -> tuple[Probability, ...]:
        """One for each entry of a list of what may be seen, best first.

        Give at least the ten best, where there are so many, however few are shown: they are what an entry is judged by.
        Raises ValueError for a list that is not in order or holds numbers that are not finite.
        """
        if not ranked:
            return ()
        rows = self.bounded(features(ranked))
        values = logistic(rows @ np.array(self.coefficients))
        resampled = logistic(rows @ np.array(self.replicates).T)
        tail = (1 - LEVEL) / 2
        lows, highs = np.quantile(resampled, (tail, 1 - tail), axis=1)
        return tuple(
            Probability(float(value), float(min(low, value)), float(max(high, value)))
            for value, low, high in zip(values, lows, highs, strict=True)
        )

    def bounded(self, rows: Matrix) -> Matrix:
        """Features (n, 3) with hubs that are missing filled in and the others kept within what was seen."""
        hubs = np.where(np.isnan(rows[:, 2]), self.hubs.typical, rows[:, 2])
        return np.column_stack((rows[:, :2], np.clip(hubs, self.hubs.low, self.hubs.high)))

    def as_json(self) -> str:
        """The calibration as JSON, with its digest; `from_json` reads it back."""
        return json.dumps({"name": self.name, "digest": self.digest} | asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        """The calibration that `as_json` wrote; ValueError naming what is missing, wrong or altered."""
        try:
            read: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"a calibration is one JSON object, but this is not JSON: {error}") from error
        if not isinstance(read, dict) or set(read) != _FIELDS:
            raise ValueError(f"a calibration is a JSON object with exactly {', '.join(sorted(_FIELDS))}")
        digest = read.pop("digest")
        try:
            hubs = Hubs(**read.pop("hubs"))
            for field in ("coefficients", "sources"):
                read[field] = _row(read[field])
            for field in ("replicates", "information"):
                read[field] = tuple(_row(row) for row in _row(read[field]))
        except TypeError as error:
            raise ValueError(
                "a calibration has lists of numbers, a list of sources, and hubs with exactly low, typical and high"
            ) from error
        calibration = cls(hubs=hubs, **read)
        if digest != calibration.digest:
            raise ValueError(f"calibration {calibration.name}: its digest does not fit its numbers; they were altered")
        return calibration

    def _problem(self) -> str | None:
        if not _named(self.name) or not _named(self.policy) or not all(_named(one) for one in self.sources):
            return "it needs a name, the name of its policy, and named sources"
        if any(type(count) is not int or count < 0 for count in (self.lists, self.pairs)):
            return "lists and pairs are counts"
        rows = (self.coefficients, *self.replicates, *self.information)
        if (
            not self.replicates
            or len(self.information) != len(FEATURES)
            or any(len(row) != len(FEATURES) for row in rows)
        ):
            return (
                f"coefficients, each replicate and each of the {len(FEATURES)} rows of information are for {FEATURES}"
            )
        if not all(_finite(number) for row in rows for number in row) or not all(map(_finite, self.hubs_in_order)):
            return "a number is not finite"
        if any(row[1] > 0 or row[2] > 0 for row in (self.coefficients, *self.replicates)):
            return "crowding and hubs count against a match: their coefficients are 0 or less"
        information = np.array(self.information)
        if not np.allclose(information, information.T) or np.linalg.eigvalsh(information)[0] < -1e-6:
            return "the information is not symmetric and positive"
        low, typical, high = self.hubs_in_order
        return None if low <= typical <= high else "hubs are not in order: low, typical, high"


def no_good_match(probabilities: Sequence[Probability], floor: float = FLOOR) -> bool:
    """Whether the honest answer is "no good match yet": no entry of the list is as probable as the floor.

    Then the list holds the nearest misses. Raises ValueError for a floor that is not a probability.
    """
    if not 0 <= floor <= 1:
        raise ValueError(f"the floor is a probability from 0 to 1, not {floor}")
    return all(one.value < floor for one in probabilities)


def _row(read: Any) -> tuple[Any, ...]:
    if not isinstance(read, list):
        raise TypeError("not a list")
    return tuple(read)


def _named(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip())


def _finite(number: object) -> bool:
    # Compared rather than converted: a whole number in JSON can be too large for a float.
    return isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= sys.float_info.max
