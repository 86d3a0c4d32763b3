"""The parts of a score as they are stored with a match, and which of them their reader may see."""

from collections.abc import Mapping
from typing import Any, Final

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.vocabulary import Role
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
    """The parts of a stored match that the caller may see."""
    parts = parts_of(match.parts)
    return parts if may_see_ranking(match, caller) else tuple(part for part in parts if part.name not in _HUBS)


def may_see_ranking(match: Match, caller: Caller) -> bool:
    """Whether the caller may see what depends on the other entries ranked: the probability and the hubs.

    Where a seed asked, those are needs, which a company sees its own of alone.
    """
    return match.asking == "need" or caller.role is not Role.COMPANY


def _part(name: str, stored: Any) -> Part:
    return Part(name, float(stored)) if isinstance(stored, int | float) else Part(name, **stored)
