"""The service starts with a role that can bypass nothing, or says what to do."""

import logging

import pytest
from pydantic import SecretStr

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.main import create_app
from tests.app.conftest import started
from tests.app.factories import ENCODER
from tests.databases import settings_for


def test_the_owner_is_refused(committed: Database, settings: Settings) -> None:
    """With one URL, that of the owner, the service is not ready and names the two variables."""
    alone = settings.model_copy(update={"database_url": SecretStr(committed.url)})
    with started(create_app(alone, ENCODER)) as client:
        reply = client.get("/health/ready")
        assert reply.status_code == 503
        assert "owns the tables" in reply.json()["database"]
        assert "ENMUSUBI_OPERATOR_DATABASE_URL" in reply.json()["database"]
        assert client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"}).status_code == 503


def test_a_trial_may_allow_it_and_is_warned(
    committed: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """ENMUSUBI_ALLOW_OWNER_SERVICE lets it start; the log says that it is not for real data."""
    alone = settings.model_copy(update={"database_url": SecretStr(committed.url), "allow_owner_service": True})
    with caplog.at_level(logging.WARNING), started(create_app(alone, ENCODER)) as client:
        assert client.get("/health/ready").status_code == 200
    assert "NOT FOR REAL DATA" in caplog.text


def test_the_services_role_serves(committed: Database, server: Database, settings: Settings) -> None:
    """With both URLs it is ready, and answers who has no token as ever."""
    with started(create_app(settings_for(server, committed.url, settings), ENCODER)) as client:
        assert client.get("/health/ready").json()["status"] == "ready"
        assert client.get("/api/v1/seeds", headers={"Authorization": "Bearer enm_x"}).status_code == 401
