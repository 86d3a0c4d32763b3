"""PostgreSQL: the declarative base, the engine, and the embedded server used when no URL is set."""

import datetime
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from pydantic import SecretStr
from sqlalchemy import URL, DateTime, Engine, MetaData, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from enmusubi.app.config import Settings
from enmusubi.app.embedded import OWNER, SERVICE, EmbeddedServer, start
from enmusubi.app.errors import ConfigurationError

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base: named constraints, times with zone."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime.datetime: DateTime(timezone=True)}  # noqa: RUF012 SQLAlchemy's own form


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """The role that the running service connects as, and its password for whoever makes it."""

    name: str
    password: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Database:
    """A PostgreSQL server that is reached, with its engine; `close` lets go of an embedded server.

    `service` is the service's role where that is another one than this engine's.
    """

    engine: Engine
    url: str = field(repr=False)
    embedded: EmbeddedServer | None = None
    service: ServiceRole | None = None

    def session(self) -> Session:
        """A new session; entries stay readable after commit."""
        return sessionmaker(self.engine, expire_on_commit=False)()

    def reading(self) -> Session:
        """A new session that only reads: each statement of its transaction sees what is committed by then."""
        return Session(self.engine.execution_options(postgresql_readonly=True), expire_on_commit=False)

    def beside(self, connections: int) -> "Database":
        """The same database over connections of its own, so that a worker takes none of those of requests."""
        return Database(engine=_engine(make_url(self.url), connections), url=self.url)

    def close(self) -> None:
        """Close all connections; the embedded server stops when its last user leaves."""
        self.engine.dispose()
        if self.embedded is not None:
            self.embedded.cleanup()
            self.embedded = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(settings: Settings) -> Database:
    """Reach the configured PostgreSQL as the owner of the tables, for commands; starts the embedded one if none is set.

    Raises ConfigurationError where a URL is not PostgreSQL's or the server cannot be started.
    """
    if settings.database_url is None:
        _refuse_operator_alone(settings)
        database = _embedded(settings, OWNER)
        database.service = ServiceRole(SERVICE)
        return database
    service = _url("ENMUSUBI_DATABASE_URL", settings.database_url)
    if settings.operator_database_url is None:
        return _database(settings, service)
    owner = _url("ENMUSUBI_OPERATOR_DATABASE_URL", settings.operator_database_url)
    if (owner.database or owner.username) != (service.database or service.username):
        raise ConfigurationError("ENMUSUBI_OPERATOR_DATABASE_URL and ENMUSUBI_DATABASE_URL name different databases")
    database = _database(settings, owner)
    if service.username and service.username != owner.username:
        database.service = ServiceRole(service.username, service.password)
    return database


def connect_for_service(settings: Settings) -> Database:
    """Reach it as the role that can bypass nothing, for the running service; otherwise as `connect`."""
    if settings.database_url is not None:
        return _database(settings, _url("ENMUSUBI_DATABASE_URL", settings.database_url))
    _refuse_operator_alone(settings)
    return _embedded(settings, SERVICE)


def _refuse_operator_alone(settings: Settings) -> None:
    if settings.operator_database_url is not None:
        raise ConfigurationError(
            "ENMUSUBI_OPERATOR_DATABASE_URL is set and ENMUSUBI_DATABASE_URL is not; set that to the service's role"
        )


def _embedded(settings: Settings, role: str) -> Database:
    server = start(settings.home.absolute() / "postgres")
    try:
        login = server.login(role)
    except BaseException:
        server.cleanup()
        raise
    url = URL.create(
        "postgresql",
        login.role,
        login.password,
        database=login.database,
        query={"host": str(login.sockets), "port": login.port},
    )
    database = _database(settings, url)
    database.embedded = server
    return database


def _url(variable: str, value: SecretStr) -> URL:
    try:
        url = make_url(value.get_secret_value())
    except Exception:
        # Not chained: what could not be read may hold a password.
        raise ConfigurationError(
            f"{variable} is not a URL; expected postgresql://user:password@host/database"
        ) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError(f"{variable} must be a postgresql:// URL: it is the only database")
    return url


def _database(settings: Settings, url: URL) -> Database:
    url = url.set(drivername="postgresql+psycopg")
    engine = _engine(url, settings.database_pool)
    return Database(engine=engine, url=url.render_as_string(hide_password=False))


def _engine(url: URL, connections: int) -> Engine:
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        hide_parameters=True,  # parameters hold confidential texts; no error or log shows them
        connect_args={"connect_timeout": 5, "application_name": "enmusubi"},
    )


def reachable(database: Database) -> bool:
    """Whether the server answers a trivial statement."""
    try:
        with database.engine.connect() as connection:
            connection.execute(text("select 1"))
    except OperationalError:
        return False
    return True


def identity(session: Session) -> str:
    """What tells this database from another one: the server's system identifier and the database's oid.

    A dump restored elsewhere has another identity, so a snapshot built from the old one is not taken for its.
    """
    row = session.execute(
        text(
            "select system_identifier::text || '/' || (select oid::text from pg_database "
            "where datname = current_database()) from pg_control_system()"
        )
    )
    return str(row.scalar_one())
