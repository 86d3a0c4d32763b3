"""API tokens: made by a person, for some uses and some time, shown once."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.models import ApiToken
from enmusubi.app.vocabulary import Scope
from tests.app.browsers import PASSWORD, Browser, a_browser, let_pass
from tests.app.conftest import People
from tests.app.factories import Person


def _person(browser: Browser, person: Person, *scopes: Scope, days: int = 90) -> Person:
    made = browser.must("POST", "/tokens", {"name": "export", "scopes": list(scopes), "days": days})
    return Person(person.client, person.caller, person.organisation, made["token"])


def test_a_token_is_shown_once_and_kept_as_a_hash(people: People, session: Session) -> None:
    """Its beginning tells what has leaked; the list does not show it."""
    browser = a_browser(session, people.company)
    made = browser.must("POST", "/tokens", {"name": "export", "scopes": ["read"]})
    assert made["token"].startswith("enm_")
    assert len(made["token"]) == 4 + 43
    stored = session.scalars(select(ApiToken).where(ApiToken.name == "export")).one()
    assert stored.token_hash == opaque.digest(made["token"])
    listed = browser.get("/tokens")
    assert made["token"] not in listed.text
    assert [each["name"] for each in listed.json()["items"]] == ["export", ""]
    assert not any(made["token"] in row for row in session.scalars(text("select api_tokens::text from api_tokens")))


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("GET", "/needs", None, Scope.READ),
        ("POST", "/match", {"text": "T"}, Scope.READ),
        ("POST", "/needs", {"title": "T"}, Scope.WRITE),
        ("GET", "/accounts", None, Scope.ADMINISTER),
        ("GET", "/invitations", None, Scope.ADMINISTER),
    ],
)
def test_a_token_does_what_its_scopes_say(
    people: People, session: Session, method: str, path: str, body: object, needed: Scope
) -> None:
    """Each route names its scope; without it, 403 names the one that is missing."""
    browser = a_browser(session, people.coordinator)
    with_it = _person(browser, people.coordinator, needed)
    without = _person(browser, people.coordinator, *(scope for scope in Scope if scope is not needed))
    assert with_it.call(method, path, body).is_success
    refused = without.call(method, path, body)
    assert refused.status_code == 403
    assert refused.json()["detail"] == f"the token lacks the scope {needed}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tokens", {"name": "more", "scopes": ["read"]}),
        ("GET", "/tokens", None),
        ("POST", "/account/password", {"present": PASSWORD, "password": "kelp 41 and Sapporo"}),
        ("PATCH", "/account", {"name": "Somebody else"}),
        ("GET", "/sessions", None),
        ("DELETE", "/sessions", None),
        ("POST", "/session/confirm", {"password": PASSWORD}),
    ],
)
def test_a_token_makes_no_tokens_and_changes_no_password(people: People, method: str, path: str, body: object) -> None:
    """Whatever its scopes: who steals one cannot stay longer than it does."""
    reply = people.administrator.call(method, path, body)
    assert (reply.status_code, reply.json()["detail"]) == (403, "a token does not do for this: sign in")


def test_a_scope_adds_nothing_to_the_role(people: People, session: Session) -> None:
    """A company with the scope to administer administers nothing."""
    company = _person(a_browser(session, people.company), people.company, *Scope)
    account = people.university.caller.public_id
    assert company.post(f"/accounts/{account}/deactivate").status_code == 404
    assert company.get("/invitations").status_code == 403


def test_tokens_expire_and_are_revoked(people: People, session: Session) -> None:
    """At once, and for good."""
    browser = a_browser(session, people.company)
    short, long = (_person(browser, people.company, Scope.READ, days=days) for days in (1, 30))
    other = _person(a_browser(session, people.university), people.university, Scope.READ)
    let_pass(session, days=1, minutes=1)
    assert (short.get("/needs").status_code, long.get("/needs").status_code) == (401, 200)
    browser = a_browser(session, people.company)
    (listed,) = [each for each in browser.must("GET", "/tokens")["items"] if each["name"]]
    assert browser.call("DELETE", f"/tokens/{listed['id']}").status_code == 204
    assert browser.call("DELETE", f"/tokens/{listed['id']}").status_code == 404
    assert long.get("/needs").status_code == 401
    (others,) = [each for each in a_browser(session, people.university).must("GET", "/tokens")["items"] if each["name"]]
    assert browser.call("DELETE", f"/tokens/{others['id']}").status_code == 404
    assert other.get("/seeds").status_code == 200


@pytest.mark.parametrize("path", ["/needs", "/match"])
def test_last_use_is_noted_to_the_minute(people: People, session: Session, path: str) -> None:
    """Not at each call: the busiest one only reads."""

    def ask() -> None:
        reply = people.company.get(path) if path == "/needs" else people.company.post(path, {"text": "T"})
        assert reply.status_code == 200

    used = select(ApiToken.last_used).where(ApiToken.account_id == people.company.caller.id)
    assert session.scalar(used) is None
    ask()
    first = session.scalar(used)
    assert first is not None
    let_pass(session, seconds=30)
    ask()
    assert session.scalar(used) < first  # type: ignore[operator]  # moved back with time, not written anew
    let_pass(session, seconds=31)
    ask()
    assert session.scalar(used) == first


def test_an_account_has_so_many_tokens(people: People, session: Session) -> None:
    """Forgotten ones do not pile up without end."""
    browser = a_browser(session, people.company)
    session.execute(
        text(
            "insert into api_tokens (public_id, account_id, token_hash) "
            "select gen_random_uuid(), :account, sha256(n::text::bytea) from generate_series(1, 49) n"
        ),
        {"account": people.company.caller.id},
    )
    session.commit()
    assert browser.post("/tokens", {"name": "one more", "scopes": ["read"]}).status_code == 409
