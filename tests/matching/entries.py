"""What tests of matching share: rows with fixed vectors, texts as rows, snapshots of them, and who sees what."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from enmusubi.matching.encoder import HashEncoder, Role
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.lexical import language_of, terms
from enmusubi.matching.parts import parts_of
from enmusubi.matching.rows import Asking, Rows
from enmusubi.matching.similarity import Keys, Matrix
from enmusubi.matching.snapshot import Manifest, Snapshot, build

ANALYSIS = "words as they are"


def unit_rows(count: int, dimension: int = 8, seed: int = 0) -> Matrix:
    """Random unit vectors (count, dimension)."""
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def rows_with(
    keys: Iterable[int] | Keys, matrix: Matrix, language: str | Sequence[str] = "en", terms: str | Sequence[str] = ""
) -> Rows:
    """Rows with these vectors; a single language or text is that of every row."""
    numbers = np.array(list(keys), dtype=np.int64)
    return Rows(
        numbers,
        matrix,
        [language] * len(numbers) if isinstance(language, str) else language,
        [terms] * len(numbers) if isinstance(terms, str) else terms,
    )


def part_of(rows: Rows, start: int, end: int) -> Rows:
    """The rows from `start` to before `end`."""
    return Rows(rows.keys[start:end], rows.matrix[start:end], rows.languages[start:end], list(rows.terms)[start:end])


def asking_with(vector: Matrix, role: Role = "need", language: str = "en", terms: str = "") -> Asking:
    """A side that asks, with this vector."""
    return Asking(role, vector, language, terms.split())


def rows_of(texts: Mapping[int, str], encoder: HashEncoder, role: Role) -> Rows:
    """Texts as they are indexed, by key."""
    return Rows(
        np.array(list(texts), dtype=np.int64),
        encoder.encode(list(texts.values()), role),
        [language_of(text) for text in texts.values()],
        [" ".join(terms(text)) for text in texts.values()],
    )


def asking_of(text: str, encoder: HashEncoder, role: Role = "need") -> Asking:
    """A text as it asks, in parts where it is a long need."""
    language = language_of(text)
    parts = parts_of(text, language) if role == "need" else []
    return Asking(
        role,
        encoder.encode([text], role)[0],
        language,
        terms(text, language),
        encoder.encode(parts, role) if parts else None,
    )


def publish_rows(
    directory: Path, seeds: Rows | Iterable[Rows] = (), needs: Rows | Iterable[Rows] = (), dimension: int = 8
) -> Manifest:
    """Build and publish a snapshot of these rows."""
    return build(
        directory,
        encoder=HashEncoder(dimension),
        analysis=ANALYSIS,
        seeds=[seeds] if isinstance(seeds, Rows) else seeds,
        needs=[needs] if isinstance(needs, Rows) else needs,
        watermark=0,
        database="test",
        cluster="cluster",
    )


def a_snapshot(directory: Path, seeds: Rows, needs: Rows | None = None) -> Snapshot:
    """An opened snapshot of these rows."""
    dimension = seeds.matrix.shape[1]
    manifest = publish_rows(directory, seeds, needs or Rows.none(dimension), dimension)
    return Snapshot.open(directory / manifest.id)


def a_store(seeds: Rows, snapshot: Snapshot | None = None) -> FreshStore:
    """A store of fresh seeds, next to a snapshot or alone."""
    store = FreshStore(seeds.matrix.shape[1], snapshot.statistics if snapshot else None)
    store.put_many("seed", seeds)
    return store


class Visibility:
    """What an asker may see; counts how often everything was asked for."""

    def __init__(self, public_ids: Mapping[int, str]) -> None:
        self.public_ids = public_ids
        self.full_queries = 0

    def of(self, keys: Keys) -> dict[int, str]:
        """The visible ones of some keys, with their public ids."""
        return {key: self.public_ids[key] for key in keys.tolist() if key in self.public_ids}

    def all(self) -> Keys:
        """Every visible key."""
        self.full_queries += 1
        return np.array(sorted(self.public_ids), dtype=np.int64)
