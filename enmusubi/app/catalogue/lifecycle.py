"""The life of a seed or a need: which status may follow which, by which step, taken by whom.

`published` as an end stands for `under_review` where somebody else has to look at the entry first (`publishing`). A row
of a file that the operator ingests is put into its status without a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from enmusubi.app.errors import ConflictError, Sentence
from enmusubi.app.vocabulary import EntryStatus, EntryStep


class By(StrEnum):
    """Who takes a step."""

    OWNER = "owner"
    """Who may change the entry: its own organisation, or a coordinator of its cluster."""
    REVIEWER = "reviewer"
    """A coordinator or administrator of its cluster, but whose words they are."""
    CLOCK = "clock"
    """Nobody: the day has come."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who takes a step, and what status it leads to from which."""

    by: By
    leads: Mapping[EntryStatus, EntryStatus]


def _to(end: EntryStatus, *starts: EntryStatus) -> Mapping[EntryStatus, EntryStatus]:
    return MappingProxyType(dict.fromkeys(starts, end))


def _same(*statuses: EntryStatus) -> dict[EntryStatus, EntryStatus]:
    return {status: status for status in statuses}


_DRAFT, _UNDER_REVIEW, _PUBLISHED = EntryStatus.DRAFT, EntryStatus.UNDER_REVIEW, EntryStatus.PUBLISHED
_ON_HOLD, _REJECTED, _EXPIRED = EntryStatus.ON_HOLD, EntryStatus.REJECTED, EntryStatus.EXPIRED
_ARCHIVED, _WITHDRAWN = EntryStatus.ARCHIVED, EntryStatus.WITHDRAWN
_OPEN: Final = (_DRAFT, _UNDER_REVIEW, _PUBLISHED, _ON_HOLD, _REJECTED, _EXPIRED)

BEGINNINGS: Final = (_DRAFT, _PUBLISHED, _ON_HOLD)
"""What an entry may begin as."""

CLOSED: Final = (_ARCHIVED, _WITHDRAWN)
"""Entries whose words are not changed any more."""

MACHINE: Final[Mapping[EntryStep, Rule]] = {
    EntryStep.SUBMIT: Rule(By.OWNER, _to(_PUBLISHED, _DRAFT, _REJECTED)),
    EntryStep.RECALL: Rule(By.OWNER, _to(_DRAFT, _UNDER_REVIEW, _PUBLISHED, _ON_HOLD, _REJECTED, _EXPIRED)),
    EntryStep.HOLD: Rule(By.OWNER, _to(_ON_HOLD, _DRAFT, _PUBLISHED)),
    EntryStep.RESUME: Rule(By.OWNER, _to(_PUBLISHED, _ON_HOLD, _ARCHIVED)),
    EntryStep.RENEW: Rule(
        By.OWNER,
        {**_same(_DRAFT, _UNDER_REVIEW, _PUBLISHED, _ON_HOLD, _REJECTED, _ARCHIVED), _EXPIRED: _PUBLISHED},
    ),
    EntryStep.ARCHIVE: Rule(By.OWNER, _to(_ARCHIVED, _PUBLISHED, _ON_HOLD, _REJECTED, _EXPIRED)),
    EntryStep.WITHDRAW: Rule(By.OWNER, _to(_WITHDRAWN, *_OPEN, _ARCHIVED)),
    # Also of what is published: where its words were revised since somebody looked at it.
    EntryStep.APPROVE: Rule(By.REVIEWER, {_UNDER_REVIEW: _PUBLISHED, **_same(_PUBLISHED, _ON_HOLD)}),
    EntryStep.REJECT: Rule(By.REVIEWER, _to(_REJECTED, _UNDER_REVIEW, _PUBLISHED, _ON_HOLD)),
    EntryStep.EXPIRE: Rule(By.CLOCK, _to(_EXPIRED, _PUBLISHED, _ON_HOLD)),
}

_TOWARDS: Final[Mapping[EntryStatus, Mapping[EntryStatus, EntryStep]]] = {
    _DRAFT: dict.fromkeys(MACHINE[EntryStep.RECALL].leads, EntryStep.RECALL),
    _ON_HOLD: {_DRAFT: EntryStep.HOLD, _PUBLISHED: EntryStep.HOLD},
    _PUBLISHED: {
        _DRAFT: EntryStep.SUBMIT,
        _REJECTED: EntryStep.SUBMIT,
        _ON_HOLD: EntryStep.RESUME,
        _ARCHIVED: EntryStep.RESUME,
        _EXPIRED: EntryStep.RENEW,
    },
}


def possible(status: str, by: By, *, review_due: bool = False) -> list[EntryStep]:
    """The steps that one of these may take with an entry of that status."""
    steps = [step for step, rule in MACHINE.items() if rule.by is by and status in rule.leads]
    reviewed = by is By.REVIEWER and status != _UNDER_REVIEW and not review_due
    return [] if reviewed else steps


def after(step: EntryStep, status: str, *, review_due: bool = False) -> EntryStatus:
    """The status that a step leads to; ConflictError names the steps that are possible instead."""
    rule = MACHINE[step]
    steps = possible(status, rule.by, review_due=review_due)
    if step not in steps:
        said = Sentence(
            "%(step)s: the entry is %(status)s; steps that are possible now: %(steps)s",
            step=step, status=EntryStatus(status), steps=_named(steps),
        )  # fmt: skip
        raise ConflictError(said, possible=steps)
    return rule.leads[EntryStatus(status)]


def _named(steps: list[EntryStep]) -> tuple[EntryStep, ...] | Sentence:
    return tuple(steps) or Sentence("none")


def towards(status: str, asked: EntryStatus) -> EntryStep | None:
    """The step that brings an entry to the status asked for, None where it is there, or waits for a review already.

    Raises ConflictError where no step does.
    """
    if status == asked or (status == _UNDER_REVIEW and asked is _PUBLISHED):
        return None
    step = _TOWARDS.get(asked, {}).get(EntryStatus(status))
    if step is None:
        steps = possible(status, By.OWNER)
        said = Sentence(
            "status: the entry is %(status)s, from which nothing leads to %(asked)s; steps that are possible now: "
            "%(steps)s",
            status=EntryStatus(status), asked=asked, steps=_named(steps),
        )  # fmt: skip
        raise ConflictError(said, possible=steps)
    return step
