"""Commands run in this process, in a home and a database of the test's own."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Protocol

import pytest

from enmusubi.app.cli import main
from enmusubi.app.database import Database
from tests.databases import own, template, variables_for
from tests.running import Finished, Home
from tests.tiny_model import write_tiny_model

__all__ = ["own", "template"]


class Command(Protocol):
    """Runs `enmusubi` with these arguments."""

    def __call__(self, *arguments: str | Path, home: Home | None = None) -> Finished: ...


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, given to commands by its path."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def home(tmp_path: Path, model: Path, own: Database, server: Database) -> Home:
    """A home on a migrated, empty database of the test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    return Home(folder, model).with_settings(**variables_for(server, own.url))


@pytest.fixture
def command(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs a command to its end, with what it prints and its exit status."""

    def run(*arguments: str | Path, home: Home = home) -> Finished:
        environment = home.environment
        for name in [name for name in os.environ if name not in environment]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["enmusubi", *map(str, arguments)])
        out, errors = io.StringIO(), io.StringIO()
        status = 0
        with redirect_stdout(out), redirect_stderr(errors):
            try:
                main()
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        return Finished(status, out.getvalue(), errors.getvalue())

    before = signal.getsignal(signal.SIGTERM)
    yield run  # type: ignore[misc]
    signal.signal(signal.SIGTERM, before)
