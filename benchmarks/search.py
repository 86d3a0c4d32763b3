"""Time and memory of exact search at 10k, 100k and 500k vectors, against a bare IndexFlatIP.

Random unit vectors of 384 numbers. Each size and side has a process of its own. Ours is `Snapshot.search`, which scores
the found rows again exactly, and `propose`, all of the ranking but the database; both are asked for what a request for
20 matches asks for.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks import results
from benchmarks.results import Part
from benchmarks.servers import LIMIT
from benchmarks.workers import Work, Worker
from enmusubi.matching.encoder import fingerprint_of
from enmusubi.matching.matchmaker import FreshVectors, propose
from enmusubi.matching.snapshot import Snapshot, build
from enmusubi.matching.snapshot.manifest import read_current

DIMENSION = 384
_SHORTLIST = 80  # what `propose` asks a snapshot for when 20 matches are wanted
_CHUNK = 10_000
_MIB = 1 << 20


class Identity:
    """The encoder a snapshot of random vectors says it is of."""

    model, revision, precision, dimension = "random", "1", "float32", DIMENSION
    fingerprint = fingerprint_of("random", "1", "float32", {"seed": "", "need": ""}, "none")


def vectors(count: int, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Keys and random unit vectors, in chunks."""
    for start in range(0, count, _CHUNK):
        rows = np.random.default_rng((seed, start)).standard_normal((min(_CHUNK, count - start), DIMENSION))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        yield np.arange(start, start + len(rows), dtype=np.int64), rows.astype(np.float32)


def make_ours(folder: str) -> Work:
    """Open the published snapshot; then time queries by `search` or `propose`."""
    before = resident_bytes()
    began = time.perf_counter()
    directory = Path(folder)
    snapshot = Snapshot.open(directory / str(read_current(directory)))
    opened = time.perf_counter() - began
    held = resident_bytes() - before
    fresh = FreshVectors(DIMENSION)

    def work(how: str, queries: NDArray[np.float32]) -> dict[str, float | list[float]]:
        seconds = []
        for query in queries:
            began = time.perf_counter()
            if how == "search":
                snapshot.search("seed", query, _SHORTLIST)
            else:
                propose(
                    query,
                    "seed",
                    LIMIT,
                    snapshot,
                    fresh,
                    visible=lambda keys: {key: str(key) for key in keys.tolist()},
                    all_visible=lambda: np.empty(0, dtype=np.int64),
                )
            seconds.append(time.perf_counter() - began)
        return {"seconds": seconds, "open_seconds": opened, "held_mib": held / _MIB, "peak_mib": peak_bytes() / _MIB}

    return work


def make_plain(file: str) -> Work:
    """Read the flat index; then time queries, with as many threads as FAISS takes or with one."""
    before = resident_bytes()
    began = time.perf_counter()
    index = faiss.read_index(file)
    opened = time.perf_counter() - began
    held = resident_bytes() - before
    threads = faiss.omp_get_max_threads()

    def work(how: str, queries: NDArray[np.float32]) -> dict[str, float | list[float]]:
        faiss.omp_set_num_threads(1 if how == "one thread" else threads)
        seconds = []
        for query in queries:
            began = time.perf_counter()
            index.search(query[None], LIMIT)
            seconds.append(time.perf_counter() - began)
        return {"seconds": seconds, "open_seconds": opened, "held_mib": held / _MIB, "peak_mib": peak_bytes() / _MIB}

    return work


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def peak_bytes() -> int:
    """The most resident memory this program ever had; ru_maxrss would count that of the process it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def prepare(folder: Path, count: int) -> None:
    """Write both indexes of `count` vectors, unless they are there."""
    if (folder / "plain.faiss").exists():
        return
    none = (np.empty(0, dtype=np.int64), np.empty((0, DIMENSION), dtype=np.float32))
    build(folder, encoder=Identity(), seeds=vectors(count, 1), needs=none, watermark=0, database="none")
    flat = faiss.IndexFlatIP(DIMENSION)
    for _, rows in vectors(count, 1):
        flat.add(rows)
    faiss.write_index(flat, str(folder / "plain.faiss"))


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds, one size after the other."""
    measured = {}
    rows = []
    for count in given.sizes:
        folder = home / "search" / str(count)
        prepare(folder, count)
        queries = next(vectors(given.queries, 2))[1]
        taken: dict[str, list[float]] = {}
        last: dict[str, dict[str, float]] = {}
        with Worker(make_ours, str(folder)) as ours, Worker(make_plain, str(folder / "plain.faiss")) as theirs:
            ways = {
                "Snapshot.search": (ours, "search"),
                "propose": (ours, "propose"),
                "IndexFlatIP": (theirs, "all threads"),
                "IndexFlatIP, one thread": (theirs, "one thread"),
            }
            for worker, how in ways.values():
                worker(how, queries[:3])
            for _ in range(given.rounds):
                for name, (worker, how) in ways.items():
                    answer = worker(how, queries)
                    taken.setdefault(name, []).append(1000 * statistics.median(answer.pop("seconds")))
                    last[name] = answer
        measured[str(count)] = {name: {"median_ms": taken[name], **last[name]} for name in taken}
        for name, milliseconds in taken.items():
            memory = last[name]
            rows.append(
                [
                    f"{count:,}",
                    name,
                    f"{statistics.median(milliseconds):.2f}",
                    f"{memory['open_seconds']:.2f}",
                    f"{memory['held_mib']:.0f}",
                    f"{memory['peak_mib']:.0f}",
                ]
            )
            print(" | ".join(rows[-1]), flush=True)
    return Part(
        "search",
        {"rounds": given.rounds, "queries": given.queries, "sizes": measured},
        ("vectors", "", "median ms", "open s", "held MiB", "peak MiB"),
        rows,
        note=f"Held is what opening adds to the process; the vectors alone are {DIMENSION * 4} bytes each.",
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.options(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 500_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=50, help="a turn")
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
