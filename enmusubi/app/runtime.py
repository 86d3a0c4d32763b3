"""What a running service holds: database, encoder, live snapshots; started in the background, closed at the end."""

import ctypes
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property, partial

from sqlalchemy.orm import Session

from enmusubi.app import database as databases
from enmusubi.app import embeddings, fittings, grants, migrating
from enmusubi.app.alerting.chores import chores_for
from enmusubi.app.alerting.stopping import stop_link
from enmusubi.app.caller import acting_as_service
from enmusubi.app.clock import Clock, SystemClock
from enmusubi.app.cluster_map.chores import chores_for as drawing_for
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.delivering.outbound import Outbound, outbound_for
from enmusubi.app.embedded import Keeper
from enmusubi.app.embeddings import analysis
from enmusubi.app.errors import ConfigurationError, EnmusubiError, NotReadyError
from enmusubi.app.explaining import Explaining
from enmusubi.app.freshness import Freshness
from enmusubi.app.indicators import BackgroundCounting
from enmusubi.app.mail import Post
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.passages import BackgroundFilling
from enmusubi.app.recording import BackgroundChaining
from enmusubi.app.reviewed import Model
from enmusubi.app.signing_in.calling import Calls
from enmusubi.app.signing_in.visits import Desk, desk_for
from enmusubi.app.working.chores import CHORES
from enmusubi.app.working.forgetting import forgetting
from enmusubi.app.working.worker import CONNECTIONS, Worker
from enmusubi.matching.encoder import BatchingEncoder, Encoder, ModelError, load_encoder
from enmusubi.matching.reranking import Pair, Reranker, load_reranker
from enmusubi.matching.snapshot import LiveSnapshot, LiveSnapshots

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0  # between two looks at a database that was not there, or not migrated


def _give_memory_back() -> None:
    """Return what loading the model has freed: glibc keeps it, some hundred megabytes, for the process."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def encoder_for(settings: Settings) -> Encoder:
    """The configured encoder; its weights are loaded at the first text."""
    return load_encoder(settings.model, settings.home, settings.precision)


def reranker_for(settings: Settings) -> Reranker | None:
    """The configured reranker, if any, loaded; ConfigurationError, with the reason in the log, where it cannot be."""
    reranker = load_reranker(settings.reranker, settings.precision)
    if reranker is not None:
        try:
            reranker.scores([Pair("warm up", "warm up")])
        except ModelError as error:
            # Its path is nobody's business who asks whether the service is ready.
            logger.error("reranker: %s", error)  # noqa: TRY400 expected: its message names the fix
            raise ConfigurationError(
                "the reranker cannot be loaded, the log says why; correct ENMUSUBI_RERANKER or unset it"
            ) from None
    return reranker


def matchmaking_of(
    settings: Settings, database: Database, encoder: Encoder, reranker: Reranker | None, stack: ExitStack
) -> tuple[LiveSnapshots, Matchmaking]:
    """The matchmaker over the current snapshots, which are followed until the stack is closed."""
    with database.session() as session:
        live = LiveSnapshots(
            settings.snapshots,
            expect_fingerprint=encoder.fingerprint,
            expect_analysis=analysis(),
            expect_database=databases.identity(session),
        )
        stack.callback(live.close)
        freshness = Freshness(live, encoder)
        freshness.follow_all(session)
    return live, Matchmaking(encoder, freshness, settings.floor, reranker, settings.reranked)


class Runtime:
    """The parts of a service. Each is there once it has started, or says why it has not."""

    def __init__(
        self,
        settings: Settings,
        encoder: Encoder | None = None,
        database: Database | None = None,
        post: Post | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.calls = Calls(settings.calls_per_minute, self.clock.elapsed)
        self._given_post = post
        self._given_encoder = encoder
        self._given_database = database
        self._database: Database | None = None
        self._matchmaking: Matchmaking | None = None
        self._explaining: Explaining | None = None
        self._last_request = time.monotonic()
        self._reranker: Reranker | None = None
        self.live: LiveSnapshots | None = None
        self.problems: dict[str, str] = {"database": "is starting", "model": "is loading"}
        self._stack = ExitStack()
        self._thread: threading.Thread | None = None
        self._attempted = threading.Event()
        self._closing = threading.Event()

    def start(self) -> None:
        """Start the parts in a thread of their own, so that the service answers at once that it is alive."""
        self._thread = threading.Thread(target=self._start_parts, name="enmusubi-start", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until every part has started or failed once."""
        if self._thread is not None:
            self._attempted.wait()

    def close(self) -> None:
        """Stop the parts in the reverse order."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._stack.close()

    def _start_parts(self) -> None:
        # The database starts while the model loads: the one waits for the disk, the other computes.
        database = threading.Thread(target=self._guarded, args=("database", self._start_database), daemon=True)
        database.start()
        encoder: list[Encoder] = []
        self._guarded("model", lambda: encoder.append(self._start_encoder()))
        database.join()
        if encoder:
            self._guarded("snapshot", lambda: self._follow_snapshot(encoder[0]))
        _give_memory_back()
        self._attempted.set()
        # A database that comes up later, or is migrated later, needs no restart.
        while encoder and self._matchmaking is None and not self._closing.wait(RETRY_SECONDS):
            self._guarded("database", self._start_database)
            self._guarded("snapshot", lambda: self._follow_snapshot(encoder[0]))

    def _guarded(self, part: str, start: Callable[[], None]) -> None:
        try:
            start()
            self.problems.pop(part, None)
        except EnmusubiError as error:
            if self.problems.get(part) != error.detail:
                logger.error("%s: %s", part, error.detail)  # noqa: TRY400 expected: its message names the fix
            self.problems[part] = error.detail
        except Exception as error:
            # The message may quote settings or texts; the type and the place are enough to find the fault.
            problem = f"could not be started ({type(error).__name__}); see the log"
            if self.problems.get(part) != problem:
                logger.exception("%s could not be started", part)
            self.problems[part] = problem

    def _start_database(self) -> None:
        if self._database is None:
            self._database = self._given_database
        if self._database is None:
            self._database = databases.connect_for_service(self.settings)
            self._stack.callback(self._database.close)
            if self._database.embedded is not None:
                self._stack.callback(Keeper(self._database.embedded).close)
        if not databases.reachable(self._database):
            raise ConfigurationError("the database does not answer; check ENMUSUBI_DATABASE_URL")
        if self._database is not self._given_database:
            with self._database.engine.connect() as connection:
                grants.check_fit(connection, allow_owner=self.settings.allow_owner_service)
        present, newest = migrating.present(self._database), migrating.newest()
        if present != newest:
            raise ConfigurationError(
                f"the database is at migration {present or 'none'}, {newest} is needed; run `enmusubi migrate`"
            )

    def _start_encoder(self) -> Encoder:
        encoder = self._given_encoder or encoder_for(self.settings)
        batching = BatchingEncoder(encoder)
        self._stack.callback(batching.close)
        batching.encode(["warm up"], "need")
        self._reranker = reranker_for(self.settings)
        return batching

    def _follow_snapshot(self, encoder: Encoder) -> None:
        if self._database is None or "database" in self.problems:
            return
        self.live, matchmaking = matchmaking_of(self.settings, self._database, encoder, self._reranker, self._stack)
        if self.settings.background_sentences:
            filling = BackgroundFilling(self._database, encoder, lambda: time.monotonic() - self._last_request)
            self._stack.callback(filling.close)
        if self.settings.chain_seconds:
            self._stack.callback(BackgroundChaining(self._database, self.settings.chain_seconds).close)
        if self._works_inside:
            self._start_worker(self._database, matchmaking, encoder)
        if self.settings.indicators_seconds:
            self._stack.callback(BackgroundCounting(self._database, self.settings.indicators_seconds).close)
        self._explaining = Explaining(matchmaking)
        self._matchmaking = matchmaking

    @property
    def _works_inside(self) -> bool:
        if self.settings.worker_inside == "auto":
            return self._database is not None and self._database.embedded is not None
        return self.settings.worker_inside == "true"

    def _start_worker(self, database: Database, matchmaking: Matchmaking, encoder: Encoder) -> None:
        # Connections of its own: a webhook that takes its time holds none of those that requests wait for.
        beside = database.beside(CONNECTIONS)
        self._stack.callback(beside.close)
        stop = partial(stop_link, self.settings.address)
        outbound = outbound_for(self.settings, beside.session, self.desk.post, self.clock, stop)
        chores = (
            *CHORES,
            forgetting(self.settings),
            *chores_for(self.settings, matchmaking),
            *drawing_for(matchmaking.freshness, encoder),
        )
        self._stack.callback(Worker(beside, outbound, chores, encoder).close)

    @cached_property
    def outbound(self) -> Outbound:
        """What notices are sent with; ConfigurationError where its settings are wrong."""
        return outbound_for(self.settings, self.session, self.desk.post, self.clock)

    @cached_property
    def desk(self) -> Desk:
        """What signing in works with; ConfigurationError where its settings are wrong. Made when it is needed first."""
        return desk_for(self.settings, self.session, self._given_post)

    def session(self) -> Session:
        """A new session; NotReadyError while the database is not there."""
        return self._reached().session()

    def reading(self) -> Session:
        """A new session that only reads; NotReadyError while the database is not there."""
        return self._reached().reading()

    def _reached(self) -> Database:
        if self._database is None or "database" in self.problems:
            raise NotReadyError(f"the database {self.problems.get('database', 'is starting')}")
        return self._database

    @property
    def database(self) -> Database | None:
        """The database, once it is reached."""
        return self._database

    @property
    def is_serving(self) -> bool:
        """Whether requests can be served."""
        return self._matchmaking is not None

    def note_request(self) -> None:
        """A request has come: what is done in the background waits for a while."""
        self._last_request = time.monotonic()

    def followed_snapshots(self) -> Sequence[LiveSnapshot]:
        """The snapshot of every cluster there is by now."""
        with self.reading() as session:
            return self.matchmaking.freshness.follow_all(session)

    def waiting_entries(self) -> str:
        """`ok`, or that some published entries are not proposed for want of an up-to-date vector or terms.

        Not how many: anybody may ask. `enmusubi doctor` counts them.
        """
        with self.reading() as session, acting_as_service(session):
            waiting = embeddings.count_waiting(session, self.matchmaking.encoder)
        return "some entries wait for `enmusubi index` and are not proposed until then" if waiting else "ok"

    def unusable_fittings(self) -> str:
        """`ok`, or which kinds of fitting cannot be used, and what mends it."""
        encoder = self.matchmaking.encoder
        with self.reading() as session:
            _, unusable = fittings.usable(session, Model(encoder.model, encoder.revision))
        # Neither name nor content: who asks whether the service is ready may be anybody.
        told = [f"the {one.kind} in use cannot be used, the shipped one is (run `{one.fix}`)" for one in unusable]
        return "; ".join(told) or "ok"

    @property
    def explaining(self) -> Explaining:
        """What explains matches; NotReadyError while model or database are not there."""
        if self._explaining is None:
            raise self._not_ready()
        return self._explaining

    @property
    def matchmaking(self) -> Matchmaking:
        """The matchmaker; NotReadyError while model or database are not there."""
        if self._matchmaking is None:
            raise self._not_ready()
        return self._matchmaking

    def _not_ready(self) -> NotReadyError:
        reasons = "; ".join(f"{part}: {reason}" for part, reason in self.problems.items())
        return NotReadyError(reasons or "the service is starting")
