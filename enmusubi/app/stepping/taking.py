"""Take one step of a match: locked, checked against the table, written down with who, when and why."""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.errors import ConflictError, InvalidInputError, PreconditionFailedError, Sentence
from enmusubi.app.models import Interest, Match, MatchStep, Need, StepActor
from enmusubi.app.recording import Service, record
from enmusubi.app.stepping.machine import (
    HIDDEN,
    RULES,
    SIDES,
    Actor,
    is_legal,
    legal_steps,
    side_of,
    status_after,
)
from enmusubi.app.stepping.parties import actors_of
from enmusubi.app.stepping.telling import tell
from enmusubi.app.stepping.waiting import settle
from enmusubi.app.verdicts import seen_status
from enmusubi.app.vocabulary import Action, InterestAnswer, MatchStatus, ReasonCode, RecordedKind, Side, Step

TOLD_APART = (Step.REMIND, Step.ESCALATE, Step.RAISE)
"""Steps of the clock that change nothing of the match, nor its version."""
_WRITTEN = ["status", "version", "coordinator_id", "by_hand", "reopened", "reopened_for"]
_ENDS_ASKING = (Step.DECLINE, Step.CLOSE, Step.LAPSE)
_ASKED_ANEW = (Step.REOPEN, Step.PAIR)


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said with a step: why, to the coordinators (`note`), and to everybody who sees it (`message`)."""

    reason: ReasonCode | None = None
    note: str | None = None
    message: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    discloses: Sequence[str] = ()
    """Names of confidential fields that a side agrees to disclose."""


NOTHING = Saying()


@dataclass(frozen=True, slots=True)
class Held:
    """A match that nobody else takes a step of until this transaction ends, and what its sides have answered."""

    match: Match
    interests: Mapping[Side, Interest]

    @property
    def status(self) -> MatchStatus:
        """Its status."""
        return MatchStatus(self.match.status)

    @property
    def answers(self) -> dict[Side, InterestAnswer]:
        """What each side that was asked has said."""
        return {side: InterestAnswer(interest.answer) for side, interest in self.interests.items()}

    @property
    def unanswered(self) -> list[Side]:
        """The sides that have not answered yet."""
        return [side for side, answer in self.answers.items() if answer is InterestAnswer.WAITING]


def hold(session: Session, match: Match) -> Held:
    """Lock a match and read it anew, until the transaction ends.

    As the service: the database locks nothing for those who may not write the row, and whether the caller may take
    the step is asked before and after.
    """
    with acting_as_service(session):
        session.execute(select(Match.id).where(Match.id == match.id).with_for_update())
        return _read_anew(session, match)


def hold_if_free(session: Session, match: Match) -> Held | None:
    """The same for the service itself, which waits for nobody: None where somebody else holds it."""
    free = session.scalar(select(Match.id).where(Match.id == match.id).with_for_update(skip_locked=True))
    return None if free is None else _read_anew(session, match)


def _read_anew(session: Session, match: Match) -> Held:
    session.refresh(match, _WRITTEN)
    return Held(match, _interests(session, match))


def _interests(session: Session, match: Match) -> dict[Side, Interest]:
    query = select(Interest).where(Interest.match_id == match.id).order_by(Interest.side)
    found = session.scalars(query.execution_options(populate_existing=True))
    return {Side(interest.side): interest for interest in found}


def check_version(session: Session, caller: Caller, match: Match, version: int | None) -> None:
    """Raise PreconditionFailedError where the version is not the one that the caller sees now."""
    present = seen_version(session, caller, match)
    if version is not None and version != present:
        raise PreconditionFailedError("somebody took a step after you read it; read it again", present=f'"{present}"')


def seen_version(session: Session, caller: Caller, match: Match) -> int:
    """The version of a match as the caller may see it.

    The sides count the steps that they are shown: a version that counted verdicts would tell of them.
    """
    if caller.oversees and match.cluster_id == caller.cluster_id:
        return match.version
    shown = select(func.count()).where(
        MatchStep.match_id == match.id, MatchStep.after.not_in(sorted(HIDDEN)), MatchStep.step.not_in(TOLD_APART)
    )
    return 1 + (session.scalar(shown) or 0)


def take(
    session: Session,
    caller: Caller,
    held: Held,
    step: Step,
    now: datetime.datetime,
    saying: Saying = NOTHING,
) -> MatchStep:
    """Take a step on behalf of the caller; ConflictError, with the steps that are legal, where it is not."""
    match, status = held.match, held.status
    actors = actors_of(session, caller, match)
    actor = next((each for each in actors if is_legal(step, each, status, held.unanswered)), None)
    if actor is None:
        raise illegal(caller, held, step, actors)
    _check_reason(step, saying)
    after = status_after(step, actor, status, held.unanswered)
    if actor in SIDES:
        _answer(session, held, step, side_of(actor), saying, now)
    with acting_as_service(session):
        _move(held, step, after)
        if actor is Actor.COORDINATOR:
            match.coordinator_id = _coordinator_after(match, caller, step)
        session.flush()
        _ask(session, held, step, side_of(actor), now)
        begun = settle(session, match, _said(session, match), now, renews=RULES[step].renews)
    taken = _written(match, step, status, side_of(actor), saying, now)
    session.add(taken)
    session.flush()
    session.add(
        StepActor(
            step_id=taken.id,
            cluster_id=match.cluster_id,
            account_id=caller.id,
            # What a coordinator notes is nothing for the organisation that he may belong to.
            organisation_id=caller.organisation_id if actor in SIDES else None,
            veiled=actor is Actor.NEED and _is_anonymous(session, match),
            note=saying.note,
        )
    )
    session.flush()
    _record(session, caller, match, step, saying)
    tell(session, match, taken, begun)
    return taken


def take_as_service(
    session: Session, held: Held, step: Step, now: datetime.datetime, saying: Saying = NOTHING
) -> MatchStep:
    """Take a step of the service itself, which acts as such already; ConflictError where it is not legal."""
    match, status = held.match, held.status
    if not is_legal(step, Actor.SERVICE, status, held.unanswered):
        raise ConflictError(
            Sentence("the match is %(status)s; %(step)s is no step from there", status=status, step=step),
            legal_steps=[],
        )
    _check_reason(step, saying)
    after = status_after(step, Actor.SERVICE, status, held.unanswered)
    begun = []
    if step not in TOLD_APART:
        _move(held, step, after)
        if step is Step.REOPEN:
            match.reopened, match.reopened_for, match.coordinator_id = now, saying.reason, None
        session.flush()
        _ask(session, held, step, Side.CLUSTER, now)
        begun = settle(session, match, _said(session, match), now, renews=RULES[step].renews)
    taken = _written(match, step, status, Side.CLUSTER, saying, now)
    session.add(taken)
    session.flush()
    _record(session, Service(match.cluster_id), match, step, saying)
    tell(session, match, taken, begun)
    return taken


def illegal(caller: Caller, held: Held, step: Step, actors: Collection[Actor]) -> ConflictError:
    """That a step is none from here, with those that the caller may take."""
    status = held.status
    legal = legal_steps(actors, status, held.unanswered)
    return ConflictError(
        Sentence(
            "the match is %(status)s; %(step)s is no step from there; legal steps: %(steps)s",
            status=MatchStatus(seen_status(held.match, caller)),
            step=step,
            steps=tuple(legal) or Sentence("none for you"),
        ),
        legal_steps=[str(each) for each in legal],
    )


def _check_reason(step: Step, saying: Saying) -> None:
    if RULES[step].reason and saying.reason is None:
        raise InvalidInputError(Sentence("%(step)s needs a reason code", step=step))


def _move(held: Held, step: Step, after: MatchStatus) -> None:
    held.match.status = after
    flag_modified(held.match, "status")  # a new version, also where the status stays
    if step is Step.PAIR:
        held.match.by_hand = True


def _coordinator_after(match: Match, caller: Caller, step: Step) -> int | None:
    if step in (Step.DISMISS, Step.RECONSIDER):
        return None
    if step in (Step.SHORTLIST, Step.PAIR):
        return caller.id
    return match.coordinator_id or caller.id


def _answer(session: Session, held: Held, step: Step, side: Side, saying: Saying, now: datetime.datetime) -> None:
    """What a side says of itself, written with its own rights."""
    if step is Step.EXPRESS_INTEREST:
        with acting_as_service(session):
            _forget_answers(session, held)
        session.add(
            Interest(
                match_id=held.match.id, side=side, asked=now, answer=InterestAnswer.YES, answered=now,
                discloses=list(saying.discloses),
            )
        )  # fmt: skip
    elif step in (Step.ACCEPT, Step.DECLINE):
        interest = held.interests[side]
        interest.answer = InterestAnswer.YES if step is Step.ACCEPT else InterestAnswer.NO
        interest.answered, interest.reason = now, saying.reason
        interest.discloses = list(saying.discloses)
    session.flush()


def _ask(session: Session, held: Held, step: Step, side: Side, now: datetime.datetime) -> None:
    """Ask the sides, or end the asking, as the step says; done as the service."""
    match = held.match
    if step in _ASKED_ANEW:
        _forget_answers(session, held)
    elif step is Step.INTRODUCE:
        _forget_answers(session, held)
        asked = (Side.NEED, Side.SEED)
        session.add_all(
            Interest(match_id=match.id, side=each, asked=now, answer=InterestAnswer.WAITING, discloses=[])
            for each in asked
        )
    elif step is Step.EXPRESS_INTEREST:
        other = Side.SEED if side is Side.NEED else Side.NEED
        session.add(Interest(match_id=match.id, side=other, asked=now, answer=InterestAnswer.WAITING, discloses=[]))
    elif step in _ENDS_ASKING:
        for interest in _interests(session, match).values():
            if interest.answer == InterestAnswer.WAITING:
                interest.answer, interest.answered = InterestAnswer.NONE, now
    session.flush()


def _forget_answers(session: Session, held: Held) -> None:
    # What was said is in the steps; whoever is asked anew answers anew.
    for interest in held.interests.values():
        session.expunge(interest)
    session.execute(delete(Interest).where(Interest.match_id == held.match.id))


def _said(session: Session, match: Match) -> dict[Side, InterestAnswer]:
    return {side: InterestAnswer(interest.answer) for side, interest in _interests(session, match).items()}


def _written(
    match: Match, step: Step, before: MatchStatus, side: Side, saying: Saying, now: datetime.datetime
) -> MatchStep:
    return MatchStep(
        match_id=match.id,
        cluster_id=match.cluster_id,
        step=step,
        before=before,
        after=match.status,
        side=side,
        reason=saying.reason,
        message=saying.message,
        facts=dict(saying.facts),
        taken=now,
    )


def _is_anonymous(session: Session, match: Match) -> bool:
    return bool(session.scalar(select(Need.anonymous).where(Need.id == match.need_id)))


def _record(session: Session, by: Caller | Service, match: Match, step: Step, saying: Saying) -> None:
    if step in (Step.SHORTLIST, Step.DISMISS):
        return  # a verdict is recorded as such
    said: dict[str, Any] = {"step": str(step), "status": str(match.status), "version": match.version}
    if saying.reason:
        said["reason"] = str(saying.reason)
    if saying.discloses:
        said["discloses"] = sorted(saying.discloses)
    action = Action.DISCLOSED if step is Step.DISCLOSE else Action.STEPPED
    record(session, by, action, RecordedKind.MATCH, match.public_id, **said)
