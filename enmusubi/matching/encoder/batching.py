"""Concurrent requests encoded together, by one worker thread."""

import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

from enmusubi.matching.encoder.protocol import Encoder, Progress, Role, Vectors

_TEXTS_A_ROUND = 64
_CHARACTERS_A_ROUND = 8_000  # a request that arrives meanwhile waits for about this much


@dataclass(eq=False)
class _Request:
    texts: Sequence[str]
    role: Role
    # Vectors of the texts in order, or the error that ends the request.
    results: queue.SimpleQueue[Vectors | Exception] = field(default_factory=queue.SimpleQueue)
    taken: int = 0
    abandoned: bool = False


class BatchingEncoder:
    """Shares one encoder among many threads: what queued up while it worked is encoded as one batch.

    A lone request is encoded at once. A round takes texts from every waiting request in turn, up to a limit,
    so a request of thousands of texts delays a short one by one round, not by itself. An error reaches only
    the request whose texts caused it: the round's requests are then encoded one by one.
    """

    def __init__(self, encoder: Encoder) -> None:
        """Start the worker thread; `close` ends it."""
        self._encoder = encoder
        self._waiting: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._worker.start()

    @property
    def model(self) -> str:
        """Name or path as configured."""
        return self._encoder.model

    @property
    def revision(self) -> str:
        """Commit or content hash of the weights."""
        return self._encoder.revision

    @property
    def precision(self) -> str:
        """`float32` or `bfloat16`."""
        return self._encoder.precision

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    @property
    def prompts(self) -> Mapping[Role, str]:
        """What is put before a text of each role."""
        return self._encoder.prompts

    @property
    def window_rule(self) -> str:
        """How a text longer than the model's window becomes one vector."""
        return self._encoder.window_rule

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over everything of the embedding key but the text."""
        return self._encoder.fingerprint

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """L2-normalised rows, shape (len(texts), dimension), float32; waits for its turn.

        Raises what encoding these texts raised, and RuntimeError when this encoder is closed.
        """
        request = _Request(texts, role)
        with self._changed:
            if self._closed:
                raise RuntimeError("the encoder is closed")
            if texts:
                self._waiting.append(request)
                self._changed.notify()
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        try:
            while done < len(texts):
                result = request.results.get()
                if isinstance(result, Exception):
                    raise result
                vectors[done : done + len(result)] = result
                done += len(result)
                if progress is not None:
                    progress(len(result))
        finally:
            request.abandoned = True  # of no effect unless the caller gave up, by an interrupt say
        return vectors

    def close(self) -> None:
        """Finish what is queued, then end the worker; later calls of `encode` raise RuntimeError."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._worker.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._closed:
                        return
                    self._changed.wait()
                shares = self._next_round()
            for role in ("need", "seed"):
                group = [(request, texts) for request, texts in shares if request.role == role]
                if group:
                    self._encode_together(group)
            with self._changed:
                # Unfinished requests go behind those that arrived meanwhile.
                for request, _ in shares:
                    if request.taken < len(request.texts) and not request.abandoned:
                        self._waiting.append(request)

    def _next_round(self) -> list[tuple[_Request, Sequence[str]]]:
        """Take a text from each request in turn until the round is full; every round takes at least one."""
        shares: dict[_Request, int] = {}
        texts = characters = 0
        for request in list(self._waiting):
            shares[request] = request.taken
        open_requests = deque(shares)
        while open_requests and texts < _TEXTS_A_ROUND:
            request = open_requests.popleft()
            if request.abandoned or request.taken >= len(request.texts):
                continue
            length = len(request.texts[request.taken])
            if texts and characters + length > _CHARACTERS_A_ROUND:
                continue
            request.taken += 1
            texts += 1
            characters += length
            open_requests.append(request)
        taken = [(request, request.texts[start : request.taken]) for request, start in shares.items()]
        round_shares = [(request, part) for request, part in taken if part]
        in_round = {request for request, _ in round_shares}
        self._waiting = deque(request for request in self._waiting if request not in in_round and not request.abandoned)
        return round_shares

    def _encode_together(self, group: list[tuple[_Request, Sequence[str]]]) -> None:
        texts = [text for _, part in group for text in part]
        try:
            vectors = self._encoder.encode(texts, group[0][0].role)
        except Exception as error:
            if len(group) == 1:
                group[0][0].abandoned = True
                group[0][0].results.put(error)
                return
            for share in group:
                self._encode_together([share])
            return
        start = 0
        for request, part in group:
            request.results.put(vectors[start : start + len(part)])
            start += len(part)
