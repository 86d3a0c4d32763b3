"""What hybrid evidence costs: POST /match against the dense ranking of the first version, 20,000 seeds, reasons off.

Both are this project's service, on the same seeds and texts; the dense one is a checkout of the commit that ranked by
similarity alone (`git worktree add DIR bc2f729`), with a home folder of its own that its benchmarks have prepared.
Both stay up and are asked in turn, in changing order.
"""

import argparse
import os
import statistics
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

from benchmarks import prepared, results
from benchmarks.prepared import Prepared
from benchmarks.results import Part, Target
from benchmarks.servers import Load, Server

CLIENTS = (1, 16)
_MIB = 1 << 20


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds."""
    ours = prepared.prepare(home, given.seeds)
    dense = prepared_by(given.checkout.resolve(), given.dense_home.resolve(), ours)
    loads: dict[tuple[str, int], list[Load]] = {}
    queries = cycle(ours.queries)
    servers = {"hybrid": Server.start_ours(ours), "dense": Server.start_ours(dense, given.checkout.resolve())}
    try:
        for server in servers.values():
            server.wait("GET", "/health/ready")
            server.load(ours.queries[:100], max(CLIENTS))
        for number in range(given.rounds):
            for clients in CLIENTS:
                texts = list(islice(queries, given.requests * (1 if clients == 1 else 2)))
                for name in sorted(servers, reverse=number % 2 == 1):
                    loads.setdefault((name, clients), []).append(servers[name].load(texts, clients))
            print(f"round {number + 1} of {given.rounds} done", flush=True)
        memory = {name: server.resident_bytes() / _MIB for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.stop()
    return _part(given, loads, memory)


def prepared_by(checkout: Path, home: Path, ours: Prepared) -> Prepared:
    """The same seeds, ingested by the other checkout into its own home folder."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "token").exists():
        print("preparing the home of the other checkout (some minutes)", flush=True)
        script = f"from pathlib import Path; from benchmarks import prepared; prepared.prepare(Path({str(home)!r}))"
        variables = {**os.environ, "PYTHONPATH": str(checkout), "HF_HUB_OFFLINE": "1"}
        subprocess.run([sys.executable, "-c", script], env=variables, cwd=checkout, check=True)
    token = (home / "token").read_text(encoding="utf-8").strip()
    return Prepared(home, ours.model, ours.seeds, ours.plain, token, ours.queries)


def _part(given: argparse.Namespace, loads: dict[tuple[str, int], list[Load]], memory: dict[str, float]) -> Part:
    rows, measured, targets = [], {}, []
    for clients in CLIENTS:
        for name in ("dense", "hybrid"):
            taken = loads[name, clients]
            p50, p99 = ([load.percentile(each) for load in taken] for each in (50, 99))
            rate = [load.rate for load in taken]
            measured[f"{name} {clients}"] = {"p50": p50, "p99": p99, "rate": rate}
            middle = [f"{statistics.median(each):.1f}" for each in (p50, p99, rate)]
            rows.append([f"{clients}", name, *middle, f"{memory[name]:.0f}"])
        ratio = results.median_ratio(measured[f"hybrid {clients}"]["p50"], measured[f"dense {clients}"]["p50"])
        targets.append(Target(f"p50 at {clients} clients, hybrid to dense", ratio, 1.5, "<="))
    targets.append(Target("resident memory, hybrid to dense", memory["hybrid"] / memory["dense"], 1.5, "<="))
    return Part(
        "cost",
        {"rounds": given.rounds, "requests": given.requests, "loads": measured, "memory_mib": memory},
        ("clients", "ranking", "p50 ms", "p99 ms", "requests/s", "resident MiB"),
        rows,
        targets,
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.seeds_options(__doc__)
    parser.add_argument("--checkout", type=Path, required=True, help="a checkout of the dense ranking's commit")
    parser.add_argument("--dense-home", type=Path, required=True, help="its home folder, kept for the next run")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=150)
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
