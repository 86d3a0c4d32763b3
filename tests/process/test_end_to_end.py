"""The whole main job with real processes: the server over HTTP, and commands beside it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from enmusubi.matching.snapshot.manifest import read_current
from tests.ingest.loads import Row, a_file
from tests.running import Home, Server, wait_for

pytestmark = pytest.mark.process

SEEDS: list[Row] = [
    {"external_id": "S-1", "title": "凍結に強いコンクリート", "organisation": "北星湾大学"},
    {"external_id": "S-2", "title": "solar panel cleaning robot", "organisation": "北星湾大学"},
]


def _token(made: str) -> str:
    (token,) = [line for line in made.splitlines() if line.startswith("enm_")]
    return token


def _titles(reply: httpx.Response) -> list[str]:
    assert reply.status_code in (200, 201), reply.text
    body: dict[str, Any] = reply.json()
    return [ranked["entry"]["title"] for ranked in body.get("matches", body)["ranking"]]


@pytest.fixture
def server(home: Home) -> Iterator[Server]:
    """A running server on a migrated database with a cluster."""
    home.must("migrate")
    home.must("cluster", "create", "北星湾")
    server = Server(home)
    yield server
    server.kill()


def test_from_files_to_reviewed_matches(home: Home, server: Server, tmp_path: Path) -> None:
    """One story: start, accounts, seeds, a need, an ingest beside, a withdrawal, a review, an orderly end."""
    wait_for(lambda: server.health("live") == 200, "life")
    server.ready()
    postmaster = home.postmaster()
    # Accounts and entries made by commands are there for the running server at once.
    company = _token(home.must("account", "create", "Ito", "--role", "company", "--organisation", "凍沢製氷"))
    university = _token(home.must("account", "create", "Sato", "--role", "university", "--organisation", "北星湾大学"))
    coordinator = _token(home.must("account", "create", "Abe", "--role", "coordinator"))
    assert server.call("GET", "/seeds", "enm_wrong").status_code == 401
    registered = server.call("POST", "/seeds", university, {"title": "seaweed as animal feed"})
    assert registered.status_code == 201

    # No snapshot yet: everything is scored exactly.
    posted = server.call(
        "POST", "/needs", company, {"title": "feed made of seaweed", "description": "Zebra", "budget_yen": 5}
    )
    assert _titles(posted) == ["seaweed as animal feed"]
    assert posted.json()["matches"]["provenance"]["snapshot"] is None
    need = posted.json()["id"]

    # An ingest beside the server publishes a snapshot, which the server follows.
    home.must("ingest", "seeds", a_file(tmp_path, SEEDS))
    published = read_current(home.published)

    def provenance() -> bool:
        reply = server.call("POST", "/match", coordinator, {"text": "コンクリート"})
        assert "凍結に強いコンクリート" in _titles(reply)
        return bool(reply.json()["provenance"]["snapshot"] == published)

    wait_for(provenance, "the new snapshot in use", seconds=10)
    assert len(_titles(server.call("GET", f"/needs/{need}/matches", coordinator))) == 3

    # A withdrawn seed disappears whatever the snapshot says.
    seed = registered.json()["id"]
    etag = registered.headers["ETag"]
    assert server.call("POST", f"/seeds/{seed}/withdraw", university, If_Match=etag).status_code == 200
    found = server.call("GET", f"/needs/{need}/matches", coordinator)
    assert "seaweed as animal feed" not in _titles(found)

    # A review takes the pair out of the proposals.
    match = found.json()["ranking"][0]
    reviewed = server.call(
        "POST",
        f"/matches/{match['match']}/reviews",
        coordinator,
        {"verdict": "dismiss", "reason": "out_of_scope"},
        If_Match="*",
    )
    assert reviewed.status_code == 201, reviewed.text
    assert match["entry"]["title"] not in _titles(server.call("GET", f"/needs/{need}/matches", coordinator))

    # The commands have left the embedded server running; the service, its last user, stops it in an orderly end.
    assert home.postmaster() == postmaster is not None
    assert server.terminate() == 0
    assert home.postmaster() is None
    assert "北星湾" in home.must("cluster", "list")
    assert home.postmaster() is None
    # What is confidential is in no log.
    assert "Zebra" not in server.log.read_text()
    assert not re.search(r"Traceback|ERROR", server.log.read_text())


def test_a_command_that_is_terminated_leaves_in_order(home: Home, tmp_path: Path) -> None:
    """SIGTERM ends an ingest with its status, and the embedded server stops with it."""
    home.must("migrate")
    home.must("cluster", "create", "北星湾")
    path = a_file(tmp_path, [{"external_id": str(n), "title": f"Title {n}"} for n in range(20_000)])
    process = home.begin("ingest", "seeds", path, "--no-index")
    wait_for(lambda: home.postmaster() is not None, "the embedded server")
    process.terminate()
    out, errors = process.communicate()
    assert process.returncode == 143, (out, errors)
    assert "Traceback" not in errors
    wait_for(lambda: home.postmaster() is None, "the end of the embedded server")


def test_a_server_without_migrations_is_live_but_not_ready(home: Home) -> None:
    """It says what to do, and serves as soon as that is done."""
    server = Server(home)
    try:
        wait_for(lambda: server.health("live") == 200, "life")
        wait_for(
            lambda: "enmusubi migrate" in server.client.get("/health/ready").json()["database"], "the fix in readiness"
        )
        home.must("migrate")
        server.ready()
        assert server.terminate() == 0
    finally:
        server.kill()


def test_more_requests_than_connections_are_all_answered(home: Home) -> None:
    """Requests beyond the connections wait for their turn, not for each other."""
    home.must("migrate")
    home.must("cluster", "create", "北星湾")
    token = _token(home.must("account", "create", "Abe", "--role", "coordinator"))
    server = Server(home.with_settings(database_pool="2"))
    try:
        server.ready()
        with ThreadPoolExecutor(24) as clients:
            calls = [clients.submit(server.call, "GET", "/seeds", token) for _ in range(24)]
            calls += [clients.submit(server.call, "POST", "/match", token, {"text": "ice"}) for _ in range(24)]
            assert {call.result().status_code for call in calls} == {200}
    finally:
        server.kill()
