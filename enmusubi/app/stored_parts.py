"""The parts of a score as they are stored with a match, and which of them their reader may see."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, Final

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.vocabulary import Role
from enmusubi.matching.calibration import Probability
from enmusubi.matching.policy import PARTS
from enmusubi.matching.ranking import Part
from enmusubi.matching.reranking import RERANKER

_HUBS: Final = frozenset({"hub_across", "hub_alike"})


def parts_of(stored: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts in the order of a policy's, which JSON objects in PostgreSQL do not keep.

    A plain number is what a process of the first release still stores: one part, weighed as it is.
    """
    return tuple(_part(name, stored[name]) for name in (*PARTS, RERANKER) if name in stored)


def shown_parts(match: Match, caller: Caller) -> tuple[Part, ...]:
    """The parts of a stored match as the caller may see them."""
    return seen_parts(parts_of(match.parts), caller, elsewhere=_ranked_elsewhere(match, caller))


def shown_score(match: Match, caller: Caller) -> float | None:
    """The score of a stored match as the caller may see it."""
    return seen_score(match.score, parts_of(match.parts), caller, elsewhere=_ranked_elsewhere(match, caller))


def shown_probability(match: Match, caller: Caller) -> Probability | None:
    """How probable a stored match is, as the caller may see it; None where he may not, or nobody has said.

    A company is told what its own rankings said, which depends on nobody else's needs.
    """
    value, low, high = match.probability, match.probability_low, match.probability_high
    if caller.knows_no_needs:
        value, low, high = match.company_probability, match.company_probability_low, match.company_probability_high
    if value is None or low is None or high is None:
        return None
    return seen_probability(Probability(value, low, high), caller, elsewhere=_ranked_elsewhere(match, caller))


def seen_parts(parts: Sequence[Part], caller: Caller, *, elsewhere: bool = False) -> tuple[Part, ...]:
    """The parts of a score as the caller may see them.

    Exact figures and hubs would let anybody who may rank texts of his own work out what the statistics of the catalogue
    are made of: they are for those who oversee the cluster, and not where another cluster's index has ranked,
    `elsewhere`. A company, which may not know of others' needs, sees no figures at all.
    """
    if caller.role is Role.COMPANY:
        return ()
    if caller.oversees and not elsewhere:
        return tuple(parts)
    return tuple(replace(part, value=_coarse(part.value)) for part in parts if part.name not in _HUBS)


def seen_score(score: float, parts: Sequence[Part], caller: Caller, *, elsewhere: bool = False) -> float | None:
    """A score as the caller may see it: the sum of the parts that he sees, None where he sees none."""
    if caller.oversees and not elsewhere:
        return score
    seen = seen_parts(parts, caller, elsewhere=elsewhere)
    return _coarse(sum(part.value * part.weight for part in seen)) if seen else None


def seen_probability(probability: Probability, caller: Caller, *, elsewhere: bool = False) -> Probability:
    """A probability as the caller may see it, in steps of five per cent unless he oversees the cluster that ranked."""
    if caller.oversees and not elsewhere:
        return probability
    value, low, high = (round(round(each * 20) / 20, 2) for each in astuple(probability))
    return Probability(value, low, high)


def _ranked_elsewhere(match: Match, caller: Caller) -> bool:
    """Whether the index of another cluster than the caller's ranked it.

    The two clusters have opened the need and the seed to each other, not what else they hold.
    """
    return (match.ranked_in or match.cluster_id) != caller.cluster_id


def _coarse(value: float) -> float:
    return round(value, 2) + 0.0  # never -0.0


def _part(name: str, stored: Any) -> Part:
    return Part(name, float(stored)) if isinstance(stored, int | float) else Part(name, **stored)
