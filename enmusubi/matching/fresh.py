"""Vectors newer than the snapshot, searched exactly."""

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.similarity import Hits, Keys, Matrix, as_query, best, rounding_bound, similarities

_ROLES: tuple[Role, Role] = ("seed", "need")
_FIRST_CAPACITY = 64


class FreshView(NamedTuple):
    """One side of the store at one moment; it never changes."""

    keys: Keys
    rows: Matrix
    live: NDArray[np.intp]
    """Which places of `keys` and `rows` count; the others were put again or masked."""
    overridden: Keys
    """Every key the store has a word on, ascending: what a snapshot holds of them is out of date."""

    def search(self, vector: NDArray[np.floating], k: int, among: Keys | None = None) -> Hits:
        """The k rows nearest to a unit vector (d,), and all that tie with the k-th; scores are exact."""
        query = as_query(vector, self.rows.shape[1])
        places = self.live if among is None else self.live[np.isin(self.keys[self.live], among)]
        eligible = len(places)
        if 0 < k < eligible:
            # A pass in float32 leaves out the rows that cannot be among the k best, whatever it rounds. Not a
            # matrix product: OpenBLAS's idle threads spin on, and halved the speed of the FAISS search next.
            rough = np.vecdot(self.rows, query)[places]
            least = float(np.partition(rough, eligible - k)[eligible - k]) - 2 * rounding_bound(query)
            places = places[rough >= least]
        keys, scores = best(self.keys[places], similarities(self.rows[places], query), k)
        return Hits(keys, scores, eligible)


class FreshVectors:
    """Rows changed since the snapshot's watermark: their vectors, or the fact that they have none now.

    Safe for any number of readers and writers: rows are only ever appended, and a reader works on a view of
    what was there when it began. When a newer snapshot comes into use, make a new store of what is newer
    than its watermark and swap the two together; `reset` is for a store that no reader pairs with an older
    snapshot.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._lock = threading.Lock()
        self._sides = {role: _Side(dimension) for role in _ROLES}

    def put(self, role: Role, key: int, vector: NDArray[np.floating] | None) -> None:
        """Set the unit vector (d,) of a row; None when the row has none that is up to date.

        Raises ValueError for another shape or a vector that is not of length 1.
        """
        if vector is not None:
            self.put_many(role, np.array([key]), np.asarray(vector, dtype=np.float32)[None])
            return
        with self._lock:
            self._sides[role].mask(key)

    def put_many(self, role: Role, keys: Keys, matrix: Matrix) -> None:
        """Set the unit vectors, shape (n, d), of the rows `keys`, shape (n,)."""
        _check(keys, matrix, self.dimension)
        with self._lock:
            self._sides[role].put_many(keys, matrix)

    def reset(self) -> None:
        """Forget everything; views handed out before stay as they are."""
        with self._lock:
            self._sides = {role: _Side(self.dimension) for role in _ROLES}

    def keys(self, role: Role) -> Keys:
        """Every key put on a side, those without a vector among them, ascending."""
        return self.view(role).overridden

    def view(self, role: Role) -> FreshView:
        """A side as it is now."""
        with self._lock:
            return self._sides[role].view()


def _check(keys: Keys, matrix: Matrix, dimension: int) -> None:
    if matrix.shape != (len(keys), dimension):
        raise ValueError(f"{len(keys)} vectors have the shape ({len(keys)}, {dimension}), not {matrix.shape}")
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    # Written so that a NaN counts as wrong.
    wrong = np.flatnonzero(~(np.abs(norms - 1) < 1e-3))
    if len(wrong):
        raise ValueError(f"the vector of key {keys[wrong[0]]} has length {norms[wrong[0]]:g}, not 1")


class _Side:
    """An append-only table; a row put again is appended, and its place before forgotten."""

    def __init__(self, dimension: int) -> None:
        self._keys: Keys = np.empty(_FIRST_CAPACITY, dtype=np.int64)
        self._rows: Matrix = np.empty((_FIRST_CAPACITY, dimension), dtype=np.float32)
        self._filled = 0
        self._places: dict[int, int | None] = {}
        self._view: FreshView | None = None

    def mask(self, key: int) -> None:
        self._places[key] = None
        self._view = None

    def put_many(self, keys: Keys, matrix: Matrix) -> None:
        self._make_room(len(keys))
        end = self._filled + len(keys)
        self._keys[self._filled : end] = keys
        self._rows[self._filled : end] = matrix
        self._places.update(zip(keys.tolist(), range(self._filled, end), strict=True))
        self._filled = end
        self._view = None

    def view(self) -> FreshView:
        if self._view is None:
            self._view = self._make_view()
        return self._view

    def _make_view(self) -> FreshView:
        live = np.array(sorted(place for place in self._places.values() if place is not None), dtype=np.intp)
        if len(live) < self._filled // 2:
            # Mostly rows that were put again: go on with a copy of the rest.
            self._keys, self._rows, self._filled = self._keys[live], self._rows[live], len(live)
            live = np.arange(len(live))
            self._places.update(zip(self._keys.tolist(), live.tolist(), strict=True))
        overridden = np.array(sorted(self._places), dtype=np.int64)
        return FreshView(self._keys[: self._filled], self._rows[: self._filled], live, overridden)

    def _make_room(self, more: int) -> None:
        needed = self._filled + more
        if needed <= len(self._keys):
            return
        capacity = max(needed, 2 * len(self._keys))
        # Copies, because views of the old arrays may be in use.
        self._keys = np.concatenate((self._keys, np.empty(capacity - len(self._keys), dtype=np.int64)))
        self._rows = np.concatenate(
            (self._rows, np.empty((capacity - len(self._rows), self._rows.shape[1]), dtype=np.float32))
        )
