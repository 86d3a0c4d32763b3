"""Chores: at their times, in one transaction each, and by one worker at a time."""

import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app.database import Database
from enmusubi.app.models import Cluster
from enmusubi.app.working.chores import CHORES, Chore
from tests.clocks import SetClock


def _nothing(session: Session, now: datetime.datetime) -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("minutes", "cron"),
    [(1, "*/1 * * * *"), (15, "*/15 * * * *"), (60, "0 */1 * * *"), (720, "0 */12 * * *"), (1440, "0 0 * * *")],
)
def test_intervals_divide_a_day(minutes: int, cron: str) -> None:
    """So that each run is at the same times of every day."""
    assert Chore("c", minutes, _nothing).cron == cron


@pytest.mark.parametrize("minutes", [0, -5, 7, 45, 90, 2880])
def test_other_intervals_are_refused(minutes: int) -> None:
    """When the chore is written down."""
    with pytest.raises(ValueError, match="divide"):
        Chore("c", minutes, _nothing)


def test_names_are_unique() -> None:
    """Each is a lock and a task."""
    assert len({chore.name for chore in CHORES}) == len(CHORES)


def test_it_works_as_the_service_at_the_clocks_time(service: Database) -> None:
    """With what that may see, and a time that tests set."""
    clock, seen = SetClock(), []

    def look(session: Session, now: datetime.datetime) -> None:
        seen.append((session.scalar(text("select caller_role()")), now))

    assert Chore("look", 5, look).run(service.session, clock)
    assert seen == [("service", clock.now())]


def test_one_at_a_time(service: Database) -> None:
    """While one is at it, another passes it over; afterwards it is done again."""
    clock, runs = SetClock(), []
    inner = Chore("same", 5, lambda session, now: runs.append("inner"))

    def outer(session: Session, now: datetime.datetime) -> None:
        runs.append("outer")
        assert not inner.run(service.session, clock)

    assert Chore("same", 5, outer).run(service.session, clock)
    assert runs == ["outer"]
    assert inner.run(service.session, clock)


def test_what_fails_leaves_nothing(committed: Database) -> None:
    """Its transaction is undone, and it can run again."""

    def half(session: Session, now: datetime.datetime) -> None:
        session.add(Cluster(name="half done"))
        session.flush()
        raise RuntimeError("no further")

    with pytest.raises(RuntimeError):
        Chore("half", 5, half).run(committed.session, SetClock())
    with committed.session() as session:
        assert session.scalars(select(Cluster.name)).all() == []
    assert Chore("half", 5, _nothing).run(committed.session, SetClock())
