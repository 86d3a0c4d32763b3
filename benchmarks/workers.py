"""A process of its own for each side, which does one piece of work at a time and says how long it took."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

Work = Callable[..., Any]


class Worker:
    """Calls what `make(*arguments)` returns, in a new process that loads nothing of the caller's."""

    def __init__(self, make: Callable[..., Work], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def __call__(self, *arguments: object) -> Any:
        """Do one piece of work; raises RuntimeError with the worker's error."""
        self._connection.send(arguments)
        succeeded, value = self._connection.recv()
        if not succeeded:
            raise RuntimeError(value)
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(connection: Connection, make: Callable[..., Work], arguments: tuple[object, ...]) -> None:
    work: Work | None = None
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            return
        try:
            work = work or make(*arguments)
            connection.send((True, work(*asked)))
        except Exception as error:
            connection.send((False, f"{type(error).__name__}: {error}"))
