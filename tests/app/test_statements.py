"""How many SQL statements a request takes, whatever the number of rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.ingest import indexing
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, a_need, a_seed

WORDS = "frost resistant kerbstone"


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM fittings" not in statement:  # asked once a second, whatever is requested meanwhile
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def _fill(database: Database, people: People, number: int) -> None:
    with database.session() as session:
        for index in range(number):
            a_seed(
                session, people.cluster, people.university.organisation, title=f"{WORDS} {index}",
                researchers=[{"name": "N"}],
            )  # fmt: skip
            a_need(
                session, people.cluster, people.company.organisation, title=f"{WORDS} {index}",
                description="d", excluded_organisations=["X"], anonymous=bool(index % 2),
            )  # fmt: skip
        session.commit()


@pytest.fixture
def crowd(committed: Database, serve: Serve, settings: Settings) -> People:
    """People on a database where nothing but their requests executes statements."""
    # To count a call is a statement now and then: see signing_in/test_calling.py.
    client = serve(given=settings.model_copy(update={"calls_per_minute": 0}))
    with committed.session() as session:
        people = people_of(client, session)
    for person in people:
        person.read("/account")  # the use of a token is noted at its first call, and then once a minute
    people.company.post("/match", {"text": WORDS})  # the first of a cluster also opens its index
    return people


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_ranking_a_text_takes_five_statements_at_most(
    crowd: People, committed: Database, service: Database, settings: Settings, with_snapshot: bool
) -> None:
    """Who asks, what is new, what of the shortlist may be seen; with no snapshot, what is new on the other side."""
    _fill(committed, crowd, 20)
    if with_snapshot:
        assert indexing.publish(committed, settings, ENCODER)
        crowd.company.client.app.state.runtime.live.check()  # type: ignore[attr-defined]
    for limit in (1, 20):
        for person in (crowd.company, crowd.coordinator, crowd.administrator):  # the seeds are the university's own
            with counted(service) as statements:
                reply = person.post("/match", {"text": WORDS, "limit": limit})
            assert reply.status_code == 200
            assert len(reply.json()["ranking"]) == limit
            assert len(statements) <= (4 if with_snapshot else 5), statements


def test_matches_of_an_entry_take_eleven_statements_at_most(
    crowd: People, committed: Database, service: Database
) -> None:
    """Where they are stored, and recorded, for the first time; with no snapshot, one for the other side.

    Looked at again, they are read and not written: three fewer.
    """
    _fill(committed, crowd, 20)
    need = crowd.company.read("/needs")["items"][0]["id"]
    seed = crowd.university.read("/seeds")["items"][0]["id"]
    for person, path in ((crowd.company, f"/needs/{need}/matches"), (crowd.university, f"/seeds/{seed}/matches")):
        for limit in (1, 20):
            for most in (11, 8):
                with counted(service) as statements:
                    assert len(person.read(path, limit=limit)["ranking"]) == limit
                assert len(statements) <= most, statements


def test_posting_a_need_takes_a_fixed_number_of_statements(
    crowd: People, committed: Database, service: Database
) -> None:
    """Whatever the number of seeds that are ranked."""
    taken = []
    for number in (1, 15):
        _fill(committed, crowd, number)
        with counted(service) as statements:
            crowd.company.create("/needs", {"title": WORDS})
        taken.append(len(statements))
    assert taken[0] == taken[1] <= 23


@pytest.mark.parametrize("path", ["/seeds", "/needs", "/organisations", "/matches"])
def test_lists_take_the_same_number_of_statements_for_any_number_of_rows(
    crowd: People, committed: Database, service: Database, path: str
) -> None:
    """Nothing is looked up row by row."""
    taken: dict[str, list[int]] = {}
    for number in (2, 12):
        _fill(committed, crowd, number)
        for need in crowd.company.read("/needs")["items"]:
            crowd.company.read(f"/needs/{need['id']}/matches")
        for person in crowd:
            with counted(service) as statements:
                listed = person.read(path, limit=200)["items"]
            assert len(listed) >= (number if path != "/organisations" else 1)
            taken.setdefault(person.role, []).append(len(statements))
    for role, numbers in taken.items():
        assert numbers[0] == numbers[1] <= 5, role
