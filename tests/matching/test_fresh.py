"""The fresh store holds what counts now, and gives every reader one moment of it."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.lexical.index import LexicalIndex
from enmusubi.matching.matchmaker import shortlist
from enmusubi.matching.policy import DEFAULT, Policy
from enmusubi.matching.similarity import Matrix
from tests.matching.entries import a_snapshot, a_store, asking_with, rows_with, unit_rows

DIMENSION = 8
SIMILARITY = Policy("similarity alone", {"similarity": 1.0, "terms": 0.0, "hub_across": 0.0, "hub_alike": 0.0})


def test_the_sides_of_a_store_are_apart() -> None:
    """A need put under the same key as a seed is never found among seeds."""
    store = FreshStore(DIMENSION)
    store.put("need", 1, rows_with([1], unit_rows(1)))

    assert shortlist(asking_with(unit_rows(1)[0]), 5, None, store, DEFAULT).keys.tolist() == []
    assert store.keys("need").tolist() == [1]
    assert store.keys("seed").tolist() == []


def test_a_row_put_again_counts_once_with_its_last_content() -> None:
    """Rows put over and over, or masked, leave no trace of what they were."""
    store = FreshStore(DIMENSION)
    rows = unit_rows(500, seed=2)
    for turn in range(500):
        key = turn % 5
        store.put("seed", key, rows_with([key], rows[turn : turn + 1], terms=f"turn{turn} frost"))
        if turn % 50 == 0:
            assert len(store.view("seed").side.keys) == min(turn + 1, 5)
    store.put("seed", 3, None)

    found = shortlist(asking_with(rows[499], terms="turn499"), 10, None, store, DEFAULT)

    assert sorted(found.keys.tolist()) == [0, 1, 2, 4]
    assert found.keys[0] == 4
    assert {part.name: part.value for part in found.parts[0]}["terms"] > 0
    assert store.keys("seed").tolist() == [0, 1, 2, 3, 4]
    # Words of rows that no longer count are rare again, as in an index that never saw them.
    living = LexicalIndex.build([f"turn{turn} frost" for turn in (495, 496, 497, 499)])
    asking = ["turn494", "turn499", "frost"]
    assert store.weigh("seed", asking) == living.weigh(asking)


def test_a_view_does_not_change_while_rows_are_put() -> None:
    """A reader's view stays as it was, through growth, revisions and a compacting."""
    store = a_store(rows_with(range(10), unit_rows(10), terms="frost panel"))
    view, weighed = store.view("seed"), store.weigh("seed", ["frost"])
    keys, rows, shares = view.side.keys.copy(), view.side.rows.copy(), view.side.share(weighed)

    for turn in range(3):
        store.put_many("seed", rows_with(range(1000), unit_rows(1000, seed=turn), terms="frost frost"))
        store.view("seed")
    store.put("seed", 3, None)

    assert np.array_equal(view.side.keys, keys)
    assert np.array_equal(view.side.rows, rows)
    assert np.array_equal(view.side.share(weighed), shares)
    assert view.overridden.tolist() == list(range(10))


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a snapshot"])
def test_readers_and_writers_at_the_same_time(tmp_path: Path, beside: bool) -> None:
    """While rows are put and masked, every reader sees each row once, finite, in order; in the end all writes count."""
    rows = unit_rows(400)
    snapshot = a_snapshot(tmp_path, rows_with(range(100), rows[:100], terms="frost panel")) if beside else None
    store = FreshStore(DIMENSION, snapshot.statistics if snapshot else None)
    wrong: list[str] = []
    done = threading.Event()

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except Exception as error:
                wrong.append(repr(error))

        return run

    def read() -> None:
        asking = asking_with(unit_rows(1, seed=9)[0], terms="frost panel turn3")
        while not done.is_set():
            found = shortlist(asking, 50, snapshot, store, DEFAULT)
            if len(set(found.keys.tolist())) != len(found.keys) or not np.isfinite(found.scores).all():
                wrong.append("a row twice, or no number")
            if (np.diff(found.scores) > 0).any():
                wrong.append("out of order")

    def write(first: int) -> Callable[[], None]:
        return lambda: write_turns(first)

    def write_turns(first: int) -> None:
        for turn in range(60):
            for key in range(first, first + 5):
                row = rows_with([key], rows[turn + key : turn + key + 1], terms=f"frost turn{turn}")
                store.put("seed", key, row)
            store.put("seed", first, None)

    readers = [threading.Thread(target=guarded(read)) for _ in range(3)]
    writers = [threading.Thread(target=guarded(write(first))) for first in (0, 50, 90)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()

    assert wrong == []
    in_turn = FreshStore(DIMENSION, snapshot.statistics if snapshot else None)
    for first in (0, 50, 90):
        in_turn.put("seed", first, None)
        for key in range(first + 1, first + 5):
            in_turn.put("seed", key, rows_with([key], rows[59 + key : 60 + key], terms="frost turn59"))
    assert np.array_equal(store.keys("seed"), np.array([*range(5), *range(50, 55), *range(90, 95)]))
    one, other = store.view("seed").side, in_turn.view("seed").side
    assert np.array_equal(one.keys, other.keys)
    assert np.array_equal(one.rows, other.rows)
    assert store.weigh("seed", ["frost", "turn59"]) == in_turn.weigh("seed", ["frost", "turn59"])


def test_a_row_that_may_not_be_matched_is_hidden_in_the_snapshot_too(tmp_path: Path) -> None:
    """A masked key is found neither fresh nor in the snapshot, until it is put again."""
    rows = unit_rows(5)
    snapshot = a_snapshot(tmp_path, rows_with(range(5), rows))
    store = FreshStore(DIMENSION, snapshot.statistics)
    asking = asking_with(rows[2])

    store.put("seed", 2, None)
    assert sorted(shortlist(asking, 5, snapshot, store, SIMILARITY).keys.tolist()) == [0, 1, 3, 4]

    store.put("seed", 2, rows_with([2], rows[2:3]))
    assert shortlist(asking, 5, snapshot, store, SIMILARITY).keys[0] == 2


def test_beside_a_snapshot_its_statistics_hold(tmp_path: Path) -> None:
    """The store's statistics are the snapshot's where there is one, those of its own rows where there is none."""
    seeds = rows_with(range(20), unit_rows(20))
    snapshot = a_snapshot(tmp_path, seeds)
    alone = FreshStore(DIMENSION)
    empty = alone.statistics()
    alone.put_many("seed", seeds)

    assert a_store(seeds, snapshot).statistics() is snapshot.statistics
    assert list(empty.languages) == []
    assert np.array_equal(alone.statistics().means["seed"], snapshot.statistics.means["seed"])


@pytest.mark.parametrize(
    "vector",
    [
        np.ones(DIMENSION, dtype=np.float32),
        np.full(DIMENSION, np.nan, dtype=np.float32),
        np.zeros(DIMENSION, dtype=np.float32),
        unit_rows(1, 4)[0],
        unit_rows(1)[0].astype(np.float64),
    ],
    ids=["too long", "not a number", "zero", "another dimension", "another type"],
)
def test_what_is_not_a_unit_vector_is_refused(vector: Matrix) -> None:
    """A vector that would spoil every comparison is an error where it is put, and nothing is put."""
    store = FreshStore(DIMENSION)

    with pytest.raises(ValueError, match=r"fresh seeds: .*vector"):
        store.put("seed", 1, rows_with([1], vector[None]))
    assert store.keys("seed").tolist() == []


def test_rows_without_language_or_terms_are_refused() -> None:
    """Rows whose parts do not fit together are an error where they are put."""
    with pytest.raises(ValueError, match="2 rows have a language and terms each"):
        FreshStore(DIMENSION).put_many("seed", rows_with([1, 2], unit_rows(2), terms=["one only"]))


def test_a_large_batch_is_found_like_rows_that_came_singly() -> None:
    """Rows that come by the hundred are indexed at once; shares and weights are those of rows put one by one."""
    texts = [f"w{row % 17} w{row % 5} frost{row}" for row in range(700)]
    together, singly = FreshStore(8), FreshStore(8)
    rows = rows_with(range(700), unit_rows(700, 8), terms=texts)
    together.put_many("seed", rows)
    for row in range(700):
        singly.put_many("seed", rows_with([row], rows.matrix[row : row + 1], terms=texts[row : row + 1]))
    for store in (together, singly):
        store.put("seed", 3, None)
        store.put_many("seed", rows_with([5], rows.matrix[5:6], terms=["frost5 again"]))
    asking = ["frost5", "again", "w3", "w4", "w3", "unheard"]
    weighed = [store.weigh("seed", asking) for store in (together, singly)]
    assert weighed[0] == weighed[1]
    shares = [store.view("seed").side.share(weighed[0]) for store in (together, singly)]
    assert len(shares[0]) == 699
    assert np.array_equal(shares[0], shares[1])
    assert shares[0].max() > 0.3


def test_a_revised_row_is_no_hub_of_what_it_was(tmp_path: Path) -> None:
    """A text that changes a little is not near to its own former version, which is no longer there."""
    matrix = unit_rows(40)
    snapshot = a_snapshot(tmp_path, rows_with(range(40), matrix, terms="frost panel"))
    store = FreshStore(DIMENSION, snapshot.statistics)
    revised = matrix[7] + 0.05 * unit_rows(1, seed=99)[0]
    revised = np.asarray(revised / np.linalg.norm(revised), dtype=np.float32)[None]
    store.put_many("seed", rows_with([7], revised, terms="frost panel"))
    store.put_many("seed", rows_with([100], revised, terms="frost panel"))
    alike = store.view("seed").side.hubs[1]
    assert alike is not None
    assert alike[0] < alike[1]  # the same vector under a new key has the old one as a neighbour
