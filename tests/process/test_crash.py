"""Processes killed at random moments: nothing acknowledged is lost, nothing is there twice, nothing is half done.

`--kills N` says how many kills there are in all; every test takes its share, and at least one.
"""

import random
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import undefer

from enmusubi.app import embeddings, migrating
from enmusubi.app.cli.accounts import add_account, add_cluster
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.models import Need, NeedDetail, Seed
from enmusubi.app.vocabulary import Role
from enmusubi.matching.encoder import embedding_key, load_encoder
from enmusubi.matching.snapshot import Snapshot
from enmusubi.matching.snapshot.manifest import read_current
from tests.ingest.loads import Row, a_file
from tests.running import Home, Server, kill, wait_for

pytestmark = pytest.mark.process

ROWS = 1_100  # three batches of loading and of embedding
SHARES = {"ingest": 3, "server": 1, "postgres": 1}
MOMENTS = ("published", "embedded", "stored", "time")


@pytest.fixture
def home(home: Home) -> Home:
    """A home whose clients may call as fast as they are answered."""
    return home.with_settings(calls_per_minute="0")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> Callable[[str], range]:
    """How many times a part is killed."""
    total: int = request.config.getoption("--kills")
    return lambda part: range(max(1, total * SHARES[part] // sum(SHARES.values())))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of many seeds."""
    texts: list[Row] = [{"external_id": f"S-{n}", "title": f"Coating {n}"} for n in range(ROWS)]
    return a_file(tmp_path, texts)


@contextmanager
def database_of(home: Home) -> Iterator[Database]:
    """The home's database, joined by this process."""
    with connect(Settings(home=home.folder)) as database:
        yield database


def set_up(home: Home) -> tuple[str, str]:
    """A migrated database with a cluster; the tokens of a university and of a company."""
    with database_of(home) as database:
        migrating.upgrade(database)
        with database.session() as session:
            cluster = add_cluster(session, "北星湾")
            university = add_account(session, cluster, "Sato", Role.UNIVERSITY, "北星湾大学")
            company = add_account(session, cluster, "Ito", Role.COMPANY, "凍沢製氷")
            session.commit()
    return university, company


def assert_snapshot_is_whole(home: Home, seeds: int | None = None) -> None:
    """What CURRENT names can be opened; nothing was published yet only where no count is expected."""
    current = read_current(home.published) if list(home.snapshots.glob("*-*")) else None
    if current is None:
        assert seeds is None
        return
    opened = Snapshot.open(home.published / current)
    if seeds is not None:
        assert opened.count("seed") == seeds


def assert_each_vector_is_its_texts(home: Home, database: Database) -> None:
    """Every stored vector is the one of the row's present text, as this process encodes it."""
    encoder = load_encoder(str(home.model), home.folder, "float32")
    with database.session() as session:
        stored = undefer(Seed.embedding), undefer(Seed.embedding_key)
        found = list(session.scalars(select(Seed).options(*stored).order_by(Seed.id)))
    texts = [embeddings.profile_of(seed).matched_text() for seed in found]
    vectors = encoder.encode(texts, "seed")
    for seed, matched, vector in zip(found, texts, vectors, strict=True):
        assert seed.embedding_key == embedding_key(encoder, "seed", matched)
        assert seed.embedding is not None
        assert float(embeddings.to_vector(seed.embedding) @ vector) > 0.9999


def test_a_killed_ingest_is_finished_by_the_next(home: Home, rows: Path, kills: Callable[[str], range]) -> None:
    """Killed while reading, storing, embedding or publishing, and run again: every row once, with its vector."""
    set_up(home)
    chance = random.Random(1)
    with database_of(home) as database:
        for number in kills("ingest"):
            _new_text(rows, number)
            process = home.begin("ingest", "seeds", rows)
            moment = MOMENTS[number % len(MOMENTS)]
            wait_for(_moment(moment, chance, database, home, process), "the moment to kill")
            kill(process)
            assert_snapshot_is_whole(home)
        home.must("ingest", "seeds", rows)
        with database.session() as session:
            names = session.scalars(select(Seed.external_id)).all()
            stale = embeddings.count_stale(session, Seed, load_encoder(str(home.model), home.folder, "float32"))
        assert sorted(map(str, names)) == sorted(f"S-{n}" for n in range(ROWS))
        assert stale == 0
        assert_each_vector_is_its_texts(home, database)
    assert_snapshot_is_whole(home, ROWS)
    again = home.must("ingest", "seeds", rows)
    assert f"0 / 0 / {ROWS:,}" in again
    assert "nothing changed" in again
    assert not list(home.snapshots.glob("*/building-*"))


def _new_text(rows: Path, number: int) -> None:
    """Change a third of the rows, so that each run has something to store and to embed."""
    lines = rows.read_text(encoding="utf-8").splitlines()
    for place in range(number % 3, len(lines), 3):
        lines[place] = f'{{"external_id": "S-{place}", "title": "Coating {place} of version {number}"}}'
    rows.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _moment(
    kind: str, chance: random.Random, database: Database, home: Home, process: subprocess.Popen[str]
) -> Callable[[], bool]:
    """A random moment of a run: some rows stored, some embedded, a snapshot begun, or just some time."""
    before = _progress(database)
    goal, deadline = chance.randint(1, ROWS // 4), time.monotonic() + chance.uniform(0, 6)

    def come() -> bool:
        if process.poll() is not None:
            return True
        if kind == "time":
            return time.monotonic() > deadline
        if kind == "published":
            return any(home.snapshots.glob("*/building-*"))
        stored, embedded = _progress(database)
        return stored - before[0] >= goal if kind == "stored" else embedded >= goal and stored > before[0]

    return come


def _progress(database: Database) -> tuple[int, int]:
    """How many writes of rows there were so far, and how many vectors are stored."""
    with database.engine.connect() as connection:
        counted = connection.execute(text("select coalesce(sum(version), 0), count(embedding) from seeds")).one()
    return int(counted[0]), int(counted[1])


@dataclass
class Clients:
    """Two clients that post seeds and needs until the server is gone; what was acknowledged, what was not."""

    server: Server
    university: str
    company: str
    acknowledged: dict[str, str] = field(default_factory=dict)  # title by public id
    unanswered: list[tuple[str, str, str]] = field(default_factory=list)  # path, key, title
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to post."""
        self.threads = [
            threading.Thread(target=self._post, args=("/seeds", self.university)),
            threading.Thread(target=self._post, args=("/needs", self.company)),
        ]
        for thread in self.threads:
            thread.start()

    def wait_for_some(self) -> None:
        """Wait until some of what was posted is acknowledged."""
        wait_for(lambda: len(self.acknowledged) > 4, "some posts")

    def stop(self) -> None:
        """Wait until both have noticed that the server is gone."""
        for thread in self.threads:
            thread.join()

    def body(self, path: str, title: str) -> Row:
        """What is posted."""
        return {"title": title, "description": f"Detail of {title}"}

    def _post(self, path: str, token: str) -> None:
        while True:
            key = str(uuid.uuid4())
            title = f"Title {key}"
            try:
                reply = self.server.call("POST", path, token, self.body(path, title), Idempotency_Key=key)
            except httpx.TransportError:
                self.unanswered.append((path, key, title))
                return
            if reply.status_code != 201:  # the database is gone, not this server
                self.unanswered.append((path, key, title))
                return
            self.acknowledged[reply.json()["id"]] = title


def assert_all_is_there_once(home: Home, acknowledged: dict[str, str]) -> None:
    """Every acknowledged entry is stored, none twice, and no need is without its detail."""
    with database_of(home) as database, database.session() as session:
        stored = {
            str(row.public_id): row.title
            for kind in (Seed, Need)
            for row in session.execute(select(kind.public_id, kind.title))
        }
        assert acknowledged.items() <= stored.items()
        assert len(set(stored.values())) == len(stored)
        query = select(Need.title, NeedDetail.description).outerjoin(NeedDetail, NeedDetail.need_id == Need.id)
        details = {row.title: row.description for row in session.execute(query)}
        assert details == {title: f"Detail of {title}" for title in details}


def assert_repeats_give_one(server: Server, clients: Clients) -> None:
    """A call that got no answer is repeated with its key: one entry, and a further repeat replays it."""
    for path, key, title in clients.unanswered:
        token = clients.university if path == "/seeds" else clients.company
        ids = set()
        for _ in range(2):
            reply = server.call("POST", path, token, clients.body(path, title), Idempotency_Key=key)
            assert reply.status_code == 201, reply.text
            ids.add(reply.json()["id"])
        assert len(ids) == 1
        assert reply.headers["Idempotent-Replayed"] == "true"
        clients.acknowledged[ids.pop()] = title


def test_a_killed_server_keeps_what_it_acknowledged(home: Home, kills: Callable[[str], range]) -> None:
    """Killed while clients post: after the restart every 201 is there, and repeats give exactly one."""
    university, company = set_up(home)
    chance = random.Random(2)
    acknowledged: dict[str, str] = {}
    server = Server(home).ready()
    try:
        for _ in kills("server"):
            clients = Clients(server, university, company)
            clients.start()
            clients.wait_for_some()
            time.sleep(chance.uniform(0, 0.5))
            kill(server.process)
            clients.stop()
            assert len(clients.unanswered) == 2
            server.client.close()
            server = Server(home).ready()
            assert_repeats_give_one(server, clients)
            acknowledged |= clients.acknowledged
            assert_all_is_there_once(home, acknowledged)
        assert server.terminate() == 0
    finally:
        server.kill()
    assert home.postmaster() is None  # the killed servers are no longer counted as users


def test_a_killed_postgres_loses_nothing(home: Home, kills: Callable[[str], range]) -> None:
    """The embedded server killed under load: the next command starts it, and the running service goes on."""
    university, company = set_up(home)
    acknowledged: dict[str, str] = {}
    server = Server(home).ready()
    try:
        for _ in kills("postgres"):
            clients = Clients(server, university, company)
            clients.start()
            clients.wait_for_some()
            postmaster = home.postmaster()
            assert postmaster is not None
            psutil.Process(postmaster).send_signal(signal.SIGKILL)
            clients.stop()
            assert server.health("live") == 200
            assert home.run("cluster", "list").status == 0
            server.ready()
            assert_repeats_give_one(server, clients)
            acknowledged |= clients.acknowledged
            assert_all_is_there_once(home, acknowledged)
        assert server.terminate() == 0
    finally:
        server.kill()


def test_a_running_server_brings_its_postgres_back(home: Home) -> None:
    """Killed while nobody runs a command: the service starts it again by itself, and answers."""
    university, _ = set_up(home)
    server = Server(home).ready()
    try:
        postmaster = home.postmaster()
        assert postmaster is not None
        psutil.Process(postmaster).send_signal(signal.SIGKILL)
        wait_for(lambda: home.postmaster() not in (None, postmaster), "another postmaster")
        server.ready()
        reply = server.call("POST", "/seeds", university, {"title": "Coating", "description": "Hard"})
        assert reply.status_code == 201, reply.text
        assert server.terminate() == 0
    finally:
        server.kill()
    assert home.postmaster() is None


def test_killed_users_leave_a_server_that_others_use_and_stop(home: Home) -> None:
    """Commands killed at any moment of starting or joining: the next one has a server, and the last stops it."""
    set_up(home)
    for number in range(8):
        process = home.begin("cluster", "list")
        time.sleep(0.3 + 0.15 * number)
        kill(process)
    assert "北星湾" in home.must("cluster", "list")
    assert home.postmaster() is None


def test_a_first_start_that_is_killed_does_no_harm(home: Home) -> None:
    """Killed while the data folder is made, or its passwords are set, the next start makes it anew."""
    process = home.begin("migrate")
    unfinished = home.folder / "postgres.unfinished"
    wait_for(lambda: (unfinished / "PG_VERSION").exists() or process.poll() is not None, "a half-made folder")
    kill(process)
    assert home.must("migrate")
    assert not unfinished.exists()


def test_a_pid_file_of_another_program_does_no_harm(home: Home) -> None:
    """After a restart of the machine the old pid may be another program's: the server starts all the same."""
    set_up(home)
    assert home.postmaster() is None
    stranger = psutil.Process()
    lines = [str(stranger.pid), str(home.folder / "postgres"), "1", "5432", str(home.folder), "", "1 1", "ready"]
    pid_file = home.folder / "postgres" / "postmaster.pid"
    pid_file.write_text("\n".join(lines) + "\n")
    assert "北星湾" in home.must("cluster", "list")
    pid_file.write_text("")
    assert "北星湾" in home.must("cluster", "list")
