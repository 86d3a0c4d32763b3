"""Requests of many threads through one worker."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from enmusubi.matching.encoder import BatchingEncoder, HashEncoder, Progress, Role, Vectors


@dataclass(frozen=True)
class RecordingEncoder(HashEncoder):
    """Remembers its batches, waits while its gate is shut, and fails on the text `bad`."""

    batches: list[list[str]] = field(default_factory=list)
    entered: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        self.batches.append(list(texts))
        self.entered.set()
        assert self.gate.wait(10)
        if "bad" in texts:
            raise ValueError("a bad text")
        return super().encode(texts, role, progress)


@pytest.fixture
def inner() -> RecordingEncoder:
    recording = RecordingEncoder()
    recording.gate.set()
    return recording


@pytest.fixture
def encoder(inner: RecordingEncoder) -> Iterator[BatchingEncoder]:
    with BatchingEncoder(inner) as batching:
        yield batching
        inner.gate.set()


def _held(inner: RecordingEncoder, encoder: BatchingEncoder, pool: ThreadPoolExecutor) -> None:
    """Keep the worker busy with one text until the gate opens."""
    inner.gate.clear()
    pool.submit(encoder.encode, ["held"], "need")
    assert inner.entered.wait(10)


def _wait_for(encoder: BatchingEncoder, requests: int) -> None:
    for _ in range(1000):
        if len(encoder._waiting) == requests:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the requests never queued up")


def test_each_thread_gets_its_own_vectors(encoder: BatchingEncoder) -> None:
    """Many threads with many texts of both roles: every row equals the row encoded alone."""
    plain = HashEncoder()

    def ask(number: int) -> None:
        texts = [f"text {number} {row}" for row in range(number % 5 + 1)]
        role: Role = "need" if number % 2 else "seed"
        np.testing.assert_array_equal(encoder.encode(texts, role), plain.encode(texts, role))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(200)))


def test_requests_that_queued_up_are_one_batch(inner: RecordingEncoder, encoder: BatchingEncoder) -> None:
    """What arrives while the worker is busy is encoded together next."""
    with ThreadPoolExecutor(8) as pool:
        _held(inner, encoder, pool)
        waiting = [pool.submit(encoder.encode, [f"text {n}"], "need") for n in range(5)]
        _wait_for(encoder, 5)
        inner.gate.set()
        assert all(future.result(10).shape == (1, 64) for future in waiting)
    assert [sorted(batch) for batch in inner.batches] == [["held"], [f"text {n}" for n in range(5)]]


def test_an_error_reaches_only_the_request_that_caused_it(inner: RecordingEncoder, encoder: BatchingEncoder) -> None:
    """Of three requests in one batch, the bad one raises and the other two are answered."""
    with ThreadPoolExecutor(8) as pool:
        _held(inner, encoder, pool)
        good, bad, fine = (pool.submit(encoder.encode, [text], "need") for text in ("good", "bad", "fine"))
        _wait_for(encoder, 3)
        inner.gate.set()
        assert good.result(10).shape == fine.result(10).shape == (1, 64)
        with pytest.raises(ValueError, match="a bad text"):
            bad.result(10)


def test_a_huge_request_does_not_hold_up_a_short_one(inner: RecordingEncoder, encoder: BatchingEncoder) -> None:
    """The short request is in the first batch after it arrived, the huge one still complete."""
    with ThreadPoolExecutor(8) as pool:
        _held(inner, encoder, pool)
        texts = [f"row {n}" for n in range(1000)]
        huge = pool.submit(encoder.encode, texts, "seed")
        _wait_for(encoder, 1)
        short = pool.submit(encoder.encode, ["short"], "seed")
        _wait_for(encoder, 2)
        inner.gate.set()
        short.result(10)
        np.testing.assert_array_equal(huge.result(10), HashEncoder().encode(texts, "seed"))
    assert "short" in inner.batches[1]
    assert len(inner.batches) > 10


def test_progress_counts_every_text_and_its_error_reaches_the_caller(encoder: BatchingEncoder) -> None:
    """Progress runs in the caller's thread; when it raises, the caller gets that, and the encoder lives on."""
    counted: list[int] = []
    encoder.encode(["a"] * 150, "seed", counted.append)
    assert sum(counted) == 150

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode(["a"] * 500, "seed", interrupt)
    assert encoder.encode(["b"], "seed").shape == (1, 64)


def test_no_texts_give_no_rows(encoder: BatchingEncoder) -> None:
    """An empty request is answered without the worker."""
    assert encoder.encode([], "need").shape == (0, 64)


def test_a_closed_encoder_says_so(inner: RecordingEncoder) -> None:
    """After close, encoding raises instead of waiting for ever."""
    batching = BatchingEncoder(inner)
    batching.close()
    with pytest.raises(RuntimeError, match="closed"):
        batching.encode(["late"], "need")


def test_it_answers_for_the_encoder_it_wraps(inner: RecordingEncoder, encoder: BatchingEncoder) -> None:
    """Keys made with the wrapper equal keys made with the encoder inside."""
    assert (encoder.model, encoder.revision, encoder.dimension) == (inner.model, inner.revision, 64)
    assert (encoder.precision, encoder.window_rule) == (inner.precision, inner.window_rule)
    assert (encoder.fingerprint, encoder.prompts) == (inner.fingerprint, inner.prompts)
