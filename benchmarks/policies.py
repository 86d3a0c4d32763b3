"""What policy and row-level security cost: the same calls of a service from before there were any, 20,000 seeds.

Both are this project's service, on the same seeds, texts and needs; the other is a checkout of the last commit before
accounts could sign in (`git worktree add DIR a83311d`), with a home folder of its own that its benchmarks have
prepared. Both stay up and are asked in turn, in changing order, by one client.
"""

import argparse
import statistics
import time
from itertools import cycle, islice
from pathlib import Path

from benchmarks import prepared, results
from benchmarks.cost import prepared_by
from benchmarks.results import Part, Target
from benchmarks.servers import LIMIT, Load, Server

NEEDS = 40
CALLS = ("POST /match", "GET /needs/{id}/matches")
_NAMES = ("before", "with policies")


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds."""
    ours = prepared.prepare(home, given.seeds)
    before = prepared_by(given.checkout.resolve(), given.before_home.resolve(), ours)
    queries = cycle(ours.queries)
    loads: dict[tuple[str, str], list[Load]] = {}
    started = (Server.start_ours(before, given.checkout.resolve()), Server.start_ours(ours))
    servers = dict(zip(_NAMES, started, strict=True))
    try:
        for server in servers.values():
            server.wait("GET", "/health/ready")
            server.load(ours.queries[:100], 1)
        texts = list(islice(queries, NEEDS))
        needs = {name: _posted(server, texts) for name, server in servers.items()}
        for number in range(given.rounds):
            texts = list(islice(queries, given.requests))
            for name in sorted(servers, reverse=number % 2 == 1):
                server = servers[name]
                loads.setdefault((name, CALLS[0]), []).append(server.load(texts, 1))
                loads.setdefault((name, CALLS[1]), []).append(_ranked(server, needs[name], given.requests))
            print(f"round {number + 1} of {given.rounds} done", flush=True)
    finally:
        for server in servers.values():
            server.stop()
    return _part(given, loads)


def _posted(server: Server, texts: list[str]) -> list[str]:
    """Ids of new needs with these texts, each with an answer stored for it."""
    ids = []
    for text in texts:
        status, need = server.ask("POST", "/api/v1/needs", {"summary": text})
        if status != 201:
            raise RuntimeError(f"{server.name} answered a post with {status}")
        ids.append(need["id"])
    return ids


def _ranked(server: Server, needs: list[str], count: int) -> Load:
    """Ask for the ranked seeds of stored needs, one after the other."""
    replies = []
    began = time.perf_counter()
    for need in islice(cycle(needs), count):
        asked = time.perf_counter()
        status, _ = server.ask("GET", f"/api/v1/needs/{need}/matches?limit={LIMIT}")
        replies.append(time.perf_counter() - asked)
        if status != 200:
            raise RuntimeError(f"{server.name} answered {status}")
    return Load(replies, time.perf_counter() - began)


def _part(given: argparse.Namespace, loads: dict[tuple[str, str], list[Load]]) -> Part:
    rows, measured, targets = [], {}, []
    for call in CALLS:
        for name in _NAMES:
            taken = loads[name, call]
            measured[f"{name}: {call}"] = {f"p{each}": [load.percentile(each) for load in taken] for each in (50, 99)}
            middle = [statistics.median(each) for each in measured[f"{name}: {call}"].values()]
            rows.append([call, name, *(f"{each:.2f}" for each in middle)])
        ratio = results.median_ratio(measured[f"{_NAMES[1]}: {call}"]["p50"], measured[f"{_NAMES[0]}: {call}"]["p50"])
        targets.append(Target(f"p50 of {call}, with policies to before", ratio, 1.15, "<="))
    return Part(
        "policies",
        {"rounds": given.rounds, "requests": given.requests, "loads": measured},
        ("call", "service", "p50 ms", "p99 ms"),
        rows,
        targets,
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.seeds_options(__doc__)
    parser.add_argument("--checkout", type=Path, required=True, help="a checkout of the commit before")
    parser.add_argument("--before-home", type=Path, required=True, help="its home folder, kept for the next run")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=150)
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
