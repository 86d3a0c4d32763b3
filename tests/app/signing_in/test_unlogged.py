"""What is secret in signing in is in no log, and every reply has the headers that browsers heed."""

import logging

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from tests.app.browsers import PASSWORD, Browser, with_password
from tests.app.conftest import People
from tests.app.factories import Person
from tests.app.signing_in.conftest import Application, IdentityProvider
from tests.mailbox import Mailbox

NEW = "three unrelated words, 41"


def test_no_secret_is_logged(
    people: People, session: Session, application: Application, with_provider: Settings, mailbox: Mailbox,
    provider: IdentityProvider, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Through all ways in and all that goes wrong on them, down to the debugging lines of libraries."""
    email = with_password(session, people.company)
    with application(with_provider) as client:
        caplog.set_level(logging.DEBUG)
        secrets = [PASSWORD, NEW, people.coordinator.token]
        browser = Browser(client)
        browser.sign_in(email, "wrong " + NEW)
        browser.sign_in(email)
        secrets += [*browser.cookies.values(), browser.csrf_token or ""]
        secrets.append(browser.must("POST", "/tokens", {"name": "T", "scopes": ["read"]})["token"])
        client.get("/api/v1/needs", headers={"Authorization": f"Bearer {secrets[-1]}x"})
        coordinator = Person(client, people.coordinator.caller, None, people.coordinator.token)
        assert people.company.organisation is not None
        owner = str(people.company.organisation.public_id)
        coordinator.create("/invitations", {"email": "ken@example.org", "role": "company", "organisation": owner})
        secrets.append(mailbox.secret())
        Browser(client).post("/invitations/accept", {"token": secrets[-1], "password": NEW})
        Browser(client).post("/invitations/accept", {"token": secrets[-1], "password": NEW})
        Browser(client).post("/password-resets", {"email": email})
        secrets.append(mailbox.secret())
        Browser(client).post("/password-resets/accept", {"token": secrets[-1], "password": "password1234"})
        mailbox.refuses = True
        Browser(client).post("/password-resets", {"email": email})
        provider.signs_in(sub="s", email=email, email_verified=True)
        gone = browser.get("/oidc/start").headers["location"]
        secrets += [value for name, value in browser.cookies.items() if "oidc" in name]
        back = provider.visit(gone).partition("/api/v1")[2]
        assert browser.get(back).status_code == 303
        secrets += [*browser.cookies.values()]
    assert "a letter could not be sent" in caplog.text
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail."))
    assert len(secrets) == 10
    for secret in secrets:
        assert secret
        assert secret not in ours


def test_every_reply_has_safe_headers(people: People) -> None:
    """Successes, problems and what is not there; nothing is cached, framed, sniffed or run."""
    client = people.company.client
    replies = [
        people.company.get("/needs"),
        people.company.post("/needs", {"nonsense": 1}),
        client.get("/nothing"),
        client.get("/health/live"),
        client.get("/api/v1/session"),
        client.post("/api/v1/needs", content=b"x" * 1_000_001),
    ]
    assert [reply.status_code for reply in replies] == [200, 422, 404, 200, 401, 413]
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in reply.headers


def test_over_tls_browsers_are_told_to_stay_there(application: Application, settings: Settings) -> None:
    """For a year."""
    with application(settings.model_copy(update={"public_url": "https://enmusubi.example.org"})) as client:
        assert client.get("/health/live").headers["strict-transport-security"] == "max-age=31536000"
