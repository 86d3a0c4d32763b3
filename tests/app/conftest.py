"""The whole application on the rolled-back database, people of every role, and databases that really commit."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from enmusubi.app import migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect, connect_for_service
from enmusubi.app.main import create_app
from enmusubi.app.models import Cluster
from enmusubi.app.vocabulary import Role
from tests.app.factories import ENCODER, Person, a_cluster, a_person
from tests.conftest import RolledBackDatabase
from tests.databases import a_database, drop, settings_for


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings with a home of the test's own."""
    # Probabilities are fitted to real texts; those of the tests are made up. Nothing runs beside a test.
    return Settings(home=tmp_path, floor=0.0, background_sentences=False, chain_seconds=0, indicators_seconds=0)


@contextmanager
def started(app: FastAPI) -> Iterator[TestClient]:
    """A client of an application whose parts have all started or failed."""
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.runtime.wait()
        yield client


@pytest.fixture
def client(database: RolledBackDatabase, settings: Settings) -> Iterator[TestClient]:
    """A client of the whole application, with the deterministic encoder."""
    with started(create_app(settings, ENCODER, database.for_service)) as client:
        yield client


@dataclass(frozen=True)
class People:
    """One cluster with a person of every role."""

    cluster: Cluster
    company: Person
    university: Person
    coordinator: Person
    administrator: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.company, self.university, self.coordinator, self.administrator))

    def of(self, role: Role) -> Person:
        """The person of that role."""
        return next(person for person in self if person.role is role)


def people_of(client: TestClient, session: Session, cluster: Cluster | None = None) -> People:
    """A person of every role in a new cluster, or in the one given; committed."""
    cluster = cluster or a_cluster(session)
    roles = (Role.COMPANY, Role.UNIVERSITY, Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR)
    people = People(cluster, *(a_person(client, session, cluster, role) for role in roles))
    session.commit()
    return people


@pytest.fixture
def people(client: TestClient, session: Session) -> People:
    """A cluster with a company, a university, a coordinator and an administrator."""
    return people_of(client, session)


@pytest.fixture
def empty(server: Database, settings: Settings) -> Iterator[Database]:
    """A database of the test's own with nothing in it."""
    url = a_database(server)
    with connect(settings_for(server, url, settings)) as database:
        yield database
    drop(server, url)


@pytest.fixture(scope="session")
def migrated(server: Database) -> str:
    """The name of a migrated database that others are copied from."""
    url = a_database(server)
    with connect(settings_for(server, url, Settings())) as database:
        migrating.upgrade(database)
    name = make_url(url).database
    assert name is not None
    return name


@pytest.fixture
def committed(server: Database, migrated: str, settings: Settings) -> Iterator[Database]:
    """A migrated database of the test's own, where commits are real and connections are many."""
    url = a_database(server, migrated)
    with connect(settings_for(server, url, settings)) as database:
        yield database
    drop(server, url)


@pytest.fixture
def service(server: Database, committed: Database, settings: Settings) -> Iterator[Database]:
    """The same database as the running service reaches it, with the role that bypasses nothing."""
    with connect_for_service(settings_for(server, committed.url, settings)) as database:
        yield database


Serve = Callable[..., TestClient]


@pytest.fixture
def serve(service: Database, settings: Settings) -> Iterator[Serve]:
    """Start applications on the committed database; all are closed in the end."""
    with ExitStack() as stack:

        def start(database: Database | None = None, given: Settings | None = None) -> TestClient:
            return stack.enter_context(started(create_app(given or settings, ENCODER, database or service)))

        yield start
