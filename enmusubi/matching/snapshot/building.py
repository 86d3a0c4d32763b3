"""Build a snapshot aside, make it durable, publish it in one step."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
from filelock import FileLock

from enmusubi.matching.encoder import Role
from enmusubi.matching.similarity import Keys, Matrix
from enmusubi.matching.snapshot.manifest import (
    COUNTS,
    CURRENT,
    FILES,
    FORMAT,
    MANIFEST,
    Manifest,
    identify,
    is_id,
    read_current,
)

Vectors = tuple[Keys, Matrix]
"""Integer keys, shape (n,), and their unit vectors, shape (n, d)."""

_UNFINISHED = "building-"


class EncoderIdentity(Protocol):
    """What a manifest records of the encoder; every `Encoder` has it."""

    @property
    def model(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...


def build(
    directory: Path,
    *,
    encoder: EncoderIdentity,
    seeds: Vectors | Iterable[Vectors],
    needs: Vectors | Iterable[Vectors],
    watermark: int,
    database: str,
    keep: int = 3,
) -> Manifest:
    """Write a snapshot into `directory`, publish it, and remove all but the `keep` newest.

    Vectors come whole or in chunks, with keys strictly ascending over all chunks (`ORDER BY key`): equal
    rows then give equal bytes, and one copy of them is in memory at a time. `watermark` and `database` are
    recorded as they are. Builders in other processes wait for each other; a builder that is killed leaves
    the published snapshot as it was, and its own remains are removed by the next one.

    Raises, before anything is published, ValueError for keys out of order or vectors that are not unit rows,
    and OSError when the disk does not take the files.
    """
    if keep < 1:
        raise ValueError("keep at least one snapshot")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(directory / ".lock", mode=0o600):
        _remove_unfinished(directory)
        aside = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=directory))
        try:
            manifest = _write(aside, encoder, {"seed": seeds, "need": needs}, watermark, database)
            aside.rename(directory / manifest.id)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        _publish(directory, manifest.id)
        _prune(directory, keep)
    return manifest


def _write(
    folder: Path,
    encoder: EncoderIdentity,
    sides: dict[Role, Vectors | Iterable[Vectors]],
    watermark: int,
    database: str,
) -> Manifest:
    counts: dict[str, int] = {}
    checksums: dict[str, str] = {}
    for role, vectors in sides.items():
        path = folder / FILES[role]
        index = _index(vectors, encoder.dimension, COUNTS[role])
        counts[COUNTS[role]] = index.ntotal
        _write_index(index, path)
        checksums[FILES[role]] = checksum(path)
    described: dict[str, Any] = {
        "format": FORMAT,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "model": encoder.model,
        "revision": encoder.revision,
        "precision": encoder.precision,
        "dimension": encoder.dimension,
        "fingerprint": encoder.fingerprint,
        "counts": counts,
        "watermark": watermark,
        "database": database,
        "checksums": checksums,
    }
    manifest = Manifest(id=identify(described), **described)
    _write_durably(folder / MANIFEST, manifest.to_bytes())
    _flush(folder)
    return manifest


def _index(vectors: Vectors | Iterable[Vectors], dimension: int, name: str) -> Any:
    """Exact inner products, with the rows' own keys as FAISS ids."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
    last: int | None = None
    chunks: Iterable[Vectors] = [vectors] if isinstance(vectors, tuple) else vectors
    for keys, matrix in chunks:
        _check(keys, matrix, dimension, name, last)
        if len(keys):
            index.add_with_ids(np.ascontiguousarray(matrix), np.ascontiguousarray(keys))
            last = int(keys[-1])
    return index


def _write_index(index: Any, path: Path) -> None:
    path.touch(mode=0o600)
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        raise OSError(f"{path.name} could not be written; is the disk full?") from error
    # FAISS overlooks a failure of the last bytes, which are written when it closes the file.
    head = len(faiss.serialize_index(faiss.IndexIDMap2(faiss.IndexFlatIP(index.d))))
    if path.stat().st_size != head + index.ntotal * (4 * index.d + 8):
        raise OSError(f"{path.name} was not written to its end; is the disk full?")
    _flush(path)


def _check(keys: Keys, matrix: Matrix, dimension: int, name: str, last: int | None) -> None:
    if keys.dtype != np.int64 or keys.ndim != 1:
        raise ValueError(f"{name}: keys are int64 in one dimension, not {keys.dtype} of shape {keys.shape}")
    if matrix.dtype != np.float32 or matrix.shape != (len(keys), dimension):
        raise ValueError(
            f"{name}: {len(keys)} vectors are float32 of shape ({len(keys)}, {dimension}), "
            f"not {matrix.dtype} of shape {matrix.shape}"
        )
    if not len(keys):
        return
    falls = keys[1:][keys[1:] <= keys[:-1]].tolist()
    if last is not None and keys[0] <= last:
        falls.insert(0, int(keys[0]))
    if falls:
        raise ValueError(f"{name}: key {falls[0]} does not come after the one before it")
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    # Written so that a NaN counts as wrong.
    wrong = np.flatnonzero(~(np.abs(norms - 1) < 1e-3))
    if len(wrong):
        raise ValueError(f"{name}: the vector of key {keys[wrong[0]]} has length {norms[wrong[0]]:g}, not 1")


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _publish(directory: Path, identifier: str) -> None:
    _flush(directory)
    following = directory / f"{CURRENT}.new"
    _write_durably(following, f"{identifier}\n".encode("ascii"))
    following.replace(directory / CURRENT)
    _flush(directory)


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_unfinished(directory: Path) -> None:
    # Called with the lock held: whoever was writing these is gone.
    for folder in directory.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(folder)


def _prune(directory: Path, keep: int) -> None:
    current = read_current(directory)
    older = sorted(path.name for path in directory.iterdir() if is_id(path.name) and path.name != current)
    for name in older[: max(0, len(older) - (keep - 1))]:
        # Out of sight first, so that no reader finds half a snapshot under its name.
        doomed = directory / f"{_UNFINISHED}{name}"
        (directory / name).rename(doomed)
        shutil.rmtree(doomed)
