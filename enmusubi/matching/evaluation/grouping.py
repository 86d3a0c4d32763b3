"""Measures by groups of queries: their language, the languages they are answered across, their length."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from enmusubi.matching.evaluation.prepared import Prepared

WITHIN, ACROSS = "same language", "across languages"
_LENGTHS = (8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True)
class Group:
    """Queries of one kind, how many there are, and the mean of their values."""

    name: str
    queries: int
    value: float


def grouped(prepared: Prepared, values: Mapping[str, float], by: Collection[str]) -> dict[str, list[Group]]:
    """The mean value of the queries of each group, by grouping; a query may be in several groups of one grouping.

    ValueError for a grouping that is not known.
    """
    unknown = [name for name in by if name not in GROUPINGS]
    if unknown:
        raise ValueError(f"queries are not grouped by {unknown[0]!r}; known: {', '.join(GROUPINGS)}")
    found: dict[str, list[Group]] = {}
    for name in by:
        members: dict[str, list[float]] = {}
        for query, value in values.items():
            for group in GROUPINGS[name](prepared, query):
                members.setdefault(group, []).append(value)
        found[name] = [
            Group(group, len(each), float(np.mean(each))) for group, each in sorted(members.items(), key=_order)
        ]
    return found


def gap(groups: Sequence[Group]) -> float | None:
    """How much better needs do that are answered in their own language; None where one of the two is missing."""
    values = {group.name: group.value for group in groups}
    return values[WITHIN] - values[ACROSS] if {WITHIN, ACROSS} <= values.keys() else None


def _order(group: tuple[str, object]) -> tuple[bool, bool, int, str]:
    name = group[0]
    return name != WITHIN, name != ACROSS, _LEAST.get(name, 0), name


def _language(prepared: Prepared, query: str) -> Sequence[str]:
    asking = prepared.asking.get(query)
    return [] if asking is None else [asking.language]


def _direction(prepared: Prepared, query: str) -> Sequence[str]:
    """From the query's language to that of its best documents, those with the highest grade; none without such.

    Documents of lower grades do not decide: nearly every need has something worth a look in either language.
    """
    asking = prepared.asking.get(query)
    grades = {name: grade for name, grade in prepared.judged[query].items() if grade > 0}
    languages = prepared.languages
    best = {languages[name] for name, grade in grades.items() if grade == max(grades.values()) and name in languages}
    if asking is None or not best:
        return []
    if len(best) > 1:
        return [f"{asking.language} → several"]
    (language,) = best
    return [WITHIN if language == asking.language else ACROSS, f"{asking.language} → {language}"]


def _length(prepared: Prepared, query: str) -> Sequence[str]:
    """By the number of terms, which means about the same in Japanese as in English."""
    asking = prepared.asking.get(query)
    return [] if asking is None else [_length_name(len(asking.terms))]


def _length_name(length: int) -> str:
    least = 0
    for most in _LENGTHS:
        if length <= most:
            return f"{least} to {most} terms"
        least = most + 1
    return f"{least} terms or more"


_LEAST = {_length_name(most): most for most in (*_LENGTHS, _LENGTHS[-1] + 1)}
GROUPINGS: Final[Mapping[str, Callable[[Prepared, str], Sequence[str]]]] = {
    "language": _language,
    "direction": _direction,
    "length": _length,
}
"""How queries can be grouped: each gives the groups a query is in."""
