"""The policy of a ranking: the few weights that turn the parts of a score into the score."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

PARTS: Final = ("similarity", "terms", "hub_across", "hub_alike")
"""The parts a policy weighs, in the order they have wherever they stand in an array."""

_EVIDENCE: Final = frozenset({"similarity", "terms"})  # speaks for a candidate; the other parts are hubs, against it


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """What a policy was learned from: how many reviews, asking entries and pairs, and the policy it was shrunk to."""

    decisions: int
    groups: int
    pairs: int
    default: str


@dataclass(frozen=True)
class Policy:
    """A named set of weights: score = sum of weight times value over the four parts.

    Evidence (similarity, terms) weighs 0 or more, hubs 0 or less. ValueError for an empty name, a part that is missing
    or unknown, and a weight that is not a finite number or has the wrong sign.
    """

    name: str
    weights: Mapping[str, float]
    learned_from: LearnedFrom | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a policy needs a name, such as evidence-1")
        # Frozen all the way down: a policy that has ranked something must never change under its name.
        object.__setattr__(self, "weights", MappingProxyType(_checked(self.name, self.weights)))

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.weights.values()), self.learned_from))

    def __reduce__(self) -> tuple[Any, ...]:
        # A mapping proxy cannot be pickled or copied, the dictionary behind it can.
        return Policy, (self.name, dict(self.weights), self.learned_from)

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, in hexadecimal: policies that rank alike have the same, whatever their names."""
        return digest_of(self.weights)

    def score(self, values: Mapping[str, float]) -> float:
        """The score of a candidate with these values of the four parts."""
        return math.fsum(self.weights[part] * values[part] for part in PARTS)

    def as_json(self) -> str:
        """The policy as one line of JSON, with its digest; `from_json` reads it back."""
        learned = None if self.learned_from is None else asdict(self.learned_from)
        return json.dumps(
            {"name": self.name, "digest": self.digest, "weights": dict(self.weights), "learned_from": learned},
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """The policy that `as_json` wrote; ValueError naming what is missing, wrong or altered."""
        try:
            read: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"a policy is one JSON object, but this is not JSON: {error}") from error
        if (
            not isinstance(read, dict)
            or set(read) != {"name", "digest", "weights", "learned_from"}
            or not isinstance(read["name"], str)
            or not isinstance(read["weights"], dict)
        ):
            raise ValueError(
                "a policy is a JSON object with exactly name (a string), digest, weights (an object) and learned_from"
            )
        policy = cls(read["name"], read["weights"], _learned_from(read["name"], read["learned_from"]))
        if read["digest"] != policy.digest:
            raise ValueError(f"policy {policy.name}: its digest does not fit its weights; one of them was altered")
        return policy


def digest_of(weights: Mapping[str, float]) -> str:
    """SHA-256 in hexadecimal of the four weights, in the order of PARTS, exact to the last bit."""
    # Adding 0.0 makes -0.0 the same as 0.0, which weighs the same.
    exact = "\n".join(f"{part} {(float(weights[part]) + 0.0).hex()}" for part in PARTS)
    return hashlib.sha256(exact.encode()).hexdigest()


def _checked(name: str, weights: Mapping[str, float]) -> dict[str, float]:
    if set(weights) != set(PARTS):
        raise ValueError(f"policy {name}: weights are for {', '.join(PARTS)}, not for {', '.join(map(str, weights))}")
    for part in PARTS:
        weight = weights[part]
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise ValueError(f"policy {name}: the weight of {part} is {weight!r}, not a finite number")
        if (weight < 0) if part in _EVIDENCE else (weight > 0):
            allowed = "0 or more: it is evidence" if part in _EVIDENCE else "0 or less: hubs count against a match"
            raise ValueError(f"policy {name}: the weight of {part} is {weight}; it must be {allowed}")
    return {part: float(weights[part]) for part in PARTS}


def _learned_from(name: str, read: Any) -> LearnedFrom | None:
    if read is None:
        return None
    try:
        learned = LearnedFrom(**read)
    except TypeError as error:
        raise ValueError(
            f"policy {name}: learned_from has exactly decisions, groups, pairs and default, or is null"
        ) from error
    counts = learned.decisions, learned.groups, learned.pairs
    if any(type(count) is not int or count < 0 for count in counts) or not isinstance(learned.default, str):
        raise ValueError(f"policy {name}: learned_from holds three counts and, as default, the name of a policy")
    return learned


DEFAULT: Final = Policy("evidence-1", {"similarity": 1.0, "terms": 0.5, "hub_across": -0.5, "hub_alike": -0.2})
"""The policy of an installation that has learned nothing of its own yet."""
