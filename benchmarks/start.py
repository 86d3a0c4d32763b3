"""Time from the start of the process to live and to ready with 20,000 seeds, and memory after 500 requests.

Ours is live at the first 200 of /health/live and ready at the first of /health/ready, the embedded PostgreSQL started
too; the plain service is ready at its first answer to POST /match. Starts take turns; files are in the page cache.
"""

import argparse
import statistics
import time
from pathlib import Path

from benchmarks import prepared, results
from benchmarks.prepared import Prepared
from benchmarks.results import Part, Target
from benchmarks.servers import Server, postgres_bytes

_MIB = 1 << 20


def start_ours(data: Prepared) -> tuple[float, float]:
    """Seconds to live and to ready."""
    server = Server.start_ours(data)
    try:
        return server.wait("GET", "/health/live"), server.wait("GET", "/health/ready")
    finally:
        server.stop()


def start_plain(data: Prepared) -> float:
    """Seconds to the first answer."""
    server = Server.start_plain(data)
    try:
        return server.wait("POST", "/match", {"text": "a first question"})
    finally:
        server.stop()


def show_help(data: Prepared) -> float:
    """Seconds of `enmusubi --help`."""
    began = time.perf_counter()
    prepared.execute(prepared.enmusubi("--help"), prepared.environment(data.home))
    return time.perf_counter() - began


def measure_memory(data: Prepared, requests: int) -> dict[str, float]:
    """Resident MiB of both services after so many requests of 4 clients, and of our PostgreSQL."""
    memory = {}
    for start, path, body in (
        (Server.start_ours, "/health/ready", None),
        (Server.start_plain, "/match", {"text": "a first question"}),
    ):
        server = start(data)
        try:
            server.wait("GET" if body is None else "POST", path, body)
            server.load((data.queries * (1 + requests // len(data.queries)))[:requests], 4)
            memory[server.name] = server.resident_bytes() / _MIB
            if body is None:
                memory["postgres"] = postgres_bytes(data.home) / _MIB
        finally:
            server.stop()
    return memory


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Start both in turn, then ask each."""
    data = prepared.prepare(home, given.seeds)
    start_ours(data), start_plain(data)  # brings the files into the page cache
    live, ready, plain = [], [], []
    for _ in range(given.rounds):
        to_live, to_ready = start_ours(data)
        live.append(to_live)
        ready.append(to_ready)
        plain.append(start_plain(data))
    helps = [show_help(data) for _ in range(2 * given.rounds)]
    memory = measure_memory(data, given.requests)
    median = statistics.median
    return Part(
        "start",
        {
            "rounds": given.rounds,
            "live": live,
            "ready": ready,
            "plain_ready": plain,
            "help": helps,
            "resident_mib": memory,
        },
        ("", "enmusubi", "plain"),
        [
            ["live, s", f"{median(live):.2f}", ""],
            ["ready, s", f"{median(ready):.2f}", f"{median(plain):.2f}"],
            ["--help, s", f"{median(helps):.2f}", ""],
            [f"resident after {given.requests} requests, MiB", f"{memory['enmusubi']:.0f}", f"{memory['plain']:.0f}"],
            ["PostgreSQL, MiB", f"{memory['postgres']:.0f}", "–"],
        ],
        [
            Target("seconds to live", median(live), 3.0, "<="),
            Target("ready, ours to the plain one's", results.median_ratio(ready, plain), 1.4, "<="),
            Target("seconds of --help", median(helps), 0.5, "<="),
            Target("resident memory of the service, GB", memory["enmusubi"] * _MIB / 1e9, 1.2, "<="),
        ],
        "Memory of PostgreSQL counts shared pages once, all of its processes together.",
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.seeds_options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=500, help="before memory is read")
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
