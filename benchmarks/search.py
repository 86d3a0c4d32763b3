"""Time and memory of exact search at 10k, 100k and 500k vectors, against a bare IndexFlatIP.

Random unit vectors of 384 numbers, and 30 words a row, as unevenly frequent as words are. Each size and side has a
process of its own. Ours is `propose`, all of the ranking but the database, for 20 matches: of a text with 30 words, and
of one without any, which is similarity and hubs alone.
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
from enmusubi.matching.matchmaker import Asking, FreshStore, propose
from enmusubi.matching.policy import DEFAULT
from enmusubi.matching.rows import Rows
from enmusubi.matching.snapshot import Snapshot, build
from enmusubi.matching.snapshot.manifest import read_current

DIMENSION = 384
_WORDS, _VOCABULARY = 30, 50_000
_CHUNK = 10_000
_MIB = 1 << 20


class Identity:
    """The encoder a snapshot of random vectors says it is of."""

    model, revision, precision, dimension = "random", "1", "float32", DIMENSION
    fingerprint = fingerprint_of("random", "1", "float32", {"seed": "", "need": ""}, "none")


def entries(count: int, seed: int) -> Iterator[Rows]:
    """Rows of random unit vectors and words, in chunks."""
    for start in range(0, count, _CHUNK):
        draw = np.random.default_rng((seed, start))
        matrix = draw.standard_normal((min(_CHUNK, count - start), DIMENSION))
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        keys = np.arange(start, start + len(matrix), dtype=np.int64)
        texts = [" ".join(words(draw)) for _ in range(len(matrix))]
        yield Rows(keys, matrix.astype(np.float32), ["en"] * len(matrix), texts)


def words(draw: np.random.Generator) -> list[str]:
    """Words whose frequencies fall off as those of a language do (Zipf)."""
    return [f"w{rank % _VOCABULARY}" for rank in draw.zipf(1.2, _WORDS).tolist()]


def make_ours(folder: str) -> Work:
    """Open the published snapshot; then time `propose`, with terms or without."""
    before = resident_bytes()
    began = time.perf_counter()
    directory = Path(folder)
    snapshot = Snapshot.open(directory / str(read_current(directory)))
    opened = time.perf_counter() - began
    held = resident_bytes() - before
    fresh = FreshStore(DIMENSION, snapshot.statistics)
    draw = np.random.default_rng(7)

    def work(how: str, queries: NDArray[np.float32]) -> dict[str, float | list[float]]:
        seconds = []
        for query in queries:
            asking = Asking("need", query, "en", words(draw) if how == "with terms" else [])
            began = time.perf_counter()
            propose(
                asking,
                LIMIT,
                snapshot,
                fresh,
                DEFAULT,
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
    build(
        folder,
        encoder=Identity(),
        analysis="random",
        seeds=entries(count, 1),
        needs=[],
        watermark=0,
        database="none",
        cluster="none",
    )
    flat = faiss.IndexFlatIP(DIMENSION)
    for rows in entries(count, 1):
        flat.add(rows.matrix)
    faiss.write_index(flat, str(folder / "plain.faiss"))


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds, one size after the other."""
    measured = {}
    rows = []
    for count in given.sizes:
        folder = home / "search" / str(count)
        prepare(folder, count)
        queries = next(entries(given.queries, 2)).matrix
        taken: dict[str, list[float]] = {}
        last: dict[str, dict[str, float]] = {}
        with Worker(make_ours, str(folder)) as ours, Worker(make_plain, str(folder / "plain.faiss")) as theirs:
            ways = {
                "propose, 30 words": (ours, "with terms"),
                "propose, no words": (ours, "without"),
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
