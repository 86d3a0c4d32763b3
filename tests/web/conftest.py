"""Pages as a browser without JavaScript gets them: forms with the token of their session."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update
from sqlalchemy.orm import Session

from enmusubi.app.models import Account
from tests.app.browsers import PASSWORD, with_password
from tests.app.conftest import client, committed, empty, migrated, people, serve, service, settings  # noqa: F401 fixtures
from tests.app.factories import Person

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class PageBrowser:
    """Somebody in front of the pages; no cookie is shared, though the application's client is."""

    client: TestClient
    language: str = "ja"
    cookies: dict[str, str] = field(default_factory=dict)
    csrf_token: str = ""

    def get(self, path: str, **headers: str) -> Response:
        """Open a page; it is not sent on."""
        return self._call("GET", path, headers=headers)

    def open(self, path: str) -> str:
        """Open a page that must be there; its text."""
        reply = self.get(path)
        while reply.status_code == 303:
            reply = self.get(reply.headers["location"])
        assert reply.status_code == 200, (path, reply.status_code, reply.text)
        return reply.text

    def send(self, path: str, _files: Any = None, **fields: Any) -> Response:
        """Send a form with the token of this browser's session; it is not sent on."""
        return self._call("POST", path, data={"csrf": self.csrf_token, **fields}, files=_files)

    def sign_in(self, email: str, password: str = PASSWORD) -> Response:
        """By the form."""
        reply = self._call("POST", "/sign-in", data={"email": email, "password": password, "next": "/"})
        if reply.status_code == 303:
            self.csrf_token = self._token()
        return reply

    def _token(self) -> str:
        shown = self.client.get("/api/v1/session", headers=self._headers())
        self.client.cookies.clear()
        return str(shown.json()["csrf_token"])

    def _headers(self) -> dict[str, str]:
        sent = {"Accept-Language": self.language, "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return sent

    def _call(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Response:
        sent = {**self._headers(), **(headers or {})}
        reply = self.client.request(method, path, headers=sent, follow_redirects=False, **body)
        self.client.cookies.clear()
        for cookie in reply.headers.get_list("set-cookie"):
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return reply


def csrf_of(page: str) -> str:
    """The token in a page's forms."""
    found = _CSRF.search(page)
    assert found, "the page has no form"
    return html.unescape(found[1])


Enter = Callable[..., PageBrowser]


@pytest.fixture
def enter(client: TestClient, session: Session) -> Enter:  # noqa: F811 the fixture
    """Put a person in front of a browser, signed in; `language` is that of their account."""

    def entered(person: Person, language: str = "ja") -> PageBrowser:
        session.execute(update(Account).where(Account.id == person.caller.id).values(language=language))
        browser = PageBrowser(client, language)
        reply = browser.sign_in(with_password(session, person))
        assert reply.status_code == 303, reply.text
        return browser

    return entered
