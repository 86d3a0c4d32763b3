"""The record of who saw and did what."""

import datetime
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key
from enmusubi.app.models.people import Account


class RecordActor(Base):
    """Under which pseudonym an account's deeds are recorded; deleted when its person is to be forgotten."""

    __tablename__ = "record_actors"
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), primary_key=True, autoincrement=False)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    actor: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)


class RecordEvent(Base):
    """Something that was done or looked at: written once, linked to the event before it by `record_chain`.

    What comes before `salt` is the link, and stays; the rest is removed when its time is over.
    """

    __tablename__ = "record_events"
    __table_args__ = (
        CheckConstraint(
            "action ~ '^[a-z][a-z_]{0,39}$' AND role ~ '^[a-z][a-z_]{0,39}$' AND "
            "(kind IS NULL OR kind ~ '^[a-z][a-z_]{0,39}$')",
            name="words",
        ),
        CheckConstraint(
            "num_nonnulls(salt, recorded, role, action, content) = 5 OR "
            "num_nonnulls(salt, recorded, cluster, role, actor, organisation, action, kind, object, content) = 0",
            name="whole",
        ),
        CheckConstraint("num_nonnulls(sequence, chained, previous, digest, hash) IN (0, 5)", name="link"),
        Index("ix_record_events_waiting", "id", postgresql_where=text("sequence IS NULL")),
        Index("ix_record_events_object", "object", "id"),
        Index("ix_record_events_cluster", "cluster", "sequence"),
    )
    id: Mapped[int] = new_key()
    sequence: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    chained: Mapped[datetime.datetime | None]
    previous: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded: Mapped[datetime.datetime | None]
    cluster: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    role: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    organisation: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    action: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    object: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    content: Mapped[str | None] = mapped_column(Text)
