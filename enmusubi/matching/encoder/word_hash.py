"""A deterministic encoder without weights, for tests."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from enmusubi.matching.encoder.protocol import Progress, Role, Vectors, fingerprint_of

_WORD = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")


def _features(text: str) -> Iterator[str]:
    """Latin words and numbers whole; runs of any other script, Japanese above all, as character bigrams."""
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = match.group()
        if word.isascii() or len(word) == 1:
            yield word
        else:
            yield from (word[i : i + 2] for i in range(len(word) - 1))


@dataclass(frozen=True)
class HashEncoder:
    """The vector counts hashed words, so texts that share words are near and every score can be predicted.

    A text without any word gets one fixed direction, because a zero row cannot be normalised.
    """

    dimension: int = 64
    model: str = "word-hash"
    revision: str = "1"
    precision: str = "float32"
    prompts: Mapping[Role, str] = field(default_factory=lambda: {"need": "", "seed": ""})
    window_rule: str = "whole text"

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over everything of the embedding key but the text; the dimension counts as revision."""
        revision = f"{self.revision}/{self.dimension}"
        return fingerprint_of(self.model, revision, self.precision, self.prompts, self.window_rule)

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """L2-normalised rows, shape (len(texts), dimension), float32."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for feature in _features(self.prompts[role] + text):
                hashed = int.from_bytes(hashlib.sha256(feature.encode()).digest()[:8], "little")
                vectors[row, hashed % self.dimension] += 1.0 if hashed >> 63 else -1.0
            if not vectors[row].any():
                vectors[row, 0] = 1.0
            if progress is not None:
                progress(1)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors
