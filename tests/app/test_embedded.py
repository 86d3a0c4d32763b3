"""The embedded server is closed: no role without its password, no file or socket for another account."""

import os
import pwd
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from filelock import FileLock
from sqlalchemy import make_url, text

from enmusubi.app import migrating, secret_files
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect, connect_for_service, reachable
from enmusubi.app.embedded import OWNER, SERVICE, SUPERUSER, account, programs, start
from enmusubi.app.embedded.sockets import LONGEST
from enmusubi.app.errors import ConfigurationError
from tests.databases import url_of

ROLES = (SUPERUSER, OWNER, SERVICE)


@pytest.fixture
def home() -> Iterator[Path]:
    """A new home of the test's own, in a folder that the server's account may pass through."""
    with tempfile.TemporaryDirectory(prefix="enmusubi-home-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"


@pytest.fixture
def as_nobody() -> Callable[[str], int]:
    """Runs a shell's line as another account of the machine; its status."""
    if os.geteuid() != 0:
        pytest.skip("THE TEST OF OTHER ACCOUNTS DID NOT RUN: only root can become one")
    nobody = pwd.getpwnam("nobody")

    def run(line: str) -> int:
        return subprocess.run(
            ["/bin/sh", "-c", line],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        ).returncode

    return run


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _data(server: Database) -> Path:
    assert server.embedded is not None
    return server.embedded.data


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_no_role_gets_in_without_its_password(server: Database, role: str, password: str | None) -> None:
    """None, an empty or a wrong password are refused, the superuser's as all others."""
    url = make_url(url_of(server, role))
    host = str(url.query["host"])
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=host, port=5432, user=role, password=password, dbname="postgres", passfile="/dev/null")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_in_with_its_own_password_alone(server: Database, role: str) -> None:
    """And is asked for it by scram, whatever role it is."""
    for owner in ROLES:
        url, given = make_url(url_of(server, role)), make_url(url_of(server, owner))

        def attempt(password: str | None, host: str = str(url.query["host"])) -> None:
            psycopg.connect(
                host=host, port=5432, user=role, password=password, dbname="postgres", require_auth="scram-sha-256"
            ).close()

        if owner == role:
            attempt(given.password)
        else:
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                attempt(given.password)


def test_rights_of_the_roles(server: Database) -> None:
    """Only the superuser is one; the owner may take the service's part and not the reverse."""
    with server.engine.connect() as connection:
        found = connection.execute(
            text(
                "select rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication from pg_roles "
                "where rolname = any(:roles)"
            ),
            {"roles": [OWNER, SERVICE]},
        ).all()
        assert {row[0]: any(row[1:]) for row in found} == {OWNER: False, SERVICE: False}
        connection.execute(text(f"set local role {SERVICE}"))
        assert connection.scalar(text("select current_user")) == SERVICE
        assert connection.scalar(text(f"select pg_has_role('{SERVICE}', '{OWNER}', 'member')")) is False
        # Nothing comes to the owner by itself: what it does, it does as the owner.
        assert connection.scalar(text(f"select pg_has_role('{OWNER}', '{SERVICE}', 'usage')")) is False


def test_modes_of_what_is_kept(server: Database) -> None:
    """Data, log, rules and secrets are their owner's alone; the home lets the server's account through, no more."""
    data = _data(server)
    secrets = secret_files.folder_of(data.parent)
    assert _mode(data) == _mode(secrets) == 0o700
    assert {_mode(path) for path in secrets.iterdir()} == {0o600}
    assert len(list(secrets.iterdir())) == len(ROLES)
    assert {_mode(data / name) for name in ("pg_hba.conf", "log", "enmusubi.roles")} == {0o600}
    assert _mode(data / ".s.PGSQL.5432") == 0o700
    assert "trust" not in (data / "pg_hba.conf").read_text()


def test_a_home_that_we_make_is_closed(home: Path) -> None:
    """Mode 700, or 710 where root lets the server's account through by its group."""
    with connect(Settings(home=home)):
        user = account.of_server()
        assert _mode(home) == (0o700 if user is None else 0o710)
        if user is not None:
            assert home.stat().st_gid == user.pw_gid


def test_another_account_reaches_nothing(server: Database, as_nobody: Callable[[str], int]) -> None:
    """It can neither enter nor list home, data, secrets, nor reach the socket."""
    data = _data(server)
    home = data.parent
    assert as_nobody("true") == 0
    for line in (
        f"ls {home}",
        f"cat {secret_files.folder_of(home) / 'database-service'}",
        f"cat {data / 'pg_hba.conf'}",
        f"cd {data}",
        f"test -e {data / '.s.PGSQL.5432'}",
    ):
        assert as_nobody(line) != 0, line
    asked = f"{programs.folder() / 'pg_isready'} -h {data} -p 5432"
    assert as_nobody(asked) != 0
    assert subprocess.run(asked.split(), capture_output=True, check=False).returncode == 0


def test_a_path_too_long_for_a_socket(home: Path, as_nobody: Callable[[str], int]) -> None:
    """The socket goes to a short folder, closed to others, and the same at each start, tidied away or not."""
    long = home / ("x" * (LONGEST + 10))
    folders = []
    for _ in range(2):
        with connect(Settings(home=long)) as database, database.engine.connect() as connection:
            folder = Path(str(make_url(database.url).query["host"]))
            folders.append(folder)
            assert connection.scalar(text("select current_user")) == OWNER
            assert _mode(folder) == 0o700
            assert as_nobody(f"ls {folder}") != 0
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
    assert folders[0] == folders[1]


def test_lost_passwords_are_set_anew_by_the_next_start(home: Path) -> None:
    """A file that is gone is told while the server runs for others, and made again when it has stopped."""
    settings = Settings(home=home)
    service = secret_files.folder_of(home) / "database-service"
    with connect(settings) as database:
        migrating.upgrade(database)
        before = service.read_text()
        service.unlink()
        with pytest.raises(ConfigurationError, match="end every Enmusubi process"):
            connect_for_service(settings)
    with connect_for_service(settings) as database:
        assert service.read_text() != before
        assert migrating.present(database) == migrating.newest()


def test_a_damaged_password_file_is_told(home: Path) -> None:
    """An empty file names itself and the fix."""
    settings = Settings(home=home)
    connect(settings).close()
    (secret_files.folder_of(home) / "database-owner").write_text("")
    with pytest.raises(ConfigurationError, match="database-owner holds no secret; delete it"):
        connect(settings)


def test_rules_that_were_opened_are_closed_at_the_next_start(home: Path) -> None:
    """Whoever wrote `trust` into the rules has it for no longer than the server runs."""
    settings = Settings(home=home)
    connect(settings).close()
    rules = home / "postgres" / "pg_hba.conf"
    rules.write_text("local all all trust\n")
    with connect(settings):
        assert "trust" not in rules.read_text()


def test_many_first_starts_at_once(home: Path) -> None:
    """Threads and processes that all find no folder end up on one server, and the last stops it."""
    program = (
        "from pathlib import Path; from enmusubi.app.config import Settings; from enmusubi.app.database import *; "
        f"database = connect_for_service(Settings(home=Path({str(home)!r}))); assert reachable(database)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    servers = []
    threads = [threading.Thread(target=lambda: servers.append(start(home / "postgres"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert len(servers) == 3
    for server in servers[1:]:
        server.cleanup()
    assert servers[0].is_running()
    servers[0].cleanup()
    assert not servers[0].is_running()
    assert not (home / "postgres.unfinished").exists()


def test_joining_while_the_last_user_leaves(home: Path) -> None:
    """Whoever joins just as the last one stops the server has one that answers, again and again."""
    settings = Settings(home=home)
    connect(settings).close()
    program = (
        "from pathlib import Path; from enmusubi.app.config import Settings; from enmusubi.app.database import *\n"
        f"settings = Settings(home=Path({str(home)!r}))\n"
        "for _ in range(8):\n with connect_for_service(settings) as one: one.engine.connect().close()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_a_process_that_forgets_to_close_stops_the_server_all_the_same(home: Path) -> None:
    """The use ends with the process."""
    program = (
        "from pathlib import Path; from enmusubi.app.config import Settings; from enmusubi.app.database import *; "
        f"database = connect(Settings(home=Path({str(home)!r}))); assert reachable(database)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_no_secret_reaches_the_servers_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of ours hold passwords, and variables of PostgreSQL's own would lead its programs astray."""
    monkeypatch.setenv("ENMUSUBI_OPERATOR_DATABASE_URL", "postgresql://x:hush@127.0.0.1/x")
    monkeypatch.setenv("PGPORT", "5433")
    with connect(Settings(home=home, operator_database_url=None)):
        pid = (home / "postgres" / "postmaster.pid").read_text().split()[0]
        environment = Path("/proc") / pid / "environ"
        if not environment.exists():
            pytest.skip("no /proc here")
        assert b"hush" not in environment.read_bytes()
        assert (home / "postgres" / ".s.PGSQL.5432").exists()


def test_a_server_killed_while_another_process_waits_to_join(home: Path) -> None:
    """Who waits for the lock of whoever starts or stops looks again once it has it, and gets a server that answers."""
    settings = Settings(home=home)
    data = home / "postgres"
    program = (
        "from pathlib import Path; from enmusubi.app.config import Settings; from enmusubi.app.database import *; "
        f"database = connect_for_service(Settings(home=Path({str(home)!r}))); assert reachable(database)"
    )
    with connect(settings) as database:
        assert database.embedded is not None
        with FileLock(data.with_name("postgres.lock")):
            waiting = subprocess.Popen([sys.executable, "-c", program])
            psutil.Process(int((data / "postmaster.pid").read_text().split()[0])).kill()
        assert waiting.wait(120) == 0
        database.embedded.revive()
        database.engine.dispose()
        assert reachable(database)


def test_a_server_that_does_not_answer_yet_is_waited_for(home: Path) -> None:
    """As after the crash of one of its processes: who joins meanwhile is not refused."""
    settings = Settings(home=home)
    found: list[Database] = []
    with connect(settings):
        postmaster = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
        postmaster.suspend()
        try:
            joining = threading.Thread(target=lambda: found.append(connect_for_service(settings)))
            joining.start()
            joining.join(1)
            assert joining.is_alive()  # it cannot have been answered
        finally:
            postmaster.resume()
        joining.join()
        assert reachable(found[0])
        found[0].close()


def test_a_killed_user_is_no_user(home: Path) -> None:
    """Killed with SIGKILL it counts no more, whatever takes its pid: the last living one stops the server."""
    program = (
        "import sys; from pathlib import Path; from enmusubi.app.config import Settings; "
        f"from enmusubi.app.database import *; database = connect(Settings(home=Path({str(home)!r}))); "
        "print('joined', flush=True); sys.stdin.read()"
    )
    user = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    assert user.stdout.readline() == "joined\n"
    with connect(Settings(home=home)) as database:
        user.kill()
        user.communicate()
        assert reachable(database)
    assert not (home / "postgres" / "postmaster.pid").exists()
