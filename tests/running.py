"""Real processes of the command in a home of their own, with a model small enough to load at once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil

ENMUSUBI = (sys.executable, "-c", "from enmusubi.app.cli import main; main()")
PATIENCE = 120.0  # seconds; only a broken program comes near


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    status: int
    out: str
    errors: str

    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    """A folder for everything that commands write, and the settings they run with."""

    folder: Path
    model: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as environment variables, beside those of this process."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("ENMUSUBI_")}
        own = {"ENMUSUBI_HOME": str(self.folder), "ENMUSUBI_MODEL": str(self.model)}
        plain = {"HF_HUB_OFFLINE": "1", "COLUMNS": "300", "NO_COLOR": "1", "ENMUSUBI_PRECISION": "float32"}
        return {**mine, **plain, **own, **self.settings}

    @property
    def snapshots(self) -> Path:
        """Where snapshots are published, in a folder of each cluster."""
        return self.folder / "snapshots"

    @property
    def published(self) -> Path:
        """The folder of the only cluster's snapshots."""
        (folder,) = (path for path in self.snapshots.iterdir() if path.is_dir())
        return folder

    def with_settings(self, **settings: str) -> "Home":
        """The same home with further settings, by their names without the prefix."""
        added = {f"ENMUSUBI_{name.upper()}": value for name, value in settings.items()}
        return Home(self.folder, self.model, {**self.settings, **added})

    def begin(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [*ENMUSUBI, *map(str, arguments)],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path) -> Finished:
        """Run a command to its end."""
        process = self.begin(*arguments)
        try:
            out, errors = process.communicate(timeout=PATIENCE)
        finally:
            kill(process)
        return Finished(process.returncode, out, errors)

    def must(self, *arguments: str | Path) -> str:
        """The standard output of a command that must succeed."""
        finished = self.run(*arguments)
        # What it said on standard error first: a long report before it would hide why it failed.
        assert finished.status == 0, f"{arguments[0]} ended with {finished.status}: {finished.errors[-3000:]}"
        return finished.out

    def postmaster(self) -> int | None:
        """The pid of the embedded server; None where none runs."""
        try:
            pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None
        return pid if psutil.pid_exists(pid) else None

    def close(self) -> None:
        """End an embedded server that is left over; a test calls it in the end, whatever happened."""
        pid = self.postmaster()
        if pid is None:
            return
        process = psutil.Process(pid)
        if process.name() == "postgres" and str(self.folder) in " ".join(process.cmdline()):
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE)


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL, and wait for the end."""
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


class Server:
    """`enmusubi serve` as a process, on a free port."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.folder / "serve.log"
        with self.log.open("ab") as log:
            start = self.log.stat().st_size
            self.process = subprocess.Popen(
                [*ENMUSUBI, "serve", "--port", "0"],
                env=home.environment,
                cwd=home.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        found = wait_for(lambda: self._address(start), "the server's address in its log")
        self.client = httpx.Client(base_url=found, timeout=PATIENCE, trust_env=False)

    def _address(self, start: int) -> str | None:
        if self.process.poll() is not None:
            raise AssertionError(self.log.read_bytes()[start:].decode())
        found = re.search(rb"serving on (http://[\d.:]+)/api/v1", self.log.read_bytes()[start:])
        return found[1].decode() if found else None

    def health(self, name: str) -> int | None:
        """The status of a health call; None while nothing answers."""
        try:
            return self.client.get(f"/health/{name}").status_code
        except httpx.TransportError:
            return None

    def ready(self) -> "Server":
        """Wait until requests can be served."""
        wait_for(lambda: self.health("ready") == 200, "readiness")
        return self

    def call(self, method: str, path: str, token: str, body: Any = None, **headers: str) -> httpx.Response:
        """A call of the API; header names with `_` for `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(
            method, f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {token}", **sent}
        )

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self.client.close()
        return status

    def kill(self) -> None:
        """SIGKILL."""
        kill(self.process)
        self.client.close()


def wait_for(happens: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of `happens`, asked again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = happens()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")
