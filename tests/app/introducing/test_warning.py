"""A word before the last day: once for each wait, to whoever is waited for, and never instead of what comes after."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.introducing.keeping_time import Ticked, tick
from enmusubi.app.models import ClusterSettings, Notice, Wait
from enmusubi.app.stepping.calendar import working_days_after
from enmusubi.app.vocabulary import NoticeKind, Step
from tests.app.clocks import MovedClock
from tests.app.introducing.conftest import Pair
from tests.conftest import RolledBackDatabase


def ticked(database: RolledBackDatabase, clock: MovedClock) -> Ticked:
    """What the service's clock did when it looked."""
    with database.for_service.session() as session:
        return tick(session, clock.now())


def told(session: Session) -> list[tuple[str, str]]:
    """To whom, and of what, it was said that the last day is near."""
    session.expire_all()
    query = select(Notice).where(Notice.kind == NoticeKind.STEP_DUE).order_by(Notice.id)
    return [(notice.audience, notice.facts["awaited"]) for notice in session.scalars(query)]


def test_who_has_not_answered_is_told_before_the_last_day(
    pair: Pair, session: Session, database: RolledBackDatabase, clock: MovedClock
) -> None:
    """Two working days before, once; who has answered is left in peace, and the reminder comes all the same."""
    pair.introduce()
    pair.take(pair.university, "accept")
    due = pair.steps(pair.company)["waiting"][0]["due_on"]
    clock.pass_working_days(6)
    assert not ticked(database, clock)
    clock.pass_working_days(0)
    clock.pass_working_days(1)
    assert working_days_after(clock.today(), 2).isoformat() >= due
    assert ticked(database, clock) == Ticked({}, 1)
    assert told(session) == [("need_side", "answer")]
    assert not ticked(database, clock), "once"
    assert pair.names(pair.company) == ["introduce", "accept"], "no step"
    assert pair.steps(pair.company)["waiting"][0]["overdue"] is False
    clock.pass_working_days(20)
    assert ticked(database, clock) == Ticked({Step.REMIND: 1})
    assert len(told(session)) == 1


def test_a_coordinator_is_told_too(
    pair: Pair, session: Session, database: RolledBackDatabase, clock: MovedClock
) -> None:
    """Of what coordinators are waited for."""
    pair.shortlist()
    clock.pass_working_days(3)
    assert ticked(database, clock) == Ticked({}, 1)
    assert told(session) == [("coordinators", "introduction")]


@pytest.mark.parametrize(("warn", "term"), [(0, 10), (3, 3), (5, 3)])
def test_no_word_where_it_is_off_or_the_term_is_short(
    pair: Pair, session: Session, database: RolledBackDatabase, clock: MovedClock, warn: int, term: int
) -> None:
    """Who has just been asked is not told at once that it is due."""
    settings = session.get_one(ClusterSettings, pair.people.cluster.id)
    settings.warn_days, settings.answer_days = warn, term
    session.commit()
    pair.introduce()
    for _ in range(term):
        assert not ticked(database, clock)
        clock.pass_working_days(0)
    assert told(session) == []


def test_a_clock_that_was_away_does_not_warn_of_what_is_past(
    pair: Pair, session: Session, database: RolledBackDatabase, clock: MovedClock
) -> None:
    """It reminds when that is due, neither sooner nor twice."""
    pair.introduce()
    clock.pass_working_days(11)
    assert not ticked(database, clock)
    waits = session.scalars(select(Wait).where(Wait.match_id == pair.row.id, Wait.ended.is_(None))).all()
    assert {wait.warned for wait in waits} == {None}
    clock.pass_working_days(5)
    assert ticked(database, clock) == Ticked({Step.REMIND: 2})
    assert told(session) == []


def test_an_answered_question_is_not_warned_of(
    pair: Pair, session: Session, database: RolledBackDatabase, clock: MovedClock
) -> None:
    """Whatever was said."""
    pair.introduce()
    pair.take(pair.company, "decline", reason="terms")
    clock.pass_working_days(9)
    assert not ticked(database, clock)
    assert told(session) == []
