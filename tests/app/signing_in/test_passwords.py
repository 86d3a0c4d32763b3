"""Passwords: what is taken, how it is stored, changing it, and a new one by letter."""

import json

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import Account
from enmusubi.app.signing_in.passwords import Passwords, check_choice
from tests.app.browsers import PASSWORD, Browser, a_browser, elsewhere, let_pass, with_password
from tests.app.conftest import People
from tests.app.signing_in.conftest import Application
from tests.mailbox import Mailbox

NEW = "three unrelated words, 41"
SAME = "If there is an account with this address, a letter with a link is on its way to it."


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "has 5 characters"),
        ("x" * 1_001, "1,001 characters"),
        ("password1234", "common"),
        ("qwertyuiopas", "common"),
        ("aaaaaaaaaaaaaaaa", "common"),
        ("12345678901234", "common"),
        ("hana.mori and more", "your name"),
        ("ＨＡＮＡ　and something", "your name"),
        ("letters for 森山花子!", "your name"),
    ],
)
def test_a_weak_password_is_refused(password: str, reason: str) -> None:
    """Too short, too long, common, or made of what everybody knows of the person."""
    with pytest.raises(InvalidInputError, match=reason) as refused:
        check_choice(password, ("Hana Mori", "森山花子", "hana.mori@example.org", None))
    assert refused.value.extra["errors"][0]["at"] == "/body/password"
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", [NEW, "縁石と昆布と火曜日のこと", "x7#Lq!0vBn2@", "a long one " * 90])
def test_a_strong_password_is_taken(password: str) -> None:
    """In any language, up to a thousand characters."""
    check_choice(password, ("Hana Mori", "hana.mori@example.org"))


def test_a_password_is_the_same_on_every_keyboard() -> None:
    """Full width or composed otherwise, it is what the person meant; another one is not."""
    passwords = Passwords()
    stored = passwords.hash("ｋｅｌｐ ガラス 2026")
    assert stored.startswith("$argon2id$")
    assert passwords.verify(stored, "kelp ガラス ２０２６")
    assert not passwords.verify(stored, "kelp カラス 2026")
    assert not passwords.verify(None, "kelp")
    assert not passwords.verify("not a hash", "kelp")


def test_a_password_of_older_parameters_is_stored_anew(people: People, session: Session) -> None:
    """At the next sign-in, without anybody noticing."""
    email = with_password(session, people.company)
    older = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    session.execute(update(Account).where(Account.email_key == email).values(password_hash=older))
    session.commit()
    assert Browser(people.company.client).sign_in(email).status_code == 201
    stored = session.scalar(select(Account.password_hash).where(Account.email_key == email))
    assert stored is not None
    assert stored != older
    assert not Passwords().is_outdated(stored)
    assert Browser(people.company.client).sign_in(email).status_code == 201


def test_changing_the_password(people: People, session: Session) -> None:
    """The present one is needed; all other browsers are signed out."""
    email = with_password(session, people.company)
    here, there = a_browser(session, people.company), a_browser(session, people.company)
    assert here.post("/account/password", {"password": NEW}).status_code == 422
    assert here.post("/account/password", {"present": "wrong", "password": NEW}).status_code == 401
    assert here.post("/account/password", {"present": PASSWORD, "password": "password1234"}).status_code == 422
    assert here.post("/account/password", {"present": PASSWORD, "password": NEW}).status_code == 204
    assert (here.is_signed_in(), there.is_signed_in()) == (True, False)
    assert Browser(people.company.client).sign_in(email).status_code == 401
    assert Browser(people.company.client).sign_in(email, NEW).status_code == 201


def test_a_forgotten_password(
    people: People, session: Session, application: Application, posting: Settings, mailbox: Mailbox
) -> None:
    """A letter with a link that works once; it ends all sessions and opens a locked account."""
    email = with_password(session, people.company)
    with application(posting) as client:
        thief = Browser(client)
        assert thief.sign_in(email).status_code == 201
        for _ in range(6):
            Browser(client).sign_in(email, "wrong")
        asked = Browser(client).post("/password-resets", {"email": email.upper()})
        assert (asked.status_code, asked.json()) == (202, {"message": SAME})
        assert mailbox.letters[0]["To"] == email
        assert "60分間有効" in mailbox.text()
        assert "/new-password#enr_" in mailbox.link()
        body = {"token": mailbox.secret(), "password": NEW}
        weak = Browser(client).post("/password-resets/accept", {**body, "password": "password1234"})
        assert weak.status_code == 422
        browser = Browser(client)
        assert browser.post("/password-resets/accept", body).status_code == 201
        assert (browser.is_signed_in(), thief.is_signed_in()) == (True, False)
        assert Browser(client).sign_in(email, NEW).status_code == 201
        assert Browser(client).post("/password-resets/accept", body).status_code == 404


def test_nobody_learns_by_a_reset_who_has_an_account(
    people: People, session: Session, application: Application, posting: Settings, mailbox: Mailbox
) -> None:
    """The same answer, the same row written, and no letter to who has no account."""
    with_password(session, people.company)
    with application(posting) as client:
        asked = Browser(client).post("/password-resets", {"email": "nobody@example.org"})
    assert (asked.status_code, asked.json()) == (202, {"message": SAME})
    assert mailbox.letters == []
    assert session.scalars(text("select account_id from password_resets")).all() == [None]


def test_a_reset_ends(
    people: People, session: Session, application: Application, posting: Settings, mailbox: Mailbox
) -> None:
    """After an hour, when another one of the account is used, and with its account."""
    email = with_password(session, people.company)
    with application(posting) as client:

        def ask() -> dict[str, str]:
            assert Browser(client).post("/password-resets", {"email": email}).status_code == 202
            return {"token": mailbox.secret(), "password": NEW}

        first = ask()
        let_pass(session, minutes=61)
        assert Browser(client).post("/password-resets/accept", first).status_code == 404
        second, third = ask(), ask()
        assert Browser(client).post("/password-resets/accept", second).status_code == 201
        assert Browser(client).post("/password-resets/accept", third).status_code == 404
        let_pass(session, hours=1)
        third = ask()
        session.execute(update(Account).where(Account.email_key == email).values(active=False))
        session.commit()
        assert Browser(client).post("/password-resets/accept", third).status_code == 404


def test_nobody_takes_a_link_away(
    people: People, session: Session, application: Application, posting: Settings, mailbox: Mailbox
) -> None:
    """Whoever asks for letters to somebody else: the person still gets one, and the links of before work."""
    email = with_password(session, people.company)
    with application(posting) as client:

        def ask(sender: TestClient) -> int:
            return Browser(sender).post("/password-resets", {"email": email}).status_code

        stranger = elsewhere(client)
        assert [ask(stranger) for _ in range(4)] == [202, 202, 202, 429]
        assert ask(client) == 202
        mine = {"token": mailbox.secret(), "password": NEW}
        further = [elsewhere(client, f"198.51.100.{number}") for number in range(5)]
        assert [ask(sender) for sender in further[:4]] == [202] * 4
        assert Browser(client).post("/password-resets/accept", mine).status_code == 201
        assert session.scalar(text("select count(*) from password_resets where used is null")) == 0
        assert [ask(sender) for sender in further] == [202] * 5
        assert session.scalar(text("select count(*) from password_resets where account_id is not null")) == 5


def test_resets_are_limited(people: People, session: Session, application: Application, posting: Settings) -> None:
    """Nobody's mailbox is filled, known or not."""
    with application(posting) as client:
        asked = [Browser(client).post("/password-resets", {"email": "a@example.org"}).status_code for _ in range(5)]
    assert asked == [202, 202, 202, 429, 429]


def test_without_a_mail_server_nobody_waits_for_a_letter(people: People) -> None:
    """The reply says whom to ask."""
    reply = Browser(people.company.client).post("/password-resets", {"email": "a@example.org"})
    assert reply.status_code == 409
    assert "sends no letters" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/session", {"email": "a\u0000b@example.org", "password": "x"}),
        ("/session", {"email": "a@example.org", "password": "\ud800"}),
        ("/session", {"email": "a@example.org", "password": "\u0000"}),
        ("/password-resets", {"email": "\u0000"}),
        ("/invitations/read", {"token": "eni_\ud800"}),
    ],
)
def test_what_no_text_can_hold_is_told_by_its_place(client: TestClient, path: str, body: dict[str, str]) -> None:
    """NUL and lone surrogates are a wrong input, not an error of the service."""
    reply = client.post(f"/api/v1{path}", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["at"].startswith("/body/")
