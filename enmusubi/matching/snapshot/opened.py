"""An opened snapshot: verified once, then only read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.similarity import Hits, Keys, Matrix, as_query, best, rounding_bound, similarities
from enmusubi.matching.snapshot.building import checksum
from enmusubi.matching.snapshot.manifest import COUNTS, FILES, Manifest, SnapshotError, read_manifest

# Asked for beyond k: rounding rarely leaves more rows than this in doubt about the k-th place.
_SPARE = 16


@dataclass(frozen=True, slots=True)
class _Side:
    index: Any
    flat: Any
    keys: Keys
    rows: Matrix

    def positions(self, keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where keys are, and which of them are here at all."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.intp), np.zeros(len(keys), dtype=np.bool_)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return places, self.keys[places] == keys


class Snapshot:
    """Seeds and needs as they were at one watermark; safe for any number of concurrent readers."""

    def __init__(self, manifest: Manifest, sides: Mapping[Role, _Side]) -> None:
        self.manifest = manifest
        self._sides = sides

    @classmethod
    def open(cls, path: Path, *, expect_fingerprint: str | None = None, expect_database: str | None = None) -> Self:
        """Read the snapshot in the folder `path` into memory.

        Raises SnapshotError when any byte of it is not as it was written, or when it was built with another
        encoder or from another database than expected.
        """
        manifest = read_manifest(path)
        if expect_fingerprint is not None and manifest.fingerprint != expect_fingerprint:
            raise SnapshotError(
                f"snapshot {manifest.id}: built with another encoder "
                f"({manifest.model}, revision {manifest.revision}, {manifest.precision})"
            )
        if expect_database is not None and manifest.database != expect_database:
            raise SnapshotError(f"snapshot {manifest.id}: built from another database")
        return cls(manifest, {role: _read_side(path, manifest, role) for role in FILES})

    @property
    def id(self) -> str:
        """The id in the manifest."""
        return self.manifest.id

    def count(self, role: Role) -> int:
        """How many rows of a side the snapshot holds."""
        return len(self._sides[role].keys)

    def search(
        self,
        role: Role,
        vector: NDArray[np.floating],
        k: int,
        among: Keys | None = None,
        excluding: Keys | None = None,
    ) -> Hits:
        """The k rows of the side `role` nearest to a unit vector (d,), and all that tie with the k-th.

        `among` and `excluding` say which keys are eligible; keys that are not in the snapshot are ignored.
        Scores are exact (see `similarities`).
        """
        side = self._sides[role]
        query = as_query(vector, self.manifest.dimension)
        eligible = len(side.keys)
        parameters = None
        if among is not None or excluding is not None:
            allowed = _allowed(side, among, excluding)
            eligible = int(np.count_nonzero(allowed))
            parameters = _only(allowed)
        if k <= 0 or eligible == 0:
            return Hits(np.empty(0, dtype=np.int64), np.empty(0), eligible)
        # One request is one query: threads inside it would only compete with other requests. The setting
        # belongs to the calling thread.
        faiss.omp_set_num_threads(1)
        asked = min(k + _SPARE, eligible)
        rough, found = (row[0] for row in side.flat.search(query[None], asked, params=parameters))
        if asked < eligible:
            # A row at least as good as the k-th is at most this far below it in float32.
            least = float(rough[k - 1]) - 2 * rounding_bound(query)
            if rough[-1] >= least:
                below = np.nextafter(np.float32(least), np.float32(-np.inf))
                _, _, found = side.flat.range_search(query[None], float(below), params=parameters)
        keys, scores = best(side.keys[found], similarities(side.rows[found], query), k)
        return Hits(keys, scores, eligible)

    def vectors(self, role: Role, keys: Keys) -> tuple[Matrix, NDArray[np.bool_]]:
        """Copies of vectors, shape (m, d), and which keys are known; the rows of unknown keys are zero."""
        side = self._sides[role]
        places, known = side.positions(keys)
        rows = np.zeros((len(keys), self.manifest.dimension), dtype=np.float32)
        rows[known] = side.rows[places[known]]
        return rows, known


def _allowed(side: _Side, among: Keys | None, excluding: Keys | None) -> NDArray[np.bool_]:
    allowed = np.full(len(side.keys), among is None)
    for keys, value in ((among, True), (excluding, False)):
        if keys is not None:
            places, known = side.positions(keys)
            allowed[places[known]] = value
    return allowed


def _only(allowed: NDArray[np.bool_]) -> Any:
    # FAISS annotates the C++ signatures; its Python wrappers take arrays and keywords, and keep them alive.
    selector: Any = faiss.IDSelectorBitmap
    parameters: Any = faiss.SearchParameters
    return parameters(sel=selector(np.packbits(allowed, bitorder="little")))


def _read_side(folder: Path, manifest: Manifest, role: Role) -> _Side:
    name = FILES[role]
    path = folder / name
    problem = f"snapshot {manifest.id}: {name}"
    try:
        intact = checksum(path) == manifest.checksums.get(name)
    except OSError as error:
        raise SnapshotError(f"{problem} cannot be read ({error.strerror})") from error
    if not intact:
        raise SnapshotError(f"{problem} was changed after it was written (its checksum differs)")
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise SnapshotError(f"{problem} is not an index that FAISS {faiss.__version__} reads") from error
    if not isinstance(index, faiss.IndexIDMap2):
        raise SnapshotError(f"{problem} is a {type(index).__name__} where an IndexIDMap2 is expected")
    flat = faiss.downcast_index(index.index)
    if not isinstance(flat, faiss.IndexFlat) or flat.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise SnapshotError(f"{problem} does not hold exact inner products")
    if index.d != manifest.dimension:
        raise SnapshotError(f"{problem} has vectors of {index.d} numbers, its manifest {manifest.dimension}")
    expected = manifest.counts.get(COUNTS[role])
    if index.ntotal != expected:
        raise SnapshotError(f"{problem} holds {index.ntotal} vectors, its manifest {expected}")
    keys = faiss.vector_to_array(index.id_map)
    rows = np.zeros((0, index.d), dtype=np.float32)
    if index.ntotal:
        # A view of FAISS's own memory; the index kept beside it keeps it alive.
        rows = faiss.rev_swig_ptr(flat.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
        rows.flags.writeable = False
    return _Side(index, flat, keys, rows)
