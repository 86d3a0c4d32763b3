"""Where a match is: its steps, who is waited for, and what the reader may do now."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from enmusubi.app import visibility
from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.clock import day_of
from enmusubi.app.introducing.hindrances import Standing, hindrances_of, legal_in, standing_of
from enmusubi.app.introducing.shown import Reader, StepOut, StepsOut, StepTaken, WaitOut, step_out, wait_out
from enmusubi.app.models import Match, MatchStep, StepActor, Wait
from enmusubi.app.reviewing import read_match
from enmusubi.app.stepping.machine import legal_steps
from enmusubi.app.stepping.parties import actors_of, sides_of
from enmusubi.app.stepping.taking import seen_version
from enmusubi.app.stepping.waiting import open_waits
from enmusubi.app.verdicts import seen_status
from enmusubi.app.vocabulary import Awaited, MatchStatus, Side, Step

Rows = Sequence[tuple[MatchStep, StepActor | None]]


def steps_by_match(session: Session, caller: Caller, matches: Iterable[Match]) -> Mapping[int, Rows]:
    """The steps of matches that the caller sees, in their order, each with who took it where he may know."""
    keys = [match.id for match in matches]
    if not keys:
        return {}
    query = (
        select(MatchStep, StepActor)
        .outerjoin(StepActor, (StepActor.step_id == MatchStep.id) & visibility.step_actors_visible_to(caller))
        .outerjoin(StepActor.account)
        .where(MatchStep.match_id.in_(keys), visibility.steps_visible_to(caller))
        .order_by(MatchStep.id)
        .options(contains_eager(StepActor.account))
    )
    found: dict[int, list[tuple[MatchStep, StepActor | None]]] = defaultdict(list)
    for step, actor in session.execute(query):
        found[step.match_id].append((step, actor))
    return found


def waits_by_match(session: Session, caller: Caller, matches: Iterable[Match]) -> Mapping[int, Sequence[Wait]]:
    """What is waited for in matches that the caller sees."""
    keys = [match.id for match in matches]
    if not keys:
        return {}
    query = select(Wait).where(Wait.match_id.in_(keys), Wait.ended.is_(None), visibility.waits_visible_to(caller))
    found: dict[int, list[Wait]] = defaultdict(list)
    for wait in session.scalars(query.order_by(Wait.id)):
        found[wait.match_id].append(wait)
    return found


def read_steps(session: Session, caller: Caller, public_id: uuid.UUID, now: datetime.datetime) -> tuple[StepsOut, int]:
    """What happened to a match, as its reader may know it, and the version of it that he sees."""
    match = read_match(session, caller, public_id)
    reader = Reader(caller, sides_of(session, match))
    rows = steps_by_match(session, caller, [match]).get(match.id, ())
    standings = standing_of(session, caller, [match])
    shown = StepsOut(
        match=match.public_id,
        status=seen_status(match, caller),
        steps=[step_out(reader, match, step, actor) for step, actor in rows],
        waiting=_waiting(session, reader, match, now, standings),
        legal_steps=_legal(session, caller, match, standings),
    )
    return shown, seen_version(session, caller, match)


def taken_out(session: Session, caller: Caller, step: MatchStep, now: datetime.datetime) -> tuple[StepTaken, int]:
    """A step that the caller has just taken, and the version of its match since then."""
    match = session.get_one(Match, step.match_id)
    reader = Reader(caller, sides_of(session, match))
    rows = steps_by_match(session, caller, [match]).get(match.id, ())
    shown: StepOut = next(step_out(reader, match, row, actor) for row, actor in rows if row.id == step.id)
    standings = standing_of(session, caller, [match])
    taken = StepTaken(
        match=match.public_id,
        step=shown,
        status=seen_status(match, caller),
        waiting=_waiting(session, reader, match, now, standings),
        legal_steps=_legal(session, caller, match, standings),
    )
    return taken, seen_version(session, caller, match)


def _legal(session: Session, caller: Caller, match: Match, standings: Mapping[int, Standing]) -> list[Step]:
    with acting_as_service(session):
        waits = open_waits(session, match)
    unanswered = [Side(wait.side) for wait in waits if wait.awaited == Awaited.ANSWER]
    steps = legal_steps(actors_of(session, caller, match), MatchStatus(match.status), unanswered)
    return legal_in(standings, match, steps)


def _waiting(
    session: Session, reader: Reader, match: Match, now: datetime.datetime, standings: Mapping[int, Standing]
) -> list[WaitOut]:
    waits = waits_by_match(session, reader.caller, [match]).get(match.id, ())
    return [wait_out(reader, wait, day_of(now), hindrances_of(standings, wait)) for wait in waits]
