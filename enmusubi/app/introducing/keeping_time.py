"""The service clock: whoever is late is reminded, then the coordinator is told, then the administrators; silence ends.

Each of these once, as a step of the service, in a transaction of its own. Two clocks at once do nothing twice.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.clock import day_of
from enmusubi.app.models import ClusterSettings, Match, Wait
from enmusubi.app.stepping.calendar import first_day_past
from enmusubi.app.stepping.taking import Saying, hold_if_free, take_as_service
from enmusubi.app.vocabulary import Awaited, ReasonCode, Side, Step

_AT_ONCE: Final = 500
_MOMENTS: Final[Mapping[Step, str]] = {Step.REMIND: "reminded", Step.ESCALATE: "escalated", Step.RAISE: "raised"}


@dataclass(frozen=True, slots=True)
class Ticked:
    """What the clock did."""

    steps: Mapping[Step, int]

    def __bool__(self) -> bool:
        """Whether it did anything."""
        return bool(self.steps)


def keep_time(session: Session, now: datetime.datetime) -> None:
    """Do what is due: a chore of the worker."""
    tick(session, now)


def tick(session: Session, now: datetime.datetime) -> Ticked:
    """Do what is due on the day of `now`; what somebody else holds at the moment is left to the next time.

    Commits after each, so the session holds nothing else.
    """
    steps: dict[Step, int] = {}
    after = 0
    with acting_as_service(session):
        while keys := _due(session, day_of(now), after):
            for key in keys:
                step = _look_at(session, key, now)
                session.commit()
                if step is not None:
                    steps[step] = steps.get(step, 0) + 1
            after = keys[-1]
    return Ticked(steps)


def _due(session: Session, today: datetime.date, after: int) -> list[int]:
    due = select(Wait.id).where(Wait.ended.is_(None), Wait.next_on <= today, Wait.id > after)
    return list(session.scalars(due.order_by(Wait.id).limit(_AT_ONCE)))


def _look_at(session: Session, key: int, now: datetime.datetime) -> Step | None:
    """The next thing about one wait; None where there is nothing to do any more."""
    match = session.scalar(select(Match).join(Wait, Wait.match_id == Match.id).where(Wait.id == key))
    # Before the wait, as by everybody who takes a step.
    held = None if match is None else hold_if_free(session, match)
    if held is None:
        return None
    wait = session.get_one(Wait, key, populate_existing=True, with_for_update=True)
    if wait.ended is not None or wait.next_on is None or wait.next_on > day_of(now):
        return None
    step = _next_step(wait)
    if step in _MOMENTS:
        setattr(wait, _MOMENTS[step], now)
        wait.next_on = _after(session, wait, now)
        session.flush()
    facts = {"awaited": wait.awaited, "side": wait.acts, "due_on": wait.due_on.isoformat()}
    reason = ReasonCode.NO_ANSWER if step is Step.LAPSE else None
    take_as_service(session, held, step, now, Saying(reason, facts=facts))
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
    settings = session.get_one(ClusterSettings, wait.cluster_id)
    days = {Step.ESCALATE: settings.escalate_days, Step.RAISE: settings.raise_days, Step.LAPSE: settings.lapse_days}
    step = _next_step(wait)
    # Only silence on whether to be introduced is an answer.
    if step is Step.LAPSE and wait.awaited != Awaited.ANSWER:
        return None
    return first_day_past(day_of(now), days[step])
