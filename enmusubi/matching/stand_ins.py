"""Invented needs that stand in for a catalogue's where a ranking must not depend on them; shipped as vectors."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.similarity import Matrix

FILE: Final = "stand_ins.npz"
"""The vectors of the samples' needs by the bundled model; `benchmarks/stand_ins.py` writes it."""


class StandIns(NamedTuple):
    """Unit vectors (n, d) and languages (n) of invented needs, nobody's texts."""

    matrix: Matrix
    languages: tuple[str, ...]

    @classmethod
    def none(cls, dimension: int) -> Self:
        """None, of a model that there are none for."""
        return cls(np.empty((0, dimension), dtype=np.float32), ())


def stand_ins(fingerprint: str, dimension: int) -> StandIns:
    """Those of the encoder with this fingerprint; none where it is not the one they were made with."""
    made_with, shipped = _shipped()
    return shipped if made_with == fingerprint else StandIns.none(dimension)


def write(path: Path, fingerprint: str, made: StandIns) -> None:
    """Write a file that `stand_ins` reads, to three decimal digits of each number."""
    # Half precision is enough for a mean and for neighbours, and half the size.
    arrays: dict[str, NDArray[Any]] = {
        "fingerprint": np.frombuffer(fingerprint.encode(), dtype=np.uint8),
        "languages": np.frombuffer("\n".join(made.languages).encode(), dtype=np.uint8),
        "matrix": made.matrix.astype(np.float16),
    }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # its second parameter has a name of its own


@cache
def _shipped() -> tuple[str, StandIns]:
    with (files(__package__) / FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return _read(arrays)


def _read(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, StandIns]:
    languages = arrays["languages"].tobytes().decode()
    wide = arrays["matrix"].astype(np.float64)
    matrix = (wide / np.sqrt((wide**2).sum(axis=1))[:, None]).astype(np.float32)
    return arrays["fingerprint"].tobytes().decode(), StandIns(matrix, tuple(languages.split("\n")))
