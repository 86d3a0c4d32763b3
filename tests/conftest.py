"""What tests share: a real PostgreSQL made by the migrations, rolled back after each test."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session, SessionTransaction

from enmusubi.app import migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.embedded import SERVICE
from tests.databases import as_superuser

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command does; see docs/decisions/0011
if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker for each processor: more threads than that would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
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

    @property
    def for_service(self) -> "ServiceSide":
        """The same for the service: with the rights of its role, which bypasses no policy."""
        side = ServiceSide(engine=self.engine, url=self.url)
        side.connection = self.connection
        return side


class ServiceSide(RolledBackDatabase):
    """The rolled-back database as the running service reaches it."""

    def session(self) -> Session:
        """A session on the test's connection, with the role of the service until it is closed."""
        return ServiceSession(self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


class ServiceSession(Session):
    """A session with the role of the service; the connection has the test's own again when it is closed."""

    def __init__(self, connection: Connection, **options: Any) -> None:
        super().__init__(connection, **options)
        self._connection = connection
        event.listen(self, "after_begin", _take_service_role)

    def close(self) -> None:
        """End it, and what the database knows of its caller."""
        super().close()
        if not self._connection.invalidated and self._connection.in_transaction():
            self._connection.exec_driver_sql("reset role")
            self._connection.execute(NOBODY)


def _take_service_role(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    connection.exec_driver_sql(f"set local role {SERVICE}")


NOBODY = text(
    "select set_config('enmusubi.account', '', true), set_config('enmusubi.role', '', true), "
    "set_config('enmusubi.cluster', '', true), set_config('enmusubi.organisation', '', true)"
)


@contextmanager
def rolled_back(server: Database) -> Iterator[RolledBackDatabase]:
    """The server's database, everything in it undone in the end."""
    with server.engine.connect() as connection:
        transaction = connection.begin()
        database = RolledBackDatabase(engine=server.engine, url=server.url, service=server.service)
        database.connection = connection
        yield database
        transaction.rollback()


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
    with rolled_back(server) as database:
        yield database


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
