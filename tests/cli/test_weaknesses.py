"""`enmusubi doctor` tells weak settings, each with its fix, and does not call them faults."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from enmusubi.app.cli import weaknesses
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from tests.cli.conftest import Command
from tests.databases import as_superuser, url_of
from tests.running import Home


def _told(found: list[weaknesses.Weakness]) -> str:
    return "\n".join(f"{what} -> {fix}" for what, fix in found)


@pytest.fixture
def home_folder(tmp_path: Path) -> Path:
    """A home with secrets and a data folder, all closed."""
    for folder in ("secrets", "postgres"):
        (tmp_path / folder).mkdir(mode=0o700)
    (tmp_path / "secrets" / "database-owner").write_text("x")
    (tmp_path / "secrets" / "database-owner").chmod(0o600)
    (tmp_path / "postgres" / "pg_hba.conf").write_text("# trust nobody\nlocal all all scram-sha-256\n")
    tmp_path.chmod(0o710)
    return tmp_path


def test_closed_files_are_not_weak(home_folder: Path) -> None:
    """Passage for the group of the server's account is none, nor the word `trust` in a comment."""
    assert weaknesses.of_files(Settings(home=home_folder)) == []


@pytest.mark.parametrize(
    ("path", "mode", "fix"),
    [
        (".", 0o755, "chmod g-w,o-rwx"),
        ("secrets", 0o755, "chmod 700"),
        ("secrets/database-owner", 0o644, "chmod 600"),
        ("postgres", 0o750, "chmod 700"),
    ],
)
def test_files_that_others_can_read(home_folder: Path, path: str, mode: int, fix: str) -> None:
    """Each by its name, with the command that closes it."""
    (home_folder / path).chmod(mode)
    ((what, mends),) = weaknesses.of_files(Settings(home=home_folder))
    assert str((home_folder / path).resolve()) in what
    assert mends.startswith(fix)


@pytest.mark.parametrize("method", ["trust", "password", "md5"])
def test_rules_that_trust(home_folder: Path, method: str) -> None:
    """The line itself is shown."""
    (home_folder / "postgres" / "pg_hba.conf").write_text(f"host all all 127.0.0.1/32 {method}\n")
    assert f"127.0.0.1/32 {method}" in _told(weaknesses.of_files(Settings(home=home_folder)))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u@127.0.0.1/x", "has no password"),
        ("postgresql://u:Zebra@db.example.org/x", "without TLS"),
        ("postgresql://u:Zebra@/x?host=db.example.org", "without TLS"),
        ("postgresql://u:Zebra@db.example.org/x?sslmode=prefer", "without TLS"),
        ("postgresql://u:Zebra@db.example.org/x?sslmode=verify-full", None),
        ("postgresql://u:Zebra@localhost/x", None),
        ("postgresql://u@/x?host=/run/postgresql", None),
        ("Zebra", None),
    ],
)
@pytest.mark.parametrize("name", ["database_url", "operator_database_url"])
def test_database_urls(url: str, told: str | None, name: str) -> None:
    """The variable is named, never what it holds."""
    found = _told(weaknesses.of_addresses(Settings().model_copy(update={name: SecretStr(url)})))
    assert "Zebra" not in found
    assert (found == "") if told is None else (told in found and f"ENMUSUBI_{name.upper()}" in found)


@pytest.mark.parametrize(
    ("host", "weak"), [("0.0.0.0", True), ("::", True), ("127.0.0.1", False), ("::1", False), ("localhost", False)]
)
def test_a_service_that_listens_beyond_this_machine(host: str, weak: bool) -> None:
    """Tokens travel in a header, so a proxy with TLS belongs before it."""
    assert ("proxy with TLS" in _told(weaknesses.of_addresses(Settings(host=host)))) is weak


def test_doctor_tells_weaknesses_and_ends_well(command: Command, home: Home, own: Database, server: Database) -> None:
    """They are rows of the table; one that everybody may connect to is among them."""
    with as_superuser(server) as connection:
        connection.execute(text(f'grant connect on database "{own.engine.url.database}" to public'))
    home.folder.chmod(0o755)
    finished = command("doctor", home=home.with_settings(host="0.0.0.0", port="0"))
    rows = [[cell.strip() for cell in line.split("│")] for line in finished.out.splitlines()]
    assert [row[1] for row in rows if "weak" in row] == ["files", "addresses", "rights"]
    assert "fault" not in {row[2] for row in rows if len(row) > 2 and row[1] != "snapshot"}
    assert "can bypass nothing" in finished.out


def test_doctor_calls_a_service_that_could_bypass_a_fault(
    command: Command, home: Home, server: Database, own: Database
) -> None:
    """As `serve` does; allowed for a trial it is said and no fault."""
    alone = home.with_settings(database_url=own.url, operator_database_url="", port="0")
    assert "owns the tables" in " ".join(command("doctor", home=alone).out.split())
    allowed = command("doctor", home=alone.with_settings(allow_owner_service="1"))
    assert "for a trial alone" in " ".join(allowed.out.split())


def test_a_command_with_the_services_role_is_one_line(
    command: Command, home: Home, own: Database, server: Database
) -> None:
    """It ends with one line, which names the variable to set."""
    service = url_of(server, "enmusubi_service", own.engine.url.database)
    alone = home.with_settings(database_url=service, operator_database_url="")
    finished = command("cluster", "create", "北星湾", home=alone)
    assert (finished.status, finished.errors.count("\n")) == (2, 1), finished
    assert "ENMUSUBI_OPERATOR_DATABASE_URL" in finished.errors
