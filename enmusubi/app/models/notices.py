"""What people are to be told: the outbox of notices, their deliveries, and the webhooks that take them."""

import datetime
import uuid
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, quoted, set_now
from enmusubi.app.models.entries import Need, Seed
from enmusubi.app.models.matches import Match
from enmusubi.app.models.organisations import Cluster, Organisation
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import Audience, Channel, DeliveryState, NoticeKind


class Notice(Base):
    """Something to be told to an audience, written in the transaction of what it tells of.

    Its facts are for every reader: no confidential text, and nothing of who stands on the other side.
    """

    __tablename__ = "notices"
    __table_args__ = (
        one_of("kind", NoticeKind, "kind"),
        one_of("audience", Audience, "audience"),
        CheckConstraint("audience <> 'account' OR account_id IS NOT NULL", name="account"),
        CheckConstraint("audience <> 'need_side' OR num_nonnulls(need_id, match_id) > 0", name="need_side"),
        CheckConstraint("audience <> 'seed_side' OR num_nonnulls(seed_id, match_id) > 0", name="seed_side"),
        Index("ix_notices_undispatched", "id", postgresql_where=text("dispatched IS NULL")),
        # Who causes a notice may not read it back.
        {"implicit_returning": False},
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    kind: Mapped[str] = mapped_column(Text)
    audience: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id), index=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), index=True)
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    match_id: Mapped[int | None] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    created: Mapped[datetime.datetime] = set_now()
    # When its deliveries were written down.
    dispatched: Mapped[datetime.datetime | None]

    need: Mapped[Need | None] = relationship(lazy="raise")
    seed: Mapped[Seed | None] = relationship(lazy="raise")
    match: Mapped[Match | None] = relationship(lazy="raise")


class WebhookEndpoint(Base):
    """An address of an organisation, or of those who run a cluster, that takes notices as signed requests.

    The secret is what signatures are made with, so it is kept as it is; rows are hidden from all but those they are of.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        ForeignKeyConstraint(["cluster_id", "organisation_id"], [Organisation.cluster_id, Organisation.id]),
        CheckConstraint(f"events <@ ARRAY[{quoted(NoticeKind)}]", name="events"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    # NULL: of the cluster's coordinators and administrators.
    organisation_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    created_by_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    url: Mapped[str] = mapped_column(Text)
    # No kind named: every kind.
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    secret: Mapped[str] = mapped_column(Text, deferred=True, deferred_group="secret")
    # Signs too for a while after a change, so that the receiver has time to follow.
    former_secret: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_group="secret")
    rotated: Mapped[datetime.datetime | None]
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    # Since when every attempt has failed; NULL while it works.
    failing_since: Mapped[datetime.datetime | None]
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = set_now()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form


class Delivery(Base):
    """A notice on its way to one reader; its public id is the letter's Message-ID or the webhook's id."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("channel", Channel, "channel"),
        one_of("state", DeliveryState, "state"),
        CheckConstraint(
            "CASE channel WHEN 'email' THEN account_id IS NOT NULL AND endpoint_id IS NULL "
            "ELSE endpoint_id IS NOT NULL AND account_id IS NULL END",
            name="reader",
        ),
        Index("uq_deliveries_account", "notice_id", "account_id", unique=True),
        Index("uq_deliveries_endpoint", "notice_id", "endpoint_id", unique=True),
        Index("ix_deliveries_page", "account_id", "created", "public_id"),
        Index("ix_deliveries_waiting", "next_attempt", postgresql_where=text("state = 'waiting'")),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    notice_id: Mapped[int] = mapped_column(ForeignKey(Notice.id, ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey(WebhookEndpoint.id, ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(Text, default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    next_attempt: Mapped[datetime.datetime] = set_now()
    # What kind of thing went wrong, never what a server said.
    last_error: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime.datetime] = set_now()
    sent: Mapped[datetime.datetime | None]
    read: Mapped[datetime.datetime | None]

    notice: Mapped[Notice] = relationship(lazy="raise")
