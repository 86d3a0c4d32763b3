"""How often an account may call: on all servers together, whatever becomes of its calls, and no other one's."""

import datetime
import itertools
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import QueuePool
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.auth import Identified
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect_for_service
from enmusubi.app.errors import TooManyAttemptsError
from enmusubi.app.main import create_app
from enmusubi.app.signing_in.calling import KEPT_SECONDS, Calls
from enmusubi.app.vocabulary import Role, Scope
from tests.app.browsers import a_browser, let_pass
from tests.app.conftest import People, Serve, people_of, started
from tests.app.factories import ENCODER, Person, a_caller, a_cluster
from tests.app.test_statements import counted
from tests.clocks import SetClock
from tests.conftest import RolledBackDatabase
from tests.databases import settings_for

MOST = 3  # one in twenty seconds: no test takes that long
MANY, LEASED = 59, 5
HOURS = datetime.timedelta(hours=MANY)  # one in an hour


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Few calls a minute."""
    return settings.model_copy(update={"calls_per_minute": MOST})


@pytest.fixture
def clock() -> SetClock:
    """The clock of the service."""
    return SetClock()


@pytest.fixture
def client(database: RolledBackDatabase, settings: Settings, clock: SetClock) -> Iterator[TestClient]:
    """An application that measures with the clock."""
    with started(create_app(settings, ENCODER, database.for_service, clock=clock)) as client:
        yield client


def _statuses(person: Person, number: int = MOST + 1) -> list[int]:
    return [person.get("/seeds").status_code for _ in range(number)]


def test_one_call_too_many_is_told_when_to_come_again(people: People, session: Session, clock: SetClock) -> None:
    """One more after each interval, and after a minute as many as at first."""

    def pass_seconds(seconds: float) -> None:
        let_pass(session, seconds=seconds)
        clock.forward(seconds=seconds)

    assert _statuses(people.company) == [200] * MOST + [429]
    refused = people.company.get("/seeds")
    assert refused.json()["type"] == "/problems/too-many-attempts"
    seconds = refused.headers["Retry-After"]
    assert refused.json()["detail"] == f"this account calls too often; try again in {seconds} seconds"
    assert 0 < int(seconds) <= 20
    pass_seconds(20)
    assert _statuses(people.company, 2) == [200, 429]
    pass_seconds(60)
    assert _statuses(people.company) == [200] * MOST + [429]


def test_a_refusal_is_remembered_until_something_can_be_had(
    people: People, session: Session, clock: SetClock, database: Database
) -> None:
    """Who goes on calling makes the database count nothing."""
    _statuses(people.company)
    with counted(database) as statements:
        assert _statuses(people.company, 5) == [429] * 5
    assert not any("throttle_take" in statement for statement in statements)
    let_pass(session, seconds=60)
    assert _statuses(people.company, 1) == [429]
    clock.forward(seconds=20)
    assert _statuses(people.company, 1) == [200]


def test_rankings_of_texts_count(people: People) -> None:
    """As every call does, though they only read."""
    statuses = [people.company.post("/match", {"text": "frost"}).status_code for _ in range(MOST + 1)]
    assert statuses == [200] * MOST + [429]
    assert people.company.get("/seeds").status_code == 429


def test_refused_calls_count(people: People, session: Session) -> None:
    """What is not there, not valid, not allowed, or lacks a header is asked for no more often than what is."""
    company, university = people.company, people.university
    assert company.get(f"/needs/{uuid.uuid4()}").status_code == 404
    assert company.post("/needs", {"title": 5}).status_code == 422
    assert company.call("PATCH", f"/needs/{uuid.uuid4()}", {"title": "T"}).status_code == 428
    assert company.get("/seeds").status_code == 429
    _, token = auth.new_token(session, university.caller.id, scopes=[Scope.READ])
    session.commit()
    reading = replace(university, token=token)
    assert [reading.post("/seeds", {"title": "T"}).status_code for _ in range(MOST + 1)] == [403] * MOST + [429]


def test_tokens_of_an_account_count_together(people: People, session: Session) -> None:
    """A further token is no further limit."""
    _, token = auth.new_token(session, people.company.caller.id)
    session.commit()
    assert _statuses(people.company, 2) == [200, 200]
    assert _statuses(replace(people.company, token=token), 2) == [200, 429]
    assert _statuses(people.company, 1) == [429]


def test_nobody_else_is_slowed_down(people: People, session: Session) -> None:
    """Neither another account nor the account's own person, who revokes the token that runs away."""
    browser = a_browser(session, people.company)
    assert _statuses(people.company)[-1] == 429
    assert _statuses(people.university, MOST) == [200] * MOST
    (token,) = browser.must("GET", "/tokens")["items"]
    browser.must("DELETE", f"/tokens/{token['id']}")
    assert people.company.get("/seeds").status_code == 401
    assert [browser.get("/session").status_code for _ in range(2)] == [200, 429]
    assert people.company.client.get("/health/live").status_code == 200
    assert people.company.client.get("/api/v1/openapi.json").status_code == 200


def test_the_log_tells_which_account_it_is(people: People, clock: SetClock, caplog: pytest.LogCaptureFixture) -> None:
    """Once in a minute, and nothing of what it asked."""
    _statuses(people.company, MOST + 3)
    told = f"call by token: account {people.company.caller.public_id} has used up its calls"
    assert [record.getMessage() for record in caplog.records if "calls" in record.getMessage()] == [told]
    clock.forward(seconds=60)
    _statuses(people.company, 2)
    assert caplog.text.count(told) == 2


def test_servers_share_what_an_account_may(committed: Database, serve: Serve) -> None:
    """As much at two as at one."""
    first, second = serve(), serve()
    with committed.session() as session:
        company = people_of(first, session).company
    callers = itertools.cycle([company, replace(company, client=second)])
    assert [next(callers).get("/seeds").status_code for _ in range(MOST + 3)] == [200] * MOST + [429] * 3


def test_one_call_in_twenty_asks_the_database(
    committed: Database, service: Database, serve: Serve, settings: Settings
) -> None:
    """The others take no further statement, and none has a further transaction that writes."""
    client = serve(given=settings.model_copy(update={"calls_per_minute": 600}))
    with committed.session() as session:
        people = people_of(client, session)
    for person, method, path in ((people.company, "POST", "/match"), (people.university, "GET", "/seeds")):
        taken = []
        for _ in range(41):
            with counted(service) as statements:
                assert person.call(method, path, {"text": "T"}).status_code == 200
            taken.append(sum("throttle_take" in statement for statement in statements))
        assert taken == ([1] + [0] * 19) * 2 + [1], path


def test_calls_that_count_wait_for_no_second_connection(
    server: Database, committed: Database, settings: Settings
) -> None:
    """With two connections and each call counted by itself, many at once are all answered."""
    few = settings_for(server, committed.url, settings).model_copy(update={"database_pool": 2, "calls_per_minute": 9})
    with connect_for_service(few) as service, started(create_app(few, ENCODER, service)) as client:
        with committed.session() as session:
            people = people_of(client, session)

        def call(number: int) -> int:
            person = (people.company, people.coordinator)[number % 2]
            match = number % 4 < 2
            return (person.post("/match", {"text": "T"}) if match else person.get("/seeds")).status_code

        with ThreadPoolExecutor(12) as pool:
            statuses = list(pool.map(call, range(48)))
        assert set(statuses) == {200, 429}
        assert statuses.count(200) >= 2 * 9
        assert isinstance(service.engine.pool, QueuePool)
        assert service.engine.pool.checkedout() == 0


class Asides:
    """Opens sessions to count with; `number` is how many."""

    def __init__(self, database: Database) -> None:
        self.number = 0
        self._database = database

    def __call__(self) -> AbstractContextManager[Session]:
        """A further one."""
        self.number += 1
        return self._database.session()


@pytest.fixture
def asides(service: Database) -> Asides:
    """Sessions of the service's role."""
    return Asides(service)


def _identified(database: Database, number: int = 1) -> list[Identified]:
    with database.session() as session:
        cluster = a_cluster(session)
        callers = [a_caller(session, cluster, Role.COORDINATOR) for _ in range(number)]
        session.commit()
    return [Identified(caller, 1, frozenset(Scope), None, due=False) for caller in callers]


def _may(calls: Calls, identified: Identified, asides: Asides) -> bool:
    try:
        calls.count(identified, asides)
    except TooManyAttemptsError:
        return False
    return True


def test_leases_give_exactly_what_may_be_called(committed: Database, asides: Asides) -> None:
    """The last calls are leased one by one; two processes give as many together as one."""
    one, both = _identified(committed, 2)
    alone = Calls(MANY, within=HOURS)
    assert [_may(alone, one, asides) for _ in range(MANY + 2)] == [True] * MANY + [False] * 2
    assert asides.number == MANY // LEASED + MANY % LEASED + 1
    processes = itertools.cycle([Calls(MANY, within=HOURS), Calls(MANY, within=HOURS)])
    assert sum(_may(next(processes), both, asides) for _ in range(2 * MANY)) == MANY


def test_threads_share_a_lease(committed: Database, asides: Asides) -> None:
    """Many at once are given as many as one after the other, and ask the database no more often."""
    (identified,) = _identified(committed)
    calls = Calls(MANY - MANY % LEASED, within=HOURS)
    with ThreadPoolExecutor(12) as pool:
        given = list(pool.map(lambda _: _may(calls, identified, asides), range(120)))
    assert sum(given) == MANY - MANY % LEASED
    assert asides.number == MANY // LEASED + 1


def test_processes_and_threads_never_give_too_much(committed: Database, service: Database) -> None:
    """Three processes of eight threads, each with its own leases, which are lost again and again."""
    (identified,) = _identified(committed)
    clocks = [SetClock() for _ in range(3)]
    processes = [Calls(MANY, clock.elapsed, HOURS) for clock in clocks]

    def call(number: int) -> bool:
        if number % 7 == 0:
            clocks[number % 3].forward(seconds=KEPT_SECONDS)
        return _may(processes[number % 3], identified, Asides(service))

    with ThreadPoolExecutor(12) as pool:
        assert 0 < sum(pool.map(call, range(300))) <= MANY


def test_what_is_left_of_a_lease_is_lost_in_time(committed: Database, asides: Asides) -> None:
    """It is not saved up."""
    (identified,) = _identified(committed)
    clock = SetClock()
    calls = Calls(MANY, clock.elapsed, HOURS)
    assert _may(calls, identified, asides)
    clock.forward(seconds=KEPT_SECONDS)
    assert _may(calls, identified, asides)
    assert asides.number == 2
    assert sum(_may(calls, identified, asides) for _ in range(MANY)) == MANY - LEASED - 1


def test_as_much_is_kept_as_is_allowed(committed: Database, asides: Asides) -> None:
    """Of the accounts that called last; another one's leases anew, and is not given more."""
    first, *others = _identified(committed, 4)
    calls = Calls(MANY, within=HOURS, most_kept=3)
    for identified in (first, *others, first, others[-1]):
        assert _may(calls, identified, asides)
        assert len(calls) <= 3
    assert asides.number == 5


def test_a_database_that_fails_takes_nothing_with_it(committed: Database, asides: Asides) -> None:
    """The call that had to ask it fails, the next one asks again."""
    (identified,) = _identified(committed)
    calls = Calls(MANY, within=HOURS)

    def gone() -> AbstractContextManager[Session]:
        raise OperationalError("select", None, Exception("gone"))

    for _ in range(2):
        with pytest.raises(OperationalError):
            calls.count(identified, gone)
    assert _may(calls, identified, asides)


def test_without_a_limit_nothing_is_counted(committed: Database, asides: Asides) -> None:
    """Nor kept."""
    (identified,) = _identified(committed)
    calls = Calls(0)
    assert all(_may(calls, identified, asides) for _ in range(1000))
    assert (asides.number, len(calls)) == (0, 0)
