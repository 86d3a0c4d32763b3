""" "Where is my need?": what happened, who is waited for, and until when, for its owner and those who oversee it."""

import datetime
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session, load_only, selectinload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.needs import owners_known, read_need
from enmusubi.app.catalogue.seeds import read_seed
from enmusubi.app.clock import day_of
from enmusubi.app.introducing.hindrances import hindrances_of, standing_of
from enmusubi.app.introducing.reading import steps_by_match, waits_by_match
from enmusubi.app.introducing.shown import (
    EntryNamed,
    OutcomeOut,
    Reader,
    StepOut,
    WaitOut,
    Whose,
    entry_named,
    outcomes_out,
    status_seen,
    step_out,
    wait_out,
)
from enmusubi.app.models import Match, Need, NeedDetail, Outcome, Seed
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.stepping.machine import OPEN
from enmusubi.app.vocabulary import EntryStatus, MatchStatus, Side


class MatchProgress(BaseModel):
    """One match that was taken up, from the beginning to where it is."""

    match: uuid.UUID
    other: EntryNamed = Field(description="The seed of a need's match, the need of a seed's")
    status: MatchStatus
    steps: list[StepOut] = Field(description="In their order")
    waiting: list[WaitOut]
    outcomes: list[OutcomeOut]


class ProgressOut(BaseModel):
    """What happened to an entry, what is waiting on whom, and until when."""

    entry: EntryNamed
    status: EntryStatus
    counts: dict[MatchStatus, int] = Field(description="How many of its matches are in which status")
    waiting_on_you: int = Field(description="How many of the steps that are waited for are yours")
    overdue: int = Field(description="How many of them all are overdue")
    next_due_on: datetime.date | None = Field(description="When the first of them is due")
    matches: list[MatchProgress] = Field(description="Those that were taken up, the latest first")


def need_progress(session: Session, caller: Caller, public_id: uuid.UUID, now: datetime.datetime) -> ProgressOut:
    """What happened to a need."""
    return progress_of_need(session, caller, read_need(session, caller, public_id), now)


def progress_of_need(session: Session, caller: Caller, need: Need, now: datetime.datetime) -> ProgressOut:
    """The same of a need that was read."""
    owner = caller.organisation_id if owners_known(session, caller, [need]) else None
    require(caller, Right.FOLLOW_NEED, relation_to(caller, need.cluster_id, owner))
    sides = {Side.NEED} if owner is not None else set()
    if caller.coordinates and need.cluster_id == caller.cluster_id:
        unowned = select(NeedDetail.need_id).where(NeedDetail.need_id == need.id, NeedDetail.owner_id.is_(None))
        sides |= {Side.CLUSTER} | ({Side.NEED} if session.scalar(unowned) else set())
    return _progress(session, Reader(caller, sides), need, now)


def seed_progress(session: Session, caller: Caller, public_id: uuid.UUID, now: datetime.datetime) -> ProgressOut:
    """What happened to a seed, as far as its matches may be seen."""
    return progress_of_seed(session, caller, read_seed(session, caller, public_id), now)


def progress_of_seed(session: Session, caller: Caller, seed: Seed, now: datetime.datetime) -> ProgressOut:
    """The same of a seed that was read."""
    require(caller, Right.FOLLOW_SEED, relation_to(caller, seed.cluster_id, seed.organisation_id))
    own = seed.organisation_id is not None and seed.organisation_id == caller.organisation_id
    sides = {Side.SEED} if own else set()
    if caller.coordinates and seed.cluster_id == caller.cluster_id:
        sides |= {Side.CLUSTER} | ({Side.SEED} if seed.organisation_id is None else set())
    return _progress(session, Reader(caller, sides), seed, now)


def _progress(session: Session, reader: Reader, entry: Seed | Need, now: datetime.datetime) -> ProgressOut:
    caller = reader.caller
    every = _matches(session, caller, entry)
    counts = Counter(status_seen(reader, match, match.status) for match in every)
    matches = [match for match in every if status_seen(reader, match, match.status) is not MatchStatus.SUGGESTED]
    steps = steps_by_match(session, caller, matches)
    waits = waits_by_match(session, caller, [match for match in matches if match.status in OPEN])
    standings = standing_of(session, caller, [match for match in matches if match.id in waits])
    outcomes = _outcomes(session, [match for match in matches if match.status == MatchStatus.OUTCOME])
    shown = [
        MatchProgress(
            match=match.public_id,
            other=entry_named(match.seed if isinstance(entry, Need) else match.need),
            status=status_seen(reader, match, match.status),
            steps=[step_out(reader, match, step, actor) for step, actor in steps.get(match.id, ())],
            waiting=[
                wait_out(reader, wait, day_of(now), hindrances_of(standings, wait)) for wait in waits.get(match.id, ())
            ],
            outcomes=outcomes_out(outcomes.get(match.id, ())),
        )
        for match in matches
    ]
    waited = [wait for each in shown for wait in each.waiting]
    return ProgressOut(
        entry=entry_named(entry),
        status=EntryStatus(entry.status),
        counts=dict(counts),
        waiting_on_you=sum(wait.on is Whose.YOU for wait in waited),
        overdue=sum(wait.overdue for wait in waited),
        next_due_on=min((wait.due_on for wait in waited), default=None),
        matches=shown,
    )


def _matches(session: Session, caller: Caller, entry: Seed | Need) -> Sequence[Match]:
    """Every match of the entry, the latest first."""
    of_entry, other = (Match.need_id, Match.seed) if isinstance(entry, Need) else (Match.seed_id, Match.need)
    named = (Seed.public_id, Seed.title) if isinstance(entry, Need) else (Need.public_id, Need.title)
    query = (
        select(Match)
        .where(of_entry == entry.id, visibility.matches_visible_to(caller))
        .options(
            selectinload(other).load_only(*named),
            load_only(Match.public_id, Match.status, Match.cluster_id, Match.need_id, Match.seed_id),
        )
        .order_by(Match.id.desc())
    )
    return session.scalars(query).all()


def _outcomes(session: Session, matches: Sequence[Match]) -> Mapping[int, Sequence[Outcome]]:
    found: dict[int, list[Outcome]] = {}
    if not matches:
        return found
    for outcome in session.scalars(
        select(Outcome).where(Outcome.match_id.in_([match.id for match in matches])).order_by(Outcome.id)
    ):
        found.setdefault(outcome.match_id, []).append(outcome)
    return found
