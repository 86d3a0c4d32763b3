"""Every error is an RFC 9457 problem, on every route."""

import json
import logging
import uuid
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text
from sqlalchemy.orm import Session

from enmusubi.app import auth, problems
from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.models import Account
from tests.app.browsers import a_browser
from tests.app.conftest import People
from tests.app.factories import API, Json

OPERATIONS: dict[tuple[str, str], Json] = {
    (method.upper(), path): operation
    for path, item in create_app(Settings()).openapi()["paths"].items()
    for method, operation in item.items()
    if path.startswith(API)
}
ROUTES = [route for route, operation in OPERATIONS.items() if operation.get("security")]
IDS = (
    *("seed_id", "need_id", "organisation_id", "match_id", "session_id", "token_id", "account_id", "invitation_id"),
    *("cluster_id", "import_id", "webhook_id", "notice_id", "search_id"),
)
LEAST: dict[str, Json] = {
    "/seeds": {"title": "T"},
    "/needs": {"title": "T"},
    "/organisations": {"name": "N", "kind": "company"},
    "/match": {"text": "T"},
    "/matches": {"need": str(uuid.UUID(int=0)), "seed": str(uuid.UUID(int=0))},
    **{f"/{step}": {} for step in ("reconsider", "introduce", "interest", "accept", "disclosure")},
    **{f"/{report}": {} for report in ("meeting", "negotiation", "agreement")},
    **{f"/{no}": {"reason": "terms"} for no in ("decline", "close")},
    "/outcomes": {"kind": "licence", "agreed_on": "2027-04-01"},
    "/hand-over": {"to": str(uuid.UUID(int=0))},
    "/saved-searches": {"name": "N", "text": "T"},
    "/reviews": {"verdict": "shortlist"},
    "/review": {"verdict": "approve"},
    "/replay": {},
    "/session/confirm": {"password": "P"},
    "/account/password": {"password": "P"},
    "/tokens": {"name": "T", "scopes": ["read"]},
    "/invitations": {"email": "a@example.org", "role": "auditor"},
}


def _body(method: str, path: str) -> Json | None:
    if method == "PATCH":
        return {}
    return next((body for end, body in LEAST.items() if path.endswith(end)), None) if method == "POST" else None


def _check(reply: Response, status: int) -> Json:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body: Json = reply.json()
    assert body["status"] == status
    assert body["type"].startswith("/problems/")
    assert body["title"]
    assert not {"detail"} & set(body) or isinstance(body["detail"], str)
    return body


def _call(client: TestClient, method: str, path: str, headers: dict[str, str], body: Any = None) -> Response:
    shown = f'"{"0" * 64}"' if path.endswith("/disclosure") else "*"  # a disclosure is of what was shown, never of any
    path = path.format(**dict.fromkeys(IDS, uuid.uuid4()))
    return client.request(method, path, json=body, headers={"If-Match": shown, **headers})


def test_the_walk_below_reaches_every_route() -> None:
    """Routes by what they are about; beside them those that sign somebody in or stop an alert need no account."""
    about = Counter(OPERATIONS[route]["tags"][0] for route in ROUTES)
    assert about == {
        "seeds": 9,
        "needs": 10,
        "lifecycle": 15,
        "imports": 4,
        "clusters": 6,
        "organisations": 5,
        "matches": 4,
        "introductions": 20,
        "notices": 2,
        "webhooks": 9,
        "alerts": 9,
        "signing in": 9,
        "accounts": 9,
        "audit": 2,
    }
    assert len(OPERATIONS) == len(ROUTES) + 9


def test_no_token(people: People) -> None:
    """Without a token every route answers 401 and says how to sign in, whatever else is wrong."""
    for method, path in ROUTES:
        client = people.company.client
        for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer enm_wrong"}):
            reply = _call(client, method, path, headers, _body(method, path))
            assert _check(reply, 401)["type"] == "/problems/unauthenticated"
            assert reply.headers["www-authenticate"] == "Bearer"
        bare = client.request(method, path.format(**dict.fromkeys(IDS, "x")))
        assert bare.status_code in (401, 422)


def test_revoked_token(people: People, session: Session) -> None:
    """A revoked token is as good as none."""
    account = session.get(Account, people.coordinator.caller.id)
    assert account is not None
    assert auth.revoke_tokens(session, account) == 1
    session.commit()
    for method, path in ROUTES:
        _check(_call(people.company.client, method, path, people.coordinator.headers, _body(method, path)), 401)


def test_inactive_account(people: People, session: Session) -> None:
    """The tokens of an account that is closed serve no more."""
    account = session.get(Account, people.company.caller.id)
    assert account is not None
    account.active = False
    session.commit()
    _check(people.company.get("/seeds"), 401)


def test_unknown_id(people: People, session: Session) -> None:
    """A public id that names nothing is 404, one that is no id is 422."""
    headers = a_browser(session, people.coordinator).headers
    for method, path in [route for route in ROUTES if "{" in route[1]]:
        _check(_call(people.coordinator.client, method, path, headers, _body(method, path)), 404)
        wrong = path.replace("{", "").replace("}", "")
        body = _check(_call(people.coordinator.client, method, wrong, headers, _body(method, path)), 422)
        assert body["errors"][0]["at"].startswith("/path/")


def test_wrong_method(people: People) -> None:
    """A method that a route does not have is 405 and names those it has."""
    for path in sorted({path for _, path in ROUTES}):
        reply = _call(people.coordinator.client, "PUT", path, people.coordinator.headers)
        _check(reply, 405)
        assert reply.headers["allow"]


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if _body(*route) is not None])
def test_wrong_body(people: People, session: Session, method: str, path: str) -> None:
    """A wrong body is 422, each error with its place; one that is no JSON as well."""
    client, headers = people.coordinator.client, a_browser(session, people.coordinator).headers
    found = _check(_call(client, method, path, headers, {"nonsense": 1}), 422)["errors"]
    assert "/body/nonsense" in [error["at"] for error in found]
    _check(_call(client, method, path, headers, []), 422)
    address = path.format(**dict.fromkeys(IDS, uuid.uuid4()))
    for content in (b"{", b'{"\\ud800": 1}', b'{"title": "\\ud800"}', b"\xff\xfe", b"[" * 5_000, b"1" * 5_000, b""):
        reply = client.request(
            method, address, content=content, headers={**headers, "If-Match": "*", "Content-Type": "application/json"}
        )
        assert reply.status_code in (400, 422), content
        _check(reply, reply.status_code)


def _takes_limit(operation: Json) -> bool:
    return any(
        parameter["name"] == "limit" for parameter in operation.get("parameters", []) if "requestBody" not in operation
    )


def test_wrong_query(people: People) -> None:
    """A query that is wrong is 422 with its place."""
    lists = [path for (_, path), operation in OPERATIONS.items() if _takes_limit(operation) and "{" not in path]
    assert len(lists) == 13
    for path in lists:
        body = _check(people.coordinator.get(path.removeprefix(API), limit=0), 422)
        assert body["errors"][0]["at"] == "/query/limit"


def test_unknown_route(people: People) -> None:
    """What is not there is a problem too."""
    for path in ("/api", "/api/v1", "/api/v1/", "/api/v1/seeds/", "/api/v2/seeds", "/health", "/api/v1/%00"):
        _check(people.company.client.get(path, headers=people.company.headers), 404)


def test_change_without_if_match(people: People) -> None:
    """428 says which header is missing."""
    for method, path in [
        route for route in ROUTES if "withdraw" in route[1] or (route[0] == "PATCH" and "{" in route[1])
    ]:
        address = path.format(**dict.fromkeys(IDS, uuid.uuid4()))
        reply = people.company.client.request(method, address, json=_body(method, path), headers=people.company.headers)
        assert "If-Match" in _check(reply, 428)["detail"]


LARGE = b'{"title": "' + b"x" * 1_000_000 + b'"}'


def test_body_over_the_limit_is_refused_by_its_announced_length(people: People) -> None:
    """413 before a byte of it is read."""
    headers = {**people.university.headers, "Content-Type": "application/json"}
    reply = people.university.client.post(API + "/seeds", content=LARGE, headers=headers)
    assert "1,000,000" in _check(reply, 413)["detail"]


def test_body_over_the_limit_is_refused_in_chunks(people: People) -> None:
    """413 also where no length is announced."""
    headers = {**people.university.headers, "Content-Type": "application/json"}
    chunks = (LARGE[start : start + 50_000] for start in range(0, len(LARGE), 50_000))
    reply = people.university.client.post(API + "/seeds", content=chunks, headers=headers)
    assert "content-length" not in reply.request.headers
    _check(reply, 413)
    assert people.university.read("/seeds")["items"] == []


def test_body_at_the_limit_is_taken(people: People) -> None:
    """A body of exactly the limit is read; its text is too long for another reason."""
    body = b'{"title": "' + b"x" * (1_000_000 - 13) + b'"}'
    assert len(body) == 1_000_000
    headers = {**people.university.headers, "Content-Type": "application/json"}
    _check(people.university.client.post(API + "/seeds", content=body, headers=headers), 422)


def test_errors_name_places_not_values(people: People) -> None:
    """Each error says where, why and of what kind, without the value."""
    reply = people.company.post("/needs", {"title": "T", "budget_yen": "hush", "cooperation": ["hush"]})
    found = _check(reply, 422)["errors"]
    assert {error["at"] for error in found} == {"/body/budget_yen", "/body/cooperation/0"}
    assert all(set(error) == {"at", "reason", "kind"} for error in found)
    assert "hush" not in reply.text


@pytest.fixture
def breaking(server: Any) -> TestClient:
    """An application whose routes fail in ways that no rule foresees."""
    app = FastAPI()
    problems.install(app)

    @app.get("/refused")
    def refused() -> None:
        with server.engine.begin() as connection:
            connection.execute(
                text("insert into clusters (public_id, name) values (:id, :name)"), {"id": None, "name": "HUSH"}
            )

    @app.get("/unwritable")
    def unwritable() -> None:
        with server.engine.begin() as connection:
            connection.execute(text("select cast(:text as integer)"), {"text": "HUSH"})

    @app.get("/bug")
    def bug() -> None:
        raise RuntimeError("HUSH")

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(("path", "status"), [("/refused", 409), ("/unwritable", 500), ("/bug", 500)])
def test_unforeseen_errors_say_nothing_of_what_they_hold(
    breaking: TestClient, caplog: pytest.LogCaptureFixture, path: str, status: int
) -> None:
    """PostgreSQL's messages quote whole rows: neither the reply nor our log repeats them."""
    caplog.set_level(logging.DEBUG)
    reply = breaking.get(path)
    _check(reply, status)
    assert "HUSH" not in json.dumps(reply.json())
    assert "HUSH" not in caplog.text
