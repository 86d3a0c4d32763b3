"""What a catalogue says of itself: mean vectors, hubs, and how much lexical evidence a similarity lets one expect.

All of it is estimated when a snapshot is published and stored with it. Where few entries are known, an estimate is
shrunk towards what is known more widely, and with nothing known at all it changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.lexical.index import LexicalIndex
from enmusubi.matching.rows import other
from enmusubi.matching.similarity import Keys, Matrix, Scores
from enmusubi.matching.stand_ins import StandIns

ROLES: tuple[Role, Role] = ("seed", "need")
PRIOR_ROWS = 10
"""So many imagined entries stand behind every mean."""
NEIGHBOURS = 5
"""A hub is measured by its mean similarity to so many nearest entries."""
SAMPLE = 4096
"""Hubs and the curve are measured against at most so many entries of a side, taken evenly."""

Hubs = tuple[Scores | None, Scores | None]
"""How near each row of a side is to everything across, and on its own side; None where nothing is known there."""

_ROWS_AT_ONCE = 4096

GRID: Scores = np.linspace(-1, 1, 41)
"""Where the curve of expected evidence has its knots, in similarity."""
# A share of words and phrases by similarity, as read off Japanese and English catalogues of several fields; it stands
# in until an installation has pairs of its own, and counts as so many of them at every knot.
_CURVE_PRIOR: Scores = np.interp(
    GRID, [-1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1], [0, 0.01, 0.02, 0.06, 0.12, 0.2, 0.3, 0.45, 0.65, 1]
)
_CURVE_PRIOR_PAIRS = 5
_CURVE_ASKING = 500


@dataclass(frozen=True, slots=True)
class Statistics:
    """Estimates from one catalogue; arrays are never written to."""

    languages: Sequence[str]
    means: Mapping[Role, Matrix]
    """By side: a mean vector per language (languages, d)."""
    elsewhere: Mapping[Role, Matrix]
    """By side: the mean (d,) for a language that is not among `languages`."""
    sampled_keys: Mapping[Role, Keys]
    """By side: the keys of the entries that hubs are measured against."""
    samples: Mapping[Role, Matrix]
    """By side: their centred vectors."""
    expected: Mapping[Role, Scores]
    """By asking side: the share of evidence to expect at each knot of GRID."""

    def centred(self, matrix: Matrix, role: Role, languages: Sequence[str]) -> Matrix:
        """Unit vectors (n, d) less the mean of their side and language, at length 1 again.

        Vectors of one model share a strong common direction, another for each side and language, which says nothing
        of what a text is about and makes entries of one's own language look nearer than they are.
        """
        numbers = {language: number for number, language in enumerate(self.languages)}
        means = np.vstack((self.means[role], self.elsewhere[role][None]))
        # The last mean is the one for languages that are not known.
        rows = matrix - means[[numbers.get(language, len(numbers)) for language in languages]]
        lengths = np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))
        # A vector that is the mean itself has no direction left; it stays as it was.
        lost = lengths < 1e-6
        rows[lost], lengths[lost] = matrix[lost], 1.0
        return np.ascontiguousarray(rows / lengths[:, None], dtype=np.float32)

    def hubs(self, centred: Matrix, role: Role, keys: Keys) -> Hubs:
        """How near rows (n, d) of the side `role`, with these keys (n,), are to everything: across and on their side.

        Each is the mean similarity to the nearest entries, shrunk where few are known; None where nothing is known. A
        row is no neighbour of itself, nor of what it was before it was revised.

        Conneau et al., Word Translation Without Parallel Data, 2018: cross-domain similarity local scaling.
        """
        nobody = np.empty(0, dtype=np.int64)
        return (
            _nearness(centred, self.samples[other(role)], keys, nobody),
            _nearness(centred, self.samples[role], keys, self.sampled_keys[role]),
        )

    def expectation(self, similarity: Scores, asking: Role) -> Scores:
        """The share of lexical evidence to expect of a pair in one language with this similarity."""
        return np.interp(similarity, GRID, self.expected[asking])

    def without_needs(self, stand_ins: StandIns) -> "Statistics":
        """What is left of them where no need of the catalogue may count: what seeds say, and invented needs.

        Needs are centred by the mean of the stand-ins in their language, shrunk to that of seeds, or by that of seeds.
        Hubs across are seeds near to stand-ins. The curve is the one that installations start with.
        """
        elsewhere = self.elsewhere["seed"]
        names = sorted({*self.languages, *stand_ins.languages})
        of_seeds = dict(zip(self.languages, self.means["seed"], strict=True))
        seeds = [of_seeds.get(name, elsewhere) for name in names]
        # In a language without stand-ins needs are centred as seeds are, known or not: that others' needs speak it
        # makes no difference.
        needs = [
            _shrunk(*total, mean.astype(np.float64)).astype(np.float32) if total[1] else mean
            for total, mean in zip(_totals(stand_ins.matrix, stand_ins.languages, names), seeds, strict=True)
        ]
        found = Statistics(
            names,
            {"seed": _stacked(seeds, len(elsewhere)), "need": _stacked(needs, len(elsewhere))},
            dict.fromkeys(ROLES, elsewhere),
            # Keys that no entry has.
            {"seed": self.sampled_keys["seed"], "need": np.arange(-len(stand_ins.matrix), 0)},
            self.samples,
            dict.fromkeys(ROLES, _CURVE_PRIOR),
        )
        centred = found.centred(stand_ins.matrix, "need", stand_ins.languages)
        return replace(found, samples={"seed": self.samples["seed"], "need": centred})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything the statistics consist of, for `numpy.savez`; samples are kept as keys of rows."""
        arrays: dict[str, NDArray[Any]] = {
            "languages": np.frombuffer("\n".join(self.languages).encode(), dtype=np.uint8)
        }
        for role in ROLES:
            arrays[f"means_{role}"] = self.means[role]
            arrays[f"elsewhere_{role}"] = self.elsewhere[role]
            arrays[f"sampled_{role}"] = self.sampled_keys[role]
            arrays[f"expected_{role}"] = self.expected[role]
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], keys: Mapping[Role, Keys], centred: Mapping[Role, Matrix]
    ) -> "Statistics":
        """The statistics that `arrays` was taken of, with keys (ascending) and centred rows of both sides.

        KeyError or IndexError for anything else.
        """
        names = arrays["languages"].tobytes().decode()
        sampled = {role: arrays[f"sampled_{role}"] for role in ROLES}
        return cls(
            names.split("\n") if names else [],
            {role: arrays[f"means_{role}"] for role in ROLES},
            {role: arrays[f"elsewhere_{role}"] for role in ROLES},
            sampled,
            # Copies, because a snapshot's rows are FAISS's memory, which goes with the snapshot.
            {role: centred[role][np.searchsorted(keys[role], sampled[role])] for role in ROLES},
            {role: arrays[f"expected_{role}"] for role in ROLES},
        )


def sample(rows: Matrix, most: int) -> NDArray[np.intp]:
    """The places (ascending) of at most so many rows (n, d), chosen by what is in them and not by where they are."""
    if len(rows) <= most:
        return np.arange(len(rows))
    # Two numbers of a row, scrambled: as good as random, and the same for the same row in any order of rows.
    bits = np.ascontiguousarray(rows[:, :2]).view(np.uint32).astype(np.uint64)
    scrambled = (bits[:, 0] * np.uint64(0x9E3779B1) ^ bits[:, -1] * np.uint64(0x85EBCA77)) & np.uint64(0xFFFFFFFF)
    return np.sort(np.argsort(scrambled, kind="stable")[:most])


def estimate(
    matrices: Mapping[Role, Matrix],
    languages: Mapping[Role, Sequence[str]],
    lexical: Mapping[Role, LexicalIndex] | None = None,
    terms: Mapping[Role, Sequence[str]] | None = None,
    keys: Mapping[Role, Keys] | None = None,
) -> tuple[Statistics, Mapping[Role, Matrix]]:
    """The statistics of a catalogue and its centred rows, from the unit vectors (n, d) and languages of both sides.

    Without the lexical side, the curve of expected evidence is the one that installations start with; without keys, the
    rows' numbers are.
    """
    names = sorted({language for role in ROLES for language in languages[role]})
    means, elsewhere = _means(matrices, languages, names)
    start = dict.fromkeys(ROLES, _CURVE_PRIOR)
    empty = {role: matrices[role][:0] for role in ROLES}
    sampled = {role: sample(matrices[role], SAMPLE) for role in ROLES}
    sampled_keys = {role: sampled[role] if keys is None else keys[role][sampled[role]] for role in ROLES}
    uncurved = Statistics(names, means, elsewhere, sampled_keys, empty, start)
    centred = {role: uncurved.centred(matrices[role], role, languages[role]) for role in ROLES}
    expected = start
    if lexical is not None and terms is not None:
        chosen = {role: sample(matrices[role], _CURVE_ASKING) for role in ROLES}
        expected = {
            role: _expected(role, chosen[role], sampled[other(role)], centred, languages, lexical[other(role)], terms)
            for role in ROLES
        }
    samples = {role: centred[role][sampled[role]] for role in ROLES}
    return Statistics(names, means, elsewhere, sampled_keys, samples, expected), centred


Totals = Sequence[tuple[Scores, int]]
"""By language: the sum of the vectors (d,) and their number."""


def _means(
    matrices: Mapping[Role, Matrix], languages: Mapping[Role, Sequence[str]], names: Sequence[str]
) -> tuple[dict[Role, Matrix], dict[Role, Matrix]]:
    """Means by side and language, each shrunk: to its language's, that to the catalogue's, that to nothing.

    For needs the language and the catalogue are of both sides; for seeds of seeds alone, whom no need changes.
    """
    totals = {role: _totals(matrices[role], languages[role], names) for role in ROLES}
    both = [
        (of_seeds + of_needs, some + others)
        for (of_seeds, some), (of_needs, others) in zip(totals["seed"], totals["need"], strict=True)
    ]
    nothing = np.zeros(matrices["seed"].shape[1])
    found = {
        "seed": _shrunk_means(totals["seed"], totals["seed"], nothing),
        "need": _shrunk_means(totals["need"], both, nothing),
    }
    return {role: found[role][0] for role in ROLES}, {role: found[role][1] for role in ROLES}


def _totals(matrix: Matrix, languages: Sequence[str], names: Sequence[str]) -> Totals:
    spoken = np.array(languages, dtype=object)
    chosen = [matrix[spoken == name] for name in names]
    return [(rows.sum(axis=0, dtype=np.float64), len(rows)) for rows in chosen]


def _shrunk_means(side: Totals, widely: Totals, nothing: Scores) -> tuple[Matrix, Matrix]:
    """The means of a side by language (languages, d), and the one for other languages (d,)."""
    everything = _shrunk(*_summed(widely, nothing), nothing)
    elsewhere = _shrunk(*_summed(side, nothing), everything).astype(np.float32)
    means = [
        # Of a language in which nothing is known the mean is exactly that of one that nobody has named.
        _shrunk(*total, _shrunk(*wide, everything)).astype(np.float32) if wide[1] else elsewhere
        for total, wide in zip(side, widely, strict=True)
    ]
    return _stacked(means, len(nothing)), elsewhere


def _stacked(rows: Sequence[Matrix], dimension: int) -> Matrix:
    return np.array(rows, dtype=np.float32).reshape(len(rows), dimension)


def _summed(totals: Totals, nothing: Scores) -> tuple[Scores, int]:
    return sum((total for total, _ in totals), nothing), sum(count for _, count in totals)


def _shrunk(total: Scores, count: int, prior: Scores) -> Scores:
    return (total + PRIOR_ROWS * prior) / (count + PRIOR_ROWS)


def _nearness(rows: Matrix, among: Matrix, keys: Keys, own: Keys) -> Scores | None:
    """The mean similarity (n,) to the nearest of `among` (m, d), whose keys are `own` (m,) if they are of one side."""
    asked = min(NEIGHBOURS + (1 if len(own) else 0), len(among))
    if asked == 0:
        return None
    if len(rows) == 0:
        return np.zeros(0)
    _, places = faiss.knn(rows, np.ascontiguousarray(among), asked, metric=faiss.METRIC_INNER_PRODUCT)
    nearest = np.empty(places.shape)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        # A matrix product's last bits depend on what lies beside a row: the few that count are taken again, by row.
        part = slice(start, start + _ROWS_AT_ONCE)
        wide = rows[part].astype(np.float64)
        for column in range(asked):
            nearest[part, column] = (wide * among[places[part, column]]).sum(axis=1)
    known = np.full(len(rows), float(len(among)))
    if len(own):
        nearest[own[places] == keys[:, None]] = -np.inf
        known -= np.isin(keys, own)
    if not known.any():
        return None
    nearest = -np.sort(-nearest, axis=1)[:, :NEIGHBOURS]
    counted = np.isfinite(nearest)
    mean = np.where(counted, nearest, 0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    shrunk: Scores = mean * (known / (known + NEIGHBOURS))
    return shrunk


def _expected(
    asking: Role,
    asks: NDArray[np.intp],
    answers: NDArray[np.intp],
    centred: Mapping[Role, Matrix],
    languages: Mapping[Role, Sequence[str]],
    lexical: LexicalIndex,
    terms: Mapping[Role, Sequence[str]],
) -> Scores:
    """The mean share of evidence by similarity over pairs in one language, never falling.

    Pairs are of the rows `asks` of the asking side and `answers` of the other.
    """
    asked = other(asking)
    totals, weights = np.zeros(len(GRID)), np.zeros(len(GRID))
    for name in sorted(set(languages[asked])):
        rows = np.array([row for row in asks.tolist() if languages[asking][row] == name], dtype=np.intp)
        found = np.array([row for row in answers.tolist() if languages[asked][row] == name], dtype=np.intp)
        knots = np.rint((centred[asking][rows] @ centred[asked][found].T - GRID[0]) / (GRID[1] - GRID[0]))
        for row, places in zip(rows.tolist(), np.clip(knots, 0, len(GRID) - 1).astype(np.intp), strict=True):
            share = lexical.share(lexical.weigh(terms[asking][row].split()))[found]
            totals += np.bincount(places, weights=share, minlength=len(GRID))
            weights += np.bincount(places, minlength=len(GRID))
    return _rising((totals + _CURVE_PRIOR_PAIRS * _CURVE_PRIOR) / (weights + _CURVE_PRIOR_PAIRS), weights)


def _rising(values: Scores, weights: Iterable[float]) -> Scores:
    """The nearest curve that never falls: isotonic regression by pooling adjacent violators."""
    # Slow to import, and needed when publishing only.
    from scipy.optimize import isotonic_regression

    curve: Scores = isotonic_regression(values, weights=np.sqrt(np.asarray(weights) + _CURVE_PRIOR_PAIRS)).x
    return curve
