"""Evidence is BM25 as a share of what an asking text could find, the same in a snapshot and in the fresh store."""

from collections.abc import Sequence
from itertools import pairwise

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.lexical.index import LexicalIndex, Weighed, idf
from tests.matching.entries import rows_with, unit_rows

words = st.sampled_from(["frost", "panel", "yeast", "whey", "weld", "霧", "センサ", "solar"])
texts = st.lists(words, max_size=12).map(" ".join)
corpora = st.lists(texts, min_size=1, max_size=20)
askings = st.lists(st.one_of(words, st.sampled_from(["unknown", "未知"])), max_size=12)


def words_only(weighed: Weighed) -> Weighed:
    return weighed._replace(phrases=[])


def phrases_only(weighed: Weighed) -> Weighed:
    return weighed._replace(words=[])


def share_in_store(corpus: Sequence[str], asking: Sequence[str]) -> list[float]:
    """The shares that a fresh store of these texts finds, put one by one, each after a text that it replaces."""
    store = FreshStore(8)
    vector = unit_rows(1)
    for key in np.random.default_rng(len(corpus)).permutation(len(corpus)).tolist():
        store.put("seed", key, rows_with([key], vector, terms="frost frost an older text"))
        store.put("seed", key, rows_with([key], vector, terms=corpus[key]))
    store.put("seed", 1000, rows_with([1000], vector, terms="withdrawn frost"))
    store.put("seed", 1000, None)
    shares: list[float] = store.view("seed").side.share(store.weigh("seed", asking)).tolist()
    return shares


@settings(max_examples=150, deadline=None)
@given(corpora, askings)
def test_words_count_as_another_library_counts_them(corpus: list[str], asking: list[str]) -> None:
    """The share of words is the BM25 of bm25s (Lucene's form), divided by the sum of the asking text's idf."""
    documents = [text.split() for text in corpus]
    total = sum(float(idf(sum(word in document for document in documents), len(documents))) for word in asking)
    index = LexicalIndex.build(corpus)

    shares = index.share(words_only(index.weigh(asking)))

    if not asking or sum(map(len, documents)) < len(documents):
        # Below one word a text on average, lengths are compared with one word; the peer has no such floor.
        assert np.isfinite(shares).all()
        return
    peer = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    peer.index(documents, show_progress=False)
    assert shares == pytest.approx(peer.get_scores(asking) / total, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(corpora, askings)
def test_phrases_count_as_words_of_their_own(corpus: list[str], asking: list[str]) -> None:
    """The share of phrases is what an index of adjacent pairs, written as single words, gives them."""

    def paired(text: list[str]) -> list[str]:
        return [f"{first}+{second}" for first, second in pairwise(text)]

    index = LexicalIndex.build(corpus)
    of_pairs = LexicalIndex.build([" ".join(paired(text.split())) for text in corpus])

    shares = index.share(phrases_only(index.weigh(asking)))

    assert shares == pytest.approx(of_pairs.share(words_only(of_pairs.weigh(paired(asking)))), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(corpora, askings)
def test_the_fresh_store_finds_what_an_index_finds(corpus: list[str], asking: list[str]) -> None:
    """The same rows give the same shares to the last bit, whatever was put, replaced and withdrawn before."""
    index = LexicalIndex.build(corpus)

    assert share_in_store(corpus, asking) == index.share(index.weigh(asking)).tolist()


@settings(max_examples=100, deadline=None)
@given(corpora, corpora, askings)
def test_a_store_beside_a_snapshot_counts_by_the_snapshot(
    corpus: list[str], known: list[str], asking: list[str]
) -> None:
    """Fresh rows weighed by an index find what the same rows in that index do, when it holds them too."""
    index = LexicalIndex.build([*known, *corpus])
    weighed = index.weigh(asking)
    store = FreshStore(8)
    store.put_many("seed", rows_with(range(len(corpus)), unit_rows(len(corpus)), terms=corpus))

    assert store.view("seed").side.share(weighed).tolist() == index.share(weighed)[len(known) :].tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, max_size=10), askings)
def test_an_index_survives_being_stored(corpus: list[str], asking: list[str]) -> None:
    """An index read from its arrays gives the same shares, also an empty one and one of empty texts."""
    index = LexicalIndex.build(corpus)

    again = LexicalIndex.from_arrays(index.arrays())

    assert again.weigh(asking) == index.weigh(asking)
    assert again.share(again.weigh(asking)).tolist() == index.share(index.weigh(asking)).tolist()
    assert len(again.share(again.weigh(asking))) == len(corpus)


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, max_size=10), askings)
def test_shares_are_shares(corpus: list[str], asking: list[str]) -> None:
    """What could be found sums to one each for words and phrases; what is found is finite, not negative, below 2."""
    index = LexicalIndex.build(corpus)

    weighed = index.weigh(asking)
    shares = index.share(weighed)

    assert sum(weight for _, weight in weighed.words) == pytest.approx(1 if asking else 0)
    assert sum(weight for _, weight in weighed.phrases) == pytest.approx(1 if len(asking) > 1 else 0)
    assert np.isfinite(shares).all()
    assert ((shares >= 0) & (shares < 2)).all()


def test_unknown_words_count_in_what_could_have_been_found() -> None:
    """A text that holds all known words of an asking text holds less of it the more of its words nobody knows."""
    index = LexicalIndex.build(["frost panel", "yeast whey"])

    known, half, none = (
        index.share(index.weigh(asking.split())).tolist() for asking in ("frost", "frost unknown", "unknown words")
    )

    assert known[0] > 2 * half[0] > 0
    assert known[1] == half[1] == 0
    assert none == [0, 0]


def test_the_order_of_words_counts_by_phrases() -> None:
    """Of two texts of the same words, the one that has them side by side as asked is found first."""
    index = LexicalIndex.build(["cell fuel solid oxide", "solid oxide fuel cell", "yeast"])

    shares = index.share(index.weigh(["fuel", "cell"]))

    assert shares[1] > shares[0] > shares[2] == 0


def test_a_vocabulary_of_another_size_is_refused() -> None:
    """Arrays that do not fit together are an error, not an index that finds the wrong texts."""
    arrays = LexicalIndex.build(["frost panel"]).arrays()

    with pytest.raises(ValueError, match="vocabulary"):
        LexicalIndex.from_arrays(arrays | {"size": np.array(3)})
    with pytest.raises(KeyError):
        LexicalIndex.from_arrays({name: array for name, array in arrays.items() if name != "lengths"})
