"""The state machine of a match, as one table: who may take which step from where, and where it leads.

docs/introductions.md shows it, and a test compares.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from enmusubi.app.vocabulary import Awaited, InterestAnswer, MatchStatus, Side, Step


class Actor(StrEnum):
    """Who takes a step."""

    NEED = "need"
    """The company, or whoever else the need belongs to."""
    SEED = "seed"
    """The university or institute that the seed belongs to."""
    COORDINATOR = "coordinator"
    """A coordinator of the need's cluster."""
    ADMINISTRATOR = "administrator"
    """A cluster administrator of it."""
    SERVICE = "service"
    """The service itself: its clock, and what follows from a change elsewhere."""


SIDES: Final = (Actor.NEED, Actor.SEED)
CLUSTER: Final = (Actor.COORDINATOR, Actor.ADMINISTRATOR)

HIDDEN: Final = frozenset({MatchStatus.SUGGESTED, MatchStatus.SHORTLISTED, MatchStatus.DISMISSED})
"""What the two sides are not told apart: to them it is `suggested`, and no step that leads there is shown."""
CLOSED: Final = frozenset({MatchStatus.SUGGESTED, MatchStatus.DISMISSED, MatchStatus.DECLINED, MatchStatus.OUTCOME})
"""Where nobody is waited for."""
OPEN: Final = frozenset(MatchStatus) - CLOSED
"""Where somebody is."""
INTRODUCED: Final = OPEN - HIDDEN
"""Under way between the two sides."""

_TALKING: Final = (MatchStatus.DISCLOSED, MatchStatus.MEETING, MatchStatus.NEGOTIATION, MatchStatus.AGREEMENT)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: from where, by whom, and where to (None: it stays)."""

    before: frozenset[MatchStatus]
    after: MatchStatus | None
    actors: tuple[Actor, ...]
    reason: bool = False
    """Whether a reason code has to be given."""
    renews: bool = False
    """Whether whoever is waited for gets a new term, also where the same is awaited as before."""


def _rule(
    before: Collection[MatchStatus],
    after: MatchStatus | None,
    *actors: Actor,
    reason: bool = False,
    renews: bool = False,
) -> Rule:
    return Rule(frozenset(before), after, actors, reason, renews)


_S = MatchStatus
RULES: Final[Mapping[Step, Rule]] = {
    Step.SHORTLIST: _rule(HIDDEN, _S.SHORTLISTED, Actor.COORDINATOR),
    Step.DISMISS: _rule(HIDDEN, _S.DISMISSED, Actor.COORDINATOR, reason=True),
    Step.RECONSIDER: _rule({_S.SHORTLISTED, _S.DISMISSED}, _S.SUGGESTED, Actor.COORDINATOR),
    Step.PAIR: _rule({_S.SUGGESTED, _S.DISMISSED, _S.DECLINED}, _S.SHORTLISTED, Actor.COORDINATOR),
    Step.INTRODUCE: _rule({_S.SHORTLISTED}, _S.INTRODUCED, Actor.COORDINATOR),
    Step.EXPRESS_INTEREST: _rule(HIDDEN, _S.INTRODUCED, *SIDES),
    # Where the other side has said yes, accepted; it stays introduced otherwise.
    Step.ACCEPT: _rule({_S.INTRODUCED}, _S.ACCEPTED, *SIDES),
    Step.DECLINE: _rule({_S.INTRODUCED}, _S.DECLINED, *SIDES, reason=True),
    Step.DISCLOSE: _rule({_S.ACCEPTED}, _S.DISCLOSED, Actor.COORDINATOR),
    Step.MEET: _rule({_S.DISCLOSED, _S.MEETING}, _S.MEETING, *SIDES, Actor.COORDINATOR, renews=True),
    Step.NEGOTIATE: _rule({_S.MEETING}, _S.NEGOTIATION, *SIDES, Actor.COORDINATOR, renews=True),
    Step.AGREE: _rule({_S.MEETING, _S.NEGOTIATION}, _S.AGREEMENT, *SIDES, Actor.COORDINATOR),
    Step.REPORT_OUTCOME: _rule({_S.AGREEMENT, _S.OUTCOME}, _S.OUTCOME, *SIDES, Actor.COORDINATOR),
    Step.CLOSE: _rule({_S.INTRODUCED, _S.ACCEPTED, *_TALKING}, _S.DECLINED, *SIDES, Actor.COORDINATOR, reason=True),
    Step.LAPSE: _rule({_S.INTRODUCED}, _S.DECLINED, Actor.SERVICE, reason=True),
    Step.REOPEN: _rule({_S.DECLINED, _S.DISMISSED}, _S.SUGGESTED, Actor.SERVICE, reason=True),
    Step.HAND_OVER: _rule(OPEN, None, *CLUSTER),
    Step.REMIND: _rule(OPEN, None, Actor.SERVICE),
    Step.ESCALATE: _rule(OPEN, None, Actor.SERVICE),
    Step.RAISE: _rule(OPEN, None, Actor.SERVICE),
}
"""Every step."""

_ANSWERS: Final = frozenset({Step.ACCEPT, Step.DECLINE})
_AWAITED: Final[Mapping[MatchStatus, tuple[Side, Awaited]]] = {
    _S.SHORTLISTED: (Side.CLUSTER, Awaited.INTRODUCTION),
    _S.ACCEPTED: (Side.CLUSTER, Awaited.DISCLOSURE),
    _S.DISCLOSED: (Side.CLUSTER, Awaited.MEETING),
    _S.MEETING: (Side.CLUSTER, Awaited.REPORT),
    _S.NEGOTIATION: (Side.CLUSTER, Awaited.REPORT),
    _S.AGREEMENT: (Side.CLUSTER, Awaited.OUTCOME),
}

Asked = Mapping[Side, InterestAnswer]
"""What each side that was asked has said so far."""


def side_of(actor: Actor) -> Side:
    """Whose step it is that this actor takes."""
    return Side(str(actor)) if actor in SIDES else Side.CLUSTER


def is_legal(step: Step, actor: Actor, status: MatchStatus, unanswered: Collection[Side]) -> bool:
    """Whether the actor may take the step now; `unanswered` are the sides whose answer is waited for."""
    rule = RULES[step]
    if actor not in rule.actors or status not in rule.before:
        return False
    if status is MatchStatus.INTRODUCED and actor in SIDES:
        # Who has not answered yet answers; who has said yes may still close.
        return (side_of(actor) in unanswered) == (step in _ANSWERS)
    return True


def legal_steps(actors: Collection[Actor], status: MatchStatus, unanswered: Collection[Side]) -> list[Step]:
    """The steps that one of the actors may take now, in the order of the table."""
    return [step for step in RULES if any(is_legal(step, actor, status, unanswered) for actor in actors)]


def status_after(step: Step, actor: Actor, status: MatchStatus, unanswered: Collection[Side]) -> MatchStatus:
    """Where a legal step leads."""
    if step is Step.ACCEPT and any(side is not side_of(actor) for side in unanswered):
        return status
    return RULES[step].after or status


def awaited(status: MatchStatus, answers: Asked) -> set[tuple[Side, Awaited]]:
    """Who is waited for, and for what, in this status."""
    if status is MatchStatus.INTRODUCED:
        return {(side, Awaited.ANSWER) for side, answer in answers.items() if answer is InterestAnswer.WAITING}
    return {_AWAITED[status]} if status in _AWAITED else set()
