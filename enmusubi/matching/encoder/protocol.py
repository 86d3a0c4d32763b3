"""What every encoder offers, and the key that says whether a stored vector is still the right one."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Role = Literal["need", "seed"]
Progress = Callable[[int], None]
Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Text in, unit vectors out, with a name for everything that decides those vectors."""

    @property
    def model(self) -> str:
        """Name or path as configured."""
        ...

    @property
    def revision(self) -> str:
        """Commit or content hash of the weights."""
        ...

    @property
    def precision(self) -> str:
        """`float32` or `bfloat16`."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def prompts(self) -> Mapping[Role, str]:
        """What is put before a text of each role."""
        ...

    @property
    def window_rule(self) -> str:
        """How a text longer than the model's window becomes one vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over everything of the embedding key but the text."""
        ...

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """L2-normalised rows, shape (len(texts), dimension), float32.

        `progress` is called with the number of texts finished since its last call.
        """
        ...


def hash_parts(*parts: str) -> bytes:
    """SHA-256 over texts, each preceded by its length in bytes, so that no two lists of parts collide."""
    digest = hashlib.sha256()
    for part in parts:
        # Unpaired surrogates reach us from JSON escapes; they must hash, not raise.
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.digest()


def fingerprint_of(model: str, revision: str, precision: str, prompts: Mapping[Role, str], window_rule: str) -> str:
    """Hex SHA-256 naming a way to encode: equal fingerprints give comparable vectors."""
    return hash_parts(model, revision, precision, prompts["need"], prompts["seed"], window_rule).hex()


def embedding_key(encoder: Encoder, role: Role, text: str) -> bytes:
    """32 bytes that change whenever the vector of `text` would: SHA-256 over model, revision, precision,
    prompt, window rule and text."""
    return hash_parts(
        encoder.model,
        encoder.revision,
        encoder.precision,
        encoder.prompts[role],
        encoder.window_rule,
        text,
    )
