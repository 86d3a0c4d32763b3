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
from enmusubi.app.vocabulary import ImportKind, ImportState


class Import(Base):
    """A posted file of seeds or needs, how far it was read, and what became of its rows."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("kind", ImportKind, "kind"),
        one_of("state", ImportState, "state"),
        # What the file says is kept no longer than it is needed: it may hold confidential parts.
        CheckConstraint("(state IN ('queued', 'running')) = (content IS NOT NULL)", name="content"),
        Index("ix_imports_page", "account_id", "created", "public_id"),
        Index("ix_imports_open", "id", postgresql_where=text("state IN ('queued', 'running')")),
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
