"""Homes for real processes; whatever they leave running is ended with the test."""

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
def home(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Home]:
    """A new home with an embedded server of its own."""
    home = Home(tmp_path_factory.mktemp("home"), model)
    yield home
    home.close()
