"""Vectors of passages: how those of one entry are packed beside its row, and how missing ones are computed."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from enmusubi.matching.encoder.protocol import Encoder, Role, Vectors, hash_parts
from enmusubi.matching.reasons.passages import Passage, requirements_of, sentences
from enmusubi.matching.reasons.splitting import RULES

_MAGIC: Final = b"ENSV"
_LAYOUT: Final = 1
# Magic, layout, dimension, passages, fields, key. Then the names of fields, the places, the matrix, a CRC.
_HEAD: Final = struct.Struct("<4sHHIH32s")
_PASSAGE: Final = np.dtype([("field", "<u2"), ("start", "<u4"), ("end", "<u4")])


class PackedVectorsError(ValueError):
    """Packed vectors are damaged, or are not those of these texts; they must be computed anew."""


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """Passages with their unit vectors, one row each, float32, shape (passages, dimension)."""

    passages: tuple[Passage, ...]
    vectors: Vectors

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.passages):
            raise ValueError(f"{len(self.passages)} passages have no vectors of the shape {self.vectors.shape}")


def passages_of(texts: Mapping[str, str], role: Role) -> tuple[Passage, ...]:
    """The passages of an entry that have a vector: the sentences of a seed, what a need requires."""
    if role == "seed":
        return sentences(texts)
    return tuple(requirement.passage for requirement in requirements_of(texts)[0])


def passages_key(fingerprint: str, role: Role, texts: Mapping[str, str]) -> bytes:
    """32 bytes that change whenever a passage or its vector would: SHA-256 over the encoder's fingerprint, the role,
    the version of the splitting, and the names and texts of the fields."""
    named = (part for name, text in texts.items() for part in (name, text))
    return hash_parts("passages", fingerprint, role, RULES, *named)


def encode_passages(
    encoder: Encoder, role: Role, entries: Sequence[tuple[Passage, ...]], known: Sequence[PassageVectors] = ()
) -> list[PassageVectors]:
    """The passages of several entries of one side with their vectors, in order.

    Vectors `known` of the same encoder and side are taken where the text is the same; every other distinct text is
    encoded once, all in one call, and with nothing missing the encoder is not called.
    """
    vectors = {passage.text: row for each in known for passage, row in zip(each.passages, each.vectors, strict=True)}
    missing = list(dict.fromkeys(each.text for passages in entries for each in passages if each.text not in vectors))
    if missing:
        vectors |= dict(zip(missing, encoder.encode(missing, role), strict=True))
    nothing = np.zeros((0, encoder.dimension), np.float32)
    return [
        PassageVectors(passages, np.vstack([vectors[each.text] for each in passages]) if passages else nothing)
        for passages in entries
    ]


def pack(known: PassageVectors, key: bytes) -> bytes:
    """The vectors as float16 with the passages' places and `key`, but without any text.

    ValueError for a key that has not 32 bytes, and for numbers that are not finite.
    """
    names = list(dict.fromkeys(passage.field for passage in known.passages))
    index = {name: number for number, name in enumerate(names)}
    half = known.vectors.astype("<f2")
    if len(key) != 32 or not np.isfinite(half).all():
        raise ValueError("packed vectors have a key of 32 bytes and finite numbers")
    places = np.array([(index[each.field], each.start, each.end) for each in known.passages], dtype=_PASSAGE)
    head = _HEAD.pack(_MAGIC, _LAYOUT, half.shape[1], len(places), len(names), key)
    listed = b"".join(len(name.encode()).to_bytes(1, "little") + name.encode() for name in names)
    body = head + listed + places.tobytes() + half.tobytes()
    return body + zlib.crc32(body).to_bytes(4, "little")


def packed_key(data: bytes) -> bytes:
    """The key these vectors were packed with; PackedVectorsError where there is none."""
    return _head(data)[3]


def unpack(data: bytes, key: bytes, texts: Mapping[str, str]) -> PassageVectors:
    """What `pack` wrote, each passage with its text out of `texts`.

    PackedVectorsError where the bytes are damaged, the key is another or a place is not within its field.
    """
    dimension, count, fields, found = _head(data)
    if found != key:
        raise PackedVectorsError("packed vectors are of another model, splitting or text; compute them anew")
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise PackedVectorsError("packed vectors are damaged (checksum); compute them anew")
    offset, names = _HEAD.size, []
    for _ in range(fields):
        length = data[offset]
        names.append(data[offset + 1 : offset + 1 + length].decode())
        offset += 1 + length
    if len(data) != offset + count * (_PASSAGE.itemsize + 2 * dimension) + 4:
        raise PackedVectorsError("packed vectors have the wrong length; compute them anew")
    places = np.frombuffer(data, _PASSAGE, count, offset).tolist()
    matrix = np.frombuffer(data, "<f2", count * dimension, offset + count * _PASSAGE.itemsize)
    passages = []
    for field, start, end in places:
        name = names[field] if field < fields else ""
        if not 0 <= start < end <= len(texts.get(name, "")):
            raise PackedVectorsError("packed vectors name a place that their text does not have; compute them anew")
        passages.append(Passage(name, start, end, texts[name][start:end]))
    return PassageVectors(tuple(passages), _unit(matrix.reshape(count, dimension).astype(np.float32)))


def _head(data: bytes) -> tuple[int, int, int, bytes]:
    if len(data) < _HEAD.size + 4:
        raise PackedVectorsError("packed vectors are cut short; compute them anew")
    magic, layout, dimension, count, fields, key = _HEAD.unpack_from(data)
    if magic != _MAGIC or layout != _LAYOUT:
        raise PackedVectorsError("these bytes are no packed vectors of a layout that is known; compute them anew")
    return dimension, count, fields, key


def _unit(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)
