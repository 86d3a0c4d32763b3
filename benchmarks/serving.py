"""Latency and throughput of POST /match over 20,000 seeds, against the plain script behind FastAPI.

Both services stay up, one of them is asked at a time, in turn and in changing order. A figure is the median over the
rounds, a ratio the median of the rounds' ratios.
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks import prepared, results
from benchmarks.prepared import Prepared
from benchmarks.results import Part, Target
from benchmarks.servers import LIMIT, Load, Server

CLIENTS = (1, 4, 16)
PERCENTILES = (50, 95, 99)
_PAGE = 100


@contextmanager
def both(data: Prepared) -> Iterator[tuple[Server, Server]]:
    """Ours and the plain service, ready and warm."""
    ours = Server.start_ours(data)
    try:
        ours.wait("GET", "/health/ready")
        plain = Server.start_plain(data)
        try:
            plain.wait("POST", "/match", {"text": "warm up"})
            for server in (ours, plain):
                server.load(data.queries[:100], max(CLIENTS))
            yield ours, plain
        finally:
            plain.stop()
    finally:
        ours.stop()


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds."""
    data = prepared.prepare(home, given.seeds)
    loads: dict[tuple[str, int], list[Load]] = {}
    queries = cycle(data.queries)
    with both(data) as (ours, plain):
        overlap = mean_overlap(ours, plain, data.queries[: given.overlap])
        for number in range(given.rounds):
            for clients in CLIENTS:
                texts = list(islice(queries, given.requests * (1 if clients == 1 else 2)))
                for server in (ours, plain) if number % 2 == 0 else (plain, ours):
                    loads.setdefault((server.name, clients), []).append(server.load(texts, clients))
            print(f"round {number + 1} of {given.rounds} done", flush=True)
    return _part(given, loads, overlap)


def mean_overlap(ours: Server, plain: Server, queries: Sequence[str]) -> float:
    """The share of the plain service's matches that are among ours, order aside."""
    external = _external_ids(ours)
    shares = []
    for query in queries:
        body = {"text": query, "limit": LIMIT}
        status, answer = ours.ask("POST", ours.path, body)
        if status != 200:
            raise RuntimeError(f"{ours.name} answered {status}: {answer}")
        found = {external[each["entry"]["id"]] for each in answer["ranking"]}
        wanted = {hit["id"] for hit in plain.ask("POST", plain.path, body)[1]}
        shares.append(len(found & wanted) / len(wanted))
    return statistics.mean(shares)


def _external_ids(ours: Server) -> dict[str, str]:
    """The ids of the texts by the public ids of our seeds."""
    external: dict[str, str] = {}
    cursor = ""
    while True:
        status, page = ours.ask("GET", f"/api/v1/seeds?limit={_PAGE}{cursor}")
        if status != 200:
            raise RuntimeError(f"{ours.name} answered {status}: {page}")
        external |= {seed["id"]: seed["external_id"] for seed in page["items"]}
        if page["next"] is None:
            return external
        cursor = f"&cursor={page['next']}"


def _part(given: argparse.Namespace, loads: dict[tuple[str, int], list[Load]], overlap: float) -> Part:
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    rows = []
    for clients in CLIENTS:
        for name in ("enmusubi", "plain"):
            taken = loads[name, clients]
            figure = {f"p{each}": [load.percentile(each) for load in taken] for each in PERCENTILES}
            figure["rate"] = [load.rate for load in taken]
            figures.setdefault(str(clients), {})[name] = {
                "rounds": figure,
                "median": {key: statistics.median(values) for key, values in figure.items()},
            }
            median = figures[str(clients)][name]["median"]
            rows.append(
                [f"{clients}", name, *(f"{median[f'p{each}']:.1f}" for each in PERCENTILES), f"{median['rate']:.1f}"]
            )
    return Part(
        "serving",
        {"rounds": given.rounds, "requests": given.requests, "clients": figures, "overlap": overlap},
        ("clients", "service", "p50 ms", "p95 ms", "p99 ms", "requests/s"),
        rows,
        _targets(figures, overlap),
        f"Of the plain one's {LIMIT} best, {100 * overlap:.0f} % are in ours, over {given.overlap} queries. It ranks "
        "by cosine alone; when ours did too, these were 98.85 %.",
    )


def _targets(figures: dict[str, dict[str, dict[str, Any]]], overlap: float) -> list[Target]:
    def ratio(clients: int, figure: str) -> float:
        both = figures[str(clients)]
        return results.median_ratio(both["enmusubi"]["rounds"][figure], both["plain"]["rounds"][figure])

    targets = [
        Target("p50 at 1 client, ours to the plain one's", ratio(1, "p50"), 0.8, "<="),
        Target("requests/s at 16 clients, ours to the plain one's", ratio(16, "rate"), 2.2, ">="),
    ]
    for clients in CLIENTS:
        taken = figures[str(clients)]["enmusubi"]["rounds"]
        tail = results.median_ratio(taken["p99"], taken["p50"])
        targets.append(Target(f"p99 to p50 of ours at {clients} clients", tail, 3.0, "<="))
    return [*targets, Target("share of the plain one's 20 best in ours", overlap, 0.97, ">=")]


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.seeds_options(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=300, help="a load at 1 client; twice as many at more")
    parser.add_argument("--overlap", type=int, default=300, help="queries whose rankings are compared")
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
