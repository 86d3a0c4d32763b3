"""Build a snapshot aside, make it durable, publish it in one step."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.lexical.index import LexicalIndex
from enmusubi.matching.rows import Rows, check
from enmusubi.matching.similarity import Keys, Matrix
from enmusubi.matching.snapshot.manifest import (
    COUNTS,
    CURRENT,
    FORMAT,
    MANIFEST,
    STATISTICS,
    TERMS,
    VECTORS,
    Manifest,
    identify,
    is_id,
    read_current,
)
from enmusubi.matching.statistics import ROLES, Statistics, estimate

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
    analysis: str,
    seeds: Iterable[Rows],
    needs: Iterable[Rows],
    watermark: int,
    database: str,
    cluster: str,
    keep: int = 3,
) -> Manifest:
    """Write a snapshot into `directory`, publish it, and remove all but the `keep` newest.

    Rows come in chunks, with keys strictly ascending over all chunks (`ORDER BY key`): equal rows then give
    equal bytes. `analysis` names what made the terms; it, `watermark`, `database` and `cluster`, whose entries
    these are, are recorded as they are.
    Builders in other processes wait for each other; a builder that is killed leaves
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
            sides: dict[Role, Iterable[Rows]] = {"seed": seeds, "need": needs}
            manifest = _write(aside, encoder, analysis, sides, watermark, database, cluster)
            aside.rename(directory / manifest.id)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        _publish(directory, manifest.id)
        _prune(directory, keep)
    return manifest


def remove_published(directory: Path) -> bool:
    """Remove every snapshot that was published into `directory` itself; folders of other names stay.

    Whether there were any. Whoever has one of them open goes on with it.
    """
    names = [path.name for path in directory.iterdir()]
    if not any(name.startswith((CURRENT, _UNFINISHED)) or is_id(name) for name in names):
        return False
    with FileLock(directory / ".lock", mode=0o600):
        # First what names them, so that no half of one is ever the published one.
        for name in (CURRENT, f"{CURRENT}.new"):
            (directory / name).unlink(missing_ok=True)
        _flush(directory)
        _remove_unfinished(directory)
        _prune(directory, 0)
    return True


def _write(
    folder: Path,
    encoder: EncoderIdentity,
    analysis: str,
    sides: dict[Role, Iterable[Rows]],
    watermark: int,
    database: str,
    cluster: str,
) -> Manifest:
    rows = {role: _joined(sides[role], encoder.dimension, COUNTS[role]) for role in ROLES}
    lexical = {role: LexicalIndex.build(rows[role].terms) for role in ROLES}
    languages = {role: rows[role].languages for role in ROLES}
    keys = {role: rows[role].keys for role in ROLES}
    statistics, centred = estimate(
        {role: rows[role].matrix for role in ROLES},
        languages,
        lexical,
        {role: rows[role].terms for role in ROLES},
        keys,
    )
    for role in ROLES:
        _write_index(_index(rows[role].keys, centred[role]), folder / VECTORS[role])
        _write_arrays(
            folder / TERMS[role],
            _described(statistics, role, rows[role].keys, centred[role], languages[role], lexical[role]),
        )
    _write_arrays(folder / STATISTICS, statistics.arrays())
    described: dict[str, Any] = {
        "format": FORMAT,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "model": encoder.model,
        "revision": encoder.revision,
        "precision": encoder.precision,
        "dimension": encoder.dimension,
        "fingerprint": encoder.fingerprint,
        "analysis": analysis,
        "counts": {COUNTS[role]: len(rows[role].keys) for role in ROLES},
        "watermark": watermark,
        "database": database,
        "cluster": cluster,
        "checksums": {path.name: checksum(path) for path in sorted(folder.iterdir())},
    }
    manifest = Manifest(id=identify(described), **described)
    _write_durably(folder / MANIFEST, manifest.to_bytes())
    _flush(folder)
    return manifest


def _joined(chunks: Iterable[Rows], dimension: int, name: str) -> Rows:
    kept: list[Rows] = []
    after = -1
    for rows in chunks:
        check(rows, dimension, name, after)
        if len(rows.keys):
            kept.append(rows)
            after = int(rows.keys[-1])
    return Rows.joined(kept, dimension)


def _described(
    statistics: Statistics, role: Role, keys: Keys, centred: Matrix, languages: Sequence[str], lexical: LexicalIndex
) -> dict[str, NDArray[Any]]:
    """What a snapshot keeps of the rows of a side beside their vectors: languages, hubs and terms."""
    numbers = {language: number for number, language in enumerate(statistics.languages)}
    across, alike = statistics.hubs(centred, role, keys)
    return {
        "languages": np.array([numbers[language] for language in languages], dtype=np.int16),
        **({} if across is None else {"hub_across": across}),
        **({} if alike is None else {"hub_alike": alike}),
        **lexical.arrays(),
    }


def _index(keys: Keys, matrix: Matrix) -> Any:
    """Exact inner products, with the rows' own keys as FAISS ids."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(matrix.shape[1]))
    if len(keys):
        index.add_with_ids(matrix, np.ascontiguousarray(keys))
    return index


def _write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    path.touch(mode=0o600)
    try:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(f"{path.name} could not be written ({error.strerror}); is the disk full?") from error


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
    kept = keep - (current is not None)
    for name in older[: max(0, len(older) - kept)]:
        # Out of sight first, so that no reader finds half a snapshot under its name.
        doomed = directory / f"{_UNFINISHED}{name}"
        (directory / name).rename(doomed)
        shutil.rmtree(doomed)
