"""What a ranking found: entries with what a list shows of them, and what ranked them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from enmusubi.matching.calibration import Probability
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.shared import Asked

EXCERPT = 300  # characters of an entry's text shown in a list of matches


@dataclass(frozen=True, slots=True)
class Provenance:
    """What ranked: the snapshot (None: all scored exactly from stored vectors), the model and the policy."""

    snapshot: str | None
    model: str
    revision: str
    precision: str
    policy: str
    calibration: str
    needs_unknown: bool
    """Whether it ranked for a company, by statistics that no need of the catalogue has changed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One ranked entry with what a list shows of it."""

    ranked: Ranked
    probability: Probability
    row: Row[Any]
    fresh: bool  # newer than the snapshot, and scored from its row


@dataclass(frozen=True, slots=True)
class Proposals:
    """Ranked entries, best first, and what ranked them."""

    found: Sequence[Proposal]
    asked: Asked
    provenance: Provenance
    any_open: bool  # whether there was anything at all that could have been proposed
    any_ranked: bool  # whether any of it has an up-to-date vector and terms, by which it is ranked
    misses: bool  # whether no entry is as probable as the floor: those found, if any, are the nearest misses
