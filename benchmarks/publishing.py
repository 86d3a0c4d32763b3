"""Publish a snapshot of 100,000 seeds and 2,000 needs whose vectors and terms are stored with their rows.

What is timed is a process of its own that publishes, from its start to its end: reading the rows, means, hubs, the
curve of expected evidence, both indexes, writing and publishing. Texts are put together from sentences of the judged
sets (else of the samples), so that terms are as many and as unevenly frequent as in real abstracts; vectors are drawn
at random around a few hundred topics, since nobody embeds 100,000 texts to time something else.
"""

import argparse
import random
import statistics
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from benchmarks import prepared, results, texts
from benchmarks.results import Part, Target
from enmusubi.app.config import Settings
from enmusubi.app.database import connect
from enmusubi.app.embeddings import analysis
from enmusubi.app.runtime import encoder_for
from enmusubi.ingest import indexing
from enmusubi.matching.lexical import language_of, terms
from enmusubi.matching.snapshot.manifest import read_current, read_manifest

_TOPICS = 300
_SENTENCES = 6
_DIMENSION = 384
_COLUMNS = (
    "public_id", "cluster_id", "source", "external_id", "summary", "search_text", "expires_on", "status", "embedding",
    "embedding_key", "embedding_encoder", "terms", "terms_analysis", "text_language", "version",
)  # fmt: skip


def fill(home: Path, seeds: int, needs: int) -> None:
    """A database with so many published entries that have vectors and terms."""
    prepared.new_database(home)
    settings = Settings(home=home)
    fingerprint = encoder_for(settings).fingerprint
    sentences = list(texts.sentences())
    draw = random.Random(3)
    topics = np.random.default_rng(3).normal(size=(_TOPICS, _DIMENSION))
    with connect(settings) as database, database.engine.begin() as connection:
        cluster = connection.execute(text("select id from clusters")).scalar_one()
        cursor = connection.connection.cursor()
        for table, count in (("seeds", seeds), ("needs", needs)):
            with cursor.copy(f"copy {table} ({', '.join(_COLUMNS)}) from stdin") as copy:
                for row in _rows(count, cluster, fingerprint, sentences, topics, draw):
                    copy.write_row(row)
        connection.execute(text("insert into need_details (need_id) select id from needs"))


def _rows(
    count: int,
    cluster: int,
    fingerprint: str,
    sentences: Sequence[str],
    topics: NDArray[np.float64],
    draw: random.Random,
) -> Iterator[tuple[object, ...]]:
    noise = np.random.default_rng(4)
    made_by = analysis()
    for number in range(count):
        vector = topics[draw.randrange(_TOPICS)] + noise.normal(size=_DIMENSION)
        vector /= np.linalg.norm(vector)
        # Neighbours in the file, so that a text is in one language and of one matter.
        start = draw.randrange(len(sentences) - _SENTENCES)
        summary = " ".join(sentences[start : start + _SENTENCES])
        language = language_of(summary)
        yield (
            uuid.uuid4(), cluster, "benchmark", f"{number}", summary, "", "2099-01-01", "published",
            vector.astype("<f4").tobytes(), b"", fingerprint, " ".join(terms(summary, language)), made_by, language, 1,
        )  # fmt: skip


def publish(home: Path) -> None:
    """Publish a snapshot of what is in the database of `home`."""
    settings = Settings(home=home)
    with connect(settings) as database:
        assert indexing.publish(database, settings, encoder_for(settings))


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Fill the database once, then publish it anew in every round."""
    home = home / "publishing"
    if not (home / "filled").exists():
        print(f"filling a database with {given.entries:,} seeds and {given.needs:,} needs (some minutes)", flush=True)
        home.mkdir(parents=True, exist_ok=True)
        fill(home, given.entries, given.needs)
        (home / "filled").touch()
    settings = Settings(home=home)
    seconds = []
    for number in range(given.rounds):
        # Nothing is published twice: one entry is changed.
        with connect(settings) as database, database.engine.begin() as connection:
            connection.execute(text("update seeds set status = status where id = (select min(id) from seeds)"))
        began = time.perf_counter()
        prepared.execute(
            [sys.executable, "-m", "benchmarks.publishing", "--publish", str(home)], prepared.environment(home)
        )
        seconds.append(time.perf_counter() - began)
        print(f"round {number + 1} of {given.rounds}: {seconds[-1]:.1f} s", flush=True)
    (folder,) = (path for path in settings.snapshots.iterdir() if path.is_dir())  # of the only cluster
    name = read_current(folder)
    assert name is not None
    manifest = read_manifest(folder / name)
    size = sum(path.stat().st_size for path in (folder / name).iterdir()) / (1 << 20)
    median = statistics.median(seconds)
    return Part(
        "publishing",
        {
            "rounds": given.rounds,
            "seeds": manifest.counts["seeds"],
            "needs": manifest.counts["needs"],
            "seconds": seconds,
            "snapshot_mib": size,
        },
        ("seeds", "needs", "seconds", "snapshot MiB"),
        [[f"{manifest.counts['seeds']:,}", f"{manifest.counts['needs']:,}", f"{median:.1f}", f"{size:.0f}"]],
        [Target("seconds to publish 100,000 seeds", median * 100_000 / manifest.counts["seeds"], 120, "<=")],
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.options(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--entries", type=int, default=100_000, help="seeds; fewer for a trial")
    parser.add_argument("--needs", type=int, default=2_000)
    return parser


if __name__ == "__main__":
    if sys.argv[1:2] == ["--publish"]:
        publish(Path(sys.argv[2]))
    else:
        results.run(options(), measure)
