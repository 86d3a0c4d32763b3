"""`enmusubi doctor` names each fault and its fix; wrong settings and missing servers are one line everywhere."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from enmusubi.app import database as databases
from enmusubi.app.database import Database
from enmusubi.matching.encoder import load_encoder
from enmusubi.matching.snapshot import build
from tests.cli.conftest import Command
from tests.databases import a_database, variables_for
from tests.ingest.loads import a_file, seeds
from tests.running import Finished, Home

UNREACHABLE = "postgresql://nobody:Zebra@127.0.0.1:9/none"


def _finding(finished: Finished, check: str) -> str:
    """The lines of the table from one check to the next, joined."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in finished.out.splitlines() if "│" in line]
    found: list[str] = []
    for row in rows:
        if row[0] == check:
            found = row
        elif found and not row[0]:
            found = [f"{one} {more}".strip() for one, more in zip(found, row, strict=True)]
        elif found:
            break
    return " | ".join(found[1:])


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def healthy(command: Command, home: Home, tmp_path: Path) -> Home:
    """A home where all is well, on a port that is free."""
    home = home.with_settings(port="0")
    command("cluster", "create", "北星湾", home=home)
    assert command("ingest", "seeds", a_file(tmp_path, seeds(2)), home=home).status == 0
    return home


def test_all_is_well(command: Command, healthy: Home) -> None:
    """Status 0 and a line for each part."""
    finished = command("doctor", home=healthy)
    assert finished.status == 0, finished
    for check in ("home", "disk", "port", "database", "migrations", "model", "embeddings", "snapshot"):
        assert _finding(finished, check).startswith("ok"), check
    assert "2 seeds, 0 needs" in _finding(finished, "snapshot")


def test_a_missing_snapshot_and_missing_embeddings(command: Command, healthy: Home, tmp_path: Path) -> None:
    """Both are mended by `enmusubi index`."""
    command("ingest", "seeds", a_file(tmp_path, seeds(3), "more.jsonl"), "--no-index", home=healthy)
    (healthy.published / "CURRENT").unlink()
    finished = command("doctor", home=healthy)
    assert finished.status == 1
    assert "3 entries" in _finding(finished, "embeddings")
    for check in ("embeddings", "snapshot"):
        assert _finding(finished, check).startswith("fault")
        assert "run `enmusubi index`" in _finding(finished, check)
    command("index", home=healthy)
    assert command("doctor", home=healthy).status == 0


def test_a_damaged_snapshot(command: Command, healthy: Home) -> None:
    """A changed byte is found, named and mended by `enmusubi index`."""
    current = (healthy.published / "CURRENT").read_text().strip()
    damaged = healthy.published / current / "seeds.faiss"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x55")
    finished = command("doctor", home=healthy)
    assert finished.status == 1
    assert _finding(finished, "snapshot").startswith("fault")
    assert "run `enmusubi index`" in _finding(finished, "snapshot")
    command("index", home=healthy)
    assert command("doctor", home=healthy).status == 0


def test_a_snapshot_of_another_analysis(command: Command, healthy: Home, own: Database) -> None:
    """What the service refuses, `doctor` calls a fault."""
    with own.session() as session:
        identity = databases.identity(session)
    build(
        healthy.published,
        encoder=load_encoder(str(healthy.model), healthy.folder, "float32"),
        analysis="another dictionary",
        seeds=[],
        needs=[],
        watermark=1,
        database=identity,
        cluster=healthy.published.name,
    )
    finished = command("doctor", home=healthy)
    assert finished.status == 1
    assert _finding(finished, "snapshot").startswith("fault")
    assert "run `enmusubi index`" in _finding(finished, "snapshot")


def test_snapshots_that_others_can_read(command: Command, healthy: Home) -> None:
    """Vectors tell texts, so the folder is the owner's alone."""
    healthy.snapshots.chmod(0o755)
    finished = command("doctor", home=healthy)
    assert f"chmod 700 {healthy.snapshots}" in _finding(finished, "snapshot")


def test_a_database_without_tables(command: Command, home: Home, server: Database) -> None:
    """`doctor` and every other command say to migrate; `migrate` mends it, twice if need be."""
    empty = home.with_settings(**variables_for(server, a_database(server)), port="0")
    finished = command("doctor", home=empty)
    assert finished.status == 1
    assert "run `enmusubi migrate`" in _finding(finished, "migrations")
    for arguments in (("cluster", "list"), ("index",), ("match", "--text", "x"), ("account", "list")):
        other = command(*arguments, home=empty)
        assert (other.status, other.errors.count("\n")) == (2, 1)
        assert "run `enmusubi migrate`" in other.errors
    assert "was empty" in command("migrate", home=empty).out
    again = command("migrate", home=empty)
    assert (again.status, "was" in again.out) == (0, False)
    assert command("cluster", "list", home=empty).status == 0


def test_an_unreachable_database(command: Command, home: Home, tmp_path: Path) -> None:
    """The variable to check is named, its value, which holds a password, never; no command shows a traceback."""
    away = home.with_settings(database_url=UNREACHABLE, operator_database_url="", port="0")
    finished = command("doctor", home=away)
    assert finished.status == 1
    assert "ENMUSUBI_DATABASE_URL" in _finding(finished, "database")
    path = a_file(tmp_path, seeds(1))
    for arguments in (("migrate",), ("cluster", "list"), ("ingest", "seeds", path), ("index",)):
        other = command(*arguments, home=away)
        assert (other.status, other.errors.count("\n")) == (2, 1), other
        assert "database does not answer" in other.errors
        assert "Zebra" not in other.out + other.errors
    assert "Zebra" not in finished.out + finished.errors


@pytest.mark.parametrize("url", ["mysql://user:Zebra@host/x", "Zebra"])
def test_a_url_of_another_database(command: Command, home: Home, url: str) -> None:
    """Only PostgreSQL will do; the value is not shown."""
    for arguments in (("doctor",), ("migrate",)):
        finished = command(*arguments, home=home.with_settings(database_url=url, operator_database_url="", port="0"))
        assert finished.status in (1, 2)
        assert "ENMUSUBI_DATABASE_URL" in finished.out + finished.errors
        assert "Zebra" not in finished.out + finished.errors


def test_a_busy_port(command: Command, healthy: Home, port: int) -> None:
    """`doctor` says how to take another; `serve` says so in one line, before anything is loaded."""
    busy = healthy.with_settings(port=str(port))
    finished = command("doctor", home=busy)
    assert finished.status == 1
    assert "set ENMUSUBI_PORT" in _finding(finished, "port")
    served = command("serve", home=busy)
    assert (served.status, served.errors.count("\n")) == (2, 1)
    assert f"cannot listen on 127.0.0.1:{port}" in served.errors


@pytest.mark.skipif(os.name != "posix", reason="a file in the place of a folder is as unwritable for everyone")
def test_a_home_that_cannot_be_written(command: Command, home: Home, tmp_path: Path) -> None:
    """A home below a file is a fault with its fix, and one line for other commands, also for root."""
    a_file(tmp_path, [], "blocking")
    blocked = home.with_settings(home=str(tmp_path / "blocking" / "home"), port="0")
    finished = command("doctor", home=blocked)
    assert finished.status == 1
    assert "set ENMUSUBI_HOME" in _finding(finished, "home")
    for name in ("ENMUSUBI_DATABASE_URL", "ENMUSUBI_OPERATOR_DATABASE_URL"):
        del blocked.settings[name]
    other = command("migrate", home=blocked)
    assert (other.status, other.errors.count("\n")) == (2, 1), other


def test_a_wrong_model(command: Command, healthy: Home, tmp_path: Path) -> None:
    """A model that is not there is a fault that names the variable."""
    finished = command("doctor", home=healthy.with_settings(model=str(tmp_path / "none")))
    assert finished.status == 1
    assert "ENMUSUBI_MODEL" in _finding(finished, "model")


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "abc"), ("port", "70000"), ("precision", "Zebra"), ("floor", "2"), ("log_level", "loud")],
)
def test_a_wrong_setting_is_one_line(command: Command, home: Home, name: str, value: str) -> None:
    """Every command names the wrong variable, without a traceback."""
    for arguments in (("doctor",), ("cluster", "list"), ("serve",), ("openapi",)):
        finished = command(*arguments, home=home.with_settings(**{name: value}))
        assert (finished.status, finished.out, finished.errors.count("\n")) == (2, "", 1)
        assert f"ENMUSUBI_{name.upper()}" in finished.errors


def test_a_real_process_ends_so_too(home: Home) -> None:
    """The installed command, not only this process: status 2, one line, no traceback."""
    finished = home.with_settings(port="abc").run("cluster", "list")
    assert (finished.status, finished.out, finished.errors.count("\n")) == (2, "", 1)
    assert finished.errors.startswith("error: ENMUSUBI_PORT")
