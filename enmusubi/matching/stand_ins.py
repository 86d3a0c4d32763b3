"""Invented needs that stand in for a catalogue's where a ranking must not depend on them; shipped as vectors."""

from collections.abc import Sequence
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


def stand_ins(model: str, revision: str, dimension: int) -> StandIns:
    """Those of a model; none where it is not the one they were made with, in whatever precision it runs."""
    made_with, shipped = _shipped()
    return shipped if made_with == (model, revision) else StandIns.none(dimension)


def write(path: Path, model: str, revision: str, made: StandIns) -> None:
    """Write a file that `stand_ins` reads, to three decimal digits of each number."""
    # Half precision is enough for a mean and for neighbours, and half the size.
    arrays: dict[str, NDArray[Any]] = {
        "made_with": _bytes((model, revision)),
        "languages": _bytes(made.languages),
        "matrix": made.matrix.astype(np.float16),
    }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # its second parameter has a name of its own


@cache
def _shipped() -> tuple[tuple[str, str], StandIns]:
    with (files(__package__) / FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        model, revision = _lines(arrays["made_with"])
        wide = arrays["matrix"].astype(np.float64)
        matrix = (wide / np.sqrt((wide**2).sum(axis=1))[:, None]).astype(np.float32)
        return (model, revision), StandIns(matrix, tuple(_lines(arrays["languages"])))


def _bytes(lines: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def _lines(written: NDArray[np.uint8]) -> list[str]:
    return written.tobytes().decode().split("\n")
