"""Health: live at once, ready when database, migrations and model are there."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session

from enmusubi.app import migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.main import create_app
from enmusubi.matching.encoder import HashEncoder, Progress, Role, Vectors
from tests.app.conftest import People, started
from tests.app.factories import ENCODER, a_need, a_seed
from tests.databases import as_superuser


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _ready(client: TestClient) -> tuple[int, Any]:
    reply = client.get("/health/ready")
    return reply.status_code, reply.json()


def test_ready_when_everything_is_there(client: TestClient) -> None:
    """No token is needed; no snapshot is no fault, and is said."""
    status, parts = _ready(client)
    assert status == 200
    assert parts["status"] == "ready"
    assert parts["database"] == parts["model"] == "ok"
    assert "scored exactly" in parts["snapshot"]
    assert client.get("/health/live").json() == {"status": "live"}


def test_entries_that_wait_are_told(people: People, session: Session, client: TestClient) -> None:
    """Published entries without up-to-date terms or vectors: the service is ready, and says what to run.

    Not how many: anybody may ask.
    """
    assert _ready(client)[1]["entries"] == "ok"
    for made in (a_seed(session, people.cluster), a_need(session, people.cluster)):
        made.terms_analysis = "another dictionary"
    a_seed(session, people.cluster, encoder=None)
    a_seed(session, people.cluster, encoder=None, status="draft")
    a_seed(session, people.cluster, encoder=None, status="on_hold")
    session.commit()
    status, parts = _ready(client)
    assert (status, parts["status"]) == (200, "ready")
    assert parts["entries"] == "some entries wait for `enmusubi index` and are not proposed until then"


class SlowEncoder(HashEncoder):
    """Takes its time, as a model does that is read from the disk."""

    def encode(self, texts: Any, role: Role, progress: Progress | None = None) -> Vectors:
        """Rows, after a while."""
        time.sleep(1.0)
        return super().encode(texts, role, progress)


def test_live_at_once_while_the_model_loads(server: Database, settings: Settings) -> None:
    """The process answers that it lives, and what it is waiting for, before it can serve."""
    with TestClient(create_app(settings, SlowEncoder(), server)) as client:
        assert client.get("/health/live").status_code == 200
        status, parts = _ready(client)
        assert (status, parts["status"], parts["model"]) == (503, "not ready", "is loading")
        refused = client.post("/api/v1/match", json={"text": "T"}, headers={"Authorization": "Bearer enm_x"})
        assert refused.status_code in (401, 503)
        assert refused.headers["content-type"] == "application/problem+json"
        assert _within(5, lambda: _ready(client)[0] == 200)


def test_not_ready_before_migrations_and_ready_after(empty: Database, settings: Settings) -> None:
    """The reason names the fix, and the service recovers without a restart."""
    with started(create_app(settings, ENCODER, empty)) as client:
        status, parts = _ready(client)
        assert status == 503
        assert "enmusubi migrate" in parts["database"]
        assert client.get("/health/live").status_code == 200
        refused = client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"})
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        migrating.upgrade(empty)
        assert _within(5, lambda: _ready(client)[0] == 200)
        assert client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"}).status_code == 401


def test_not_ready_without_a_database(settings: Settings, server: Database) -> None:
    """A server that does not answer is a reason, not a crash; neither reply names the URL's password."""
    secret = settings.model_copy(update={"database_url": SecretStr("postgresql://u:hush@127.0.0.1:1/none")})
    with started(create_app(secret, ENCODER)) as client:
        status, parts = _ready(client)
        assert status == 503
        assert "does not answer" in parts["database"]
        assert parts["model"] == "ok"
        refused = client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"})
        assert refused.status_code == 503
        assert "hush" not in refused.text + str(parts)


def test_database_that_goes_and_comes_back(
    committed: Database, service: Database, server: Database, settings: Settings
) -> None:
    """While it is gone the service is live and not ready; when it is back it serves again by itself."""
    name = committed.engine.url.database
    with started(create_app(settings, ENCODER, service)) as client:
        assert _ready(client)[0] == 200
        with as_superuser(server) as connection:
            connection.execute(text(f'alter database "{name}" with allow_connections false'))
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"), {"name": name}
            )
            status, parts = _ready(client)
            assert (status, parts["database"]) == (503, "does not answer")
            assert client.get("/health/live").status_code == 200
            refused = client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"})
            assert refused.status_code == 503
            assert refused.headers["content-type"] == "application/problem+json"
            connection.execute(text(f'alter database "{name}" with allow_connections true'))
        assert _within(5, lambda: _ready(client)[0] == 200)
        assert client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"}).status_code == 401


class BrokenEncoder(HashEncoder):
    """A model whose weights cannot be read."""

    def encode(self, texts: Any, role: Role, progress: Progress | None = None) -> Vectors:
        """Fails."""
        raise OSError("HUSH: no such file")


def test_model_that_cannot_be_loaded(server: Database, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """The kind of fault is told, the rest is in the log."""
    with started(create_app(settings, BrokenEncoder(), server)) as client:
        status, parts = _ready(client)
        assert status == 503
        assert "OSError" in parts["model"]
        assert "HUSH" not in str(parts)
    assert "HUSH" in caplog.text
