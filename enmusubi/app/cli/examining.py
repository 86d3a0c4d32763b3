"""`enmusubi doctor`: each part checked by itself, each fault with its fix."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select

from enmusubi.app import database as databases
from enmusubi.app import embeddings, fittings, grants, migrating
from enmusubi.app.cli import weak_sign_in, weaknesses
from enmusubi.app.cli.opening import read_settings
from enmusubi.app.cli.weaknesses import Weakness
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.errors import EnmusubiError
from enmusubi.app.models import Cluster
from enmusubi.app.reviewed import Model
from enmusubi.app.runtime import encoder_for
from enmusubi.app.working import backlog
from enmusubi.ingest import indexing
from enmusubi.matching.encoder import BundledModelError, Encoder, ModelError
from enmusubi.matching.snapshot import Snapshot, SnapshotError
from enmusubi.matching.snapshot.manifest import read_current

LEAST_FREE = 2 * 1024**3  # bytes: the unpacked model, three snapshots of 100,000 vectors and room for the database


class Fault(Exception):  # noqa: N818 what a check found, not an error of the program
    """What is wrong and what to do about it."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(found)
        self.found = found
        self.fix = fix


class Weak(Exception):  # noqa: N818 as above
    """What others could use, each with its fix; no fault, since a trial may live with it."""

    def __init__(self, found: list[Weakness]) -> None:
        super().__init__(f"{len(found)} weak settings")
        self.found = found


def examine() -> bool:
    """Run all checks, print a table, and tell whether all is well."""
    table = Table("Check", "State", "Finding", "Fix")
    well = True

    def run(name: str, check: Callable[[], str]) -> bool:
        nonlocal well
        try:
            table.add_row(name, "[green]ok[/]", escape(check()), "")
        except Fault as fault:
            table.add_row(name, "[red]fault[/]", escape(fault.found), escape(fault.fix))
        except Weak as weak:
            for number, (what, fix) in enumerate(weak.found):
                table.add_row("" if number else name, "[yellow]weak[/]", escape(what), escape(fix))
            return True
        except EnmusubiError as error:
            found, _, fix = error.detail.rpartition("; ")  # our messages end with what to do
            table.add_row(name, "[red]fault[/]", escape(found or fix), escape(fix))
        except Exception as error:
            finding = f"could not be checked ({type(error).__name__})"
            table.add_row(name, "[red]fault[/]", finding, "run `enmusubi serve` and read its log")
        else:
            return True
        well = False
        return False

    settings = read_settings()
    if run("home", lambda: _home(settings)):
        run("disk", lambda: _disk(settings))
    run("port", lambda: _port(settings))
    reached: list[Database] = []
    run("database", lambda: _database(settings, reached))
    run("files", lambda: _weak(weaknesses.of_files(settings), "closed to others of this machine"))
    run("addresses", lambda: _weak(weaknesses.of_addresses(settings), "nothing confidential travels unencrypted"))
    run(
        "sign-in",
        lambda: _weak(weak_sign_in.of_sign_in(settings), "keys, letters, proxies, sessions, limits are sound"),
    )
    run("trials", lambda: _weak(weaknesses.of_trials(settings), "nothing that is for a trial alone"))
    if reached:
        run("service's role", lambda: _service_role(settings, reached[0]))
        run("rights", lambda: _weak(weaknesses.of_rights(reached[0]), "nobody connects who was not let in"))
    migrated = bool(reached) and run("migrations", lambda: _migrations(reached[0]))
    if migrated:
        run("notices", lambda: _notices(reached[0]))
    encoders: list[Encoder] = []
    run("model", lambda: _model(settings, encoders))
    if migrated and encoders:
        run("fittings", lambda: _fittings(reached[0], encoders[0]))
        run("embeddings", lambda: _embeddings(reached[0], encoders[0]))
        run("snapshot", lambda: _snapshot(settings, reached[0], encoders[0]))
    for database in reached:
        database.close()
    Console().print(table)
    return well


def _home(settings: Settings) -> str:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        raise Fault(f"{settings.home} cannot be written ({error.strerror})", "set ENMUSUBI_HOME elsewhere") from None
    return f"{settings.home} can be written"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.home).free
    if free < LEAST_FREE:
        raise Fault(f"{free / 1024**3:.1f} GiB free", f"free {LEAST_FREE / 1024**3:.0f} GiB, or move ENMUSUBI_HOME")
    return f"{free / 1024**3:.0f} GiB free"


def _port(settings: Settings) -> str:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Fault(
                f"{settings.host}:{settings.port} cannot be listened on ({error.strerror})",
                "fine if `enmusubi serve` runs already; otherwise set ENMUSUBI_PORT",
            ) from None
    return f"{settings.host}:{settings.port} is free"


def _database(settings: Settings, reached: list[Database]) -> str:
    database = databases.connect(settings)
    if not databases.reachable(database):
        database.close()
        raise Fault("the server does not answer", "check ENMUSUBI_DATABASE_URL, and that the server runs")
    reached.append(database)
    return "embedded server answers" if database.embedded else "server answers"


def _service_role(settings: Settings, database: Database) -> str:
    name = database.service.name if database.service else None
    with database.engine.connect() as connection:
        told = grants.unfitness(connection, name)
    if told is None:
        return "can bypass nothing"
    if settings.allow_owner_service:
        return f"allowed by ENMUSUBI_ALLOW_OWNER_SERVICE, for a trial alone: {told.partition('; ')[0]}"
    found, _, fix = told.partition("; ")
    raise Fault(found, fix)


def _weak(found: list[Weakness], nothing: str) -> str:
    if found:
        raise Weak(found)
    return nothing


def _migrations(database: Database) -> str:
    present, newest = migrating.present(database), migrating.newest()
    if present != newest:
        raise Fault(f"at {present or 'none'}, {newest} is needed", "run `enmusubi migrate`")
    return f"at {present}"


def _notices(database: Database) -> str:
    found = backlog.of(database)
    if found.late and not found.workers:
        raise Fault(
            f"{found.told}; no worker is alive",
            "start `enmusubi worker`, or set ENMUSUBI_WORKER_INSIDE=true for `enmusubi serve`",
        )
    if found.late:
        raise Fault(f"{found.told}, some for more than {backlog.LATE}", "look for its reason in the worker's log")
    return found.told


def _fittings(database: Database, encoder: Encoder) -> str:
    model = Model(encoder.model, encoder.revision)
    with database.session() as session:
        used = fittings.in_use(session, model)
        waiting = fittings.of_other_models(session, model)
    found = f"ranked by {used.policy.name}, how sure by {used.calibration.name}"
    # Not a fault: there may be too few reviews of this policy's rankings yet.
    other = used.calibration.policy
    if other != used.policy.name:
        found += f", which was fitted to the rankings of {other}"
    return found + "".join(f"; {name} is kept for another model" for name in waiting)


def _model(settings: Settings, encoders: list[Encoder]) -> str:
    try:
        encoder = encoder_for(settings)
        length = encoder.encode(["縁結び"], "need").shape[1]
    except (BundledModelError, ModelError) as error:
        found, _, fix = str(error).rpartition("; ")
        raise Fault(found or str(error), fix if found else "see the finding") from None
    encoders.append(encoder)
    return f"{encoder.model}, {length} dimensions, {encoder.precision}"


def _embeddings(database: Database, encoder: Encoder) -> str:
    with database.session() as session:
        stale = sum(embeddings.count_stale(session, kind, encoder) for kind in indexing.KINDS)
    if stale:
        raise Fault(
            f"{stale:,} entries have no up-to-date embedding or terms and are not proposed", "run `enmusubi index`"
        )
    return "all published entries are embedded"


def _snapshot(settings: Settings, database: Database, encoder: Encoder) -> str:
    with database.session() as session:
        identity = databases.identity(session)
        clusters = session.scalars(select(Cluster).order_by(Cluster.id)).all()
    if not clusters:
        return "none needed: there is no cluster yet"
    found, faults = [], []
    for cluster in clusters:
        of = f"{cluster.name}: " if len(clusters) > 1 else ""
        folder = settings.snapshots / str(cluster.public_id)
        try:
            name = read_current(folder)
            if name is None:
                faults.append(f"{of}none published; entries that are embedded are scored exactly")
                continue
            opened = Snapshot.open(
                folder / name,
                expect_fingerprint=encoder.fingerprint,
                expect_analysis=embeddings.analysis(),
                expect_database=identity,
                expect_cluster=str(cluster.public_id),
            )
        except SnapshotError as error:
            faults.append(f"{of}{error}")
        else:
            found.append(f"{of}{opened.id}: {opened.count('seed'):,} seeds, {opened.count('need'):,} needs")
    if faults:
        raise Fault("\n".join(faults), "run `enmusubi index`")
    mode = os.stat(settings.snapshots).st_mode & 0o077
    if mode:
        raise Fault("others of this machine can read the snapshots", f"chmod 700 {settings.snapshots}")
    unknown = _unknown_folders(settings, clusters)
    if unknown:
        # They hold vectors, from which texts can be recovered, of what this database may have deleted.
        listed = " ".join(str(settings.snapshots / name) for name in unknown)
        raise Fault(f"{len(unknown)} snapshot folders of clusters that this database does not have", f"rm -r {listed}")
    return "\n".join(found)


def _unknown_folders(settings: Settings, clusters: Sequence[Cluster]) -> list[str]:
    known = {str(cluster.public_id) for cluster in clusters}
    return sorted(path.name for path in settings.snapshots.iterdir() if path.is_dir() and path.name not in known)
