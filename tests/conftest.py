"""What tests share: a real PostgreSQL made by the migrations, rolled back after each test."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from enmusubi.app import migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from tests.databases import as_superuser

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command does; see docs/decisions/0011
for name in [name for name in os.environ if name.startswith("ENMUSUBI_")]:
    del os.environ[name]  # tests run with the defaults, whatever the developer's shell sets

EVAL = Path(__file__).resolve().parents[2] / "shared" / "eval"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the long runs: `make quality` and `make crash`."""
    parser.addoption("--full", action="store_true", help="measure all judged sets, not only the short ones")
    parser.addoption("--kills", type=int, default=6, help="how many times the crash tests kill a process")


class RolledBackDatabase(Database):
    """A database whose sessions all live in one outer transaction, which the test rolls back."""

    connection: Connection

    def session(self) -> Session:
        """A session on the test's connection; its commits release savepoints only."""
        return Session(self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")

    def reading(self) -> Session:
        """The same: what the test wrote is to be seen."""
        return self.session()


@pytest.fixture(scope="session")
def server() -> Iterator[Database]:
    """A migrated database on an embedded server of this test run."""
    with (
        tempfile.TemporaryDirectory(prefix="enmusubi-", ignore_cleanup_errors=True) as folder,
        connect(Settings(home=Path(folder))) as database,
    ):
        with as_superuser(database) as connection:
            # Nothing here outlives the tests, so nothing waits for the disk.
            connection.execute(text("alter system set fsync = off"))
            connection.execute(text("select pg_reload_conf()"))
        migrating.upgrade(database)
        yield database


@pytest.fixture
def database(server: Database) -> Iterator[RolledBackDatabase]:
    """The server's database, everything in it undone after the test."""
    with server.engine.connect() as connection:
        transaction = connection.begin()
        rolled_back = RolledBackDatabase(engine=server.engine, url=server.url, service=server.service)
        rolled_back.connection = connection
        yield rolled_back
        transaction.rollback()


@pytest.fixture
def session(database: RolledBackDatabase) -> Iterator[Session]:
    """A session that the test may commit; rolled back in the end."""
    with database.session() as session:
        yield session


@pytest.fixture
def eval_sets() -> Path:
    """The folder of open judged sets; the test is skipped where it is missing."""
    if not EVAL.is_dir():
        pytest.skip(f"no judged sets beside the checkout ({EVAL.parent.name}/{EVAL.name})")
    return EVAL
