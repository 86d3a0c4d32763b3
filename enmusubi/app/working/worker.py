"""The worker: takes jobs from the queue in PostgreSQL, and does chores; several may run, and any may be killed.

A job names a notice or a delivery, whose row is the truth: a job that is run twice, or for nothing, does no harm, and
one that is lost is put back, at the start of a worker and once a minute.
"""

import asyncio
import contextlib
import datetime
import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Final

import procrastinate
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Status
from psycopg import Error as DriverError
from psycopg_pool import PoolTimeout
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from enmusubi.app.database import Database
from enmusubi.app.delivering.attempts import attempt, requeue
from enmusubi.app.delivering.dispatching import dispatch
from enmusubi.app.delivering.outbound import Outbound
from enmusubi.app.importing.running import run_next_import
from enmusubi.app.working.chores import CHORES, Chore
from enmusubi.matching.encoder import Encoder

logger = logging.getLogger(__name__)

AT_ONCE: Final = 4
"""Jobs at the same time."""
CONNECTIONS: Final = AT_ONCE + 1
"""Database connections that a worker needs beside the queue's own."""
_QUEUE_CONNECTIONS: Final = 4
_PAUSE: Final = 1.0  # seconds before a worker that lost its database looks again
_LONGEST_PAUSE: Final = 30.0
_GRACE: Final = datetime.timedelta(minutes=1)
_LATE: Final = 8 * 24 * 3600.0  # seconds: what was due while no worker ran is made up for
STALLED: Final = 30.0
"""Seconds without a sign of life after which a worker counts as dead."""


class Worker:
    """Runs in a thread of its own until it is closed; goes on by itself after its database was away."""

    def __init__(
        self,
        database: Database,
        outbound: Outbound,
        chores: Sequence[Chore] | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        """Start; `chores` are done instead of all there are. Without an encoder, posted files are left to others."""
        self._encoder = encoder
        self._database = database
        self._outbound = outbound
        self._chores = CHORES if chores is None else chores
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._work, name="enmusubi-worker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no further job, finish those begun, and end."""
        self._closing.set()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._cancel)
        self._thread.join()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def _work(self) -> None:
        # Their lines quote what failed, which may quote rows; ours say what it was.
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        asyncio.run(self._until_closed())

    async def _until_closed(self) -> None:
        self._loop = asyncio.get_running_loop()
        pause, told = _PAUSE, ""
        while not self._closing.is_set():
            began = self._loop.time()
            self._running = asyncio.create_task(self._run())
            try:
                await self._running
            except asyncio.CancelledError:
                break
            except (ProcrastinateException, DriverError, PoolTimeout, SQLAlchemyError, OSError) as error:
                reason = type(error).__name__
            except Exception as error:
                log_place("the worker", error)
                reason = type(error).__name__
            else:
                reason = "the database was away"
            if self._loop.time() - began > _LONGEST_PAUSE:
                pause, told = _PAUSE, ""
            if reason != told:
                told = reason
                logger.warning("the worker has stopped (%s); starting it again", reason)
            await asyncio.to_thread(self._closing.wait, pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run(self) -> None:
        app = self._queue()
        # What killed workers have left behind; what a living one is about is locked, and passed over.
        await asyncio.to_thread(requeue, self._outbound, datetime.timedelta())
        async with app.open_async():
            await app.run_worker_async(
                name="enmusubi",
                concurrency=AT_ONCE,
                delete_jobs="always",
                install_signal_handlers=False,
                stalled_worker_timeout=STALLED,
            )

    def _queue(self) -> procrastinate.App:
        url = make_url(self._database.url).set(drivername="postgresql")
        connector = procrastinate.PsycopgConnector(
            conninfo=url.render_as_string(hide_password=False),
            kwargs={"connect_timeout": 5, "application_name": "enmusubi worker"},
            min_size=1,
            max_size=_QUEUE_CONNECTIONS,
            timeout=10.0,
        )
        app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": _LATE})

        @app.task(name="dispatch", queue="notices")
        def dispatch_one(notice: int) -> None:
            _told("dispatch", lambda: dispatch(self._outbound, notice))

        @app.task(name="deliver", queue="notices")
        def deliver_one(delivery: int) -> None:
            _told("deliver", lambda: attempt(self._outbound, delivery))

        @app.periodic(cron="* * * * *")
        @app.task(name="sweep", queue="chores", queueing_lock="sweep")
        async def sweep(timestamp: int) -> None:
            await self._sweep(app)

        for chore in self._chores:
            self._add(app, chore)
        if self._encoder is not None:
            self._add_imports(app, self._encoder)
        return app

    def _add_imports(self, app: procrastinate.App, encoder: Encoder) -> None:
        def read_all() -> None:
            while not self._closing.is_set():
                if run_next_import(self._outbound.sessions, encoder, self._outbound.clock) is None:
                    return

        # The rows of posted files are the truth; a job for each would tell nothing that these do not.
        @app.periodic(cron="* * * * *")
        @app.task(name="read-imports", queue="imports", queueing_lock="read-imports")
        def read_imports(timestamp: int) -> None:
            _told("read-imports", read_all)

    def _add(self, app: procrastinate.App, chore: Chore) -> None:
        @app.periodic(cron=chore.cron)
        @app.task(name=f"chore-{chore.name}", queue="chores", queueing_lock=f"chore-{chore.name}")
        def run(timestamp: int) -> None:
            _told(chore.name, lambda: chore.run(self._outbound.sessions, self._outbound.clock))

    async def _sweep(self, app: procrastinate.App) -> None:
        await asyncio.to_thread(_told, "requeue", lambda: requeue(self._outbound, _GRACE))
        # Jobs of the dead: what they were for has been put back into the queue, or will be.
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            if job.id is not None:
                # Unless another worker was quicker.
                with contextlib.suppress(ProcrastinateException):
                    await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        await app.job_manager.prune_stalled_workers(STALLED)


def _told(what: str, work: Callable[[], object]) -> None:
    """Do it; a failure is told by its kind and place, and left to the queue."""
    try:
        work()
    except SQLAlchemyError as error:
        logger.warning("%s: the database did not answer (%s); it will be done again", what, type(error).__name__)
        raise
    except Exception as error:
        log_place(what, error)
        raise


def log_place(what: str, error: Exception) -> None:
    """Log where something failed, without its message, which may quote texts."""
    place = "".join(traceback.format_tb(error.__traceback__)[-4:])
    logger.error("%s failed (%s):\n%s", what, type(error).__name__, place)
