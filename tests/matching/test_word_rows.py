"""Word vectors are read from the file, row by row, and are those that are in it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from enmusubi.matching.encoder.word_rows import WordRows


def test_rows_are_those_of_the_tensor(tmp_path: Path) -> None:
    """Any shape of ids, with repetitions, gives what indexing the whole tensor would."""
    tensors = {"other": torch.ones(7), "words": torch.randn(50, 12), "last": torch.zeros(3, 3)}
    save_file(tensors, tmp_path / "model.safetensors")
    rows = WordRows(tmp_path / "model.safetensors", "words")
    for ids in (torch.tensor([3, 3, 49, 0]), torch.tensor([[1, 2], [2, 1]]), torch.empty(0, dtype=torch.int64)):
        assert torch.equal(rows[ids], tensors["words"][ids])


def test_another_precision_is_refused(tmp_path: Path) -> None:
    """Only float32 is read as it stands."""
    save_file({"words": torch.ones(4, 4, dtype=torch.float16)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="F16"):
        WordRows(tmp_path / "model.safetensors", "words")


def test_a_file_that_ends_too_early_is_noticed(tmp_path: Path) -> None:
    """A truncated file gives an error that says what to do, not numbers from nowhere."""
    path = tmp_path / "model.safetensors"
    save_file({"words": torch.randn(50, 12)}, path)
    path.write_bytes(path.read_bytes()[:-40])
    rows = WordRows(path, "words")
    assert np.isfinite(rows[torch.tensor([0])].numpy()).all()
    with pytest.raises(OSError, match="unpacked again"):
        rows[torch.tensor([49])]
