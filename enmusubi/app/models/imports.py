"""Files of entries that were posted, to be read into the catalogue in the background."""

import datetime
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, set_now
from enmusubi.app.models.organisations import Cluster
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import ImportKind, ImportState, RowOutcome


class Import(Base):
    """A posted file of seeds or needs, how far it was read, and what became of its rows."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("kind", ImportKind, "kind"),
        one_of("state", ImportState, "state"),
        # What the file says is kept no longer than it is needed: it may hold confidential parts.
        CheckConstraint(
            "(state IN ('checking', 'mapping', 'queued', 'running')) = (content IS NOT NULL)", name="content"
        ),
        Index("ix_imports_page", "account_id", "created", "public_id"),
        Index("ix_imports_open", "id", postgresql_where=text("state IN ('checking', 'queued', 'running')")),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    kind: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    state: Mapped[str] = mapped_column(Text, default=ImportState.QUEUED)
    # The sheet, and by heading the field that each column fills; empty where that is found out while it is read.
    layout: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    # What a look through it found, until it is decided: it quotes the file.
    checked: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    # The rows that were not taken, as a file to mend.
    mend: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    # How often it was begun: a file that ends its process each time is given up.
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    # Batches of rows that are committed; the counts below are of these.
    batches: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    total: Mapped[int | None] = mapped_column(Integer)
    read: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    new: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    changed: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    unchanged: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    rejected: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    waiting: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    # Of the rows of committed batches that could be read and were refused.
    refused: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    problems_found: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    headings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    notes: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    # Lines of anonymous needs whose public text surely tells whose they are.
    identifying: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    # Why the file as a whole could not be read.
    fault: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime.datetime] = set_now()
    started: Mapped[datetime.datetime | None]
    finished: Mapped[datetime.datetime | None]


class ImportRow(Base):
    """What became of one row that was taken: the entry that it is now."""

    __tablename__ = "import_rows"
    __table_args__ = (one_of("outcome", RowOutcome, "outcome"),)
    import_id: Mapped[int] = mapped_column(ForeignKey(Import.id, ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    outcome: Mapped[str] = mapped_column(Text)
    entry: Mapped[uuid.UUID]
