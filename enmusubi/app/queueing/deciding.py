"""Verdicts on many matches, and taking them back: all of them, or none and why."""

import datetime
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.errors import (
    ConflictError,
    EnmusubiError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    Sentence,
)
from enmusubi.app.introducing.drafts import StepDraft
from enmusubi.app.introducing.steps import At, reconsider
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.reviewing import read_match, review
from enmusubi.app.schemas import ReviewDraft

MOST: Final = 100
"""Matches that are decided on at once."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """A match and the version of it that was looked at."""

    match: uuid.UUID
    version: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A match that cannot be decided on like this, and what says so."""

    match: uuid.UUID
    error: EnmusubiError


class NotAllDecidedError(ConflictError):
    """Some of the matches stand otherwise by now: none was decided on."""

    title = "Nothing was decided"

    def __init__(self, refused: Sequence[Refused], of: int) -> None:
        super().__init__(f"{len(refused)} of {of} matches stand otherwise by now; nothing was decided")
        self.refused = refused


def require_decider(caller: Caller, right: Right) -> None:
    """Raise what the policy answers to those who decide on nothing in the queue, whichever match they name."""
    # Who does not oversee a cluster sees a match only where a side of it is his own.
    require(caller, right, Relation.HERE if caller.oversees else Relation.OWN)


def review_all(
    session: Session, caller: Caller, ticked: Sequence[Ticked], draft: ReviewDraft, now: datetime.datetime
) -> list[Ticked]:
    """Give one verdict on several matches; them with their new versions.

    NotAllDecidedError, with each that does not go and why, where any does not: the transaction is then to be undone.
    """
    require_decider(caller, Right.REVIEW_MATCH)
    return _all(session, caller, ticked, lambda each: review(session, caller, each.match, draft, each.version, now))


def reconsider_all(session: Session, caller: Caller, ticked: Sequence[Ticked], now: datetime.datetime) -> list[Ticked]:
    """Take back the verdicts on several matches; them with their new versions. NotAllDecidedError as above."""
    require_decider(caller, Right.HANDLE_MATCH)
    nothing = StepDraft()
    return _all(
        session, caller, ticked, lambda each: reconsider(session, caller, At(each.match, each.version, now), nothing)
    )


def _all(
    session: Session, caller: Caller, ticked: Sequence[Ticked], decide: Callable[[Ticked], object]
) -> list[Ticked]:
    if not ticked:
        raise InvalidInputError("match: none is ticked")
    if len(ticked) > MOST:
        raise InvalidInputError(Sentence("match: at most %(most)s at once", most=MOST))
    refused = []
    # In one order everywhere, so that two that decide on the same do not deadlock.
    for each in sorted(set(ticked), key=lambda one: one.match):
        try:
            decide(each)
        except (ConflictError, PreconditionFailedError, NotFoundError) as error:
            refused.append(Refused(each.match, error))
    if refused:
        raise NotAllDecidedError(refused, len(ticked))
    return [Ticked(each.match, read_match(session, caller, each.match).version) for each in ticked]
