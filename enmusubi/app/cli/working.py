"""Run a worker in a process of its own, until it is interrupted."""

import logging
import signal
import threading
from contextlib import ExitStack
from functools import partial
from types import FrameType

from enmusubi.app import database as databases
from enmusubi.app import grants, migrating
from enmusubi.app.alerting.chores import chores_for
from enmusubi.app.alerting.stopping import stop_link
from enmusubi.app.cli.log_lines import write_log
from enmusubi.app.cli.opening import read_settings
from enmusubi.app.cluster_map.chores import chores_for as drawing_for
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.delivering.outbound import outbound_for
from enmusubi.app.embedded import Keeper
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.mail import post_office
from enmusubi.app.runtime import encoder_for, matchmaking_of, reranker_for
from enmusubi.app.working.chores import CHORES
from enmusubi.app.working.forgetting import forgetting
from enmusubi.app.working.worker import CONNECTIONS, Worker
from enmusubi.matching.encoder import BatchingEncoder

logger = logging.getLogger("enmusubi")


def work() -> None:
    """Work until interrupted; what was begun is finished first."""
    settings = read_settings()
    write_log(settings)
    stopping = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with ExitStack() as stack:
        database = stack.enter_context(
            databases.connect_for_service(settings.model_copy(update={"database_pool": CONNECTIONS}))
        )
        _check(settings, database)
        if database.embedded is not None:
            stack.callback(Keeper(database.embedded).close)
        encoder = BatchingEncoder(encoder_for(settings))
        stack.callback(encoder.close)
        _, matchmaking = matchmaking_of(settings, database, encoder, reranker_for(settings), stack)
        stop = partial(stop_link, settings.address)
        outbound = outbound_for(settings, database.session, post_office(settings), stop_link=stop)
        chores = (
            *CHORES,
            forgetting(settings),
            *chores_for(settings, matchmaking),
            *drawing_for(matchmaking.freshness, encoder),
        )
        stack.callback(Worker(database, outbound, chores, encoder).close)
        logger.info("working")
        stopping.wait()


def _check(settings: Settings, database: Database) -> None:
    if not databases.reachable(database):
        raise ConfigurationError("the database does not answer; check ENMUSUBI_DATABASE_URL")
    with database.engine.connect() as connection:
        grants.check_fit(connection, allow_owner=settings.allow_owner_service)
    present, newest = migrating.present(database), migrating.newest()
    if present != newest:
        raise ConfigurationError(
            f"the database is at migration {present or 'none'}, {newest} is needed; run `enmusubi migrate`"
        )
