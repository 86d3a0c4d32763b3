"""Vectors of texts encoded before, kept by what decides them."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from enmusubi.matching.encoder import Encoder, Role, embedding_key
from enmusubi.matching.similarity import Matrix

_KEY_BYTES = 32
_DIGEST_BYTES = 32
_TEXTS_A_FILE = 512


class EmbeddingCache:
    """A folder per encoder, of files that are written once: a digest, keys, then their vectors.

    Any number of processes may use it. A file is written aside and renamed, and after every few hundred
    texts, so that a long run that is stopped goes on where it was. A damaged file is removed, its texts are
    encoded again, and `notices` says so.
    """

    def __init__(self, directory: Path, encoder: Encoder) -> None:
        self.notices: list[str] = []
        self._encoder = encoder
        self._folder = directory / "embeddings" / encoder.fingerprint[:32]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._vectors: dict[bytes, Matrix] = {}
        for path in sorted(self._folder.glob("*.vectors")):
            self._read(path)

    def encode(self, texts: Sequence[str], role: Role, progress: Callable[[int], None] | None = None) -> Matrix:
        """As the encoder's own `encode`, but only what is new is encoded."""
        keys = [embedding_key(self._encoder, role, text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        report = progress or (lambda count: None)
        report(len(texts) - len(missing))
        # Texts of like length together: a batch is padded to its longest.
        ordered = sorted(missing, key=lambda key: (len(missing[key]), key))
        for start in range(0, len(ordered), _TEXTS_A_FILE):
            part = ordered[start : start + _TEXTS_A_FILE]
            vectors = self._encoder.encode([missing[key] for key in part], role, report)
            self._write(part, vectors)
            self._vectors.update(zip(part, vectors, strict=True))
        matrix = np.empty((len(texts), self._encoder.dimension), dtype=np.float32)
        for row, key in enumerate(keys):
            matrix[row] = self._vectors[key]
        return matrix

    def _write(self, keys: list[bytes], vectors: Matrix) -> None:
        content = b"".join(keys) + np.ascontiguousarray(vectors, dtype="<f4").tobytes()
        digest = hashlib.sha256(content)
        descriptor, aside = tempfile.mkstemp(dir=self._folder, suffix=".unfinished")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(digest.digest())
                file.write(content)
            os.replace(aside, self._folder / f"{digest.hexdigest()[:32]}.vectors")
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise

    def _read(self, path: Path) -> None:
        written = path.read_bytes()
        content = memoryview(written)[_DIGEST_BYTES:]
        entry = _KEY_BYTES + 4 * self._encoder.dimension
        if hashlib.sha256(content).digest() != written[:_DIGEST_BYTES] or len(content) % entry:
            self.notices.append(f"the embedding cache's file {path.name} was damaged; its texts are encoded again")
            path.unlink(missing_ok=True)
            return
        count = len(content) // entry
        keys = bytes(content[: count * _KEY_BYTES])
        vectors = np.frombuffer(content[count * _KEY_BYTES :], dtype="<f4").reshape(count, -1)
        for row in range(count):
            self._vectors[keys[row * _KEY_BYTES : (row + 1) * _KEY_BYTES]] = vectors[row]
