"""PostgreSQL: the declarative base, the engine, and the embedded server used when no URL is set."""

import datetime
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import DateTime, Engine, MetaData, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from enmusubi.app.config import Settings
from enmusubi.app.embedded import EmbeddedServer, start
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


@dataclass(slots=True)
class Database:
    """A PostgreSQL server that is reached, with its engine; `close` lets go of an embedded server."""

    engine: Engine
    url: str
    embedded: EmbeddedServer | None = None

    def session(self) -> Session:
        """A new session; entries stay readable after commit."""
        return sessionmaker(self.engine, expire_on_commit=False)()

    def reading(self) -> Session:
        """A new session that only reads: each statement of its transaction sees what is committed by then."""
        return Session(self.engine.execution_options(postgresql_readonly=True), expire_on_commit=False)

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
    """Reach the configured PostgreSQL, starting the embedded one if none is configured.

    Raises ConfigurationError where the URL is not PostgreSQL's or the server cannot be started.
    """
    if settings.database_url is None:
        embedded = start(settings.home.absolute() / "postgres")
        url = make_url(embedded.get_uri())
    else:
        embedded = None
        try:
            url = make_url(settings.database_url.get_secret_value())
        except Exception as error:
            raise ConfigurationError(
                "ENMUSUBI_DATABASE_URL is not a URL; expected postgresql://user:password@host/database"
            ) from error
        if url.get_backend_name() not in ("postgresql", "postgres"):
            raise ConfigurationError("ENMUSUBI_DATABASE_URL must be a postgresql:// URL: it is the only database")
    url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_size=settings.database_pool,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        hide_parameters=True,  # parameters hold confidential texts; no error or log shows them
        connect_args={"connect_timeout": 5, "application_name": "enmusubi"},
    )
    return Database(engine=engine, url=url.render_as_string(hide_password=False), embedded=embedded)


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
