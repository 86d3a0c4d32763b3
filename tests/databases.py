"""A migrated database of the test's own, for what commits or opens connections of its own."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text

from enmusubi.app import migrating
from enmusubi.app.database import Database

_numbers = itertools.count(1)
_TEMPLATE = "enmusubi_template"


def _command(server: Database, statement: str) -> None:
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def _database(server: Database, name: str) -> Database:
    url = make_url(server.url).set(database=name)
    engine = create_engine(url, hide_parameters=True)
    return Database(engine=engine, url=url.render_as_string(hide_password=False))


@pytest.fixture(scope="session")
def template(server: Database) -> str:
    """The name of a migrated, empty database that is copied for each test."""
    with server.engine.connect() as connection:
        # Each folder of tests that uses this fixture makes it once, for one server.
        known = connection.execute(
            text("select 1 from pg_database where datname = :name"), {"name": _TEMPLATE}
        ).scalar()
    if not known:
        _command(server, f"create database {_TEMPLATE}")
        with _database(server, _TEMPLATE) as database:
            migrating.upgrade(database)
    return _TEMPLATE


@pytest.fixture
def own(server: Database, template: str) -> Iterator[Database]:
    """A database of the test's own, dropped in the end."""
    with a_database(server, template) as database:
        yield database


@contextmanager
def a_database(server: Database, template: str) -> Iterator[Database]:
    """A further one."""
    name = f"enmusubi_{next(_numbers)}"
    _command(server, f"create database {name} template {template}")
    with _database(server, name) as database:
        yield database
    _command(server, f"drop database {name} with (force)")
