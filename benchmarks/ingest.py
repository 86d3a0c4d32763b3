"""From a file to searchable, in documents a second, against the plain script; and the same file once more.

Ours is the whole `enmusubi ingest seeds` on an empty migrated database: the start of the process and of PostgreSQL,
reading, checking, storing, embedding, publishing. Theirs is the whole plain script: read, encode (texts cut at 512
tokens; ours are not), add to IndexFlatIP, write_index. Both read the same unpacked model. Rounds take turns.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import prepared, results
from benchmarks.results import Part, Target
from benchmarks.texts import JUDGED_SETS

_SAMPLED = "The re-ingest's target is for the whole corpus: of a sample there is less to save."
CORPUS = JUDGED_SETS / "sbir_need2seed_dev" / "corpus.jsonl"


def sample(documents: int, folder: Path) -> Path:
    """A corpus file of so many documents of the SBIR set, chosen at random but always the same; all of them for 0.

    Raises FileNotFoundError where the set is missing.
    """
    if not CORPUS.exists():
        raise FileNotFoundError("../shared/eval/sbir_need2seed_dev is missing: ingest is measured on its corpus")
    lines = CORPUS.read_text(encoding="utf-8").splitlines(keepends=True)
    if documents and documents < len(lines):
        chosen = sorted(random.Random(5).sample(range(len(lines)), documents))
        lines = [lines[number] for number in chosen]
    file = folder / "corpus.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    return file


def ours(file: Path, model: Path) -> tuple[float, float]:
    """Seconds of the first ingest and of the second, in a home folder of their own."""
    with tempfile.TemporaryDirectory(prefix="enmusubi-ingest-") as folder:
        home = Path(folder)
        (home / "models").symlink_to(model.parent)
        prepared.new_database(home)
        command = prepared.enmusubi("ingest", "seeds", str(file))
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            prepared.execute(command, prepared.environment(home))
            seconds.append(time.perf_counter() - began)
    return seconds[0], seconds[1]


def theirs(file: Path, model: Path) -> float:
    """Seconds of the plain script."""
    with tempfile.TemporaryDirectory(prefix="enmusubi-plain-") as folder:
        began = time.perf_counter()
        prepared.execute(prepared.plain("index", str(file), str(model), folder), prepared.environment(Path(folder)))
        return time.perf_counter() - began


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds."""
    model = prepared.model_folder(home)
    first, again, plain = [], [], []
    with tempfile.TemporaryDirectory(prefix="enmusubi-corpus-") as folder:
        file = sample(given.documents, Path(folder))
        documents = len(file.read_text(encoding="utf-8").splitlines())
        for number in range(given.rounds):
            for side in ("ours", "plain") if number % 2 == 0 else ("plain", "ours"):
                if side == "ours":
                    seconds, once_more = ours(file, model)
                    first.append(seconds)
                    again.append(once_more)
                else:
                    plain.append(theirs(file, model))
            print(
                f"round {number + 1}: {first[-1]:.1f} s, again {again[-1]:.1f} s; plain {plain[-1]:.1f} s", flush=True
            )
    rates = {
        name: documents / statistics.median(seconds)
        for name, seconds in (("first", first), ("again", again), ("plain", plain))
    }
    return Part(
        "ingest",
        {"documents": documents, "first_seconds": first, "again_seconds": again, "plain_seconds": plain},
        ("SBIR corpus", "seconds", "docs/s"),
        [
            ["enmusubi ingest", f"{statistics.median(first):.1f}", f"{rates['first']:.1f}"],
            ["enmusubi ingest, unchanged file", f"{statistics.median(again):.1f}", f"{rates['again']:.0f}"],
            ["plain script", f"{statistics.median(plain):.1f}", f"{rates['plain']:.1f}"],
        ],
        [
            Target("docs/s, ours to the plain one's", results.median_ratio(plain, first), 1.8, ">="),
            Target("first ingest to that of the unchanged file", results.median_ratio(first, again), 50.0, ">="),
        ],
        f"{documents:,} documents, {given.rounds} rounds. {_SAMPLED if given.documents else ''}".strip(),
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.options(__doc__)
    parser.add_argument("--documents", type=int, default=0, help="a random sample of so many; 0 takes all 4,129")
    parser.add_argument("--rounds", type=int, default=1)
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
