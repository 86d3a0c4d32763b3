"""BM25 as a share: how much of the evidence an asking text could find does a text hold."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.similarity import Scores

K1 = 1.2
B = 0.75

Phrase = tuple[str, str]
"""Two adjacent terms."""
Feature = TypeVar("Feature", str, Phrase)


class Weighed(NamedTuple):
    """An asking text's words and phrases, each with its share of the text's possible evidence.

    The shares of the words sum to 1, those of the phrases too; sorted, so that sums are always added in one order.
    """

    words: Sequence[tuple[str, float]]
    phrases: Sequence[tuple[Phrase, float]]
    average_words: float
    average_phrases: float


class Postings(NamedTuple):
    """Which rows hold a feature and how often; the rows of feature f are those from `starts[f]` to `starts[f + 1]`."""

    starts: NDArray[np.int64]
    places: NDArray[np.int32]
    counts: NDArray[np.int32]


def idf(frequency: NDArray[np.int64] | int, rows: int) -> Any:
    """Inverse document frequency, always positive; Robertson and Zaragoza 2009, in the form that Lucene computes."""
    return np.log(1 + (rows - frequency + 0.5) / (frequency + 0.5))


def saturation(counts: Any, lengths: Any, average: float) -> Any:
    """The term frequency part of BM25, from 0 towards 1; Robertson and Zaragoza 2009, equation 3.15, without k1 + 1."""
    return counts / (counts + K1 * (1 - B + B * lengths / max(average, 1.0)))


def weigh(
    terms: Sequence[str],
    word_frequency: Callable[[Sequence[str]], NDArray[np.int64]],
    phrase_frequency: Callable[[Sequence[Phrase]], NDArray[np.int64]],
    rows: int,
    averages: tuple[float, float],
) -> Weighed:
    """Each word's and phrase's share of what `terms` could find among `rows`: its count times its idf."""
    return Weighed(
        _shares(Counter(terms), word_frequency, rows),
        _shares(Counter(pairwise(terms)), phrase_frequency, rows),
        *averages,
    )


def _shares(
    counts: Counter[Feature], frequency: Callable[[Sequence[Feature]], NDArray[np.int64]], rows: int
) -> list[tuple[Feature, float]]:
    features = sorted(counts)
    if not features:
        return []
    weights = np.array([counts[feature] for feature in features]) * idf(frequency(features), rows)
    return list(zip(features, (weights / weights.sum()).tolist(), strict=True))


class LexicalIndex:
    """Words and phrases of the rows of one side; never changed once built, safe for concurrent readers."""

    def __init__(
        self,
        vocabulary: Sequence[str],
        words: Postings,
        phrase_keys: NDArray[np.int64],
        phrases: Postings,
        lengths: NDArray[np.int32],
    ) -> None:
        self._vocabulary = vocabulary
        self._ids = {word: number for number, word in enumerate(vocabulary)}
        self._words = words
        self._phrase_keys = phrase_keys
        self._phrases = phrases
        self._lengths = lengths

    @classmethod
    def build(cls, texts: Iterable[str]) -> Self:
        """The index of texts that are terms joined by single spaces."""
        ids: dict[str, int] = {}
        rows = [np.array([ids.setdefault(term, len(ids)) for term in text.split()], dtype=np.int32) for text in texts]
        lengths = np.array([len(row) for row in rows], dtype=np.int32)
        tokens = np.concatenate(rows) if rows else np.empty(0, dtype=np.int32)
        owners = np.repeat(np.arange(len(rows), dtype=np.int64), lengths)
        words = _postings(tokens.astype(np.int64), owners, len(ids), len(rows))
        adjacent = owners[1:] == owners[:-1]
        keys = ((tokens[:-1].astype(np.int64) << 32) | tokens[1:])[adjacent]
        phrase_keys, numbers = np.unique(keys, return_inverse=True)
        phrases = _postings(numbers, owners[1:][adjacent], len(phrase_keys), len(rows))
        return cls(list(ids), words, phrase_keys, phrases, lengths)

    def __len__(self) -> int:
        return len(self._lengths)

    def weigh(self, terms: Sequence[str]) -> Weighed:
        """The shares of an asking text's words and phrases, by how rare they are on this side."""
        return weigh(terms, self.word_frequency, self.phrase_frequency, len(self), average_lengths(self._lengths))

    def word_frequency(self, words: Sequence[str], counting: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """How many rows hold each word (n,), of those that count."""
        return _frequencies(self._words, self._word_numbers(words), counting)

    def phrase_frequency(
        self, phrases: Sequence[Phrase], counting: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """How many rows hold each phrase (n,), of those that count."""
        return _frequencies(self._phrases, self._phrase_numbers(phrases), counting)

    def share(self, weighed: Weighed) -> Scores:
        """Of each row (n,), the share of the words plus the share of the phrases that it holds: 0 to 2."""
        words = self._word_numbers([word for word, _ in weighed.words])
        phrases = self._phrase_numbers([phrase for phrase, _ in weighed.phrases])
        total = _evidence(self._words, words, weighed.words, self._lengths, weighed.average_words)
        total += _evidence(
            self._phrases, phrases, weighed.phrases, np.maximum(self._lengths - 1, 0), weighed.average_phrases
        )
        return total

    def _word_numbers(self, words: Sequence[str]) -> NDArray[np.int64]:
        """The number of each word (n,), -1 for one that no row holds."""
        return np.array([self._ids.get(word, -1) for word in words], dtype=np.int64)

    def _phrase_numbers(self, phrases: Sequence[Phrase]) -> NDArray[np.int64]:
        """The number of each phrase (n,), -1 for one that no row holds."""
        if not phrases or not len(self._phrase_keys):
            return np.full(len(phrases), -1, dtype=np.int64)
        first, second = (self._word_numbers(words) for words in zip(*phrases, strict=True))
        keys = (first << 32) | second
        numbers = np.minimum(np.searchsorted(self._phrase_keys, keys), len(self._phrase_keys) - 1)
        present = (self._phrase_keys[numbers] == keys) & (first >= 0) & (second >= 0)
        return np.where(present, numbers, -1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything the index consists of, for `numpy.savez`."""
        return {
            "vocabulary": np.frombuffer("\n".join(self._vocabulary).encode(), dtype=np.uint8),
            "size": np.array(len(self._vocabulary), dtype=np.int64),
            "lengths": self._lengths,
            "phrase_keys": self._phrase_keys,
            **{f"words_{name}": getattr(self._words, name) for name in Postings._fields},
            **{f"phrases_{name}": getattr(self._phrases, name) for name in Postings._fields},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The index that `arrays` was taken of; KeyError or ValueError for anything else."""
        size = int(arrays["size"])
        vocabulary = arrays["vocabulary"].tobytes().decode().split("\n") if size else []
        if len(vocabulary) != size:
            raise ValueError("the vocabulary does not have the size that is written beside it")
        words, phrases = (
            Postings(*(arrays[f"{kind}_{name}"] for name in Postings._fields)) for kind in ("words", "phrases")
        )
        return cls(vocabulary, words, arrays["phrase_keys"], phrases, arrays["lengths"])


def average_lengths(lengths: NDArray[Any]) -> tuple[float, float]:
    """The mean number of words and of phrases of rows with so many words (n,); 0 of none."""
    return (float(lengths.mean()), float(np.maximum(lengths - 1, 0).mean())) if len(lengths) else (0.0, 0.0)


def _frequencies(
    postings: Postings, numbers: NDArray[np.int64], counting: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """How many rows hold each feature (n,), none for the number -1."""
    if counting is not None:
        places = (postings.places[_part(postings, number) if number >= 0 else slice(0)] for number in numbers.tolist())
        return np.array([counting[each].sum() for each in places], dtype=np.int64)
    found = np.zeros(len(numbers), dtype=np.int64)
    known = numbers[numbers >= 0]
    found[numbers >= 0] = postings.starts[known + 1] - postings.starts[known]
    return found


def _part(postings: Postings, number: int) -> slice:
    return slice(int(postings.starts[number]), int(postings.starts[number + 1]))


def _evidence(
    postings: Postings,
    numbers: NDArray[np.int64],
    weighed: Sequence[tuple[Any, float]],
    lengths: NDArray[np.int32],
    average: float,
) -> Scores:
    """Of each row (n,), the sum of the shares of the features it holds, each as far as it is saturated."""
    parts: list[tuple[slice, float]] = [
        (_part(postings, number), share)
        for number, (_, share) in zip(numbers.tolist(), weighed, strict=True)
        if number >= 0
    ]
    if not parts:
        return np.zeros(len(lengths))
    places = np.concatenate([postings.places[part] for part, _ in parts])
    counts = np.concatenate([postings.counts[part] for part, _ in parts])
    shares = np.repeat([share for _, share in parts], [part.stop - part.start for part, _ in parts])
    evidence = shares * saturation(counts, lengths[places], average)
    total: NDArray[Any] = np.bincount(places, weights=evidence, minlength=len(lengths))
    return total


def _postings(features: NDArray[np.int64], owners: NDArray[np.int64], size: int, rows: int) -> Postings:
    """Count features by row, ordered by feature and then by row."""
    pairs, counts = np.unique(features * max(rows, 1) + owners, return_counts=True)
    numbers, places = np.divmod(pairs, max(rows, 1))
    starts = np.searchsorted(numbers, np.arange(size + 1))
    return Postings(starts.astype(np.int64), places.astype(np.int32), counts.astype(np.int32))
