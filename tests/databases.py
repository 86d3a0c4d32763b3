"""Databases of the tests' own on the embedded server, with the roles and rights of an installation."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, Connection, create_engine, make_url, text

from enmusubi.app import migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.embedded import OWNER, SERVICE, SUPERUSER

_TEMPLATE = "enmusubi_template"


def url_of(server: Database, role: str, name: str | None = None) -> str:
    """The URL of a database of the server, its own if no name is given, as one of its roles."""
    assert server.embedded is not None
    login = server.embedded.login(role)
    url = URL.create(
        "postgresql+psycopg",
        login.role,
        login.password,
        database=name or login.database,
        query={"host": str(login.sockets), "port": login.port},
    )
    return url.render_as_string(hide_password=False)


@contextmanager
def as_superuser(server: Database) -> Iterator[Connection]:
    """A connection of the superuser, for what neither owner nor service may do; each statement commits."""
    engine = create_engine(url_of(server, SUPERUSER), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def a_database(server: Database, template: str = "template1", name: str | None = None) -> str:
    """The owner's URL of a new database on the server."""
    name = name or f"enmusubi_{uuid.uuid4().hex}"
    with as_superuser(server) as connection:
        # file_copy is the quicker strategy for a database of this size with nothing in it.
        connection.execute(text(f'create database "{name}" owner {OWNER} template "{template}" strategy file_copy'))
        # A copy has the tables' rights of its template, not the database's.
        connection.execute(text(f'revoke all on database "{name}" from public'))
        connection.execute(text(f'grant connect on database "{name}" to {SERVICE}'))
    return url_of(server, OWNER, name)


def drop(server: Database, url: str) -> None:
    """Remove a database made by `a_database`."""
    with as_superuser(server) as connection:
        connection.execute(text(f'drop database "{make_url(url).database}" with (force)'))


def settings_for(server: Database, url: str, settings: Settings) -> Settings:
    """Settings of commands and service for a database made by `a_database`."""
    service = url_of(server, SERVICE, make_url(url).database)
    return settings.model_copy(update={"operator_database_url": SecretStr(url), "database_url": SecretStr(service)})


def variables_for(server: Database, url: str) -> dict[str, str]:
    """The same as arguments of `Home.with_settings`."""
    return {"operator_database_url": url, "database_url": url_of(server, SERVICE, make_url(url).database)}


@pytest.fixture(scope="session")
def template(server: Database) -> str:
    """The name of a migrated, empty database that is copied for each test."""
    with server.engine.connect() as connection:
        # Each folder of tests that uses this fixture makes it once, for one server.
        known = connection.execute(
            text("select 1 from pg_database where datname = :name"), {"name": _TEMPLATE}
        ).scalar()
    if not known:
        url = a_database(server, name=_TEMPLATE)
        with connect(settings_for(server, url, Settings())) as database:
            migrating.upgrade(database)
    return _TEMPLATE


@pytest.fixture
def own(server: Database, template: str) -> Iterator[Database]:
    """A database of the test's own, as its owner; dropped in the end."""
    with another(server, template) as database:
        yield database


@contextmanager
def another(server: Database, template: str) -> Iterator[Database]:
    """A further one."""
    url = a_database(server, template)
    with connect(settings_for(server, url, Settings())) as database:
        yield database
    drop(server, url)
