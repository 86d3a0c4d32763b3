"""Rows of a large tensor in a safetensors file, read when they are asked for."""

import json
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

_HEADER_BYTES = 8


class WordRows:
    """The rows of a float32 matrix (n, d) in a safetensors file, by their numbers; safe for concurrent readers.

    A model of a hundred languages has some hundred megabytes of word vectors, of which a text needs a few dozen rows.
    Mapped into memory they would all be counted as the process's own, sooner or later; read one by one they stay in
    the page cache, which is shared and given back. Raises ValueError for a tensor that is not a float32 matrix.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        # https://github.com/huggingface/safetensors#format: the length of a JSON header, the header, the data.
        length = int.from_bytes(os.pread(self._file, _HEADER_BYTES, 0), "little")
        described = json.loads(os.pread(self._file, length, _HEADER_BYTES))[name]
        if described["dtype"] != "F32" or len(described["shape"]) != 2:
            raise ValueError(f"{name} is a {described['dtype']} tensor of shape {described['shape']}, not a F32 matrix")
        self._dimension = int(described["shape"][1])
        self._start = _HEADER_BYTES + length + int(described["data_offsets"][0])

    def __getitem__(self, ids: "Tensor") -> "Tensor":
        """The rows of `ids`, with one dimension more."""
        import torch

        unique, places = np.unique(ids.numpy(), return_inverse=True)
        size = 4 * self._dimension
        read = b"".join(os.pread(self._file, size, self._start + number * size) for number in unique.tolist())
        if len(read) != len(unique) * size:
            raise OSError("the model's weights end too early; delete its folder to have it unpacked again")
        rows = np.frombuffer(read, dtype="<f4").reshape(len(unique), self._dimension)
        return torch.from_numpy(rows[places.reshape(-1)]).reshape(*ids.shape, self._dimension)
