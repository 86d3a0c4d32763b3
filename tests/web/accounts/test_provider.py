"""The identity provider by the pages: there, back to what was wanted, and what is said where it lets nobody in."""

# ruff: noqa: F811  fixtures are parameters of the same name

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from tests.app.browsers import let_pass, with_password
from tests.app.conftest import People
from tests.app.signing_in.conftest import (  # noqa: F401 fixtures
    Application,
    IdentityProvider,
    application,
    mailbox,
    posting,
    provider,
    with_provider,
)
from tests.web.conftest import PageBrowser

HTML = {"Accept": "text/html"}


@pytest.fixture
def client(application: Application, with_provider: Settings) -> Iterator[TestClient]:
    """An application whose people may sign in by the provider."""
    with application(with_provider) as client:
        yield client


def _by(provider: IdentityProvider, email: str) -> None:
    provider.signs_in(sub="s-1", email=email, email_verified=True, name="Hana", auth_time=int(time.time()))


def _through(browser: PageBrowser, provider: IdentityProvider, path: str) -> str:
    """Follow a link of ours to the provider and back; where one is in the end."""
    reply = browser.get(path)
    assert reply.headers["location"].startswith("/api/v1/oidc/start")
    reply = browser.get(reply.headers["location"])
    back = urlsplit(provider.visit(reply.headers["location"]))
    reply = browser.get(f"{back.path}?{back.query}", **HTML)
    assert reply.status_code == 303
    if reply.headers["location"] == "/":
        reply = browser.get("/")
    return str(reply.headers["location"])


def test_there_and_back(
    people: People,
    session: Session,
    client: TestClient,
    provider: IdentityProvider,
) -> None:
    """Signed in and confirmed, each time one is where one wanted to go, once."""
    _by(provider, with_password(session, people.coordinator))
    browser = PageBrowser(client)
    sign_in = browser.open("/sign-in?next=/notices")
    assert 'href="/sign-in/provider?next=/notices"' in sign_in
    assert _through(browser, provider, "/sign-in/provider?next=/notices") == "/notices"
    assert browser.get("/").headers["location"] == "/queue"
    assert "このアカウントと連携しています" in browser.open("/account")
    let_pass(session, hours=1)
    asked = browser.get("/account/tokens/new").headers["location"]
    page = browser.open(asked)
    assert 'href="/sign-in/provider?confirm=true&amp;next=/account/tokens/new"' in page
    link = "/sign-in/provider?confirm=true&next=/account/tokens/new"
    assert _through(browser, provider, link) == "/account/tokens/new"
    assert browser.get("/account/tokens/new").status_code == 200
    assert _through(browser, provider, "/sign-in/provider?next=https://evil.example") != "https://evil.example"


def test_who_is_not_let_in_is_told_why(
    people: People,
    client: TestClient,
    provider: IdentityProvider,
) -> None:
    """On the page to sign in, in words; programs get the error."""
    _by(provider, "stranger@example.org")
    browser = PageBrowser(client)
    where = _through(browser, provider, "/sign-in/provider")
    assert where == "/sign-in?refused=unknown"
    assert "招待をご依頼ください" in browser.open(where)
    failed = browser.get("/api/v1/oidc/callback?state=x&code=y", **HTML)
    assert failed.headers["location"] == "/sign-in?refused=failed"
    assert "もう一度お試しください" in browser.open(failed.headers["location"])
    assert browser.get("/api/v1/oidc/callback?state=x&code=y").status_code == 401
