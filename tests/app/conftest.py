"""A client for the API on the rolled-back database, and callers of every role."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.models import Cluster
from enmusubi.app.runtime import Runtime
from enmusubi.app.visibility import Caller
from enmusubi.app.vocabulary import Role
from tests.app.factories import ENCODER, a_caller, a_cluster, a_token
from tests.conftest import RolledBackDatabase


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings with a home of the test's own."""
    return Settings(home=tmp_path)


@pytest.fixture
def client(database: RolledBackDatabase, settings: Settings) -> Iterator[TestClient]:
    """A client of the whole application, with the deterministic encoder."""
    app = create_app(settings, ENCODER, database)
    with TestClient(app, raise_server_exceptions=False) as client:
        runtime: Runtime = app.state.runtime
        runtime.wait()
        yield client


@dataclass(frozen=True)
class People:
    """One cluster with an account of every role, and their tokens as headers."""

    cluster: Cluster
    callers: dict[Role, Caller]
    headers: dict[Role, dict[str, str]]

    def __getitem__(self, role: Role) -> Caller:
        return self.callers[role]


@pytest.fixture
def people(session: Session) -> People:
    """A cluster with a company, a university, a coordinator and an administrator."""
    cluster = a_cluster(session)
    callers = {role: a_caller(session, cluster, role) for role in Role}
    headers = {role: {"Authorization": f"Bearer {a_token(session, caller)}"} for role, caller in callers.items()}
    session.commit()
    return People(cluster, callers, headers)
