"""Sessions: begun, listed, ended, and of no use to whoever else gets hold of a part of them."""

import datetime
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.errors import UnauthenticatedError
from enmusubi.app.models import Account, SignedIn
from enmusubi.app.signing_in import sessions
from enmusubi.app.signing_in.passwords import HASHER, Passwords
from enmusubi.app.signing_in.visits import Desk, Visit
from tests.app.browsers import PASSWORD, Browser, a_browser, email_of, let_pass, runtime_of, with_password
from tests.app.conftest import People, Serve, people_of
from tests.app.signing_in.conftest import Application
from tests.app.test_statements import counted


def test_signing_in_and_out(people: People, session: Session) -> None:
    """A browser with a session sees what its account's token sees, until it signs out."""
    browser = a_browser(session, people.company)
    shown = browser.must("GET", "/session")
    assert shown["account"]["id"] == str(people.company.caller.public_id)
    assert shown["current"] is True
    assert shown["method"] == "password"
    made = browser.must("POST", "/needs", {"title": "T"})
    assert people.company.read(f"/needs/{made['id']}")["title"] == "T"
    assert browser.call("DELETE", "/session").status_code == 204
    assert browser.cookies == {}
    assert not browser.is_signed_in()


def test_the_cookie_is_out_of_reach(
    people: People, application: Application, settings: Settings, session: Session
) -> None:
    """No script reads it, no other site's request carries it along a change; over TLS it is bound to the host."""
    email = with_password(session, people.company)
    body = {"email": email, "password": PASSWORD}
    plain = people.company.client.post("/api/v1/session", json=body).headers["set-cookie"]
    assert plain.startswith("enmusubi=ens_")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in plain.split(";")}
    with application(settings.model_copy(update={"public_url": "https://enmusubi.example.org"})) as client:
        secure = client.post("/api/v1/session", json=body).headers["set-cookie"]
    assert secure.startswith("__Host-enmusubi=ens_")
    assert "Secure" in [part.strip() for part in secure.split(";")]
    assert "Domain" not in secure


def test_only_hashes_are_stored(people: People, session: Session) -> None:
    """Who reads the database can sign in as nobody."""
    browser = a_browser(session, people.company)
    (cookie,) = browser.cookies.values()
    secret = cookie.rpartition(".")[0]
    stored = session.scalars(select(SignedIn)).one()
    assert stored.token_hash == opaque.digest(secret)
    for table in ("sessions", "accounts", "throttles"):
        for row in session.scalars(text(f'select "{table}"::text from "{table}"')):
            assert secret not in row
            assert PASSWORD not in row


@pytest.mark.parametrize("known", [True, False])
def test_wrong_passwords_and_unknown_people_are_answered_alike(people: People, session: Session, known: bool) -> None:
    """Nobody learns by signing in who has an account."""
    email = with_password(session, people.company) if known else "nobody@example.org"
    reply = Browser(people.company.client).sign_in(email, "wrong" if known else PASSWORD)
    assert reply.status_code == 401
    assert reply.json()["detail"] == "e-mail address or password are not right"
    assert "set-cookie" not in reply.headers


def test_the_same_work_for_nobody(people: People, session: Session, database: Database) -> None:
    """Known or not, active or not, with a password or without: as many statements, and one check of a hash."""

    class Counting(PasswordHasher):
        checks = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 the library's name
            Counting.checks += 1
            return HASHER.verify(hash, password)

    known = with_password(session, people.company)
    without = with_password(session, people.university)
    closed = with_password(session, people.coordinator)
    session.execute(text("update accounts set password_hash = null where email_key = :e"), {"e": without})
    session.execute(text("update accounts set active = false where email_key = :e"), {"e": closed})
    session.commit()
    own = runtime_of(people.company.client).desk
    desk = Desk(own.settings, own.sessions, Passwords(Counting()), own.signatures, own.post, None)
    work = []
    for email in (known, without, closed, "nobody@example.org"):
        Counting.checks = 0
        with counted(database) as statements, pytest.raises(UnauthenticatedError, match="not right"):
            sessions.sign_in(Visit(desk, "192.0.2.1", "", None), email, "wrong")
        work.append(([each for each in statements if "SAVEPOINT" not in each], Counting.checks))
    assert work[0][1] == 1
    assert all(each == work[0] for each in work)


def test_each_sign_in_makes_a_new_id(people: People, session: Session) -> None:
    """An id that somebody planted before is worth nothing afterwards (fixation), and the session of before ends."""
    attacker = a_browser(session, people.university)
    victim = Browser(people.company.client, cookies=dict(attacker.cookies), csrf_token=attacker.csrf_token)
    assert victim.sign_in(with_password(session, people.company)).status_code == 201
    assert victim.cookies != attacker.cookies
    assert victim.must("GET", "/session")["account"]["id"] == str(people.company.caller.public_id)
    assert not attacker.is_signed_in()
    made_up = Browser(people.company.client, cookies={"enmusubi": opaque.new(opaque.SESSION)})
    assert not made_up.is_signed_in()


def test_an_id_without_our_signature_is_nothing(people: People, session: Session) -> None:
    """The secret alone, another signature, or a token in the cookie's place."""
    browser = a_browser(session, people.company)
    secret, _, signature = browser.cookies["enmusubi"].rpartition(".")
    for wrong in (secret, f"{secret}.", f"{secret}.{signature[:-2]}xx", people.company.token, "ens_", "%FF", ""):
        assert not Browser(people.company.client, cookies={"enmusubi": wrong}).is_signed_in()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert people.company.client.get("/api/v1/account", headers=bearer).status_code == 401


def test_a_stolen_cookie_changes_nothing_by_itself_and_ends_with_its_session(people: People, session: Session) -> None:
    """It reads like its owner until the owner ends it, which its entry in the list of sessions lets them do."""
    owner = a_browser(session, people.company)
    thief = Browser(people.company.client, "curl", cookies=dict(owner.cookies))
    assert thief.get("/needs").status_code == 200
    assert thief.post("/needs", {"title": "T"}).status_code == 403  # it does not know the page's token
    (listed,) = owner.must("GET", "/sessions")["items"]
    assert listed["user_agent"] == "Firefox"
    owner.call("DELETE", f"/sessions/{listed['id']}")
    assert not thief.is_signed_in()


def test_idle_and_absolute_limits(people: People, session: Session, settings: Settings) -> None:
    """A session ends when it was not used for a while, and after a while even if it was."""
    idle, lifetime = settings.session_idle_minutes, settings.session_hours * 60
    browser = a_browser(session, people.company)
    let_pass(session, minutes=idle - 1)
    assert browser.is_signed_in()
    let_pass(session, minutes=idle + 1)
    assert not browser.is_signed_in()
    browser = a_browser(session, people.company)
    for _ in range(lifetime // (idle - 1)):
        let_pass(session, minutes=idle - 1)
        assert browser.is_signed_in()
    let_pass(session, minutes=idle - 1)
    assert not browser.is_signed_in()


def test_use_is_noted_once_a_minute(people: People, session: Session) -> None:
    """Requests in between write nothing."""
    browser = a_browser(session, people.company)
    seen = session.scalars(select(SignedIn.last_seen)).one()
    browser.get("/needs")
    session.expire_all()
    assert session.scalars(select(SignedIn.last_seen)).one() == seen
    let_pass(session, minutes=5)
    browser.get("/needs")
    session.expire_all()
    assert session.scalars(select(SignedIn.last_seen)).one() == session.scalar(select(func.now()))


def test_sessions_are_listed_and_ended(people: People, session: Session) -> None:
    """Each browser's by itself, all others at once, nobody else's."""
    first, second = (a_browser(session, people.company, agent) for agent in ("Firefox", "x" * 500 + "\n"))
    other = a_browser(session, people.university)
    listed = first.must("GET", "/sessions")["items"]
    assert sorted(len(each["user_agent"]) for each in listed) == [7, 200]
    assert [each["current"] for each in listed if each["user_agent"] == "Firefox"] == [True]
    (not_mine,) = other.must("GET", "/sessions")["items"]
    assert first.call("DELETE", f"/sessions/{not_mine['id']}").status_code == 404
    assert first.must("DELETE", "/sessions") == {"ended": 1}
    assert (first.is_signed_in(), second.is_signed_in(), other.is_signed_in()) == (True, False, True)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("X-CSRF-Token", "", 403),
        ("X-CSRF-Token", "made-up", 403),
        ("X-CSRF-Token", "\xe9", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Sec-Fetch-Site", "same-origin", 201),
        ("Origin", "https://elsewhere.example", 403),
        ("Origin", "null", 403),
        ("Origin", "http://testserver", 201),
    ],
)
def test_other_sites_change_nothing(people: People, session: Session, header: str, value: str, status: int) -> None:
    """A change by cookie needs the session's own token, and must not say that it comes from elsewhere."""
    browser = a_browser(session, people.company)
    sent = {**browser.headers, header: value.encode("latin-1")}
    reply = browser.client.post("/api/v1/needs", json={"title": "T"}, headers=sent)  # type: ignore[arg-type]
    assert reply.status_code == status


def test_another_session_s_csrf_token_is_refused(people: People, session: Session) -> None:
    """The token is bound to its session; a bearer token needs none."""
    mine, other = a_browser(session, people.company), a_browser(session, people.company)
    mine.csrf_token = other.csrf_token
    assert mine.post("/needs", {"title": "T"}).status_code == 403
    assert people.company.post("/needs", {"title": "T"}).status_code == 201


def test_other_sites_sign_nobody_in(people: People, session: Session) -> None:
    """Signing a victim in as somebody else is a forged request too."""
    body = {"email": with_password(session, people.company), "password": PASSWORD}
    browser = Browser(people.company.client)
    assert browser.post("/session", body, Sec_Fetch_Site="cross-site").status_code == 403
    assert browser.post("/session", body, Origin="https://elsewhere.example").status_code == 403
    form = people.company.client.post("/api/v1/session", data=body, headers={"Content-Type": "text/plain"})
    assert form.status_code == 422


def test_sensitive_steps_need_a_recent_proof(people: People, session: Session, settings: Settings) -> None:
    """After a while the password is asked again; a wrong one does not do."""
    browser = a_browser(session, people.company)
    body = {"name": "export", "scopes": ["read"]}
    assert browser.post("/tokens", body).status_code == 201
    let_pass(session, minutes=settings.session_confirm_minutes + 1)
    refused = browser.post("/tokens", body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/confirmation-needed")
    assert browser.post("/session/confirm", {"password": "wrong"}).status_code == 401
    assert browser.post("/tokens", body).status_code == 403
    assert browser.post("/session/confirm", {"password": PASSWORD}).status_code == 200
    assert browser.post("/tokens", body).status_code == 201


def test_a_closed_account_has_no_sessions(people: People, session: Session) -> None:
    """Whatever its cookies say."""
    browser = a_browser(session, people.company)
    session.get_one(Account, people.company.caller.id).active = False
    session.commit()
    assert not browser.is_signed_in()
    assert browser.sign_in(email_of(people.company)).status_code == 401


def test_servers_agree(committed: Database, serve: Serve) -> None:
    """A session begun at one server is one at the next, and ends at both: the database's clock and rows decide."""
    here, there = serve(), serve()
    with committed.session() as session:
        people = people_of(here, session)
        browser = a_browser(session, people.company)
    elsewhere = Browser(there, cookies=dict(browser.cookies), csrf_token=browser.csrf_token)
    assert elsewhere.is_signed_in()
    assert elsewhere.call("DELETE", "/session").status_code == 204
    assert not browser.is_signed_in()
    assert datetime.timedelta(hours=12) == runtime_of(here).desk.lifetime
