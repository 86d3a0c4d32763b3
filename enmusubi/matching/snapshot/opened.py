"""An opened snapshot: verified once, then only read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.evidence import Asked, Evidence, Side
from enmusubi.matching.lexical.index import LexicalIndex, Weighed
from enmusubi.matching.similarity import Keys, Matrix
from enmusubi.matching.snapshot.building import checksum
from enmusubi.matching.snapshot.manifest import (
    COUNTS,
    STATISTICS,
    TERMS,
    VECTORS,
    Manifest,
    SnapshotError,
    read_manifest,
)
from enmusubi.matching.stand_ins import StandIns
from enmusubi.matching.statistics import ROLES, Statistics


class Snapshot:
    """Seeds and needs as they were at one watermark; safe for any number of concurrent readers."""

    def __init__(
        self,
        manifest: Manifest,
        statistics: Statistics,
        sides: Mapping[Role, Side],
        lexical: Mapping[Role, LexicalIndex],
        indexes: Sequence[Any],
    ) -> None:
        self.manifest = manifest
        self.statistics = statistics
        self._sides = sides
        self._lexical = lexical
        self._indexes = indexes  # the rows of the sides are views of FAISS's own memory, which these keep alive

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        expect_fingerprint: str | None = None,
        expect_analysis: str | None = None,
        expect_database: str | None = None,
        expect_cluster: str | None = None,
    ) -> Self:
        """Read the snapshot in the folder `path` into memory.

        Raises SnapshotError when any byte of it is not as it was written, or when it was built with another
        encoder, with another analysis of terms, from another database or for another cluster than expected.
        """
        manifest = read_manifest(path)
        if expect_fingerprint is not None and manifest.fingerprint != expect_fingerprint:
            raise SnapshotError(
                f"snapshot {manifest.id}: built with another encoder "
                f"({manifest.model}, revision {manifest.revision}, {manifest.precision})"
            )
        if expect_analysis is not None and manifest.analysis != expect_analysis:
            raise SnapshotError(f"snapshot {manifest.id}: its terms come from another analysis ({manifest.analysis})")
        if expect_database is not None and manifest.database != expect_database:
            raise SnapshotError(f"snapshot {manifest.id}: built from another database")
        if expect_cluster is not None and manifest.cluster != expect_cluster:
            raise SnapshotError(f"snapshot {manifest.id}: built for another cluster")
        _verify(path, manifest)
        return cls(manifest, *_read(path, manifest))

    def without_needs(self, stand_ins: StandIns) -> Self:
        """The same seeds, ranked as if no need were known but the stand-ins; what is large is shared, not copied."""
        seeds = self._sides["seed"]
        statistics = self.statistics.without_needs(stand_ins)
        no_needs = LexicalIndex.build([])
        sides: dict[Role, Side] = {
            "seed": replace(seeds, hubs=(statistics.hubs(seeds.rows, "seed", seeds.keys)[0], seeds.hubs[1])),
            "need": replace(
                self._sides["need"],
                keys=seeds.keys[:0],
                rows=seeds.rows[:0],
                languages=seeds.languages[:0],
                hubs=(None, None),
                share=no_needs.share,
            ),
        }
        return type(self)(
            self.manifest, statistics, sides, {"seed": self._lexical["seed"], "need": no_needs}, self._indexes
        )

    @property
    def id(self) -> str:
        """The id in the manifest."""
        return self.manifest.id

    def count(self, role: Role) -> int:
        """How many rows of a side the snapshot holds."""
        return len(self._sides[role].keys)

    def keys(self, role: Role) -> Keys:
        """The keys of the rows of a side, ascending."""
        return self._sides[role].keys

    def weigh(self, role: Role, terms: Sequence[str]) -> Weighed:
        """The shares of an asking text's words and phrases, by how rare they are on a side."""
        return self._lexical[role].weigh(terms)

    def strongest(
        self, role: Role, asked: Asked, k: int, among: Keys | None = None, excluding: Keys | None = None
    ) -> Evidence:
        """The evidence of the k rows of a side with the highest scores, and of all that tie with the k-th.

        `among` and `excluding` say which keys are eligible; keys that are not in the snapshot are ignored.
        """
        side = self._sides[role]
        eligible = None if among is None and excluding is None else _eligible(side.keys, among, excluding)
        return side.strongest(asked, k, eligible)


def _eligible(present: Keys, among: Keys | None, excluding: Keys | None) -> NDArray[np.bool_]:
    allowed = np.full(len(present), among is None)
    for keys, value in ((among, True), (excluding, False)):
        if keys is not None and len(present):
            places = np.minimum(np.searchsorted(present, keys), len(present) - 1)
            allowed[places[present[places] == keys]] = value
    return allowed


def _verify(folder: Path, manifest: Manifest) -> None:
    for name in (*VECTORS.values(), *TERMS.values(), STATISTICS):
        problem = f"snapshot {manifest.id}: {name}"
        try:
            intact = checksum(folder / name) == manifest.checksums.get(name)
        except OSError as error:
            raise SnapshotError(f"{problem} cannot be read ({error.strerror})") from error
        if not intact:
            raise SnapshotError(f"{problem} was changed after it was written (its checksum differs)")


def _read(folder: Path, manifest: Manifest) -> tuple[Statistics, dict[Role, Side], dict[Role, LexicalIndex], list[Any]]:
    indexes = {role: _read_index(folder, manifest, role) for role in ROLES}
    rows = {role: _rows(index) for role, index in indexes.items()}
    sides: dict[Role, Side] = {}
    lexical: dict[Role, LexicalIndex] = {}
    try:
        keys = {role: faiss.vector_to_array(index.id_map) for role, index in indexes.items()}
        statistics = Statistics.from_arrays(_arrays(folder / STATISTICS), keys, rows)
        numbers = {language: number for number, language in enumerate(statistics.languages)}
        for role in ROLES:
            arrays = _arrays(folder / TERMS[role])
            lexical[role] = LexicalIndex.from_arrays(arrays)
            hubs = (arrays.get("hub_across"), arrays.get("hub_alike"))
            if {len(arrays["languages"]), *(len(hub) for hub in hubs if hub is not None)} != {len(keys[role])}:
                raise ValueError("the files of a side hold different numbers of rows")  # noqa: TRY301 caught below
            sides[role] = Side(keys[role], rows[role], arrays["languages"], numbers, hubs, lexical[role].share)
    except (OSError, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise SnapshotError(f"snapshot {manifest.id}: its terms or statistics are not readable ({error})") from error
    return statistics, sides, lexical, list(indexes.values())


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _read_index(folder: Path, manifest: Manifest, role: Role) -> Any:
    problem = f"snapshot {manifest.id}: {VECTORS[role]}"
    try:
        index = faiss.read_index(str(folder / VECTORS[role]))
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
    return index


def _rows(index: Any) -> Matrix:
    """The vectors of an index, a view of its memory that cannot be written to."""
    rows: Matrix = np.zeros((0, index.d), dtype=np.float32)
    if index.ntotal:
        flat: Any = faiss.downcast_index(index.index)
        rows = faiss.rev_swig_ptr(flat.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
        rows.flags.writeable = False
    return rows
