"""Alembic's environment: runs on a connection that the caller hands over."""

from alembic import context
from sqlalchemy import Connection, text

from enmusubi.app import models  # noqa: F401 the tables register themselves
from enmusubi.app.database import Base

# A migration that waits for a lock would block every writer behind it, so it gives up and can be run again.
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "15min"


def run(connection: Connection) -> None:
    """Run the migrations that the caller asked for, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=False,
        # The job queue's tables are the library's, and no models of ours.
        include_name=lambda name, kind, parents: kind != "table" or not str(name).startswith("procrastinate_"),
    )
    with context.begin_transaction():
        connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"set local statement_timeout = '{STATEMENT_TIMEOUT}'"))
        # Two processes that migrate at once take turns.
        connection.execute(text("select pg_advisory_xact_lock(7301, 1)"))
        context.run_migrations()


run(context.config.attributes["connection"])
