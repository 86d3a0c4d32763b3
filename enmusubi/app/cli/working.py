"""Run a worker in a process of its own, until it is interrupted."""

import logging
import signal
import threading
from contextlib import ExitStack
from types import FrameType

from enmusubi.app import database as databases
from enmusubi.app import grants, migrating
from enmusubi.app.cli.log_lines import write_log
from enmusubi.app.cli.opening import read_settings
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.delivering.outbound import outbound_for
from enmusubi.app.embedded import Keeper
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.mail import post_office
from enmusubi.app.working.worker import CONNECTIONS, Worker

logger = logging.getLogger("enmusubi")


def work() -> None:
    """Work until interrupted; what was begun is finished first."""
    settings = read_settings()
    write_log(settings)
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with ExitStack() as stack:
        database = stack.enter_context(
            databases.connect_for_service(settings.model_copy(update={"database_pool": CONNECTIONS}))
        )
        _check(settings, database)
        if database.embedded is not None:
            stack.callback(Keeper(database.embedded).close)
        outbound = outbound_for(settings, database.session, post_office(settings))
        stack.callback(Worker(database, outbound).close)
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
