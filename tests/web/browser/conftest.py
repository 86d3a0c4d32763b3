"""One service with the samples, and one Chromium, for all tests of a worker."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.tiny_model import write_tiny_model
from tests.web.sites import Site, a_browser, a_site, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with a_browser() as started:
        yield started


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service; not even started where nothing can look at it."""
    chromium()
    with a_site(write_tiny_model(tmp_path_factory.mktemp("tiny") / "model")) as started:
        yield started
