"""Rows newer than the snapshot, scored exactly."""

import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.evidence import Side
from enmusubi.matching.lexical.index import LexicalIndex, Phrase, Weighed, average_lengths, saturation, weigh
from enmusubi.matching.rows import Rows, check
from enmusubi.matching.similarity import Keys, Matrix, Scores
from enmusubi.matching.stand_ins import StandIns
from enmusubi.matching.statistics import ROLES, Hubs, Statistics, estimate

_FIRST_CAPACITY = 64
_BATCH = 256
"""Rows that come so many at a time, as after a restore or beside a refused snapshot, are indexed as a batch."""


@dataclass(frozen=True, slots=True)
class FreshView:
    """One side of the store at one moment."""

    side: Side
    overridden: Keys
    """Every key the store has a word on, ascending: what a snapshot holds of them is out of date."""
    statistics: Statistics
    """What the rows are scored by: the snapshot's statistics, or those of the rows themselves."""


class FreshStore:
    """Rows changed since the snapshot's watermark: what they hold, or the fact that they may not be matched now.

    `statistics` are the snapshot's; where there is none, every row is a fresh one, and the statistics are estimated
    from the rows: of both sides, or with `stand_ins` from seeds and these alone. Safe for any number of readers and
    writers. When a newer snapshot comes into use, make a new store of what is newer than its watermark and swap the
    two together.
    """

    def __init__(self, dimension: int, statistics: Statistics | None = None, stand_ins: StandIns | None = None) -> None:
        self.dimension = dimension
        self._given = statistics
        self._stand_ins = stand_ins
        self._lock = threading.RLock()
        self._tables = {role: _Table(role, dimension, statistics) for role in ROLES}
        self._views: dict[Role, FreshView] | None = None

    def put(self, role: Role, key: int, rows: Rows | None) -> None:
        """Set a row by a table of one row; None when it may not be matched, or has no vector that is up to date."""
        if rows is not None:
            self.put_many(role, rows)
            return
        with self._lock:
            self._tables[role].mask(key)
            self._views = None

    def put_many(self, role: Role, rows: Rows) -> None:
        """Set rows; ValueError for vectors of another length or that are not unit vectors."""
        check(rows, self.dimension, f"fresh {role}s")
        with self._lock:
            self._tables[role].put_many(rows)
            self._views = None

    def keys(self, role: Role) -> Keys:
        """Every key put on a side, those that may not be matched among them, ascending."""
        with self._lock:
            return self._tables[role].overridden()

    @property
    def given(self) -> Statistics | None:
        """The snapshot's statistics, where there is one."""
        return self._given

    def statistics(self) -> Statistics:
        """The snapshot's statistics, or those of the rows now in the store."""
        return self.view("seed").statistics

    def view(self, role: Role) -> FreshView:
        """A side as it is now."""
        with self._lock:
            if self._views is None:
                self._views = self._make_views()
            return self._views[role]

    def weigh(self, role: Role, terms: Sequence[str]) -> Weighed:
        """The shares of an asking text's words and phrases, by how rare they are on a side of the store."""
        with self._lock:
            return self._tables[role].weigh(terms)

    def _make_views(self) -> dict[Role, FreshView]:
        for table in self._tables.values():
            table.compact()
        statistics = self._given
        if statistics is None:
            statistics, _ = estimate(
                {role: table.matrix() for role, table in self._tables.items()},
                {role: table.languages() for role, table in self._tables.items()},
            )
            if self._stand_ins is not None:
                statistics = statistics.without_needs(self._stand_ins)
        return {
            role: FreshView(table.side(statistics), table.overridden(), statistics)
            for role, table in self._tables.items()
        }


class _Table:
    """An append-only table with an inverted index; a row put again is appended, and its place before forgotten."""

    def __init__(self, role: Role, dimension: int, statistics: Statistics | None) -> None:
        self._role = role
        self._statistics = statistics
        self._dimension = dimension
        self._places: dict[int, int | None] = {}
        self._counting: NDArray[np.intp] | None = None
        self._clear()

    def _clear(self) -> None:
        self._keys: Keys = np.empty(_FIRST_CAPACITY, dtype=np.int64)
        self._rows: Matrix = np.empty((_FIRST_CAPACITY, self._dimension), dtype=np.float32)
        self._centred: Matrix = np.empty_like(self._rows)
        self._hubs: Scores = np.zeros((_FIRST_CAPACITY, 2))
        self._languages: list[str] = []
        self._terms: list[str] = []
        self._postings = _Postings()

    def mask(self, key: int) -> None:
        self._places[key] = None
        self._counting = None

    def put_many(self, rows: Rows) -> None:
        start, end = len(self._terms), len(self._terms) + len(rows.keys)
        self._make_room(end)
        self._keys[start:end] = rows.keys
        self._rows[start:end] = rows.matrix
        if self._statistics is not None:
            centred = self._statistics.centred(rows.matrix, self._role, rows.languages)
            self._centred[start:end] = centred
            for column, hub in enumerate(self._statistics.hubs(centred, self._role, rows.keys)):
                self._hubs[start:end, column] = np.nan if hub is None else hub
        self._languages.extend(rows.languages)
        self._terms.extend(rows.terms)
        self._places.update(zip(rows.keys.tolist(), range(start, end), strict=True))
        self._counting = None
        self._postings.extend(rows.terms)

    def compact(self) -> None:
        """Go on with a copy of the rows that count, where most were put again."""
        live = self._live()
        if len(live) < len(self._terms) // 2 and len(self._terms) > _FIRST_CAPACITY:
            rows = Rows(
                self._keys[live],
                self._rows[live],
                self.languages(),
                [self._terms[place] for place in live.tolist()],
            )
            self._clear()
            self.put_many(rows)

    def _live(self) -> NDArray[np.intp]:
        """The places that count, by key, so that nothing depends on the order in which rows came."""
        if self._counting is None:
            places = np.array([place for place in self._places.values() if place is not None], dtype=np.intp)
            self._counting = places[np.argsort(self._keys[places])]
        return self._counting

    def overridden(self) -> Keys:
        return np.array(sorted(self._places), dtype=np.int64)

    def matrix(self) -> Matrix:
        return self._rows[self._live()]

    def languages(self) -> list[str]:
        return [self._languages[place] for place in self._live().tolist()]

    def weigh(self, terms: Sequence[str]) -> Weighed:
        return self._postings.weigh(terms, self._live())

    def side(self, statistics: Statistics) -> Side:
        places, languages, postings = self._live(), self.languages(), self._postings
        numbers = {language: number for number, language in enumerate(sorted(set(languages)))}
        codes = np.array([numbers[language] for language in languages], dtype=np.int16)
        hubs: Hubs = (None, None)
        if self._statistics is None:
            # Hubs are left out until something is published: they would have to be measured anew with every row.
            centred = statistics.centred(self._rows[places], self._role, languages)
        else:
            centred = self._centred[places]
            across, alike = (
                None if np.isnan(column).any() else column for column in (self._hubs[places, 0], self._hubs[places, 1])
            )
            hubs = (across, alike)
        return Side(
            self._keys[places],
            centred,
            codes,
            numbers,
            hubs,
            lambda weighed: postings.share(weighed, places),
        )

    def _make_room(self, needed: int) -> None:
        if needed <= len(self._keys):
            return
        more = max(needed, 2 * len(self._keys)) - len(self._keys)
        self._keys = np.concatenate((self._keys, np.empty(more, dtype=np.int64)))
        wide = np.empty((more, self._dimension), dtype=np.float32)
        self._rows = np.concatenate((self._rows, wide))
        self._centred = np.concatenate((self._centred, wide))
        self._hubs = np.concatenate((self._hubs, np.zeros((more, 2))))


class _Postings:
    """Which places hold a word or a phrase, and how often: an index of each large batch, lists for what came singly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: list[tuple[int, LexicalIndex]] = []
        self._places: dict[str | Phrase, array[int]] = {}
        self._counts: dict[str | Phrase, array[int]] = {}
        self._lengths = array("q")

    def extend(self, texts: Sequence[str]) -> None:
        """Add the terms of further places."""
        with self._lock:
            if len(texts) >= _BATCH:
                self._batches.append((len(self._lengths), LexicalIndex.build(texts)))
                self._lengths.extend(len(text.split()) for text in texts)
                return
            for text in texts:
                self._append(text.split())

    def _append(self, terms: list[str]) -> None:
        place = len(self._lengths)
        features: list[str | Phrase] = [*terms, *pairwise(terms)]
        for feature in features:
            places = self._places.setdefault(feature, array("q"))
            counts = self._counts.setdefault(feature, array("q"))
            if places and places[-1] == place:
                counts[-1] += 1
            else:
                places.append(place)
                counts.append(1)
        self._lengths.append(len(terms))

    def weigh(self, terms: Sequence[str], live: NDArray[np.intp]) -> Weighed:
        """As LexicalIndex.weigh, over the places `live`."""
        with self._lock:
            lengths = np.array(self._lengths, dtype=np.int64)
            counting = np.zeros(len(lengths), dtype=np.bool_)
            counting[live] = True

            def singly(features: Sequence[str | Phrase]) -> NDArray[np.int64]:
                return np.array([counting[self._found(each)[0]].sum() for each in features], dtype=np.int64)

            def words(features: Sequence[str]) -> NDArray[np.int64]:
                batches = (each.word_frequency(features, part) for each, part in self._parts(counting))
                return sum(batches, singly(features))

            def phrases(features: Sequence[Phrase]) -> NDArray[np.int64]:
                batches = (each.phrase_frequency(features, part) for each, part in self._parts(counting))
                return sum(batches, singly(features))

            return weigh(terms, words, phrases, len(live), average_lengths(lengths[live]))

    def _parts(self, counting: NDArray[np.bool_]) -> list[tuple[LexicalIndex, NDArray[np.bool_]]]:
        return [(batch, counting[start : start + len(batch)]) for start, batch in self._batches]

    def share(self, weighed: Weighed, places: NDArray[np.intp]) -> Scores:
        """As LexicalIndex.share, for `places`."""
        with self._lock:
            lengths = np.array(self._lengths, dtype=np.int64)
            batches = list(self._batches)
            words = [(*self._found(word), weight) for word, weight in weighed.words]
            phrases = [(*self._found(phrase), weight) for phrase, weight in weighed.phrases]
        total = np.zeros(len(lengths))
        for start, batch in batches:
            total[start : start + len(batch)] = batch.share(weighed)
        for found, average, fewer in ((words, weighed.average_words, 0), (phrases, weighed.average_phrases, 1)):
            singly = np.zeros(len(lengths))  # words and phrases apart, as an index adds them
            for where, counts, weight in found:
                singly[where] += weight * saturation(counts, np.maximum(lengths[where] - fewer, 0), average)
            total += singly
        return total[places]

    def _found(self, feature: str | Phrase) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # Copies, since an array that is looked at cannot grow.
        found = (np.array(index.get(feature, ()), dtype=np.int64) for index in (self._places, self._counts))
        where, counts = found
        return where, counts
