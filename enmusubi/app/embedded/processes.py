"""What runs on a data folder, told by its pid file and by the machine's processes."""

from contextlib import suppress
from pathlib import Path

import psutil

_LINES = 8  # of a pid file that is written to its end
_SOCKET_LOCK = ".s.PGSQL.5432.lock"


def runs(folder: Path) -> bool:
    """Whether the process that the pid file names is a server of this folder, or one that works on it alone."""
    pid = _pid(_pid_file(folder))
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(folder) in process.cmdline()
    except psutil.AccessDenied:
        return True  # not ours to look into: rather wait for it than take its folder
    except psutil.NoSuchProcess:
        return False


def is_ready(folder: Path) -> bool:
    """Whether a server of this folder runs and has said that it is ready."""
    lines = _pid_file(folder)
    return len(lines) == _LINES and lines[-1].strip() == "ready" and runs(folder)


def socket_folder(folder: Path) -> Path | None:
    """Where the server that runs on this folder has its socket."""
    lines = _pid_file(folder)
    return Path(lines[4].strip()) if len(lines) > 4 and lines[4].strip() else None


def remain(folder: Path) -> bool:
    """Whether any process of a server of this folder is alive, its postmaster or not."""
    real = str(folder.resolve())
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == real:
                return process.status() != psutil.STATUS_ZOMBIE
    return False


def forget_pid_file(folder: Path) -> None:
    """Remove a pid file that was not written to its end, or whose pid is no server's any more but still a process.

    Pids begin again after a restart of the machine or container, a killed server that nobody waits for stays as
    a zombie, and the server looks no further than whether there is such a process. A whole file of a dead process
    stays: the server itself checks it.
    """
    if runs(folder):
        return
    lines = _pid_file(folder)
    pid = _pid(lines)
    if len(lines) == _LINES and pid is not None and not psutil.pid_exists(pid):
        return
    sockets = {folder, *(Path(line) for line in lines[4:5] if line)}
    for path in (*(one / _SOCKET_LOCK for one in sockets), folder / "postmaster.pid"):
        path.unlink(missing_ok=True)


def _pid_file(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _pid(lines: list[str]) -> int | None:
    """The pid on the first line; with a minus it is that of a process that works on the folder alone."""
    first = lines[0].strip().removeprefix("-") if lines else ""
    return int(first) if first.isdigit() and int(first) > 0 else None
