"""Migrations: up, down and up again, in step with the models, within time limits."""

import os
import subprocess
import sys
import time

import pytest
from alembic import command
from procrastinate.schema import SchemaManager
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from enmusubi.app import migrating
from enmusubi.app.database import Database
from tests.databases import variables_for


def _tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def test_up_down_and_up_again(empty: Database) -> None:
    """Going back to nothing removes every table and function, and the way up works again."""
    assert migrating.present(empty) is None
    migrating.upgrade(empty)
    made = _tables(empty)
    assert {"seeds", "needs", "need_details", "matches", "reviews"} <= made
    assert migrating.present(empty) == migrating.newest()
    migrating.downgrade(empty, "base")
    assert _tables(empty) == {"alembic_version"}
    with empty.engine.connect() as connection:
        left = connection.scalar(text("select count(*) from pg_proc where proname like 'enmusubi%'"))
    assert left == 0
    migrating.upgrade(empty)
    assert _tables(empty) == made
    migrating.check(empty)


def test_upgrading_twice_changes_nothing(empty: Database) -> None:
    """A migrated database is left as it is."""
    migrating.upgrade(empty)
    before = _tables(empty)
    migrating.upgrade(empty)
    assert _tables(empty) == before


def test_models_and_migrations_agree(server: Database) -> None:
    """Autogenerate finds nothing to add."""
    migrating.check(server)


def test_who_oversees_loses_the_organisation(empty: Database) -> None:
    """Of accounts from before that is taken away; companies and coordinators keep theirs."""
    with empty.engine.begin() as connection:
        command.upgrade(migrating._config(connection), "0003")
        connection.execute(text("insert into clusters (public_id, name) values (gen_random_uuid(), 'C')"))
        connection.execute(
            text(
                "insert into organisations (public_id, cluster_id, name, name_key, kind, version) "
                "select gen_random_uuid(), id, 'O', 'o', 'company', 1 from clusters"
            )
        )
        connection.execute(
            text(
                "insert into accounts (public_id, cluster_id, organisation_id, name, role) "
                "select gen_random_uuid(), cluster_id, id, 'A', role from organisations, "
                "unnest(array['company', 'coordinator', 'cluster_administrator', 'auditor']) as role"
            )
        )
    migrating.upgrade(empty)
    with empty.engine.connect() as connection:
        kept = connection.scalars(text("select role from accounts where organisation_id is not null order by role"))
        assert list(kept) == ["company", "coordinator"]


def test_a_migration_that_cannot_get_its_lock_gives_up(empty: Database) -> None:
    """A migration waits 5 s for a lock, then fails and leaves the database as it was."""
    migrating.upgrade(empty)
    with empty.engine.begin() as reader:
        reader.execute(text("lock table reviews in access share mode"))
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            migrating.downgrade(empty, "base")
        assert 4 < time.monotonic() - began < 9
    assert migrating.present(empty) == migrating.newest()
    migrating.check(empty)


def test_time_limits_hold_in_the_migration_only(empty: Database) -> None:
    """Lock and statement limits are set while migrations run; the connection is as before afterwards."""
    with empty.engine.connect() as connection, connection.begin():
        command.upgrade(migrating._config(connection), "head")
        during = {name: connection.scalar(text(f"show {name}")) for name in ("lock_timeout", "statement_timeout")}
    assert during == {"lock_timeout": "5s", "statement_timeout": "15min"}
    with empty.engine.connect() as connection:
        assert connection.scalar(text("show lock_timeout")) == "0"
        assert connection.scalar(text("show statement_timeout")) == "0"


def test_two_processes_that_migrate_at_once_take_turns(empty: Database, server: Database) -> None:
    """Both succeed, one finds the work done."""
    # Processes, because Alembic's own context is one for a whole process.
    program = (
        "from enmusubi.app import migrating; from enmusubi.app.config import Settings; "
        "from enmusubi.app.database import connect; migrating.upgrade(connect(Settings()))"
    )
    names = {f"ENMUSUBI_{name.upper()}": value for name, value in variables_for(server, empty.url).items()}
    environment = {**os.environ, **names}
    processes = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    migrating.check(empty)


@pytest.mark.parametrize("table", ["seeds", "needs"])
def test_every_write_is_stamped_with_its_transaction(committed: Database, table: str) -> None:
    """Inserts and updates carry the id of the transaction that wrote them, whatever the statement says."""
    with committed.engine.begin() as connection:
        connection.execute(text("insert into clusters (public_id, name) values (gen_random_uuid(), 'C')"))
        connection.execute(
            text(
                f"insert into {table} (public_id, source, expires_on, status, search_text, version, cluster_id, "
                "changed_xid) select gen_random_uuid(), 'test', current_date, 'published', '', 1, id, 1 from clusters"
            )
        )
        inserted = connection.scalar(text("select pg_current_xact_id()::text::bigint"))
        assert connection.scalar(text(f"select changed_xid from {table}")) == inserted
    with committed.engine.begin() as connection:
        connection.execute(text(f"update {table} set title = 'T', changed_xid = 1"))
        updated = connection.scalar(text("select pg_current_xact_id()::text::bigint"))
        assert connection.scalar(text(f"select changed_xid from {table}")) == updated
    assert inserted is not None
    assert updated is not None
    assert updated > inserted


def test_the_queue_is_as_its_library_wants_it(server: Database, empty: Database) -> None:
    """What our migrations make of its tables, indexes and functions is what the installed version would make."""
    catalogue = text(
        "select 'column ' || table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable "
        "from information_schema.columns where table_name like 'procrastinate%' "
        "union select 'index ' || indexdef from pg_indexes where tablename like 'procrastinate%' "
        "union select 'function ' || pg_get_functiondef(oid) from pg_proc where proname like 'procrastinate%' "
        "union select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where tgname like 'procrastinate%' "
        "union select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint "
        "where conrelid::regclass::text like 'procrastinate%' and contype <> 'n' "
        "union select 'label ' || enumtypid::regtype || ' ' || enumlabel from pg_enum"
    )
    with empty.engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(SchemaManager.get_schema())
        wanted = set(connection.scalars(catalogue))
    with server.engine.connect() as connection:
        assert set(connection.scalars(catalogue)) == wanted
