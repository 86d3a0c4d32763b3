"""Encoders: text to unit vectors. Importing this loads no model and no torch."""

from enmusubi.matching.encoder.batching import BatchingEncoder
from enmusubi.matching.encoder.bundled import BundledModelError
from enmusubi.matching.encoder.protocol import (
    Encoder,
    Progress,
    Role,
    Vectors,
    embedding_key,
    fingerprint_of,
)
from enmusubi.matching.encoder.sentence_transformer import ModelError, SentenceTransformerEncoder, load_encoder
from enmusubi.matching.encoder.word_hash import HashEncoder

__all__ = [
    "BatchingEncoder",
    "BundledModelError",
    "Encoder",
    "HashEncoder",
    "ModelError",
    "Progress",
    "Role",
    "SentenceTransformerEncoder",
    "Vectors",
    "embedding_key",
    "fingerprint_of",
    "load_encoder",
]
