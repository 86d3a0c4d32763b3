"""The service's role has exactly what the table of grants says, and nothing else has anything."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from enmusubi.app import grants, migrating
from enmusubi.app.config import Settings
from enmusubi.app.database import Base, Database, ServiceRole, connect, connect_for_service
from enmusubi.app.embedded import OWNER, SERVICE, SUPERUSER
from enmusubi.app.errors import ConfigurationError
from tests.databases import a_database, as_superuser, drop, settings_for, url_of


def _tables(connection: Connection, grantee: str) -> dict[str, set[str]]:
    """The privileges of a role (or of everybody) by table, as the database has them."""
    query = text(
        "select relname::text, a.privilege_type from pg_class, aclexplode(relacl) as a "
        "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S') "
        "and a.grantee = coalesce((select oid from pg_roles where rolname = :grantee), 0)"
    )
    found: dict[str, set[str]] = {}
    for table, privilege in connection.execute(query, {"grantee": grantee}):
        found.setdefault(table, set()).add(privilege)
    return found


def _functions(connection: Connection, role: str) -> set[str]:
    query = text(
        "select proname::text from pg_proc where pronamespace = 'public'::regnamespace "
        "and has_function_privilege(:role, oid, 'execute')"
    )
    return set(connection.scalars(query, {"role": role}))


def test_every_table_of_the_models_has_its_line() -> None:
    """A new table is decided upon before the service can touch it."""
    assert set(Base.metadata.tables) - set(grants.TABLES) == set()


def test_the_database_has_what_the_table_says(server: Database) -> None:
    """Each privilege, and no other; everybody has none."""
    with server.engine.connect() as connection:
        here = text("select relname::text from pg_class where relnamespace = 'public'::regnamespace")
        present = set(connection.scalars(here))
        expected = {
            table: set(privileges) for table, privileges in grants.TABLES.items() if privileges and table in present
        }
        expected |= {sequence: {"USAGE"} for sequence in grants.SEQUENCES}
        assert _tables(connection, SERVICE) == expected
        assert _tables(connection, "public") == {}


def test_every_function_is_decided_upon(server: Database) -> None:
    """The service may call what is listed; what else there is belongs to triggers."""
    with server.engine.connect() as connection:
        others = set(
            connection.scalars(
                text(
                    "select proname::text from pg_proc where pronamespace = 'public'::regnamespace "
                    "and prorettype <> 'trigger'::regtype"
                )
            )
        )
        assert others == grants.FUNCTIONS | grants.OWNERS
        assert _functions(connection, SERVICE) == grants.FUNCTIONS


def test_nobody_else_may_connect_or_make_tables(server: Database) -> None:
    """What everybody may do is taken back."""
    with as_superuser(server) as connection:
        connection.execute(text("create role enmusubi_stranger"))
        try:
            for database in ("postgres", "template1"):
                asked = text("select has_database_privilege('enmusubi_stranger', :name, 'connect')")
                assert connection.scalar(asked, {"name": database}) is False
            assert (
                connection.scalar(text("select has_schema_privilege('enmusubi_stranger', 'public', 'create')")) is False
            )
        finally:
            connection.execute(text("drop role enmusubi_stranger"))


def test_what_is_no_more_listed_is_taken_back(committed: Database) -> None:
    """Migrating again mends what somebody has given by hand, column by column too."""
    with committed.engine.begin() as connection:
        before = _tables(connection, SERVICE)
        connection.execute(text(f"grant delete, truncate on seeds to {SERVICE}"))
        connection.execute(text(f"grant update (name) on clusters to {SERVICE}"))
        connection.execute(text("grant select on need_details to public"))
        connection.execute(text(f"grant execute on function enmusubi_stamp_change() to {SERVICE}"))
    migrating.upgrade(committed)
    with committed.engine.connect() as connection:
        assert _tables(connection, SERVICE) == before
        assert _tables(connection, "public") == {}
        assert _functions(connection, SERVICE) == grants.FUNCTIONS
        left = connection.scalar(text(f"select has_any_column_privilege('{SERVICE}', 'clusters', 'update')"))
        assert left is False


def test_the_service_writes_rows_without_privileges_of_sequences(committed: Database, server: Database) -> None:
    """Keys are identities; it reads clusters and changes none, and what it writes is its caller's cluster's."""
    with committed.engine.begin() as connection:
        connection.execute(text("insert into clusters (public_id, name) values (gen_random_uuid(), 'C')"))
    engine = create_engine(url_of(server, SERVICE, committed.engine.url.database))
    with engine.begin() as connection:
        connection.execute(
            text(
                "select set_config('enmusubi.role', 'coordinator', true), "
                "set_config('enmusubi.cluster', id::text, true) from clusters"
            )
        )
        connection.execute(
            text(
                "insert into organisations (public_id, cluster_id, name, name_key, kind, version) "
                "select gen_random_uuid(), id, 'O', 'o', 'company', 1 from clusters"
            )
        )
    for refused in ("delete from organisations", "update clusters set name = 'D'", "drop table passages"):
        with engine.connect() as connection, pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            connection.execute(text(refused))
    engine.dispose()


def test_extensions_are_left_alone(committed: Database, server: Database) -> None:
    """An operator that is a superuser takes nothing from what an extension lets everybody do."""
    engine = create_engine(url_of(server, SUPERUSER, committed.engine.url.database))
    with engine.begin() as connection:
        connection.execute(text("create extension vector schema public"))
        grants.apply(connection, committed.service)
        query = text("select has_function_privilege(:role, 'l2_distance(vector, vector)', 'execute')")
        assert connection.scalar(query, {"role": SERVICE}) is True
        query = text("select has_function_privilege(:role, 'enmusubi_stamp_change()', 'execute')")
        assert connection.scalar(query, {"role": SERVICE}) is False
    engine.dispose()


@pytest.fixture
def operated(server: Database, settings: Settings) -> Iterator[Settings]:
    """Settings of a server of one's own, whose operator may make roles; the service's role is not there yet."""
    url = make_url(a_database(server)).set(username="enmusubi_operator", password="operator")
    with as_superuser(server) as connection:
        connection.execute(text("create role enmusubi_operator login createrole password 'operator'"))
        connection.execute(text(f'alter database "{url.database}" owner to enmusubi_operator'))
    service = url.set(username="enmusubi_own_service", password="hush'hush")
    yield settings.model_copy(
        update={
            "operator_database_url": SecretStr(url.render_as_string(hide_password=False)),
            "database_url": SecretStr(service.render_as_string(hide_password=False)),
        }
    )
    drop(server, url.render_as_string(hide_password=False))
    with as_superuser(server) as connection:
        connection.execute(text("drop role if exists enmusubi_own_service"))
        connection.execute(text("drop role if exists enmusubi_operator"))


def test_migrate_makes_the_services_role(operated: Settings) -> None:
    """With the password of its URL, able to bypass nothing; a second run changes nothing."""
    with connect(operated) as database:
        for _ in range(2):
            migrating.upgrade(database)
    with connect_for_service(operated) as service, service.engine.connect() as connection:
        assert connection.scalar(text("select current_user")) == "enmusubi_own_service"
        assert migrating.present(service) == migrating.newest()
        grants.check_fit(connection, allow_owner=False)
        assert set(_tables(connection, "enmusubi_own_service")) <= {*grants.TABLES, *grants.SEQUENCES}


def test_an_operator_that_makes_no_roles_is_told_the_statement(operated: Settings, server: Database) -> None:
    """Without the password, and the database stays as it was."""
    with as_superuser(server) as connection:
        connection.execute(text("alter role enmusubi_operator nocreaterole"))
    with connect(operated) as database:
        with pytest.raises(ConfigurationError, match='create role "enmusubi_own_service" login nosuperuser') as told:
            migrating.upgrade(database)
        assert "hush" not in str(told.value)
        assert migrating.present(database) is None


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ("superuser", "is a superuser"),
        ("bypassrls", "may bypass"),
        ("createrole", "may make roles"),
        (None, "owns the tables"),
    ],
)
def test_a_role_that_could_bypass_is_unfit(server: Database, right: str | None, told: str) -> None:
    """Each way around row-level security is named, with the fix."""
    with as_superuser(server) as connection:
        connection.execute(text(f"create role enmusubi_unfit {right or ''}"))
        try:
            if right is None:
                connection.execute(text(f"grant {OWNER} to enmusubi_unfit with inherit false, set true"))
            found = grants.unfitness(connection, "enmusubi_unfit")
        finally:
            connection.execute(text("drop role enmusubi_unfit"))
    assert found is not None
    assert told in found
    assert "ENMUSUBI_OPERATOR_DATABASE_URL" in found


def test_migrate_refuses_an_unfit_role(committed: Database, server: Database) -> None:
    """The owner under another variable is no service."""
    committed.service = ServiceRole(OWNER)
    with pytest.raises(ConfigurationError, match="owns the tables"):
        migrating.upgrade(committed)


def test_the_service_is_fit(committed: Database, server: Database, settings: Settings) -> None:
    """The embedded server's role passes the check that the service makes."""
    url = url_of(server, OWNER, committed.engine.url.database)
    with (
        connect_for_service(settings_for(server, url, settings)) as service,
        service.engine.connect() as connection,
    ):
        assert grants.unfitness(connection) is None


@pytest.mark.parametrize("settings_given", [{"operator_database_url": SecretStr("postgresql://x@127.0.0.1/x")}])
def test_an_operator_without_a_service_is_told(settings: Settings, settings_given: dict[str, SecretStr]) -> None:
    """The embedded server is not meant where one URL is set."""
    for reach in (connect, connect_for_service):
        with pytest.raises(ConfigurationError, match="ENMUSUBI_DATABASE_URL is not"):
            reach(settings.model_copy(update=settings_given))


def test_two_databases_are_told(settings: Settings) -> None:
    """Commands and service are to work on one."""
    both = settings.model_copy(
        update={
            "operator_database_url": SecretStr("postgresql://o@127.0.0.1/one"),
            "database_url": SecretStr("postgresql://s@127.0.0.1/two"),
        }
    )
    with pytest.raises(ConfigurationError, match="different databases"):
        connect(both)
