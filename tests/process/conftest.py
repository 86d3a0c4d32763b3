"""Homes for real processes; whatever they leave running is ended with the test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Home
from tests.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, given to commands by its path."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def home(model: Path) -> Iterator[Home]:
    """A new home with an embedded server of its own."""
    # Not in pytest's folders: run by root, the server's account could not pass through them.
    with tempfile.TemporaryDirectory(prefix="enmusubi-home-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder), model)
        yield home
        home.close()
