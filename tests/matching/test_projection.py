"""The plane that entries are laid out on: by meaning, the same every time, and still when others come."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from enmusubi.matching import projection
from enmusubi.matching.projection import Plane, lay_out
from enmusubi.matching.similarity import Matrix

TOPICS = 6


@dataclass(frozen=True)
class Meanings:
    """Entries of a few topics, in two languages that lie far apart for the model."""

    names: list[str]
    matrix: Matrix
    groups: list[str]
    topics: NDArray[np.int64]

    def first(self, count: int) -> "Meanings":
        """The first of them."""
        return Meanings(self.names[:count], self.matrix[:count], self.groups[:count], self.topics[:count])


def meanings(count: int, dimension: int = 48) -> Meanings:
    """So many entries; the same every time."""
    random = np.random.default_rng(7)
    centres = random.normal(size=(TOPICS, dimension))
    topics = np.arange(count) % TOPICS
    languages = np.arange(count) // TOPICS % 2
    apart = random.normal(size=(2, dimension)) * 3
    matrix = centres[topics] + apart[languages] + random.normal(size=(count, dimension)) * 0.3
    matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    return Meanings([f"seed {n}" for n in range(count)], matrix, [f"seed {n}" for n in languages], topics)


def nowhere(count: int) -> tuple[Plane, NDArray[np.bool_]]:
    """Nothing was placed before."""
    return np.full((count, 2), np.nan), np.zeros(count, dtype=np.bool_)


def drawn(of: Meanings, before: Plane | None = None) -> Plane:
    """Positions; those before are of the first ones."""
    places, settled = nowhere(len(of.names))
    if before is not None:
        places[: len(before)], settled[: len(before)] = before, True
    return lay_out(of.names, of.matrix, of.groups, places, settled).positions


def radius(of: Plane) -> float:
    """How far entries lie from the middle."""
    return float(np.sqrt(np.square(of - of.mean(axis=0)).sum(axis=1).mean()))


def shared_topic(of: Meanings, positions: Plane) -> float:
    """How many of an entry's five nearest are of its topic."""
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :5]
    return float((of.topics[nearest] == of.topics[:, None]).mean())


def shared_language(of: Meanings, positions: Plane) -> float:
    """How many of an entry's five nearest are of its language."""
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    languages = np.array([int(group[-1]) for group in of.groups])
    return float((languages[np.argsort(distances, axis=1)[:, :5]] == languages[:, None]).mean())


def test_what_means_the_same_lies_together_in_whatever_language() -> None:
    """Nearest neighbours are of the same topic, and of both languages; by the vectors alone, of one language each."""
    of = meanings(240)
    positions = drawn(of)
    assert shared_topic(of, positions) > 0.95
    assert shared_language(of, positions) < 0.8
    as_one = Meanings(of.names, of.matrix, ["seed"] * 240, of.topics)
    assert shared_language(of, drawn(as_one)) > 0.95


def test_the_same_entries_make_the_same_plane() -> None:
    """To the last digit, begun anew or from where they are."""
    of = meanings(120)
    before = drawn(of.first(90))
    assert np.array_equal(drawn(of.first(90)), before)
    assert np.array_equal(drawn(of, before), drawn(of, before))


def test_a_few_newcomers_move_nobody() -> None:
    """They are placed among those of their topic."""
    of = meanings(240)
    before = drawn(of.first(228))
    positions = drawn(of, before)
    assert np.array_equal(positions[:228], before)
    assert shared_topic(of, positions) > 0.95


def test_many_newcomers_move_the_others_a_little() -> None:
    """A third more: by the median a sixth of the plane's radius at most, where a plane begun anew lies anyhow."""
    of = meanings(240)
    before = drawn(of.first(180))
    moved = np.linalg.norm(drawn(of, before)[:180] - before, axis=1) / radius(before)
    anew = np.linalg.norm(drawn(of)[:180] - before, axis=1) / radius(before)
    assert np.median(moved) < 0.17
    assert np.median(moved) < np.median(anew) / 3


def test_those_beyond_the_landmarks_lie_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many only a sample is laid out."""
    monkeypatch.setattr(projection, "LANDMARKS", 120)
    of = meanings(400)
    assert shared_topic(of, drawn(of)) > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6])
def test_few_entries_have_places_too(count: int) -> None:
    """Finite ones, whatever their number."""
    positions = drawn(meanings(count))
    assert positions.shape == (count, 2)
    assert np.isfinite(positions).all()


def test_copies_of_one_text_lie_on_one_spot_or_near() -> None:
    """All the same: nothing to tell them apart, and nothing that fails."""
    of = meanings(1)
    same = Meanings([f"seed {n}" for n in range(30)], np.repeat(of.matrix, 30, axis=0), of.groups * 30, of.topics)
    assert np.isfinite(drawn(same)).all()
