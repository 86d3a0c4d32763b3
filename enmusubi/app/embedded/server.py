"""One server for all processes of a home: the first starts it, the last to leave stops it, and any may die.

Who uses it is told by a shared lock on a file, which the system takes from a process however it ends: there is no
list of pids to go stale. What starts, joins or stops a server holds another lock, so none of it happens at once.
"""

import atexit
import fcntl
import json
import logging
import os
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from enmusubi.app import secret_files
from enmusubi.app.embedded import account, processes, programs, roles, sockets
from enmusubi.app.errors import ConfigurationError

logger = logging.getLogger(__name__)

_FORMER_USERS = ".handle_pids.json"  # where earlier versions kept the pids of a server's users
_LOCKED = 3 * programs.PATIENCE  # seconds that another process may take to start or stop a server

_guard = threading.RLock()
_uses: dict[Path, "_Use"] = {}  # of this process, by data folder


@dataclass(slots=True)
class _Use:
    """This process as a user of a server: its lock, and how often it was taken."""

    descriptor: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """What a role connects with."""

    role: str
    password: str
    database: str
    sockets: Path
    port: str


class EmbeddedServer:
    """One use of the server under a data folder; the server stops when the last use of all processes ends."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._left = False

    def login(self, role: str) -> Login:
        """How a role reaches the database; ConfigurationError where its password's file is gone."""
        password = secret_files.read(secret_files.folder_of(self.data.parent) / roles.FILES[role])
        where = processes.socket_folder(self.data) or sockets.folder_for(self.data)
        if password is None:
            raise roles.lost(self.data, self.data.parent)
        return Login(role, password, roles.DATABASE, where, programs.PORT)

    def is_running(self) -> bool:
        """Whether the server is still there."""
        return processes.runs(self.data)

    def revive(self) -> None:
        """Start the server again where it has died; ConfigurationError where that cannot be."""
        with _guard:
            if not self._left:
                _started(self.data)

    def cleanup(self) -> None:
        """End this use."""
        with _guard:
            if self._left:
                return
            self._left = True
            _leave(self.data)


def start(data: Path) -> EmbeddedServer:
    """Start (or join) the PostgreSQL in a data folder, which is made at the first start.

    Raises ConfigurationError where it cannot be started.
    """
    with _guard:
        data = data.parent.resolve() / data.name
        _started(data, join=True)
    return EmbeddedServer(data)


def _started(data: Path, *, join: bool = False) -> None:
    try:
        account.make_home(data.parent)
        account.make_passage(data.parent, data.resolve().parent, programs.folder() / "postgres")
        with _alone(data):
            found_running = processes.runs(data)
            try:
                _bring_up(data)
                if join:
                    _join(data)
            except BaseException:
                # Told to end while the server was starting: it would be left running with nobody to use it.
                if data not in _uses and not found_running:
                    _stop_unused(data)
                raise
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"the embedded PostgreSQL in {data} could not be started ({type(error).__name__}); "
            f"see {data / 'log'}, or set ENMUSUBI_DATABASE_URL to a server of your own"
        ) from error


def _bring_up(data: Path) -> None:
    """Have a server run that takes connections, closed to whoever has no password; hold the lock of the folder."""
    if _settled(data) and not roles.are_set(data, data.parent):
        _stop_for_new_passwords(data)
    until = time.monotonic() + programs.PATIENCE
    while not _settled(data):
        try:
            _start_stopped(data)
        except subprocess.CalledProcessError:
            # The program of a killed process may have started one in the same moment.
            if time.monotonic() > until or not (processes.runs(data) or processes.remain(data)):
                raise
    while not programs.accepts_connections(processes.socket_folder(data) or data):
        # A process of it has crashed, and it works off its log.
        if time.monotonic() > until or not processes.runs(data):
            raise TimeoutError
        time.sleep(0.1)


def _start_stopped(data: Path) -> None:
    processes.forget_pid_file(data)
    _initialise(data)
    roles.close(data)
    if not roles.are_set(data, data.parent):
        roles.give_passwords(data, data.parent)
    (data / _FORMER_USERS).unlink(missing_ok=True)
    programs.start(data, sockets.folder_for(data))


def _settled(data: Path) -> bool:
    """Whether a server is ready, once what runs on the folder has come up or ended.

    Whoever started one may have been killed meanwhile, and the processes of a killed server take a moment to notice;
    they bar the way until then.
    """
    until = time.monotonic() + programs.PATIENCE
    while True:
        if processes.is_ready(data):
            return True
        if not processes.runs(data) and not processes.remain(data):
            return False
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.05)


def _stop_for_new_passwords(data: Path) -> None:
    """Stop a server that runs with other passwords, or with none, as one of an earlier version does."""
    former = _users_of_former_version(data)
    if former:
        raise ConfigurationError(
            f"the embedded PostgreSQL in {data} runs for an earlier version of Enmusubi (process "
            f"{', '.join(map(str, former))}); end that first"
        )
    if not _unused(data):
        raise roles.lost(data, data.parent)
    programs.stop(data)


def _users_of_former_version(data: Path) -> list[int]:
    try:
        pids = json.loads((data / _FORMER_USERS).read_text() or "[]")
    except (OSError, ValueError):
        return []
    living = []
    for pid in pids:
        with suppress(psutil.Error):
            if pid != os.getpid() and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                living.append(pid)
    return living


def _initialise(data: Path) -> None:
    """Make the data folder aside and rename it into place: who is killed meanwhile leaves no half of one."""
    version = data / "PG_VERSION"
    if version.exists():
        found = version.read_text().strip()
        if found != programs.MAJOR:
            raise ConfigurationError(
                f"{data} is of PostgreSQL {found}, this version of Enmusubi brings {programs.MAJOR}; dump it with the "
                "version that made it, move the folder aside and restore (docs/operations.md, Upgrade)"
            )
        return
    if data.is_dir():
        try:
            data.rmdir()
        except OSError:
            raise ConfigurationError(f"{data} holds files but no database; move them elsewhere") from None
    aside = data.with_name(f"{data.name}.unfinished")
    _settled(aside)  # an initdb whose parent was killed
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    account.give(aside)
    programs.make_cluster(aside, roles.SUPERUSER)
    roles.close(aside)
    roles.give_passwords(aside, data.parent)
    aside.rename(data)
    secret_files.sync(data.parent)


def _alone(data: Path) -> FileLock:
    """The lock of whoever starts, joins or stops the server."""
    return FileLock(data.with_name(f"{data.name}.lock"), timeout=_LOCKED, mode=0o600)


def _open_users(data: Path) -> int:
    return os.open(data.with_name(f"{data.name}.users"), os.O_RDWR | os.O_CREAT, 0o600)


def _join(data: Path) -> None:
    use = _uses.get(data)
    if use is None:
        use = _uses[data] = _Use(_open_users(data))
        fcntl.flock(use.descriptor, fcntl.LOCK_SH)
    use.count += 1


def _unused(data: Path) -> bool:
    """Whether no process uses the server; this one must have left."""
    descriptor = _open_users(data)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _leave(data: Path) -> None:
    """No longer use the server; the last one stops it."""
    use = _uses[data]
    use.count -= 1
    if use.count > 0:
        return
    del _uses[data]
    try:
        with _alone(data):
            os.close(use.descriptor)
            _stop_unused(data)
    except Timeout:
        os.close(use.descriptor)
        logger.warning("another process does not let go of the embedded PostgreSQL; it was not stopped")


def _stop_unused(data: Path) -> None:
    """Stop a server that nobody uses; one that cannot be stopped goes on, and the next user tries again."""
    try:
        if _unused(data) and _settled(data):
            programs.stop(data)
    except (OSError, TimeoutError, subprocess.CalledProcessError, ConfigurationError) as error:
        logger.warning("the embedded PostgreSQL was not stopped (%s); see its log", type(error).__name__)


def _leave_all() -> None:
    with _guard:
        for data, use in list(_uses.items()):
            use.count = 1
            _leave(data)


atexit.register(_leave_all)  # for whoever ends without having closed its database
