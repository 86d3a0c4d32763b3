"""Steps of a match over its whole path, but for disclosure and pairing by hand."""

import datetime
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.clock import day_of
from enmusubi.app.errors import ConflictError, ForbiddenError, InvalidInputError
from enmusubi.app.introducing.days import refuse_far
from enmusubi.app.introducing.drafts import InterestDraft, OutcomeDraft, RefusalDraft, ReportDraft, StepDraft
from enmusubi.app.introducing.hindrances import refuse_unanswerable, tell_unanswerable
from enmusubi.app.models import ClusterSettings, Match, MatchStep, Need, Outcome, Seed, StepActor
from enmusubi.app.permissions import Relation, Right, relation_to, require
from enmusubi.app.reviewing import read_match
from enmusubi.app.stepping.machine import RULES, SIDES, Actor
from enmusubi.app.stepping.parties import actors_of
from enmusubi.app.stepping.taking import Held, Saying, check_version, hold, take
from enmusubi.app.vocabulary import MatchStatus, Side, Step

RIGHTS: Final[Mapping[Step, Right]] = {
    Step.RECONSIDER: Right.HANDLE_MATCH,
    Step.INTRODUCE: Right.HANDLE_MATCH,
    Step.DISCLOSE: Right.HANDLE_MATCH,
    Step.EXPRESS_INTEREST: Right.ANSWER_MATCH,
    Step.ACCEPT: Right.ANSWER_MATCH,
    Step.DECLINE: Right.ANSWER_MATCH,
    Step.MEET: Right.FOLLOW_MATCH,
    Step.NEGOTIATE: Right.FOLLOW_MATCH,
    Step.AGREE: Right.FOLLOW_MATCH,
    Step.REPORT_OUTCOME: Right.FOLLOW_MATCH,
    Step.CLOSE: Right.FOLLOW_MATCH,
}


@dataclass(frozen=True, slots=True)
class At:
    """Of which match a step is to be taken, when, and the version of it that its taker has read; None: any."""

    match: uuid.UUID
    version: int | None
    now: datetime.datetime


def to_step(session: Session, caller: Caller, at: At, step: Step) -> Held:
    """The match, locked, for a caller who may take such a step where it is legal.

    Raises NotFoundError, ForbiddenError, or PreconditionFailedError where the version is not the present one.
    """
    match = read_match(session, caller, at.match)
    refuse_others(caller, match, step, actors_of(session, caller, match))
    held = hold(session, match)
    check_version(session, caller, match, at.version)
    return held


def refuse_others(caller: Caller, match: Match, step: Step, actors: Collection[Actor]) -> None:
    """Raise what the policy answers to who is nobody that takes this step."""
    if any(actor in RULES[step].actors for actor in actors):
        return
    # Who sees a match without overseeing a cluster has a side in it.
    relation = relation_to(caller, match.cluster_id, None) if caller.oversees else Relation.OWN
    require(caller, RIGHTS[step], relation)
    raise ForbiddenError("this step is for the other side, or for a coordinator")


def reconsider(session: Session, caller: Caller, at: At, draft: StepDraft) -> MatchStep:
    """A coordinator takes a verdict back; the pair is proposed again."""
    held = to_step(session, caller, at, Step.RECONSIDER)
    return take(session, caller, held, Step.RECONSIDER, at.now, Saying(note=draft.note))


def introduce(session: Session, caller: Caller, at: At, draft: StepDraft) -> MatchStep:
    """A coordinator has both sides asked."""
    held = to_step(session, caller, at, Step.INTRODUCE)
    if held.status is MatchStatus.SHORTLISTED:
        refuse_closed_entries(session, held.match)
        refuse_unanswerable(session, held.match)
    return take(session, caller, held, Step.INTRODUCE, at.now, Saying(note=draft.note))


def express_interest(session: Session, caller: Caller, at: At, draft: InterestDraft) -> MatchStep:
    """A side says yes before it was asked; the other side is asked at once, and the coordinators are told.

    Also where nobody there can answer, which the side that asks is not to learn.
    """
    held = to_step(session, caller, at, Step.EXPRESS_INTEREST)
    if held.status in RULES[Step.EXPRESS_INTEREST].before:
        refuse_closed_entries(session, held.match)
        _refuse_more_than_the_most(session, caller, held.match)
    taken = take(session, caller, held, Step.EXPRESS_INTEREST, at.now, _yes(session, caller, held, draft))
    tell_unanswerable(session, held.match, Side(taken.side))
    return taken


def accept(session: Session, caller: Caller, at: At, draft: InterestDraft) -> MatchStep:
    """A side that was asked says yes."""
    held = to_step(session, caller, at, Step.ACCEPT)
    return take(session, caller, held, Step.ACCEPT, at.now, _yes(session, caller, held, draft))


def decline(session: Session, caller: Caller, at: At, draft: RefusalDraft) -> MatchStep:
    """A side that was asked says no."""
    held = to_step(session, caller, at, Step.DECLINE)
    return take(session, caller, held, Step.DECLINE, at.now, Saying(draft.reason, draft.note, draft.message))


def close(session: Session, caller: Caller, at: At, draft: RefusalDraft) -> MatchStep:
    """A side or a coordinator ends what is under way."""
    held = to_step(session, caller, at, Step.CLOSE)
    return take(session, caller, held, Step.CLOSE, at.now, Saying(draft.reason, draft.note, draft.message))


def report(session: Session, caller: Caller, at: At, step: Step, draft: ReportDraft) -> MatchStep:
    """A meeting, a negotiation or an agreement, by whoever was there."""
    held = to_step(session, caller, at, step)
    day = draft.on or day_of(at.now)
    refuse_far({"on": day}, at.now)
    if step is not Step.MEET and day > day_of(at.now):
        raise InvalidInputError("on: is not past yet")
    return take(session, caller, held, step, at.now, Saying(None, draft.note, draft.message, {"on": day.isoformat()}))


def report_outcome(session: Session, caller: Caller, at: At, draft: OutcomeDraft) -> MatchStep:
    """What came of it; a further one is reported in the same way."""
    held = to_step(session, caller, at, Step.REPORT_OUTCOME)
    refuse_far({"agreed_on": draft.agreed_on, "starts_on": draft.starts_on, "ends_on": draft.ends_on}, at.now)
    facts = {"kind": str(draft.kind), "agreed_on": draft.agreed_on.isoformat()}
    taken = take(session, caller, held, Step.REPORT_OUTCOME, at.now, Saying(note=draft.note, facts=facts))
    values = draft.model_dump(exclude={"note"})
    session.add(Outcome(match_id=held.match.id, account_id=caller.id, created=at.now, **values))
    session.flush()
    return taken


def list_outcomes(session: Session, caller: Caller, public_id: uuid.UUID) -> list[Outcome]:
    """What came of a match, in the order in which it was reported."""
    match = read_match(session, caller, public_id)
    return list(session.scalars(select(Outcome).where(Outcome.match_id == match.id).order_by(Outcome.id)))


def refuse_closed_entries(session: Session, match: Match) -> None:
    """Raise ConflictError unless both entries may be proposed, and to each other.

    Whoever is told sees both entries, and is a coordinator or has a side in the pair.
    """
    open_here = (
        select(func.count())
        .select_from(Match)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(
            Match.id == match.id,
            visibility.open_for_matching(Need),
            visibility.open_for_matching(Seed),
            ~visibility.excluded_pair(),
        )
    )
    if not session.scalar(open_here):
        raise ConflictError("one of the two entries is not open to be introduced, or not to the other", legal_steps=[])


def _yes(session: Session, caller: Caller, held: Held, draft: InterestDraft) -> Saying:
    if draft.discloses and Actor.NEED not in actors_of(session, caller, held.match):
        raise InvalidInputError("discloses: is for the side of the need; a seed's unpublished part is not disclosed")
    return Saying(None, draft.note, draft.message, discloses=sorted(set(draft.discloses)))


def _refuse_more_than_the_most(session: Session, caller: Caller, match: Match) -> None:
    """So that nobody asks everybody: open introductions that the organisation asked for, in the match's cluster.

    A coordinator of it introduces whomever anyway, so what he asks for, as of an entry of no organisation, is not
    counted.
    """
    if caller.coordinates and match.cluster_id == caller.cluster_id:
        return
    # One at a time of an organisation, so that two at once are both counted.
    whose = f"interests/{match.cluster_id}/{caller.organisation_id}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(whose, 0))))
    with acting_as_service(session):
        most = session.get_one(ClusterSettings, match.cluster_id).most_open_interests
    present = (
        select(func.count(func.distinct(Match.id)))
        .join(MatchStep, MatchStep.match_id == Match.id)
        .join(StepActor, StepActor.step_id == MatchStep.id)
        .where(
            Match.cluster_id == match.cluster_id,
            Match.status == MatchStatus.INTRODUCED,
            MatchStep.step == Step.EXPRESS_INTEREST,
            MatchStep.side.in_([str(side) for side in SIDES]),
            StepActor.organisation_id == caller.organisation_id,
        )
    )
    if (session.scalar(present) or 0) >= most:
        raise ConflictError(
            f"{most} introductions that your organisation asked for wait for an answer; that is as many as may at once",
            legal_steps=[],
        )
