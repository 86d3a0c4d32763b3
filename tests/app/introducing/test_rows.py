"""What PostgreSQL itself lets the sides of a match read and write of it, whatever the application asks."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from enmusubi.app.caller import act_as
from enmusubi.app.vocabulary import Role
from tests.app.factories import Person
from tests.app.introducing.conftest import Pair
from tests.conftest import RolledBackDatabase

TABLES = ("match_steps", "step_actors", "interests", "waits", "disclosures", "outcomes")


@contextmanager
def as_(database: RolledBackDatabase, person: Person) -> Iterator[Session]:
    """A session with the service's role, for a person."""
    with database.for_service.session() as session:
        act_as(session, person.caller)
        yield session


def found(session: Session, statement: str, **values: Any) -> list[Any]:
    """What a statement without any condition of ours finds."""
    return list(session.scalars(text(statement), values))


@pytest.fixture
def disclosed(pair: Pair) -> Pair:
    """A match whose sides know each other, with a note of everybody."""
    pair.shortlist()
    pair.take(pair.coordinator, "introduce", note="C")
    pair.take(pair.university, "accept", note="U")
    pair.take(pair.company, "accept", note="N", discloses=["description"])
    pair.disclose(note="C")
    return pair


def test_each_reads_its_own(disclosed: Pair, database: RolledBackDatabase) -> None:
    """Notes of one's own side, what one's side was told and answered; of steps those that are for both."""
    notes = {Role.COMPANY: ["N"], Role.UNIVERSITY: ["U"], Role.COORDINATOR: ["C", "C", "N", "U"]}
    told = {Role.COMPANY: ["need"], Role.UNIVERSITY: ["seed"], Role.COORDINATOR: ["need", "seed"]}
    for person in (disclosed.company, disclosed.university, disclosed.coordinator):
        with as_(database, person) as session:
            assert sorted(filter(None, found(session, "select note from step_actors"))) == notes[person.role]
            assert sorted(found(session, "select told from disclosures")) == told[person.role]
            assert sorted(found(session, "select side from interests")) == told[person.role]
            steps = found(session, "select step from match_steps order by id")
            assert steps[-4:] == ["introduce", "accept", "accept", "disclose"]
            assert ("shortlist" in steps) == (person is disclosed.coordinator)
            assert set(found(session, "select distinct awaited from waits")) == (
                {"answer", "disclosure", "meeting"} | ({"introduction"} if person is disclosed.coordinator else set())
            )


def test_strangers_read_nothing(disclosed: Pair, database: RolledBackDatabase, strangers: list[Person]) -> None:
    """Neither another company or university of the cluster, nor a coordinator of another one."""
    for person in strangers:
        with as_(database, person) as session:
            for table in TABLES:
                assert found(session, f"select count(*) from {table}") == [0], (person.role, table)
            assert found(session, "select match_sides(id) from matches") == []
            assert found(session, "select introduction_parties(:match)", match=disclosed.row.id) == []


def test_who_oversees_reads_no_disclosure(disclosed: Pair, database: RolledBackDatabase) -> None:
    """An administrator reads neither what was told nor who acts for an anonymous company."""
    with as_(database, disclosed.administrator) as session:
        assert found(session, "select count(*) from disclosures") == [0]
        company = disclosed.company.caller.id
        assert found(session, "select count(*) from step_actors where account_id = :id", id=company) == [0]
        assert "accept" in found(session, "select step from match_steps")


@pytest.mark.parametrize(
    "statement",
    [
        # the other side's step, a coordinator's, and one from where the match is not
        "insert into match_steps (public_id, match_id, cluster_id, step, before, after, side) "
        "select gen_random_uuid(), id, cluster_id, 'accept', 'introduced', status, :other from matches",
        "insert into match_steps (public_id, match_id, cluster_id, step, before, after, side) "
        "select gen_random_uuid(), id, cluster_id, 'disclose', 'accepted', status, 'cluster' from matches",
        "insert into match_steps (public_id, match_id, cluster_id, step, before, after, side) "
        "select gen_random_uuid(), id, cluster_id, 'accept', status, 'disclosed', :own from matches",
        "insert into interests (match_id, side, answer) select id, :other, 'yes' from matches",
        "insert into waits (public_id, match_id, cluster_id, awaited, side, acts, due_on) "
        "select gen_random_uuid(), id, cluster_id, 'answer', :other, :other, current_date from matches",
        "insert into disclosures (public_id, match_id, told, content, account_id) "
        "select gen_random_uuid(), id, :own, '{}', :account from matches",
    ],
)
@pytest.mark.parametrize("role", [Role.COMPANY, Role.UNIVERSITY])
def test_a_side_writes_nothing_that_is_not_its_own(
    pair: Pair, database: RolledBackDatabase, role: Role, statement: str
) -> None:
    """Whatever it inserts of others is refused."""
    pair.introduce()
    person = pair.people.of(role)
    own, other = ("need", "seed") if role is Role.COMPANY else ("seed", "need")
    values = {"own": own, "other": other, "account": person.caller.id}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    with as_(database, person) as session, pytest.raises(ProgrammingError, match="row-level security"):
        session.execute(text(statement), used)


@pytest.mark.parametrize(
    "statement",
    [
        "update matches set status = 'disclosed'",
        "update matches set coordinator_id = null",
        "update interests set answer = 'none'",
        "update interests set answer = 'yes' where side = :other",
        "update waits set ended = now()",
        "delete from interests",
    ],
)
@pytest.mark.parametrize("role", [Role.COMPANY, Role.UNIVERSITY])
def test_a_side_changes_nothing_that_is_not_its_own(
    pair: Pair, session: Session, database: RolledBackDatabase, role: Role, statement: str
) -> None:
    """What it changes of others changes no row."""
    pair.introduce()
    asking = "select (select array_agg(matches) from matches), (select array_agg(w order by id) from waits w), "
    asking += "(select array_agg(i order by id) from interests i)"
    before = session.execute(text(asking)).one()
    other = "seed" if role is Role.COMPANY else "need"
    with as_(database, pair.people.of(role)) as asked:
        # Refused, or no row is found to be changed.
        with suppress(ProgrammingError), asked.begin_nested():
            asked.execute(text(statement), {"other": other} if ":other" in statement else {})
        asked.commit()
    assert session.execute(text(asking)).one() == before


def test_nothing_is_disclosed_without_two_yeses(pair: Pair, database: RolledBackDatabase) -> None:
    """Also not by a coordinator who writes the row himself."""
    pair.introduce()
    pair.take(pair.university, "accept")
    insert = (
        "insert into disclosures (public_id, match_id, told, content, account_id) "
        "select gen_random_uuid(), id, 'seed', '{}', :account from matches"
    )
    with as_(database, pair.coordinator) as session, pytest.raises(ProgrammingError, match="row-level security"):
        session.execute(text(insert), {"account": pair.coordinator.caller.id})


def test_a_coordinator_moves_no_match_by_hand(pair: Pair, session: Session, database: RolledBackDatabase) -> None:
    """The status changes with a step, written by the service."""
    pair.introduce()
    with as_(database, pair.coordinator) as asked:
        asked.execute(text("update matches set status = 'agreement'"))
        asked.commit()
    assert session.scalars(text("select status from matches where id = :id"), {"id": pair.row.id}).one() == "introduced"
