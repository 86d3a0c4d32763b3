"""A dump as docs/operations.md says, restored elsewhere: nothing is lost, and policies hold for the new owner."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text

from enmusubi.app import migrating
from enmusubi.app.caller import act_as
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect, connect_for_service
from enmusubi.app.embedded import SERVICE, programs
from enmusubi.app.vocabulary import Role
from tests.app.factories import a_caller, a_cluster, a_need, a_seed, an_organisation
from tests.databases import as_superuser, drop, url_of

BACKUP, OWNER = "enmusubi_backup_test", "enmusubi_other_owner"


@pytest.fixture
def roles(server: Database) -> Iterator[None]:
    """A role that dumps, as the page makes it, and an owner of another name."""
    with as_superuser(server) as connection:
        connection.execute(text(f"create role {BACKUP} login bypassrls password 'dump'"))
        connection.execute(text(f"grant pg_read_all_data to {BACKUP}"))
        connection.execute(text(f"create role {OWNER} login createrole password 'other'"))
    yield
    with as_superuser(server) as connection:
        connection.execute(text(f"drop role {BACKUP}"))
        connection.execute(text(f"drop role {OWNER}"))


def _plain(url: str, role: str, password: str) -> str:
    changed = make_url(url).set(drivername="postgresql", username=role, password=password)
    return changed.render_as_string(hide_password=False)


def test_a_dump_is_restored_under_another_owner(
    server: Database, committed: Database, roles: None, settings: Settings, tmp_path: Path
) -> None:
    """Every row is there for the new owner after `migrate`, and for each account what it may see."""
    with committed.session() as session:
        cluster = a_cluster(session)
        company = an_organisation(session, cluster)
        coordinator, stranger = a_caller(session, cluster, Role.COORDINATOR), a_caller(session, cluster, Role.COMPANY)
        a_seed(session, cluster, unpublished="hidden")
        a_need(session, cluster, company, description="hidden")
        session.commit()
    dump = tmp_path / "enmusubi.dump"
    name = make_url(committed.url).database
    with as_superuser(server) as connection:
        connection.execute(text(f'grant connect on database "{name}" to {BACKUP}'))
    dumping = ["--format=custom", "--no-owner", "--no-privileges", f"--file={dump}"]
    _run("pg_dump", *dumping, _plain(committed.url, BACKUP, "dump"))
    with as_superuser(server) as connection:
        connection.execute(text(f'revoke connect on database "{name}" from {BACKUP}'))

    target = f"enmusubi_{uuid.uuid4().hex}"
    with as_superuser(server) as connection:
        connection.execute(text(f'create database "{target}" owner {OWNER} template template0'))
    url = _plain(url_of(server, SERVICE, target), OWNER, "other")
    _run("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={url}", str(dump))
    restored = settings.model_copy(
        update={
            "operator_database_url": SecretStr(url),
            "database_url": SecretStr(url_of(server, SERVICE, target)),
        }
    )
    with connect(restored) as database:
        migrating.upgrade(database)
        with database.session() as session:
            for table in ("seeds", "needs", "need_details", "seed_details", "accounts"):
                assert session.scalar(text(f"select count(*) from {table}")), table
    with connect_for_service(restored) as database, database.session() as session:
        for caller, seen in ((coordinator, 1), (stranger, 0)):
            act_as(session, caller)
            assert session.scalar(text("select count(*) from need_details")) == seen
            session.rollback()
    drop(server, url)


def _run(program: str, *arguments: str) -> None:
    command = [str(programs.folder() / program), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
