"""What the index knows of entries: key, vector, language and terms, row by row."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

from enmusubi.matching.encoder import Role
from enmusubi.matching.similarity import Keys, Matrix


class Rows(NamedTuple):
    """Entries of one side: integer keys (n,), unit vectors (n, d), languages (n), terms joined by single spaces (n)."""

    keys: Keys
    matrix: Matrix
    languages: Sequence[str]
    terms: Sequence[str]

    @classmethod
    def none(cls, dimension: int) -> Self:
        """No entries."""
        return cls(np.empty(0, dtype=np.int64), np.empty((0, dimension), dtype=np.float32), [], [])

    @classmethod
    def joined(cls, chunks: Iterable["Rows"], dimension: int) -> Self:
        """The rows of all chunks, in their order."""
        parts: list[Rows] = [cls.none(dimension), *chunks]
        return cls(
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.matrix for part in parts]),
            [language for part in parts for language in part.languages],
            [terms for part in parts for terms in part.terms],
        )


class Asking(NamedTuple):
    """The side that asks: which one it is, its unit vector (d,), its language, its terms in order, and the unit
    vectors (p, d) of its parts where it is a long text."""

    role: Role
    vector: Matrix
    language: str
    terms: Sequence[str]
    parts: Matrix | None = None

    @property
    def asked(self) -> Role:
        """The side that is searched."""
        return other(self.role)


def other(role: Role) -> Role:
    """The other side."""
    return "need" if role == "seed" else "seed"


def check(rows: Rows, dimension: int, name: str, after: int | None = None) -> None:
    """Raise ValueError unless the rows fit together and their vectors are unit rows.

    With `after` the keys must ascend, from beyond it: none then occurs twice.
    """
    keys, matrix = rows.keys, rows.matrix
    if keys.dtype != np.int64 or keys.ndim != 1:
        raise ValueError(f"{name}: keys are int64 in one dimension, not {keys.dtype} of shape {keys.shape}")
    if matrix.dtype != np.float32 or matrix.shape != (len(keys), dimension):
        raise ValueError(
            f"{name}: {len(keys)} vectors are float32 of shape ({len(keys)}, {dimension}), "
            f"not {matrix.dtype} of shape {matrix.shape}"
        )
    if len(rows.languages) != len(keys) or len(rows.terms) != len(keys):
        raise ValueError(f"{name}: {len(keys)} rows have a language and terms each")
    if not len(keys):
        return
    if after is not None:
        falls = keys[1:][keys[1:] <= keys[:-1]].tolist()
        if keys[0] <= after:
            falls.insert(0, int(keys[0]))
        if falls:
            raise ValueError(f"{name}: key {falls[0]} does not come after the one before it")
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    # Written so that a NaN counts as wrong.
    wrong = np.flatnonzero(~(np.abs(norms - 1) < 1e-3))
    if len(wrong):
        raise ValueError(f"{name}: the vector of key {keys[wrong[0]]} has length {norms[wrong[0]]:g}, not 1")
