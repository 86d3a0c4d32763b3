"""The matchmaker finds exactly the best visible rows, wherever they live."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.matchmaker import Shortlist, propose, shortlist
from enmusubi.matching.policy import DEFAULT, PARTS, Policy
from enmusubi.matching.ranking import DECIMALS, Part, Ranked
from enmusubi.matching.rows import Asking, Rows
from enmusubi.matching.similarity import Keys
from enmusubi.matching.snapshot import Snapshot
from tests.matching.entries import Visibility, a_snapshot, a_store, asking_with, rows_with, unit_rows

DIMENSION = 8
SIMILARITY = Policy("similarity alone", {"similarity": 1.0, "terms": 0.0, "hub_across": 0.0, "hub_alike": 0.0})


@dataclass(frozen=True)
class Entry:
    """A row by its public id, as property tests draw it."""

    public_id: str
    content: int
    visible: bool
    place: str


# Few distinct contents, so that ties reach far beyond any shortlist; two of them differ in the last bit only.
VECTORS = unit_rows(6, seed=3)
VECTORS[5] = VECTORS[4]
VECTORS[5, 0] = np.nextafter(VECTORS[4, 0], np.float32(2))
LANGUAGES = ("en", "ja", "en", "ja", "en", "en")
TERMS = ("frost panel sensor", "霜 検知 センサ", "", "frost センサ", "weld", "weld")
ASKING = asking_with(unit_rows(1, seed=8)[0], terms="frost sensor panel 霜 unknown")
PLACES = ("snapshot", "fresh", "revised", "withdrawn")

# A draw stands for up to 40 rows alike but for their public ids: more than any search asks for beyond k.
entries = st.lists(
    st.tuples(st.integers(0, len(VECTORS) - 1), st.booleans(), st.sampled_from(PLACES), st.sampled_from([1, 2, 40])),
    max_size=12,
).map(
    lambda draws: [
        Entry(f"{copy:02}-{number:02}", content, visible, place)
        for number, (content, visible, place, copies) in enumerate(draws)
        for copy in range(copies)
    ]
)
NEEDS = rows_with(range(1, 8), unit_rows(7, seed=5), ["en", "ja", "en", "ja", "en", "en", "fi"], "frost sensor 霜")


def content(keys: Iterable[int], numbers: Iterable[int]) -> Rows:
    """Rows with these keys and contents."""
    chosen = list(numbers)
    return rows_with(keys, VECTORS[chosen], [LANGUAGES[one] for one in chosen], [TERMS[one] for one in chosen])


@dataclass(frozen=True)
class Arranged:
    """Entries put where their places say; `living` are those that can be matched."""

    snapshot: Snapshot
    store: FreshStore
    visibility: Visibility
    living: dict[int, Entry]

    def proposed(self, n: int, asking: Asking = ASKING) -> list[Ranked]:
        """The n best visible ones."""
        return propose(asking, n, self.snapshot, self.store, DEFAULT, self.visibility.of, self.visibility.all)


def arrange(directory: Path, drawn: Iterable[Entry]) -> Arranged:
    """Give entries keys in the order they come in, and put each where its place says."""
    keyed = dict(enumerate(drawn, start=1))
    stored = {key: one.content for key, one in keyed.items() if one.place == "snapshot"}
    before = {
        key: (one.content + 1) % len(VECTORS) for key, one in keyed.items() if one.place in ("revised", "withdrawn")
    }
    stored = dict(sorted((stored | before).items()))
    snapshot = a_snapshot(directory, content(stored, stored.values()), NEEDS)
    store = FreshStore(DIMENSION, snapshot.statistics)
    for key in before:
        store.put("seed", key, None)
    fresh = {key: one.content for key, one in keyed.items() if one.place in ("fresh", "revised")}
    store.put_many("seed", content(fresh, fresh.values()))
    visible = {key: one.public_id for key, one in keyed.items() if one.visible}
    living = {key: one for key, one in keyed.items() if one.place != "withdrawn"}
    return Arranged(snapshot, store, Visibility(visible), living)


def everything(arranged: Arranged) -> dict[int, float]:
    """The score of every row by key, unrounded, taken without leaving any row out."""
    found = shortlist(ASKING, 1_000_000, arranged.snapshot, arranged.store, DEFAULT)
    assert found.exhausted
    assert sorted(found.keys.tolist()) == sorted(arranged.living)
    for score, parts in zip(found.scores.tolist(), found.parts, strict=True):
        assert [part.name for part in parts] == [name for name in PARTS if name in {part.name for part in parts}]
        assert score == sum(part.contribution for part in parts)
    return dict(zip(found.keys.tolist(), found.scores.tolist(), strict=True))


@settings(max_examples=40, deadline=None)
@given(entries, st.integers(1, 40))
def test_a_proposal_is_the_brute_force_ranking_of_the_visible(drawn: list[Entry], n: int) -> None:
    """Exactly the n best visible rows come out, equal scores by public id."""
    with tempfile.TemporaryDirectory() as directory:
        arranged = arrange(Path(directory), drawn)
        proposed = arranged.proposed(n)

    scores = {
        arranged.living[key].public_id: round(score, DECIMALS)
        for key, score in everything(arranged).items()
        if arranged.living[key].visible
    }
    expected = sorted(scores, key=lambda name: (-scores[name], name))[:n]
    assert [(one.public_id, one.score) for one in proposed] == [(name, scores[name]) for name in expected]


def test_scores_that_are_equal_once_rounded_are_ordered_by_public_id(tmp_path: Path) -> None:
    """Of many rows that differ in the last bits alone, the first by public id come out, however few are asked for."""
    drawn = [Entry(f"{row:03}", 4 + row % 2, True, "snapshot") for row in range(200)]
    # Beside others, since centring makes much of what is left between rows that are nearly all there is.
    others = [Entry(f"other {row}", row % 4, False, "snapshot") for row in range(800)]
    arranged = arrange(tmp_path, drawn + others)

    proposed = arranged.proposed(12)

    assert len({one.score for one in proposed}) == 1
    assert [one.public_id for one in proposed] == [one.public_id for one in drawn[:12]]
    assert arranged.proposed(5) == proposed[:5]


@settings(max_examples=20, deadline=None)
@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_insertion_never_changes_a_ranking(drawn: list[Entry], random: Random) -> None:
    """Entries that came in another order, under other keys, rank alike with the same scores."""
    shuffled = random.sample(drawn, len(drawn))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as another:
        proposed = arrange(Path(one), drawn).proposed(20)
        again = arrange(Path(another), shuffled).proposed(20)

    assert [(one.public_id, one.score) for one in again] == [(one.public_id, one.score) for one in proposed]


@settings(max_examples=40, deadline=None)
@given(entries, st.integers(0, 80))
def test_a_shortlist_never_cuts_a_tie(drawn: list[Entry], k: int) -> None:
    """Whatever scores as much as the k-th, as scores are rounded, is in the shortlist; it says whether more is left."""
    with tempfile.TemporaryDirectory() as directory:
        arranged = arrange(Path(directory), drawn)
        found = shortlist(ASKING, k, arranged.snapshot, arranged.store, DEFAULT)

    scores = everything(arranged)
    ranked = sorted(scores.values(), reverse=True)
    least = round(ranked[min(k, len(ranked)) - 1], DECIMALS) if k and ranked else np.inf
    due = {key for key, score in scores.items() if round(score, DECIMALS) >= least}
    assert due <= set(found.keys.tolist())
    assert len(found.keys) == len(set(found.keys.tolist()))
    assert found.scores.tolist() == ranked[: len(found.keys)]
    assert found.exhausted == (len(found.keys) == len(scores))


def evidence(found: Shortlist) -> dict[int, dict[str, Part]]:
    """The parts of every row but the nearness to its own side."""
    return {
        key: {part.name: part for part in parts if part.name != "hub_alike"}
        for key, parts in zip(found.keys.tolist(), found.parts, strict=True)
    }


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1, 3, 30, 100]))
def test_a_row_put_again_unchanged_keeps_its_evidence(seed: int, count: int) -> None:
    """Similarity, terms and nearness to needs are the same to the last bit in a snapshot and as a fresh row."""
    seeds = rows_with(range(count), unit_rows(count, seed=seed), [LANGUAGES[row % 6] for row in range(count)], TERMS[0])
    with tempfile.TemporaryDirectory() as directory:
        snapshot = a_snapshot(Path(directory), seeds, NEEDS)
    indexed = shortlist(ASKING, count, snapshot, FreshStore(DIMENSION, snapshot.statistics), DEFAULT)

    again = shortlist(ASKING, count, snapshot, a_store(seeds, snapshot), DEFAULT)

    assert evidence(again) == evidence(indexed)


def test_a_row_put_again_unchanged_keeps_its_place(tmp_path: Path) -> None:
    """An entry whose text did not change ranks with the same score as before it was saved."""
    seeds = rows_with(range(30), unit_rows(30), terms="frost panel")
    snapshot = a_snapshot(tmp_path, seeds, NEEDS)
    visibility = Visibility({key: f"{key:02}" for key in range(30)})
    empty = FreshStore(DIMENSION, snapshot.statistics)
    before = propose(ASKING, 30, snapshot, empty, DEFAULT, visibility.of, visibility.all)

    saved = a_store(rows_with([7], seeds.matrix[7:8], terms="frost panel"), snapshot)

    assert propose(ASKING, 30, snapshot, saved, DEFAULT, visibility.of, visibility.all) == before


def test_with_one_in_a_hundred_visible_the_asker_still_gets_all_asked_for(tmp_path: Path) -> None:
    """Over 20,000 rows with 1 % visible, the 20 best visible come back, as by brute force."""
    rows, query = unit_rows(20_000, 64), unit_rows(1, 64, seed=9)[0]
    keys: Keys = np.arange(20_000) * 3 + 5
    visibility = Visibility({int(key): f"{key:06}" for key in keys[::100]})
    snapshot = a_snapshot(tmp_path, rows_with(keys[:19_000], rows[:19_000]))
    store = a_store(rows_with(keys[19_000:], rows[19_000:]), snapshot)

    proposed = propose(asking_with(query), 20, snapshot, store, SIMILARITY, visibility.of, visibility.all)

    centred = snapshot.statistics.centred(rows[::100], "seed", ["en"] * 200).astype(np.float64)
    scores = centred @ snapshot.statistics.centred(query[None], "need", ["en"])[0]
    assert [one.key for one in proposed] == keys[::100][np.argsort(-scores)[:20]].tolist()
    assert visibility.full_queries == 1


def test_everything_visible_takes_one_look(tmp_path: Path) -> None:
    """When the shortlist holds enough visible rows, nobody asks for all of them."""
    rows = unit_rows(2_000)
    visibility = Visibility({key: str(key) for key in range(2_000)})
    snapshot = a_snapshot(tmp_path, rows_with(range(2_000), rows))
    empty = FreshStore(DIMENSION, snapshot.statistics)

    proposed = propose(asking_with(rows[7]), 20, snapshot, empty, SIMILARITY, visibility.of, visibility.all)

    assert len(proposed) == 20
    assert proposed[0].key == 7
    assert visibility.full_queries == 0


def test_an_exhausted_shortlist_is_not_searched_again() -> None:
    """When every row was looked at already, what is visible of them is all there is."""
    store = a_store(rows_with(range(30), unit_rows(30)))
    visibility = Visibility({3: "three"})

    proposed = propose(ASKING, 5, None, store, DEFAULT, visibility.of, visibility.all)

    assert [one.key for one in proposed] == [3]
    assert visibility.full_queries == 0


def test_without_a_snapshot_everything_is_fresh(tmp_path: Path) -> None:
    """A store alone finds the similarity and the words that a snapshot of the same rows finds, row for row."""
    seeds = content(range(300), [row % 5 for row in range(300)])
    snapshot = a_snapshot(tmp_path, seeds, NEEDS)
    indexed = shortlist(ASKING, 300, snapshot, FreshStore(DIMENSION, snapshot.statistics), DEFAULT)
    store = a_store(seeds)
    store.put_many("need", NEEDS)

    alone = shortlist(ASKING, 300, None, store, DEFAULT)

    known = evidence(indexed)
    assert len(alone.keys) == 300
    for key, parts in evidence(alone).items():
        assert list(parts) == ["similarity", "terms"]  # hubs wait for something to be published
        assert parts["similarity"] == known[key]["similarity"]
        # Of another language, evidence is estimated by the curve that installations start with.
        assert parts["terms"] == known[key]["terms"] or LANGUAGES[key % 5] != "en"


def test_seeds_ask_for_needs_too(tmp_path: Path) -> None:
    """The other way round, needs are ranked for a seed; the seeds, though nearer, are not among them."""
    seeds = rows_with(range(20), unit_rows(20))
    snapshot = a_snapshot(tmp_path, seeds, NEEDS)
    visibility = Visibility({key: str(key) for key in range(20)})
    empty = FreshStore(DIMENSION, snapshot.statistics)

    proposed = propose(
        asking_with(NEEDS.matrix[2], "seed"), 20, snapshot, empty, SIMILARITY, visibility.of, visibility.all
    )

    assert proposed[0].key == 3
    assert sorted(one.key for one in proposed) == NEEDS.keys.tolist()


def test_a_part_that_answers_lifts_a_seed(tmp_path: Path) -> None:
    """A seed that answers one part of a long need well beats one that is as near to the whole text as it is."""
    rows = np.eye(4, DIMENSION, dtype=np.float32)
    vector = np.array([0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0], dtype=np.float32)
    snapshot = a_snapshot(tmp_path, rows_with(range(4), rows))
    visibility = Visibility({key: str(key) for key in range(4)})
    empty = FreshStore(DIMENSION, snapshot.statistics)
    asking = asking_with(vector)._replace(parts=np.stack((rows[2], rows[2], vector)))

    whole, in_parts = (
        propose(one, 4, snapshot, empty, SIMILARITY, visibility.of, visibility.all)
        for one in (asking_with(vector), asking)
    )

    assert [one.key for one in whole] == [0, 1, 2, 3]
    assert [one.key for one in in_parts] == [2, 0, 1, 3]


def test_nothing_above_the_floor_is_an_empty_list_found_in_one_look(tmp_path: Path) -> None:
    """A floor above every score ends the search, however little is visible."""
    snapshot = a_snapshot(tmp_path, rows_with(range(2_000), unit_rows(2_000)))
    visibility = Visibility({1: "one"})
    empty = FreshStore(DIMENSION, snapshot.statistics)

    assert propose(ASKING, 3, snapshot, empty, DEFAULT, visibility.of, visibility.all, floor=2.5) == []
    assert visibility.full_queries == 0


@settings(max_examples=25, deadline=None)
@given(entries, st.integers(1, 10), st.floats(-1, 1))
def test_a_floor_cuts_a_ranking_and_changes_nothing_else(drawn: list[Entry], n: int, floor: float) -> None:
    """What is proposed with a floor is what is proposed without, less what scores below it."""
    with tempfile.TemporaryDirectory() as directory:
        arranged = arrange(Path(directory), drawn)

    visibility = arranged.visibility
    above = propose(ASKING, n, arranged.snapshot, arranged.store, DEFAULT, visibility.of, visibility.all, floor)

    assert above == [one for one in arranged.proposed(n) if one.score >= floor]


def test_asking_for_none_gives_none() -> None:
    """n = 0 is an empty list, and nobody is asked what is visible."""
    store = a_store(rows_with([1], unit_rows(1)))
    visibility = Visibility({1: "one"})

    assert propose(ASKING, 0, None, store, DEFAULT, visibility.of, visibility.all) == []


@pytest.mark.parametrize(
    "asking",
    [
        asking_with(unit_rows(1, 4)[0]),
        asking_with(np.full(DIMENSION, np.nan, dtype=np.float32)),
        ASKING._replace(parts=unit_rows(2, 4)),
    ],
    ids=["another dimension", "not a number", "parts of another dimension"],
)
def test_what_is_not_a_query_is_refused(asking: Asking) -> None:
    """A vector from another encoder, or none at all, is an error, not a wrong ranking."""
    with pytest.raises(ValueError, match="a query"):
        shortlist(asking, 5, None, FreshStore(DIMENSION), DEFAULT)
