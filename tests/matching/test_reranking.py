"""Reranking: the order of the best alone may change, by what a cross-encoder reads in a pair."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching import calibration
from enmusubi.matching.encoder import ModelError
from enmusubi.matching.ranking import Part, Ranked
from enmusubi.matching.reranking import (
    WEIGHT,
    CrossEncoderReranker,
    Pair,
    Values,
    load_reranker,
    policy_name,
    rerank,
)
from tests.tiny_cross_encoder import write_tiny_cross_encoder
from tests.tiny_model import write_tiny_model

NEED = "kerbstone that does not freeze"


class Given:
    """Gives the numbers it was made with, and keeps the pairs it was asked for."""

    name = "given"
    fingerprint = "0123456789abcdef"

    def __init__(self, *values: float) -> None:
        self.values = values
        self.pairs: list[Pair] = []

    def scores(self, pairs: Sequence[Pair]) -> Values:
        """As many of the numbers as there are pairs."""
        self.pairs = list(pairs)
        return np.array(self.values[: len(pairs)], dtype=np.float64)


def ranking(*scores: float) -> list[Ranked]:
    """Entries 0, 1, … with these scores, best first."""
    return [
        Ranked(key, f"entry-{key:03}", score, (Part("similarity", score), Part("hub_alike", 0.0, -0.2)))
        for key, score in enumerate(scores)
    ]


def texts_of(ranked: Sequence[Ranked]) -> dict[int, str]:
    """A text for each entry."""
    return {one.key: f"text {one.key}" for one in ranked}


def keys(ranked: Sequence[Ranked]) -> list[int]:
    """The keys in their order."""
    return [one.key for one in ranked]


def test_a_part_is_added_and_decides_with_the_others() -> None:
    """The score stays the sum of the contributions of its parts."""
    before = ranking(0.6, 0.5, 0.4)
    after = rerank(NEED, "need", before, texts_of(before), Given(0.1, 0.9, 0.25))
    assert keys(after) == [1, 0, 2]
    assert after[0].parts[-1] == Part("reranker", 0.9, WEIGHT)
    assert [one.score for one in after] == pytest.approx([0.5 + 0.9 * WEIGHT, 0.6 + 0.1 * WEIGHT, 0.4 + 0.25 * WEIGHT])
    assert all(one.score == pytest.approx(sum(part.contribution for part in one.parts), abs=1e-6) for one in after)


def test_entries_beyond_the_first_stay_below_as_they_were() -> None:
    """They are not read, and none overtakes one that was read and found worthless."""
    before = ranking(0.6, 0.5, 0.5, 0.5, 0.1)
    reranker = Given(0.0, 0.0)
    after = rerank(NEED, "need", before, texts_of(before), reranker, first=2)
    assert keys(after) == [0, 1, 2, 3, 4]
    assert after[2:] == before[2:]
    assert len(reranker.pairs) == 2


def test_equal_scores_stand_by_public_id() -> None:
    """The order is total after reranking, too."""
    before = ranking(0.5, 0.3, 0.1)
    assert keys(rerank(NEED, "need", before, texts_of(before), Given(0.0, 0.2 / WEIGHT, 0.4 / WEIGHT))) == [0, 1, 2]


def test_a_pair_is_need_and_seed_whoever_asks() -> None:
    """What a pair is worth does not depend on who asks."""
    reranker = Given(0.5)
    rerank(NEED, "need", ranking(0.5), {0: "a seed"}, reranker)
    assert reranker.pairs == [Pair(NEED, "a seed")]
    rerank("a seed", "seed", ranking(0.5), {0: NEED}, reranker)
    assert reranker.pairs == [Pair(NEED, "a seed")]


def test_what_has_no_text_is_left_as_it_is() -> None:
    """A part that is missing is missing, not zero."""
    before = ranking(0.6, 0.5, 0.4)
    after = rerank(NEED, "need", before, {1: " ", 2: "text"}, Given(0.9))
    assert keys(after) == [2, 0, 1]
    assert after[1:] == before[:2]
    for text in ("", " \n"):
        assert rerank(text, "need", before, texts_of(before), Given(0.9)) == before
    assert rerank(NEED, "need", [], {}, Given()) == []


def test_a_reranker_may_take_the_first_pairs_only() -> None:
    """Those it did not take have no part of it."""
    before = ranking(0.6, 0.5, 0.4)
    after = rerank(NEED, "need", before, texts_of(before), Given(0.2, 0.7))
    assert keys(after) == [1, 0, 2]
    assert after[2] == before[2]


@pytest.mark.parametrize("values", [(0.5, 1.01), (-0.01, 0.5), (0.5, float("nan"))])
def test_numbers_out_of_range_are_refused(values: tuple[float, ...]) -> None:
    """A ranking of nonsense is worse than none."""
    before = ranking(0.6, 0.5)
    with pytest.raises(ValueError, match="given did not give a number from 0 to 1"):
        rerank(NEED, "need", before, texts_of(before), Given(*values))


@given(
    st.lists(st.integers(-1000, 1500), max_size=20),
    st.lists(st.floats(0, 1), min_size=20, max_size=20),
    st.integers(0, 25),
)
def test_every_ranking_stays_a_ranking(scores: list[int], values: list[float], first: int) -> None:
    """Best first, nothing lost, the rest below in its order, and fit to be calibrated."""
    before = ranking(*(score / 1000 for score in sorted(scores, reverse=True)))
    after = rerank(NEED, "need", before, texts_of(before), Given(*values), first)
    assert after == sorted(after, key=lambda one: (-one.score, one.public_id))
    assert sorted(keys(after[:first])) == keys(before[:first])
    assert after[first:] == before[first:]
    assert len(calibration.shipped().probabilities(after)) == len(before)


def test_the_policy_names_the_reranker() -> None:
    """Each match says what ranked it."""
    assert policy_name("evidence-1", None) == "evidence-1"
    assert policy_name("evidence-1", Given()) == "evidence-1+rerank:given@01234567"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny CrossEncoder."""
    return write_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny-reranker")


@pytest.fixture(scope="module")
def reranker(folder: Path) -> CrossEncoderReranker:
    """A tiny CrossEncoder, loaded once."""
    loaded = load_reranker(str(folder), "float32")
    assert loaded is not None
    return loaded


def test_no_reranker_is_none() -> None:
    """Nothing is loaded where nothing is named."""
    assert load_reranker(None) is None


def test_a_cross_encoder_reads_pairs(reranker: CrossEncoderReranker) -> None:
    """A number for each pair, and pairs differ, in either language."""
    pairs = [Pair(NEED, "frost proof stone"), Pair(NEED, "noodles"), Pair("凍らない縁石", "コンクリート"), Pair("", "")]
    values = reranker.scores(pairs)
    assert values.shape == (4,)
    assert ((values > 0) & (values < 1)).all()
    assert len(set(values.tolist())) == 4
    assert reranker.scores([]).shape == (0,)


def test_a_value_does_not_depend_on_the_other_pairs(reranker: CrossEncoderReranker) -> None:
    """To the last bit."""
    pairs = [Pair(NEED, "stone " * length) for length in (1, 5, 30)]
    together = reranker.scores(pairs).tolist()
    assert together == [reranker.scores([pair]).tolist()[0] for pair in pairs]
    assert together == reranker.scores(pairs[::-1]).tolist()[::-1]


def test_long_texts_are_read_to_their_end(reranker: CrossEncoderReranker) -> None:
    """Neither a need nor a seed is cut at the model's limit, far behind which they differ here."""
    words = ["noodles", "zinc", "vortex", "quartz", "jelly"]
    differ = {"need": 0, "seed": 0}
    for long in (f"{word} " * 40 for word in words):
        for side, pairs in (
            ("need", [Pair(long + word, NEED) for word in words]),
            ("seed", [Pair(NEED, long + word) for word in words]),
        ):
            values = reranker.scores(pairs)
            assert ((values > 0) & (values < 1)).all()
            differ[side] += len(set(values.tolist())) > 1
    assert differ["need"] == len(words)
    assert differ["seed"] > 0  # of a seed the best window counts, which need not be the last


def test_a_long_seed_is_worth_its_best_window(reranker: CrossEncoderReranker) -> None:
    """What a seed says beside the point does not count against it: the same said twice is worth the same."""
    part = "abcdefgh " * 6
    once, twice = reranker.scores([Pair("stone", part), Pair("stone", part * 2)])
    assert once == twice


def test_work_is_bounded(folder: Path) -> None:
    """Pairs beyond what one ranking is worth get no number, however short those behind them are."""
    few = CrossEncoderReranker(str(folder), "float32", passes=4)
    short, long = Pair("stone", "stone"), Pair("stone " * 500, "stone " * 500)
    assert len(few.scores([short] * 6)) == 4
    assert len(few.scores([short, long, short])) == 1
    assert len(few.scores([long])) == 0


@pytest.mark.parametrize("text", ["[SEP] [CLS]", "\ud83d", "😀" * 200, "1" * 300, "\x00", "x" * 5000])
def test_strange_texts_are_read(reranker: CrossEncoderReranker, text: str) -> None:
    """No text breaks a ranking; one that spells a special token is text."""
    values = reranker.scores([Pair(text, "stone"), Pair("stone", text)])
    assert np.isfinite(values).all()


def test_a_fingerprint_names_the_weights(folder: Path, reranker: CrossEncoderReranker, tmp_path: Path) -> None:
    """Another model in a folder of the same name is another reranker; the folder's place is not told."""
    assert reranker.name == "tiny-reranker"
    assert policy_name("evidence-1", reranker) == f"evidence-1+rerank:tiny-reranker@{reranker.fingerprint[:8]}"
    assert CrossEncoderReranker(str(folder), "float32").fingerprint == reranker.fingerprint
    other = write_tiny_cross_encoder(tmp_path / "tiny-reranker")
    (other / "README.md").write_text("Another one.", encoding="utf-8")
    assert CrossEncoderReranker(str(other), "float32").fingerprint != reranker.fingerprint
    assert CrossEncoderReranker(str(folder), "bfloat16").fingerprint != reranker.fingerprint


def test_what_is_no_reranker_is_refused(tmp_path: Path) -> None:
    """The library would put random weights on a model that cannot score pairs; the message names the setting."""
    for folder, problem in (
        (write_tiny_model(tmp_path / "encoder"), "is no CrossEncoder"),
        (write_tiny_cross_encoder(tmp_path / "two", labels=2), "gives 2 numbers for a pair"),
        (write_tiny_cross_encoder(tmp_path / "damaged", damaged=True), "no finite number"),
        (tmp_path / "nowhere", "cannot be loaded"),
    ):
        with pytest.raises(ModelError, match=f"{problem}.*ENMUSUBI_RERANKER"):
            CrossEncoderReranker(str(folder)).scores([Pair("a", "b")])
