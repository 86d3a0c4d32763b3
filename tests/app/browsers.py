"""A browser: keeps the cookies it is given, and sends the proof that its page makes a request."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from enmusubi.app.models import Account
from enmusubi.app.runtime import Runtime
from enmusubi.app.signing_in.passwords import Passwords
from tests.app.factories import API, Json, Person

PASSWORD = "kelp and kerbstone, Tuesday"
MOMENTS = {
    "sessions": ("created", "last_seen", "expires", "confirmed"),
    "api_tokens": ("created", "expires", "last_used"),
    "invitations": ("created", "expires", "accepted", "withdrawn"),
    "password_resets": ("created", "expires"),
    "oidc_sign_ins": ("expires",),
    "throttles": ("until", "changed"),
}


@dataclass
class Browser:
    """Somebody in front of a browser of their own, though the application's client is shared."""

    client: TestClient
    user_agent: str = "Firefox"
    cookies: dict[str, str] = field(default_factory=dict)
    csrf_token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What it sends along with each request."""
        sent = {"User-Agent": self.user_agent}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf_token:
            sent["X-CSRF-Token"] = self.csrf_token
        return sent

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Any call; what it is given as cookies is kept."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.client.request(
            method, API + path, json=body, headers={**self.headers, **more}, follow_redirects=False
        )
        self.client.cookies.clear()
        for cookie in reply.headers.get_list("set-cookie"):
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if reply.is_success and "csrf_token" in reply.text:
            self.csrf_token = reply.json()["csrf_token"]
        return reply

    def get(self, path: str) -> Response:
        """Read."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        """Create or change."""
        return self.call("POST", path, body, **headers)

    def must(self, method: str, path: str, body: Any = None) -> Json:
        """What must be done."""
        reply = self.call(method, path, body)
        assert reply.is_success, reply.text
        done: Json = reply.json() if reply.content else {}
        return done

    def sign_in(self, email: str, password: str = PASSWORD) -> Response:
        """By password."""
        return self.post("/session", {"email": email, "password": password})

    def is_signed_in(self) -> bool:
        """Whether the service still knows it."""
        return self.get("/session").status_code == 200


_STORED = Passwords().hash(PASSWORD)


def email_of(person: Person) -> str:
    """The address that `a_browser` gives to an account."""
    return f"person-{person.caller.id}@example.org"


def with_password(session: Session, person: Person) -> str:
    """Give the account an address and the usual password; committed."""
    email = email_of(person)
    session.execute(
        update(Account)
        .where(Account.id == person.caller.id)
        .values(email=email, email_key=email, password_hash=_STORED)
    )
    session.commit()
    return email


def a_browser(session: Session, person: Person, user_agent: str = "Firefox") -> Browser:
    """The person in front of a browser, signed in."""
    browser = Browser(person.client, user_agent)
    assert browser.sign_in(with_password(session, person)).status_code == 201
    return browser


def let_pass(session: Session, **time: float) -> None:
    """As if so much time had passed: every moment of signing in lies further back, by the database's clock."""
    passed = datetime.timedelta(**time)
    for table, columns in MOMENTS.items():
        moved = ", ".join(f"{column} = {column} - :passed" for column in columns)
        session.execute(text(f"update {table} set {moved}"), {"passed": passed})
    session.commit()


def elsewhere(client: TestClient, address: str = "192.0.2.7") -> TestClient:
    """The same running application, reached from another network."""
    return TestClient(client.app, client=(address, 50_000), raise_server_exceptions=False)


def runtime_of(client: TestClient) -> Runtime:
    """What the application holds."""
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return runtime
