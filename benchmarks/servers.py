"""Both services as processes on 127.0.0.1: started, asked, measured, stopped."""

import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks import prepared, texts
from benchmarks.prepared import Prepared

LIMIT = 20  # matches asked for
_LONGEST_START = 180.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a load found: the seconds each reply took, and those of all requests together."""

    replies: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return len(self.replies) / self.seconds

    def percentile(self, hundredth: int) -> float:
        """The time within which so many hundredths of the replies came, in milliseconds."""
        return 1000 * statistics.quantiles(self.replies, n=100, method="inclusive")[hundredth - 1]


@dataclass(slots=True)
class Server:
    """A running service and how it is asked for matches."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    path: str
    headers: Mapping[str, str]
    began: float

    @classmethod
    def start_ours(cls, data: Prepared, checkout: Path | None = None) -> Self:
        """`enmusubi serve`, of another checkout if one is given; it is asked as a coordinator."""
        port = free_port()
        began = time.perf_counter()
        process = _start(prepared.enmusubi("serve", "--port", str(port)), data, checkout)
        return cls("enmusubi", process, port, "/api/v1/match", {"Authorization": f"Bearer {data.token}"}, began)

    @classmethod
    def start_plain(cls, data: Prepared) -> Self:
        """The plain script behind FastAPI."""
        port = free_port()
        began = time.perf_counter()
        process = _start(prepared.plain("serve", str(data.plain), str(data.model), str(port)), data)
        return cls("plain", process, port, "/match", {}, began)

    def ask(self, method: str, path: str, body: object = None, timeout: float = 30.0) -> tuple[int, Any]:
        """One request on a connection of its own: status and JSON body. Raises OSError where nothing listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = {**self.headers, "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def wait(self, method: str, path: str, body: object = None) -> float:
        """Seconds from the start of the process to the first 200 of this request, tried every 10 ms."""
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode} while it started")
            if time.perf_counter() - self.began > _LONGEST_START:
                raise RuntimeError(f"{self.name} did not answer {path} within {_LONGEST_START:g} s")
            try:
                if self.ask(method, path, body)[0] == 200:
                    return time.perf_counter() - self.began
            except OSError:
                pass
            time.sleep(0.01)

    def load(self, queries: Sequence[str], clients: int) -> Load:
        """Ask for the 20 best matches of each text, once. Raises RuntimeError where a reply is not 200."""
        asked = {
            "port": self.port,
            "path": self.path,
            "headers": dict(self.headers),
            "bodies": [json.dumps({"text": query, "limit": LIMIT}) for query in queries],
            "clients": clients,
        }
        command = [sys.executable, "-m", "benchmarks.load"]
        ended = subprocess.run(
            command, input=json.dumps(asked), cwd=texts.PROJECT, capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            raise RuntimeError(f"the load on {self.name} failed: {ended.stderr[-2000:]}")
        return Load(**json.loads(ended.stdout))

    def stop(self) -> None:
        """End the process as an operator would, and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_bytes(self) -> int:
        """Resident memory of the process, its shared pages included."""
        return _kibibytes(Path(f"/proc/{self.process.pid}/status"), "VmRSS:") * 1024


def postgres_bytes(home: Path) -> int:
    """Memory of the embedded PostgreSQL of `home`, all its processes, shared pages counted once."""
    lines = (home / "postgres" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    parent = int(lines[0])
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return sum(_kibibytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") * 1024 for pid in (parent, *map(int, children)))


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(command: list[str], data: Prepared, checkout: Path | None = None) -> subprocess.Popen[bytes]:
    variables = prepared.environment(data.home)
    if checkout is not None:
        variables["PYTHONPATH"] = str(checkout)  # comes before what is installed
    with (data.home / "servers.log").open("ab") as log:
        return subprocess.Popen(
            command, env=variables, cwd=checkout or texts.PROJECT, stdout=log, stderr=subprocess.STDOUT
        )


def _kibibytes(file: Path, name: str) -> int:
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise RuntimeError(f"{file} does not say {name}")
