"""Trying passwords and links: slowed down and locked out, on all servers alike."""

import dataclasses
import itertools

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app.database import Database
from enmusubi.app.errors import TooManyAttemptsError, UnauthenticatedError
from enmusubi.app.models import Throttle
from enmusubi.app.signing_in import sessions, throttling
from enmusubi.app.signing_in.passwords import Passwords
from enmusubi.app.signing_in.throttling import FREE_ATTEMPTS, Rate
from enmusubi.app.signing_in.visits import Visit
from tests.app.browsers import PASSWORD, Browser, a_browser, elsewhere, let_pass, runtime_of, with_password
from tests.app.conftest import People, Serve, people_of

FIVE = Rate("five", 5, throttling.RESETS.every)


@pytest.mark.parametrize("known", [True, False])
def test_wrong_passwords_lock_for_growing_times(people: People, session: Session, known: bool) -> None:
    """After five, each further one doubles the time, whether or not there is such an account."""
    email = with_password(session, people.company) if known else "nobody@example.org"
    browser = Browser(people.company.client)
    for _ in range(FREE_ATTEMPTS):
        assert browser.sign_in(email, "wrong").status_code == 401
    waits = []
    for _ in range(8):
        locked = browser.sign_in(email)
        assert (locked.status_code, locked.json()["type"]) == (429, "/problems/too-many-attempts")
        waits.append(int(locked.headers["Retry-After"]))
        let_pass(session, seconds=waits[-1] + 1)
        assert browser.sign_in(email, "wrong").status_code == 401
    assert waits[0] in (59, 60)
    assert all(abs(later - min(2 * earlier, 3600)) <= 3 for earlier, later in itertools.pairwise(waits))


def test_the_right_password_clears_the_count(people: People, session: Session) -> None:
    """Whoever mistypes four times a day is never locked out."""
    email = with_password(session, people.company)
    browser = Browser(people.company.client)
    for _ in range(3):
        for _ in range(FREE_ATTEMPTS - 1):
            assert browser.sign_in(email, "wrong").status_code == 401
        assert browser.sign_in(email).status_code == 201


def test_a_lock_spares_the_person_elsewhere(people: People, session: Session) -> None:
    """A stranger's guesses lock the stranger's network out of the account, nobody else."""
    email = with_password(session, people.company)
    stranger = elsewhere(people.company.client)
    for _ in range(FREE_ATTEMPTS + 1):
        locked = Browser(stranger).sign_in(email, "wrong")
    assert locked.status_code == 429
    assert Browser(people.company.client).sign_in(email).status_code == 201
    assert Browser(stranger).sign_in(email).status_code == 429


def test_guesses_from_many_networks_lock_for_everybody(people: People, session: Session) -> None:
    """After a hundred, for a quarter of an hour at most; who is signed in goes on, and may confirm."""
    browser, email = a_browser(session, people.company), with_password(session, people.company)
    for number in range(throttling.EVERYWHERE.free):
        with pytest.raises(UnauthenticatedError):
            sessions.sign_in(_visit(people, f"192.0.2.{number}"), email, "wrong")
    locked = Browser(people.company.client).sign_in(email)
    assert (locked.status_code, int(locked.headers["Retry-After"]) <= 60) == (429, True)
    assert browser.post("/session/confirm", {"password": PASSWORD}).status_code == 200
    assert a_browser(session, people.university).is_signed_in()


def _visit(people: People, address: str) -> Visit:
    desk = runtime_of(people.company.client).desk
    guessing = dataclasses.replace(desk, passwords=Quick())
    return Visit(guessing, address, "", None)


class Quick(Passwords):
    """Knows without work that a guess is wrong."""

    def verify(self, stored: str | None, password: str) -> bool:
        """It is wrong."""
        return False


def test_a_lock_spares_sessions_and_others(people: People, session: Session) -> None:
    """Somebody else's guesses do not sign the person out, keep from confirming, nor lock another account."""
    browser, email = a_browser(session, people.company), with_password(session, people.company)
    for _ in range(FREE_ATTEMPTS + 1):
        Browser(people.company.client).sign_in(email, "wrong")
    assert browser.is_signed_in()
    assert browser.post("/session/confirm", {"password": PASSWORD}).status_code == 200
    assert a_browser(session, people.university).is_signed_in()


def test_confirming_counts_as_well(people: People, session: Session) -> None:
    """A stolen session cannot be used to guess the password."""
    browser = a_browser(session, people.company)
    for _ in range(FREE_ATTEMPTS):
        assert browser.post("/session/confirm", {"password": "wrong"}).status_code == 401
    assert browser.post("/session/confirm", {"password": "wrong"}).status_code == 429
    assert browser.post("/account/password", {"present": "wrong", "password": "kelp 41 Sapporo"}).status_code == 429


def test_servers_agree_on_a_lock(committed: Database, serve: Serve) -> None:
    """Attempts at two servers are one count, and the lock holds at both."""
    servers = [serve(), serve()]
    with committed.session() as session:
        email = with_password(session, people_of(servers[0], session).company)
    statuses = [Browser(servers[number % 2]).sign_in(email, "wrong").status_code for number in range(FREE_ATTEMPTS + 2)]
    assert statuses == [401] * FREE_ATTEMPTS + [429] * 2
    assert [Browser(server).sign_in(email).status_code for server in servers] == [429, 429]


def test_a_rate_lets_a_burst_through_and_then_one_at_a_time(database: Database, session: Session) -> None:
    """Five at once, then one a minute, and each who is counted apart has their own."""

    waits = []

    def taken(of: str) -> bool:
        with database.session() as each:
            try:
                throttling.take(each, FIVE, of)
            except TooManyAttemptsError as error:
                waits.append(error.retry_after)
                return False
        return True

    assert [taken("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert taken("b")
    let_pass(session, seconds=61)
    assert [taken("a") for _ in range(2)] == [True, False]
    let_pass(session, hours=1)
    assert [taken("a") for _ in range(6)] == [True] * 5 + [False]
    assert all(0 < wait <= 60 for wait in waits)


def test_many_wrong_tokens_are_told_to_wait(people: People) -> None:
    """Not those that are right, from the same address."""
    wrong = {"Authorization": "Bearer enm_wrong"}
    get = people.company.client.get
    statuses = [get("/api/v1/seeds", headers=wrong).status_code for _ in range(throttling.WRONG_TOKENS.burst + 10)]
    assert statuses[:100] == [401] * 100
    assert statuses[-1] == 429
    assert people.company.get("/seeds").status_code == 200
    match = people.company.client.post("/api/v1/match", json={"text": "T"}, headers=wrong)
    assert match.status_code == 429


def test_what_is_counted_cannot_be_read(people: People, session: Session) -> None:
    """Neither addresses nor e-mail addresses stand in the table; old counts are removed."""
    Browser(people.company.client).sign_in("somebody@example.org", "wrong")
    rows = session.scalars(text("select throttles::text from throttles")).all()
    assert len(rows) == 3
    assert not any("somebody" in row or "testclient" in row for row in rows)
    let_pass(session, days=3)
    Browser(people.company.client).sign_in("another@example.org", "wrong")
    session.expire_all()
    assert len(session.scalars(select(Throttle)).all()) == 3


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_that_one_subscriber_has_count_as_one(address: str, counted: str) -> None:
    """All of an IPv6 network's."""
    assert throttling.network(address) == counted
