"""What speaks for a row is what the definitions say, and the rows for which most speaks are all found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.evidence import Asked, Evidence, Side
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.lexical.index import LexicalIndex
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.policy import DEFAULT, Policy
from enmusubi.matching.rows import Rows
from enmusubi.matching.similarity import Matrix, Scores, inner_products, rounding_bound, similarities
from enmusubi.matching.statistics import Hubs, estimate
from tests.matching.entries import Visibility, a_snapshot, asking_with, rows_with, unit_rows

DIMENSION = 8
LANGUAGES = ("en", "ja", "en", "fi")
TERMS = ("frost panel sensor", "霜 gan sensor", "yeast", "")


def a_side(count: int, seed: int = 0, hubs: bool = True) -> tuple[Side, LexicalIndex]:
    """A side of rows in several languages; hubs are any numbers."""
    index = LexicalIndex.build([TERMS[row % 4] for row in range(count)])
    numbers = {"en": 0, "fi": 1, "ja": 2}
    values = np.random.default_rng(seed).random((2, count)).round(2)
    measured: Hubs = (values[0], values[1]) if hubs else (None, None)
    languages = np.array([numbers[LANGUAGES[row % 4]] for row in range(count)], dtype=np.int16)
    # Few distinct vectors, so that many tie.
    matrix = unit_rows(max(1, count // 3), seed=seed)[np.arange(count) % max(1, count // 3)]
    return Side(np.arange(10, 10 + count), matrix, languages, numbers, measured, index.share), index


def an_asked(
    index: LexicalIndex, language: str = "en", terms: str = "frost sensor gan", parts: int = 0, policy: Policy = DEFAULT
) -> Asked:
    nothing: Matrix = np.empty((0, DIMENSION), dtype=np.float32)
    statistics, _ = estimate({"seed": nothing, "need": nothing}, {"seed": [], "need": []})
    asking = asking_with(unit_rows(1, seed=77)[0], language=language, terms=terms)
    queries = np.concatenate((asking.vector[None], unit_rows(parts, seed=78)))
    return Asked(asking, queries, index.weigh(asking.terms), statistics, policy.weights)


def everything(side: Side, asked: Asked) -> tuple[Evidence, Scores]:
    found = side.strongest(asked, len(side.keys))
    assert found.keys.tolist() == side.keys.tolist()
    return found, found.scores(asked.weights)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 70), st.integers(0, 20), st.booleans(), st.integers(0, 3))
def test_the_strongest_are_those_of_brute_force(count: int, k: int, seed: int, restricted: bool, parts: int) -> None:
    """No eligible row that scores as much as the k-th is left out, and a score is the same whoever else is scored."""
    side, index = a_side(count, seed)
    asked = an_asked(index, parts=parts)
    eligible = np.random.default_rng(seed).random(count) < 0.5 if restricted else np.ones(count, dtype=np.bool_)

    found = side.strongest(asked, k, eligible if restricted else None)

    _, scores = everything(side, asked)
    by_key = dict(zip(side.keys.tolist(), scores.tolist(), strict=True))
    allowed = side.keys[eligible].tolist()
    assert found.eligible == len(allowed)
    assert set(found.keys.tolist()) <= set(allowed)
    assert found.scores(asked.weights).tolist() == [by_key[key] for key in found.keys.tolist()]
    ranked = sorted((by_key[key] for key in allowed), reverse=True)
    if k and ranked:
        least = ranked[min(k, len(ranked)) - 1]
        assert {key for key in allowed if by_key[key] >= least} <= set(found.keys.tolist())
    else:
        assert found.keys.tolist() == []


def test_the_parts_are_what_they_are_called() -> None:
    """Similarity is the cosine, terms the share found, hubs those of the row; the score is their weighted sum."""
    side, index = a_side(12)
    asked = an_asked(index)

    found, scores = everything(side, asked)

    assert found.parts["similarity"] == pytest.approx(
        side.rows.astype(np.float64) @ asked.queries[0].astype(np.float64)
    )
    assert np.array_equal(found.parts["hub_across"], side.hubs[0])  # type: ignore[arg-type]
    assert np.array_equal(found.parts["hub_alike"], side.hubs[1])  # type: ignore[arg-type]
    same = np.array([LANGUAGES[row % 4] == "en" for row in range(12)])
    assert np.array_equal(found.parts["terms"][same], index.share(asked.weighed)[same])
    assert not found.estimated[same].any()
    for place, score in enumerate(scores.tolist()):
        parts = found.of(place, asked.weights)
        assert [(part.name, part.weight) for part in parts] == list(DEFAULT.weights.items())
        assert score == pytest.approx(sum(part.contribution for part in parts))
        assert [part.estimated for part in parts] == [False, bool(found.estimated[place]), False, False]


def test_terms_of_another_language_are_estimated_and_never_below_what_is_found() -> None:
    """Where languages differ the curve stands in; names that are found all the same count where they are more."""
    side, index = a_side(12)
    asked = an_asked(index, terms="gan sensor")

    found, _ = everything(side, asked)

    shares = index.share(asked.weighed)
    expected = asked.statistics.expectation(found.parts["similarity"], "need")
    other = np.array([LANGUAGES[row % 4] != "en" for row in range(12)])
    assert np.array_equal(found.parts["terms"][other], np.maximum(expected, shares)[other])
    assert np.array_equal(found.estimated, other & (expected >= shares))
    assert found.estimated[3]  # nothing in common
    assert not found.estimated[1]  # both words of the asking text
    assert found.parts["terms"][1] == shares[1] > expected[1]


def test_from_a_language_nobody_speaks_all_terms_are_estimated() -> None:
    """An asking text in a language that no row has can be found by names only, so every row is estimated."""
    side, index = a_side(12)

    found, _ = everything(side, an_asked(index, language="ka", terms="ყინვა"))

    assert found.estimated.all()


def test_parts_without_evidence_are_missing() -> None:
    """A text without words has no terms, and rows of a catalogue that knows nothing else no hubs: not zero, missing."""
    side, index = a_side(6, hubs=False)

    found, scores = everything(side, an_asked(index, terms=""))

    assert list(found.parts) == ["similarity"]
    assert np.array_equal(scores, found.parts["similarity"])


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_a_long_text_is_half_its_two_best_parts(parts: int) -> None:
    """Similarity to a text in parts is half that to the whole and half the mean of the two best parts."""
    side, index = a_side(9)
    asked = an_asked(index, parts=parts)

    found, _ = everything(side, asked)

    cosines = side.rows.astype(np.float64) @ asked.queries.astype(np.float64).T
    best = np.sort(cosines[:, 1:], axis=1)[:, -2:].mean(axis=1)
    assert found.parts["similarity"] == pytest.approx(0.5 * cosines[:, 0] + 0.5 * best)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 500))
def test_a_similarity_does_not_depend_on_the_place_of_a_row(seed: int, count: int) -> None:
    """A row is as similar to the last bit alone, among others and in reverse; the fast way is nearly so."""
    rows, query = unit_rows(count, 384, seed), unit_rows(1, 384, seed + 1)[0]

    together = similarities(rows, query)

    assert np.array_equal(together[::-1], similarities(rows[::-1], query))
    for place in {0, count // 2, count - 1}:
        assert together[place] == similarities(rows[place][None], query)[0]
    assert np.abs(inner_products(rows, query) - together).max() <= rounding_bound(query)


@pytest.mark.parametrize("weight", [1.0, 1e6])
def test_rows_that_differ_in_the_last_bits_are_not_lost(weight: float) -> None:
    """However much similarity weighs, rounding of the first pass never costs a row its place."""
    vector = unit_rows(1, 384)[0]
    rows = np.repeat(vector[None], 2000, axis=0)
    rows[np.arange(2000), np.arange(2000) % 384] *= np.float32(1 + 3e-7)
    side = Side(
        np.arange(2000), rows, np.zeros(2000, dtype=np.int16), {"en": 0}, (None, None), lambda _: np.zeros(2000)
    )
    policy = Policy("heavy", {"similarity": weight, "terms": 0.0, "hub_across": 0.0, "hub_alike": 0.0})
    nothing: Matrix = np.empty((0, 384), dtype=np.float32)
    statistics, _ = estimate({"seed": nothing, "need": nothing}, {"seed": [], "need": []})
    asking = asking_with(unit_rows(1, 384, seed=5)[0])
    asked = Asked(asking, asking.vector[None], LexicalIndex.build([]).weigh([]), statistics, policy.weights)

    found = side.strongest(asked, 5)

    exact = similarities(rows, asking.vector)
    assert set(np.argsort(-exact)[:5].tolist()) <= set(found.keys.tolist())


def bilingual(count: int = 40) -> tuple[Rows, Rows]:
    """Seeds and needs of `count` subjects in two languages, as a model that loves its own language sees them.

    Seeds 0 to count are Japanese, the rest English; needs are English. Words of one subject are shared within a
    language only; all English texts share a few.
    """
    subjects = unit_rows(count, 64, seed=1)
    speech = {"ja": np.eye(1, 64)[0] * 1.5, "en": np.eye(1, 64, 1)[0] * 1.5}

    def said(language: str, seed: int) -> Matrix:
        rows = subjects + speech[language] + 0.3 * unit_rows(count, 64, seed)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    japanese = [f"主題{subject} 技術{subject} 方法" for subject in range(count)]
    english = [f"subject{subject} matter{subject} method of making" for subject in range(count)]
    seeds = Rows(
        np.arange(2 * count),
        np.concatenate((said("ja", 2), said("en", 3))),
        ["ja"] * count + ["en"] * count,
        japanese + english,
    )
    asked = [f"subject{subject} matter{subject} method wanted" for subject in range(count)]
    return seeds, rows_with(range(count), said("en", 4), "en", asked)


def test_a_right_answer_in_another_language_is_not_beaten_by_a_wrong_one_in_ones_own(tmp_path: Path) -> None:
    """Plain cosine prefers a text's own language; without what is shared, and with terms estimated, subjects decide."""
    seeds, needs = bilingual()
    snapshot = a_snapshot(tmp_path, seeds, needs)
    empty = FreshStore(64, snapshot.statistics)
    # A need of each subject is asked; its English seed may not be seen, so that only the Japanese one is right.
    beaten_by_cosine = 0
    for subject in range(40):
        visibility = Visibility({key: f"{key:02}" for key in range(80) if key != 40 + subject})
        asking = asking_with(needs.matrix[subject], terms=needs.terms[subject])

        first = propose(asking, 1, snapshot, empty, DEFAULT, visibility.of, visibility.all)[0]

        assert first.key == subject
        assert {part.name: part.estimated for part in first.parts}["terms"]
        cosines = similarities(seeds.matrix, asking.vector)
        beaten_by_cosine += bool(np.delete(cosines, 40 + subject)[40:].max() > cosines[subject])
    assert beaten_by_cosine > 20


def test_estimated_terms_are_never_below_none(tmp_path: Path) -> None:
    """A row whose terms cannot be found is never worse for it, with the curve of a real catalogue too."""
    seeds, needs = bilingual()
    snapshot = a_snapshot(tmp_path, seeds, needs)
    side, index = a_side(4)
    asked = replace(an_asked(index, terms="unheard of"), statistics=snapshot.statistics)

    found, _ = everything(side, asked)

    assert (found.parts["terms"] >= index.share(asked.weighed)).all()
    assert (found.parts["terms"][found.estimated] >= 0).all()
