"""The service clock: whoever is late is reminded, then the coordinator is told, then the administrators; silence ends.

Each of these once, as a step of the service, in a transaction of its own; a word before the last day is no step. Two
clocks at once do nothing twice.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.clock import day_of
from enmusubi.app.models import ClusterSettings, Match, Wait
from enmusubi.app.stepping.calendar import first_day_past
from enmusubi.app.stepping.taking import Saying, hold_if_free, take_as_service
from enmusubi.app.stepping.telling import tell_due, wait_facts
from enmusubi.app.stepping.waiting import reminded_on
from enmusubi.app.vocabulary import Awaited, ReasonCode, Side, Step

_AT_ONCE: Final = 500
_WARNED: Final = "warned"
_MOMENTS: Final[Mapping[Step, str]] = {Step.REMIND: "reminded", Step.ESCALATE: "escalated", Step.RAISE: "raised"}


@dataclass(frozen=True, slots=True)
class Ticked:
    """What the clock did."""

    steps: Mapping[Step, int]
    warned: int = 0
    """How many waits it told somebody of before their last day."""

    def __bool__(self) -> bool:
        """Whether it did anything."""
        return bool(self.steps or self.warned)


def keep_time(session: Session, now: datetime.datetime) -> None:
    """Do what is due: a chore of the worker."""
    tick(session, now)


def tick(session: Session, now: datetime.datetime) -> Ticked:
    """Do what is due on the day of `now`; what somebody else holds at the moment is left to the next time.

    Commits after each, so the session holds nothing else.
    """
    steps: dict[Step, int] = {}
    after = warned = 0
    with acting_as_service(session):
        while keys := _due(session, day_of(now), after):
            for key in keys:
                done = _look_at(session, key, now)
                session.commit()
                if isinstance(done, Step):
                    steps[done] = steps.get(done, 0) + 1
                warned += done is _WARNED
            after = keys[-1]
    return Ticked(steps, warned)


def _due(session: Session, today: datetime.date, after: int) -> list[int]:
    due = select(Wait.id).where(Wait.ended.is_(None), Wait.next_on <= today, Wait.id > after)
    return list(session.scalars(due.order_by(Wait.id).limit(_AT_ONCE)))


def _look_at(session: Session, key: int, now: datetime.datetime) -> Step | Literal["warned"] | None:
    """The next thing about one wait; None where there is nothing to do, any more or yet."""
    match = session.scalar(select(Match).join(Wait, Wait.match_id == Match.id).where(Wait.id == key))
    # Before the wait, as by everybody who takes a step.
    held = None if match is None else hold_if_free(session, match)
    if held is None:
        return None
    wait = session.get_one(Wait, key, populate_existing=True, with_for_update=True)
    if wait.ended is not None or wait.next_on is None or wait.next_on > day_of(now):
        return None
    if wait.next_on <= wait.due_on:
        wait.next_on = reminded_on(wait.due_on, _settings(session, wait))
        # Where no clock ran until the last day was past, a word comes too late.
        if wait.due_on >= day_of(now):
            wait.warned = now
            session.flush()
            tell_due(session, held.match, wait)
            return _WARNED
        if wait.next_on > day_of(now):
            return None
    step = _next_step(wait)
    if step in _MOMENTS:
        setattr(wait, _MOMENTS[step], now)
        wait.next_on = _after(session, wait, now)
        session.flush()
    reason = ReasonCode.NO_ANSWER if step is Step.LAPSE else None
    take_as_service(session, held, step, now, Saying(reason, facts=wait_facts(wait)))
    return step


def _next_step(wait: Wait) -> Step:
    if wait.reminded is None:
        return Step.REMIND
    # Who is late is the coordinator: there is nobody to turn to but the administrators.
    if wait.escalated is None and wait.acts != Side.CLUSTER:
        return Step.ESCALATE
    return Step.RAISE if wait.raised is None else Step.LAPSE


def _after(session: Session, wait: Wait, now: datetime.datetime) -> datetime.date | None:
    """When to look at it again; from now on, so that nobody is closed who was not reminded, however late this runs."""
    settings = _settings(session, wait)
    days = {Step.ESCALATE: settings.escalate_days, Step.RAISE: settings.raise_days, Step.LAPSE: settings.lapse_days}
    step = _next_step(wait)
    # Only silence on whether to be introduced is an answer.
    if step is Step.LAPSE and wait.awaited != Awaited.ANSWER:
        return None
    return first_day_past(day_of(now), days[step])


def _settings(session: Session, wait: Wait) -> ClusterSettings:
    return session.get_one(ClusterSettings, wait.cluster_id)
