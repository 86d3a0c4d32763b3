"""Texts longer than the model's window: consecutive windows, and one vector a text again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder.protocol import Vectors


@dataclass(frozen=True, slots=True)
class Window:
    """A run of a text's tokens, without the special ones; `text` is the text's position."""

    text: int
    tokens: Sequence[int]


def rule(size: int) -> str:
    """The rule's name in the embedding key."""
    return f"windows of {size} tokens, token-weighted mean, unit length"


def split(texts: Sequence[Sequence[int]], size: int) -> list[Window]:
    """Consecutive windows of at most `size` tokens; an empty text is one empty window."""
    return [
        Window(number, tokens[start : start + size])
        for number, tokens in enumerate(texts)
        for start in range(0, max(len(tokens), 1), size)
    ]


def batches(windows: Sequence[Window], token_budget: int) -> Iterator[list[int]]:
    """Positions of windows of similar length, longest first, at most `token_budget` padded tokens a batch.

    A window longer than the budget is a batch of its own.
    """
    order = sorted(range(len(windows)), key=lambda position: -len(windows[position].tokens))
    batch: list[int] = []
    for position in order:
        longest = len(windows[batch[0]].tokens) if batch else 0
        if batch and (longest + 2) * (len(batch) + 1) > token_budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


class Combination:
    """Adds up the windows' vectors of each text, weighted by their tokens."""

    def __init__(self, windows: Sequence[Window], texts: int, dimension: int) -> None:
        self._windows = windows
        self._sums = np.zeros((texts, dimension), dtype=np.float32)
        self._missing = np.bincount([window.text for window in windows], minlength=texts)

    def add(self, positions: Sequence[int], means: NDArray[np.float32]) -> int:
        """Take the mean vectors of these windows; returns how many texts they complete."""
        finished = 0
        for position, mean in zip(positions, means, strict=True):
            window = self._windows[position]
            self._sums[window.text] += max(len(window.tokens), 1) * mean
            self._missing[window.text] -= 1
            finished += int(self._missing[window.text] == 0)
        return finished

    def unit_vectors(self) -> Vectors:
        """One L2-normalised row a text; the sum's length does not matter, so it is never divided by weight."""
        norms = np.linalg.norm(self._sums, axis=1, keepdims=True)
        unit: Vectors = self._sums / np.maximum(norms, 1e-12)
        return unit
