"""One world for each module, in a database that commits: making it for every test would take most of the time."""

from collections.abc import Iterator

import pytest

from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect, connect_for_service
from enmusubi.app.main import create_app
from tests.app.conftest import started
from tests.app.factories import ENCODER
from tests.app.matrix.world import World, a_world
from tests.databases import a_database, drop, settings_for


@pytest.fixture(scope="module")
def world(server: Database, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two clusters and people of every role, with an application that they ask."""
    given = Settings(
        home=tmp_path_factory.mktemp("world"),
        floor=0.0,
        background_sentences=False,
        chain_seconds=0,
        indicators_seconds=0,
        calls_per_minute=0,  # to count a call is a statement now and then, and statements are compared
    )
    url = a_database(server, migrated)
    settings = settings_for(server, url, given)
    with (
        connect(settings) as database,
        connect_for_service(settings) as service,
        started(create_app(given, ENCODER, service)) as client,
    ):
        yield a_world(client, database, service)
    drop(server, url)
