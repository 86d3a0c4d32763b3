"""A snapshot is what was built, or it is refused; the live handle follows the published one."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.matchmaker import Shortlist, shortlist
from enmusubi.matching.policy import DEFAULT, Policy
from enmusubi.matching.rows import Rows
from enmusubi.matching.similarity import Keys, Matrix
from enmusubi.matching.snapshot import (
    LiveSnapshot,
    LiveSnapshots,
    Manifest,
    Snapshot,
    SnapshotError,
    build,
    remove_published,
)
from tests.matching.entries import asking_with, part_of, publish_rows, rows_with, unit_rows

DIMENSION = 8
ENCODER = HashEncoder(DIMENSION)
ANALYSIS = "words as they are"
FILES = ["manifest.json", "seeds.faiss", "needs.faiss", "seeds.npz", "needs.npz", "statistics.npz"]
LANGUAGES = ("en", "ja")
TERMS = ("frost panel sensor", "霜 センサ", "")


def some_rows(count: int, seed: int = 0, first_key: int = 1) -> Rows:
    """Rows in two languages with random vectors and a few terms."""
    return rows_with(
        range(first_key, first_key + count),
        unit_rows(count, seed=seed),
        [LANGUAGES[row % 2] for row in range(count)],
        [TERMS[row % 3] for row in range(count)],
    )


def publish(
    directory: Path, seeds: int = 5, needs: int = 3, watermark: int = 7, keep: int = 3, cluster: str = "cluster"
) -> Manifest:
    return build(
        directory,
        encoder=ENCODER,
        analysis=ANALYSIS,
        seeds=[some_rows(seeds)],
        needs=[some_rows(needs, seed=1)],
        watermark=watermark,
        database="test",
        cluster=cluster,
        keep=keep,
    )


def ranked(snapshot: Snapshot, k: int = 1_000_000, policy: Policy = DEFAULT) -> Shortlist:
    """The seeds of a snapshot, nothing fresh beside them."""
    asking = asking_with(unit_rows(1, seed=9)[0], terms="frost sensor unknown")
    return shortlist(asking, k, snapshot, FreshStore(DIMENSION, snapshot.statistics), policy)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))


def within_a_second(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 1
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveSnapshot]:
    following = LiveSnapshots(tmp_path, expect_fingerprint=ENCODER.fingerprint)
    yield following.of("cluster")
    following.close()


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.integers(0, 2**63 - 1), max_size=60),
    st.lists(st.integers(1, 20), max_size=5),
    st.integers(0, 2**32 - 1),
)
def test_what_was_built_is_what_opens(
    tmp_path_factory: pytest.TempPathFactory, drawn: set[int], sizes: list[int], seed: int
) -> None:
    """Every row comes back under its key with its evidence to the last bit, in whatever chunks rows were given."""
    rows = some_rows(len(drawn), seed)._replace(keys=np.array(sorted(drawn), dtype=np.int64))
    cuts = [0, *np.minimum(np.cumsum(sizes), len(drawn)).astype(int).tolist(), len(drawn)]
    chunks = [part_of(rows, start, end) for start, end in pairwise(cuts)]
    directory = tmp_path_factory.mktemp("snapshots")

    manifest = build(
        directory,
        encoder=ENCODER,
        analysis=ANALYSIS,
        seeds=iter(chunks),
        needs=[],
        watermark=42,
        database="db",
        cluster="north",
        keep=1,
    )
    snapshot = Snapshot.open(directory / manifest.id, expect_fingerprint=ENCODER.fingerprint)

    assert snapshot.manifest == manifest
    assert manifest.counts == {"seeds": len(drawn), "needs": 0}
    assert (manifest.watermark, manifest.database, manifest.model) == (42, "db", "word-hash")
    assert manifest.cluster == "north"
    assert manifest.analysis == ANALYSIS
    found = ranked(snapshot)
    assert sorted(found.keys.tolist()) == rows.keys.tolist()
    # Beside an empty snapshot with its statistics, the same rows are scored as fresh ones.
    fresh = FreshStore(DIMENSION, snapshot.statistics)
    fresh.put_many("seed", rows)
    asking = asking_with(unit_rows(1, seed=9)[0], terms="frost sensor unknown")
    again = shortlist(asking, 100, snapshot, fresh, DEFAULT)
    assert [
        {key: [part for part in parts if part.name in ("similarity", "terms")]}
        for key, parts in sorted(zip(found.keys.tolist(), found.parts, strict=True))
    ] == [
        {key: [part for part in parts if part.name in ("similarity", "terms")]}
        for key, parts in sorted(zip(again.keys.tolist(), again.parts, strict=True))
    ]


def test_equal_rows_give_equal_files(tmp_path: Path) -> None:
    """Two builds of the same rows differ in their time and id alone."""
    first, second = publish(tmp_path), publish(tmp_path)

    assert first.checksums == second.checksums
    assert first.id < second.id


def test_equal_rows_in_other_chunks_give_equal_files(tmp_path: Path) -> None:
    """How rows are cut into chunks leaves no trace."""
    rows = some_rows(50)
    chunks = [part_of(rows, start, start + 7) for start in range(0, 50, 7)]

    assert publish_rows(tmp_path, chunks).checksums == publish_rows(tmp_path, rows).checksums


def test_a_ranking_is_restricted_to_the_keys_it_is_given(tmp_path: Path) -> None:
    """`among` and the fresh store decide what is eligible; keys that are not there are ignored."""
    snapshot = Snapshot.open(tmp_path / publish(tmp_path, seeds=50).id)
    fresh = FreshStore(DIMENSION, snapshot.statistics)
    for key in (30, 31):
        fresh.put("seed", key, None)
    asking = asking_with(unit_rows(1)[0])

    found = shortlist(asking, 10, snapshot, fresh, DEFAULT, among=np.array([40, 2, 30, 999, -5]))

    assert sorted(found.keys.tolist()) == [2, 40]
    assert found.exhausted
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert shortlist(asking, 10, snapshot, fresh, DEFAULT, among=np.array([999])).keys.tolist() == []


def test_statistics_outlive_their_snapshot(tmp_path: Path) -> None:
    """What a fresh store measures by stays as it is when the snapshot it came from is gone."""
    snapshot = Snapshot.open(tmp_path / publish(tmp_path).id)
    statistics = snapshot.statistics
    rows = unit_rows(20)
    keys = np.full(20, -1)
    before = [np.asarray(hub) for hub in statistics.hubs(rows, "seed", keys)]

    del snapshot
    occupying = [np.ones((5, DIMENSION), dtype=np.float32) for _ in range(1000)]

    after = [np.asarray(hub) for hub in statistics.hubs(rows, "seed", keys)]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert len(occupying) == 1000


def test_nobody_else_may_read_a_snapshot(tmp_path: Path) -> None:
    """Folders and files are for their owner alone, since vectors give their texts away."""
    publish(tmp_path / "cluster")

    for path in [tmp_path / "cluster", *(tmp_path / "cluster").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("intact")
    return directory / publish(directory).id


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_any_flipped_byte_is_refused(intact: Path, name: str, data: st.DataObject) -> None:
    """Whichever bits of whichever byte of whichever file are changed, the snapshot does not open."""
    content = (intact / name).read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    (intact / name).write_bytes(changed)
    try:
        with pytest.raises(SnapshotError, match="enmusubi index"):
            Snapshot.open(intact)
    finally:
        (intact / name).write_bytes(content)
    assert Snapshot.open(intact).count("seed") == 5


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, left: int) -> None:
    """A file cut short is refused, and the message names it."""
    folder = tmp_path / publish(tmp_path).id
    os.truncate(folder / name, left)

    with pytest.raises(SnapshotError, match=name):
        Snapshot.open(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    """A file that is not there is refused, and the message names it."""
    folder = tmp_path / publish(tmp_path).id
    (folder / name).unlink()

    with pytest.raises(SnapshotError, match=f"{name}.*No such file"):
        Snapshot.open(folder)


@pytest.mark.parametrize(
    ("name", "other"), [("seeds.faiss", "needs.faiss"), ("needs.npz", "seeds.npz"), ("statistics.npz", "seeds.npz")]
)
def test_a_swapped_file_is_refused(tmp_path: Path, name: str, other: str) -> None:
    """A sound file from another snapshot, or of the other side, does not pass for the one recorded."""
    folder = tmp_path / publish(tmp_path).id
    (folder / name).write_bytes((folder / other).read_bytes())

    with pytest.raises(SnapshotError, match=f"{name} was changed"):
        Snapshot.open(folder)


def test_a_renamed_snapshot_is_refused(tmp_path: Path) -> None:
    """A snapshot answers to its own id only."""
    manifest = publish(tmp_path)
    (tmp_path / manifest.id).rename(tmp_path / "other")

    with pytest.raises(SnapshotError, match=manifest.id):
        Snapshot.open(tmp_path / "other")


def test_another_format_is_named(tmp_path: Path) -> None:
    """A snapshot of another version is refused with its format, not with a checksum."""
    folder = tmp_path / publish(tmp_path).id
    described = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(described | {"format": 1}))

    with pytest.raises(SnapshotError, match="format 1 where 4 is understood"):
        Snapshot.open(folder)


def test_another_encoder_analysis_database_or_cluster_is_refused(tmp_path: Path) -> None:
    """A snapshot that does not fit the running encoder, analysis, database or cluster says which it does not fit."""
    folder = tmp_path / publish(tmp_path).id

    with pytest.raises(SnapshotError, match=r"another encoder \(word-hash"):
        Snapshot.open(folder, expect_fingerprint=HashEncoder(DIMENSION, revision="2").fingerprint)
    with pytest.raises(SnapshotError, match=r"another analysis \(words as they are\)"):
        Snapshot.open(folder, expect_analysis="rules 2")
    with pytest.raises(SnapshotError, match="another database"):
        Snapshot.open(folder, expect_database="production")
    with pytest.raises(SnapshotError, match="another cluster"):
        Snapshot.open(folder, expect_cluster="other")
    Snapshot.open(
        folder,
        expect_fingerprint=ENCODER.fingerprint,
        expect_analysis=ANALYSIS,
        expect_database="test",
        expect_cluster="cluster",
    )


@pytest.mark.parametrize(
    ("keys", "rows", "message"),
    [
        (np.array([1, 1]), unit_rows(2), "key 1 does not come after"),
        (np.array([2, 1]), unit_rows(2), "key 1 does not come after"),
        (np.array([1, 2]), unit_rows(3), r"shape \(2, 8\)"),
        (np.array([1]), np.zeros((1, DIMENSION), dtype=np.float32), "length 0, not 1"),
        (np.array([1]), np.full((1, DIMENSION), np.nan, dtype=np.float32), "length nan, not 1"),
        (np.array([1.5]), unit_rows(1), "keys are int64"),
        (np.array([1]), unit_rows(1).astype(np.float64), "not float64"),
    ],
)
def test_rows_that_cannot_be_indexed_are_refused(tmp_path: Path, keys: Keys, rows: Matrix, message: str) -> None:
    """A bad row stops the build with its key, and the published snapshot stays."""
    published = publish(tmp_path)

    with pytest.raises(ValueError, match=message):
        publish_rows(tmp_path, Rows(keys, rows, ["en"] * len(keys), [""] * len(keys)))
    assert names(tmp_path) == [published.id, "CURRENT"]


def test_rows_without_terms_are_refused(tmp_path: Path) -> None:
    """A chunk in which rows lack a language or terms stops the build."""
    with pytest.raises(ValueError, match="seeds: 2 rows have a language and terms each"):
        publish_rows(tmp_path, some_rows(2)._replace(terms=["one only"]))


@pytest.mark.parametrize("missing", [1, 100, 500_000])
def test_a_full_disk_publishes_nothing(tmp_path: Path, missing: int) -> None:
    """When the last bytes, or many, find no room, the build fails and the published snapshot stays."""
    published = publish(tmp_path, seeds=20_000)
    size = (tmp_path / published.id / "seeds.faiss").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing, limits[1]))
    try:
        with pytest.raises(OSError, match=r"seeds\.faiss .* is the disk full"):
            publish(tmp_path, seeds=20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert names(tmp_path) == [published.id, "CURRENT"]


@pytest.mark.parametrize("missing", [1, 300, 5_000])
def test_a_disk_too_full_for_the_terms_publishes_nothing(tmp_path: Path, missing: int) -> None:
    """A file of terms that finds no room stops the build too, wherever in it the disk is full."""
    wordy = some_rows(500)._replace(terms=[" ".join(f"w{row}x{word}" for word in range(20)) for row in range(500)])
    published = publish_rows(tmp_path, wordy)
    size = (tmp_path / published.id / "seeds.npz").stat().st_size
    assert size == max(path.stat().st_size for path in (tmp_path / published.id).iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing, limits[1]))
    try:
        with pytest.raises(OSError, match=r"File too large|disk full"):
            publish_rows(tmp_path, wordy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert names(tmp_path) == [published.id, "CURRENT"]


def test_keys_ascend_over_chunks_too(tmp_path: Path) -> None:
    """A chunk that begins where the one before it ended is refused."""
    chunks = [some_rows(3), some_rows(3, first_key=3)]

    with pytest.raises(ValueError, match="needs: key 3 does not come after"):
        publish_rows(tmp_path, needs=chunks)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    """Old snapshots and the remains of killed builds go, the published one never."""
    (tmp_path / "building-abandoned").mkdir()
    (tmp_path / "building-abandoned" / "seeds.faiss").write_bytes(b"half")

    made = [publish(tmp_path, keep=2).id for _ in range(4)]

    assert names(tmp_path) == [*made[2:], "CURRENT"]
    assert (tmp_path / "CURRENT").read_text() == f"{made[3]}\n"


def test_builders_at_the_same_time_leave_one_sound_snapshot(tmp_path: Path) -> None:
    """Concurrent builds wait for each other; what CURRENT names opens, and nothing half-made is left."""
    builders = [threading.Thread(target=publish, args=(tmp_path, 200, 10, turn)) for turn in range(8)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()

    assert len(names(tmp_path)) == 4
    Snapshot.open(tmp_path / (tmp_path / "CURRENT").read_text().strip())


_BUILD_FOREVER = """
import sys
from pathlib import Path
from tests.matching.test_snapshot import publish
while True:
    publish(Path(sys.argv[1]), seeds=2_000, needs=500)
    print("published", flush=True)
"""


@pytest.mark.process
def test_a_killed_build_leaves_the_published_snapshot(tmp_path: Path) -> None:
    """After kill -9 at any moment of a build, CURRENT names a sound snapshot, and the next build cleans up."""
    for turn in range(6):
        builder = subprocess.Popen(
            [sys.executable, "-c", _BUILD_FOREVER, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        with builder:
            assert builder.stdout is not None
            assert builder.stdout.readline() == b"published\n"
            # Builds take some 100 ms, so these fall all over the second one.
            time.sleep(0.02 * turn)
            builder.send_signal(signal.SIGKILL)

        current = (tmp_path / "CURRENT").read_text().strip()
        assert Snapshot.open(tmp_path / current).count("seed") == 2_000

    publish(tmp_path)
    assert not list(tmp_path.glob("building-*"))
    assert not (tmp_path / "CURRENT.new").exists()


def test_the_handle_waits_for_a_first_snapshot(tmp_path: Path, live: LiveSnapshot) -> None:
    """With no directory there is no snapshot and no problem; a first one is in use within a second."""
    assert (live.current, live.problem) == (None, None)

    manifest = publish(tmp_path / "cluster")

    assert within_a_second(lambda: live.current is not None)
    assert live.current is not None
    assert live.current.manifest == manifest


def test_the_handle_follows_within_a_second(tmp_path: Path, live: LiveSnapshot) -> None:
    """Each publication replaces the one in use, and a reader of the old one finishes on it."""
    publish(tmp_path / "cluster", seeds=5)
    live.check()
    old = live.current
    newer = publish(tmp_path / "cluster", seeds=6, keep=1)

    assert within_a_second(lambda: live.current is not None and live.current.id == newer.id)
    assert old is not None
    assert len(ranked(old).keys) == 5


@pytest.mark.parametrize("place", range(41))
def test_a_changed_current_is_refused(tmp_path: Path, place: int) -> None:
    """Whichever byte of CURRENT is changed, nothing else is served in its place."""
    publish(tmp_path)
    content = bytearray((tmp_path / "CURRENT").read_bytes())
    content[place] ^= 1
    (tmp_path / "CURRENT").write_bytes(content)

    live = LiveSnapshot(tmp_path)

    assert len(content) == 41
    assert live.current is None
    assert live.problem is not None


def test_a_refused_snapshot_leaves_the_last_good_one_in_use(tmp_path: Path, live: LiveSnapshot) -> None:
    """A damaged publication is named as a problem until a sound one is published."""
    good = publish(tmp_path / "cluster")
    live.check()
    # Damaged before the handle can see it: published by hand under the name of the next.
    bad = publish(tmp_path / "aside", seeds=9)
    (tmp_path / "aside" / bad.id / "seeds.faiss").write_bytes(b"damaged")
    (tmp_path / "aside" / bad.id).rename(tmp_path / "cluster" / bad.id)
    (tmp_path / "aside" / "CURRENT").rename(tmp_path / "cluster" / "CURRENT")

    assert within_a_second(lambda: live.problem is not None)
    assert live.problem is not None
    assert "seeds.faiss was changed" in live.problem
    assert live.current is not None
    assert live.current.id == good.id

    publish(tmp_path / "cluster")
    assert within_a_second(lambda: live.problem is None)


def test_a_snapshot_of_another_encoder_is_not_served(tmp_path: Path, live: LiveSnapshot) -> None:
    """A publication made with another model is refused and said so."""
    other = HashEncoder(DIMENSION, revision="2")
    build(
        tmp_path / "cluster",
        encoder=other,
        analysis="",
        seeds=[],
        needs=[],
        watermark=0,
        database="test",
        cluster="cluster",
    )
    live.check()

    assert live.current is None
    assert live.problem is not None
    assert "another encoder" in live.problem


def test_a_snapshot_of_another_analysis_is_not_served(tmp_path: Path) -> None:
    """A publication whose terms were made by another analysis is refused and says which."""
    publish(tmp_path)

    live = LiveSnapshot(tmp_path, expect_analysis="rules 2")

    assert live.current is None
    assert live.problem is not None
    assert "another analysis (words as they are); run `enmusubi index`" in live.problem


def test_a_removed_publication_is_said(tmp_path: Path, live: LiveSnapshot) -> None:
    """When everything published is deleted, the one in memory serves on, and the problem names the fix."""
    publish(tmp_path / "cluster")
    live.check()
    (tmp_path / "cluster" / "CURRENT").unlink()
    live.check()

    assert live.current is not None
    assert live.problem == "CURRENT was removed; run `enmusubi index`"


def test_readers_never_notice_a_publication(tmp_path: Path, live: LiveSnapshot) -> None:
    """Searches during many publications each see one whole snapshot."""
    publish(tmp_path / "cluster", seeds=100)
    live.check()
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.wait(0.005):
            snapshot = live.current
            assert snapshot is not None
            found = len(ranked(snapshot).keys)
            if found != snapshot.manifest.counts["seeds"]:
                wrong.append(f"{snapshot.id}: {found}")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(15):
        publish(tmp_path / "cluster", seeds=100 + turn, keep=1)
        live.check()
    done.set()
    for reader in readers:
        reader.join()

    assert wrong == []
    assert live.current is not None
    assert live.current.count("seed") == 114


def test_one_thread_follows_all_clusters(tmp_path: Path) -> None:
    """Each cluster's publication comes into use for it alone, also of one asked for later; a problem is its own."""
    before = threading.active_count()
    following = LiveSnapshots(tmp_path, expect_fingerprint=ENCODER.fingerprint)
    north = following.of("north")
    first = publish(tmp_path / "north", cluster="north")
    assert within_a_second(lambda: north.current is not None)
    publish(tmp_path / "south", cluster="south")
    south = following.of("south")
    assert threading.active_count() == before + 1
    assert following.of("north") is north
    assert south.current is not None
    assert north.current is not None
    assert (north.current.id, north.problem, south.problem) == (first.id, None, None)

    # A folder that was put in the place of another cluster's.
    for path in (tmp_path / "south").iterdir():
        if not path.name.startswith("."):
            path.rename(tmp_path / "north" / path.name)
    assert within_a_second(lambda: north.problem is not None)
    assert north.problem is not None
    assert "another cluster" in north.problem
    assert north.current.id == first.id
    following.close()
    assert threading.active_count() == before


def test_snapshots_of_all_clusters_together_are_removed(tmp_path: Path) -> None:
    """What was published into the directory itself goes, unfinished builds too; folders of clusters stay."""
    publish(tmp_path / "north", cluster="north")
    assert not remove_published(tmp_path)
    for _ in range(2):
        publish(tmp_path)
    (tmp_path / "building-x").mkdir()
    (tmp_path / "CURRENT.new").touch()
    opened = Snapshot.open(tmp_path / (tmp_path / "CURRENT").read_text().strip())
    assert remove_published(tmp_path)
    assert names(tmp_path) == ["north"]
    assert "CURRENT" in names(tmp_path / "north")
    assert len(ranked(opened).keys) == 5
    assert not remove_published(tmp_path)
