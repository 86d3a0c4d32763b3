"""Who is waited for: begun and ended as the status of the match says, with terms that the cluster has set."""

import datetime
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Text, func, select
from sqlalchemy.orm import Session

from enmusubi.app.clock import day_of
from enmusubi.app.models import ClusterSettings, Match, Wait
from enmusubi.app.stepping.calendar import first_day_past, working_days_after
from enmusubi.app.stepping.machine import Asked, awaited
from enmusubi.app.vocabulary import Awaited, MatchStatus, Side

_TERMS: Final[Mapping[Awaited, str]] = {
    Awaited.INTRODUCTION: "introduce_days",
    Awaited.ANSWER: "answer_days",
    Awaited.DISCLOSURE: "disclose_days",
    Awaited.MEETING: "meeting_days",
    Awaited.REPORT: "report_days",
    Awaited.OUTCOME: "outcome_days",
}


def open_waits(session: Session, match: Match) -> list[Wait]:
    """What is waited for in a match."""
    query = select(Wait).where(Wait.match_id == match.id, Wait.ended.is_(None)).order_by(Wait.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def settle(session: Session, match: Match, answers: Asked, now: datetime.datetime, *, renews: bool) -> list[Wait]:
    """End what is waited for no more, and begin what is from now on, which is returned; as the service, in the lock.

    `renews` gives whoever goes on being waited for a new term.
    """
    wanted = awaited(MatchStatus(match.status), answers)
    for wait in open_waits(session, match):
        waited = (Side(wait.side), Awaited(wait.awaited))
        if renews or waited not in wanted:
            wait.ended = now
        else:
            wanted.remove(waited)
    session.flush()
    if not wanted:
        return []
    settings = session.get_one(ClusterSettings, match.cluster_id)
    unowned = set(session.scalars(select(func.unowned_sides(match.id, type_=Text))))
    begun = [
        _begun(match, settings, side, Side.CLUSTER if side in unowned else side, what, now)
        for side, what in sorted(wanted)
    ]
    session.add_all(begun)
    session.flush()
    return begun


def _begun(
    match: Match, settings: ClusterSettings, side: Side, acts: Side, what: Awaited, now: datetime.datetime
) -> Wait:
    days = getattr(settings, _TERMS[what])
    due_on = working_days_after(day_of(now), days)
    warns = 0 < settings.warn_days < days
    return Wait(
        match_id=match.id,
        cluster_id=match.cluster_id,
        awaited=what,
        side=side,
        acts=acts,
        since=now,
        due_on=due_on,
        next_on=working_days_after(day_of(now), days - settings.warn_days) if warns else reminded_on(due_on, settings),
    )


def reminded_on(due_on: datetime.date, settings: ClusterSettings) -> datetime.date:
    """The day on which whoever is late is reminded."""
    return first_day_past(due_on, settings.remind_days)
