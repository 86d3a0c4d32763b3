"""The matchmaker finds exactly the best visible rows, wherever their vectors live."""

import math
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.matchmaker import FreshVectors, propose, shortlist
from enmusubi.matching.similarity import Keys, Matrix, similarities
from enmusubi.matching.snapshot import Snapshot, build

DIMENSION = 8


def unit_rows(count: int, dimension: int = DIMENSION, seed: int = 0) -> Matrix:
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def a_snapshot(directory: Path, keys: Keys, rows: Matrix) -> Snapshot:
    manifest = build(
        directory,
        encoder=HashEncoder(rows.shape[1]),
        seeds=(keys, rows),
        needs=(keys[:0], rows[:0]),
        watermark=0,
        database="test",
    )
    return Snapshot.open(directory / manifest.id)


def a_store(keys: Keys, rows: Matrix) -> FreshVectors:
    store = FreshVectors(rows.shape[1])
    store.put_many("seed", keys, rows)
    return store


class Visibility:
    """What an asker may see; counts how often everything was asked for."""

    def __init__(self, public_ids: dict[int, str]) -> None:
        self.public_ids = public_ids
        self.full_queries = 0

    def of(self, keys: Keys) -> dict[int, str]:
        return {key: self.public_ids[key] for key in keys.tolist() if key in self.public_ids}

    def all(self) -> Keys:
        self.full_queries += 1
        return np.array(sorted(self.public_ids), dtype=np.int64)


def exact(row: Matrix, query: Matrix) -> float:
    """The correctly rounded inner product, computed apart from the code under test."""
    return math.fsum(float(a) * float(b) for a, b in zip(row, query, strict=True))


@dataclass(frozen=True)
class Entry:
    """A row by its public id, as property tests draw it."""

    public_id: str
    vector: int
    visible: bool
    place: str


# Few distinct vectors, so that ties reach far beyond any shortlist; two of them differ in the last bit only.
POOL = unit_rows(6, seed=3)
POOL[5] = POOL[4]
POOL[5, 0] = np.nextafter(POOL[4, 0], np.float32(2))
PLACES = ("snapshot", "fresh", "revised", "withdrawn")

# A draw stands for up to 40 rows alike but for their public ids: more than any search asks for beyond k.
entries = st.lists(
    st.tuples(st.integers(0, len(POOL) - 1), st.booleans(), st.sampled_from(PLACES), st.sampled_from([1, 2, 40])),
    max_size=30,
).map(
    lambda draws: [
        Entry(f"{copy:02}-{number:02}", vector, visible, place)
        for number, (vector, visible, place, copies) in enumerate(draws)
        for copy in range(copies)
    ]
)


def arrange(directory: Path, drawn: Iterable[Entry]) -> tuple[Snapshot, FreshVectors, Visibility, dict[str, Matrix]]:
    """Give entries keys in the order they come in, and put each where its place says."""
    stored: dict[int, Matrix] = {}
    store = FreshVectors(DIMENSION)
    names: dict[int, str] = {}
    living: dict[str, Matrix] = {}
    for key, entry in enumerate(drawn, start=1):
        vector = POOL[entry.vector]
        if entry.place == "snapshot":
            stored[key] = vector
        if entry.place in ("revised", "withdrawn"):
            stored[key] = POOL[(entry.vector + 1) % len(POOL)]
            store.put("seed", key, None)
        if entry.place in ("fresh", "revised"):
            store.put("seed", key, vector)
        if entry.visible:
            names[key] = entry.public_id
            if entry.place != "withdrawn":
                living[entry.public_id] = vector
    keys = np.array(list(stored), dtype=np.int64)
    rows = np.array(list(stored.values()), dtype=np.float32).reshape(len(stored), DIMENSION)
    return a_snapshot(directory, keys, rows), store, Visibility(names), living


@settings(max_examples=60, deadline=None)
@given(entries, st.integers(1, 40), st.randoms(use_true_random=False))
def test_a_proposal_is_the_brute_force_ranking_of_the_visible(drawn: list[Entry], n: int, random: Random) -> None:
    """Exactly the n best visible rows come out, ties by public id, in whatever order rows were inserted."""
    query = unit_rows(1, seed=8)[0]
    drawn = random.sample(drawn, len(drawn))
    with tempfile.TemporaryDirectory() as directory:
        snapshot, store, visibility, living = arrange(Path(directory), drawn)
        proposed = propose(query, "seed", n, snapshot, store, visibility.of, visibility.all)

    scores = {name: float(similarities(vector[None], query)[0]) for name, vector in living.items()}
    expected = sorted(scores, key=lambda name: (-scores[name], name))[:n]
    assert [(one.public_id, one.score) for one in proposed] == [(name, scores[name]) for name in expected]


@settings(max_examples=60, deadline=None)
@given(entries, st.integers(0, 80))
def test_a_shortlist_never_cuts_a_tie(drawn: list[Entry], k: int) -> None:
    """Whatever scores as much as the k-th is in the shortlist, and it says rightly whether more is left."""
    query = unit_rows(1, seed=8)[0]
    with tempfile.TemporaryDirectory() as directory:
        snapshot, store, _, living = arrange(
            Path(directory), [Entry(one.public_id, one.vector, True, one.place) for one in drawn]
        )
        found = shortlist(query, "seed", k, snapshot, store)

    scores = sorted((float(similarities(row[None], query)[0]) for row in living.values()), reverse=True)
    expected = [score for score in scores[:k] + scores[k:] if k and score >= scores[min(k, len(scores)) - 1]]
    assert found.scores.tolist() == expected
    assert len(set(found.keys.tolist())) == len(found.keys)
    assert found.exhausted == (len(expected) == len(scores))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 500))
def test_scores_do_not_depend_on_the_place_of_a_row(seed: int, count: int) -> None:
    """A row scores the same to the last bit alone, among others and in reverse, and that score is right."""
    rows, query = unit_rows(count, 384, seed), unit_rows(1, 384, seed + 1)[0]

    together = similarities(rows, query)

    assert np.array_equal(together[::-1], similarities(rows[::-1], query))
    for place in {0, count // 2, count - 1}:
        assert together[place] == similarities(rows[place][None], query)[0]
        assert together[place] == pytest.approx(exact(rows[place], query), abs=1e-15)


def test_with_one_in_a_hundred_visible_the_asker_still_gets_all_asked_for(tmp_path: Path) -> None:
    """Over 20,000 vectors with 1 % visible, the 20 best visible come back, as by brute force."""
    rows, query = unit_rows(20_000, 64), unit_rows(1, 64, seed=9)[0]
    keys = np.arange(20_000) * 3 + 5
    visibility = Visibility({int(key): f"{key:06}" for key in keys[::100]})
    snapshot = a_snapshot(tmp_path, keys[:19_000], rows[:19_000])
    store = a_store(keys[19_000:], rows[19_000:])

    proposed = propose(query, "seed", 20, snapshot, store, visibility.of, visibility.all)

    scores = {f"{key:06}": exact(row, query) for key, row in zip(keys[::100], rows[::100], strict=True)}
    assert [one.public_id for one in proposed] == sorted(scores, key=lambda name: -scores[name])[:20]
    assert visibility.full_queries == 1


def test_everything_visible_takes_one_look(tmp_path: Path) -> None:
    """When the shortlist holds enough visible rows, nobody asks for all of them."""
    rows = unit_rows(2_000)
    visibility = Visibility({key: str(key) for key in range(2_000)})
    snapshot = a_snapshot(tmp_path, np.arange(2_000), rows)

    proposed = propose(rows[7], "seed", 20, snapshot, FreshVectors(DIMENSION), visibility.of, visibility.all)

    assert len(proposed) == 20
    assert proposed[0].key == 7
    assert visibility.full_queries == 0


def test_an_exhausted_shortlist_is_not_searched_again() -> None:
    """When every row was looked at already, what is visible of them is all there is."""
    store = a_store(np.arange(30), unit_rows(30))
    visibility = Visibility({3: "three"})

    proposed = propose(unit_rows(1)[0], "seed", 5, None, store, visibility.of, visibility.all)

    assert [one.key for one in proposed] == [3]
    assert visibility.full_queries == 0


def test_without_a_snapshot_everything_is_fresh() -> None:
    """A store alone gives the ranking that a snapshot of the same rows gives, score for score."""
    rows, query = unit_rows(300), unit_rows(1, seed=5)[0]
    visibility = Visibility({key: f"{key:03}" for key in range(300)})
    with tempfile.TemporaryDirectory() as directory:
        snapshot = a_snapshot(Path(directory), np.arange(300), rows)
        empty = FreshVectors(DIMENSION)
        indexed = propose(query, "seed", 10, snapshot, empty, visibility.of, visibility.all)

    store = a_store(np.arange(300), rows)
    assert propose(query, "seed", 10, None, store, visibility.of, visibility.all) == indexed


def test_nothing_above_the_floor_is_an_empty_list_found_in_one_look(tmp_path: Path) -> None:
    """A floor above every score ends the search, however little is visible."""
    snapshot = a_snapshot(tmp_path, np.arange(2_000), unit_rows(2_000))
    visibility = Visibility({1: "one"})
    query, empty = unit_rows(1, seed=5)[0], FreshVectors(DIMENSION)

    assert propose(query, "seed", 3, snapshot, empty, visibility.of, visibility.all, floor=1.1) == []
    assert visibility.full_queries == 0


def test_asking_for_none_gives_none() -> None:
    """n = 0 is an empty list, and nobody is asked what is visible."""
    visibility = Visibility({1: "one"})
    store = a_store(np.array([1]), unit_rows(1))

    assert propose(unit_rows(1)[0], "seed", 0, None, store, visibility.of, visibility.all) == []


def test_the_sides_of_a_store_are_apart() -> None:
    """A need put under the same key as a seed is never found among seeds."""
    store = FreshVectors(DIMENSION)
    store.put("need", 1, unit_rows(1)[0])

    assert shortlist(unit_rows(1)[0], "seed", 5, None, store).keys.tolist() == []
    assert store.keys("need").tolist() == [1]


def test_a_row_put_again_counts_once_with_its_last_vector() -> None:
    """Rows put over and over, or masked, leave no trace of what they were."""
    store = FreshVectors(DIMENSION)
    rows = unit_rows(500, seed=2)
    for turn in range(500):
        store.put("seed", turn % 5, rows[turn])
        if turn % 50 == 0:
            assert len(store.view("seed").live) == min(turn + 1, 5)
    store.put("seed", 3, None)

    found = shortlist(rows[499], "seed", 10, None, store)

    assert sorted(found.keys.tolist()) == [0, 1, 2, 4]
    assert found.scores[0] == pytest.approx(1)
    assert store.keys("seed").tolist() == [0, 1, 2, 3, 4]


def test_a_view_does_not_change_while_rows_are_put() -> None:
    """A reader's view stays as it was, through growth, revisions and a reset."""
    store = a_store(np.arange(10), unit_rows(10))
    view = store.view("seed")
    before = view.search(unit_rows(1)[0], 10)

    store.put_many("seed", np.arange(1000), unit_rows(1000, seed=4))
    store.view("seed")
    store.reset()

    after = view.search(unit_rows(1)[0], 10)
    assert before.keys.tolist() == after.keys.tolist()
    assert before.scores.tolist() == after.scores.tolist()
    assert store.keys("seed").tolist() == []


@pytest.mark.parametrize(
    "vector",
    [np.ones(DIMENSION), np.full(DIMENSION, np.nan), np.zeros(DIMENSION), unit_rows(1, 4)[0]],
    ids=["too long", "not a number", "zero", "another dimension"],
)
def test_what_is_not_a_unit_vector_is_refused(vector: Matrix) -> None:
    """A vector that would spoil every comparison is an error where it is put."""
    with pytest.raises(ValueError, match="vector"):
        FreshVectors(DIMENSION).put("seed", 1, vector)


def test_a_query_of_another_dimension_is_refused() -> None:
    """A query from another encoder is an error, not a wrong ranking."""
    with pytest.raises(ValueError, match="shape"):
        shortlist(unit_rows(1, 4)[0], "seed", 5, None, FreshVectors(DIMENSION))
