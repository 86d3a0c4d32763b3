"""Take a declined match up again, since what it was declined for has changed."""

import datetime

from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.clock import Clock, SystemClock
from enmusubi.app.models import Match, MatchStep
from enmusubi.app.stepping.taking import Saying, hold, take_as_service
from enmusubi.app.vocabulary import ReasonCode, Step

_SYSTEM = SystemClock()


def reopen(session: Session, match: Match, reason: ReasonCode, clock: Clock = _SYSTEM) -> MatchStep:
    """Back to the coordinators' queue, with what it was declined for; ConflictError where it is not declined.

    A step of the service itself, whoever's change led to it. What the sides answered is forgotten, so that both are
    asked anew; what they said stays in the steps.
    """
    now: datetime.datetime = clock.now()
    held = hold(session, match)
    with acting_as_service(session):
        return take_as_service(session, held, Step.REOPEN, now, Saying(reason))
