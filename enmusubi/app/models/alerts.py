"""New partners for entries and searches: what waits to be matched, what people look for, what they are told."""

import datetime
import uuid

from sqlalchemy import CheckConstraint, Date, Double, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, set_now
from enmusubi.app.models.entries import Need, Seed
from enmusubi.app.models.matches import Match
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import AlertFrequency, Language, Stopped


class ToMatch(Base):
    """An entry that has become open, or whose text has changed, and is to be matched; a trigger adds it."""

    __tablename__ = "to_match"
    __table_args__ = (CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name="entry"),)
    id: Mapped[int] = new_key()
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), unique=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), unique=True)
    queued: Mapped[datetime.datetime] = set_now()
    # How often it failed: it makes room for others, and is given up in the end.
    tries: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))


class SavedSearch(Base):
    """What a person looks for, again and again. Its text is the person's alone, and no vector of it is kept."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        CheckConstraint("against IN ('seeds', 'needs')", name="against"),
        one_of("language", Language, "language"),
        one_of("frequency", AlertFrequency, "frequency"),
        CheckConstraint("trl_min BETWEEN 1 AND 9", name="trl_min"),
        CheckConstraint("trl_max BETWEEN 1 AND 9", name="trl_max"),
        CheckConstraint("floor BETWEEN 0 AND 1", name="floor"),
        Index("ix_saved_searches_page", "account_id", "created", "public_id"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    against: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    field: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    trl_min: Mapped[int | None] = mapped_column(SmallInteger)
    trl_max: Mapped[int | None] = mapped_column(SmallInteger)
    floor: Mapped[float | None] = mapped_column(Double)
    frequency: Mapped[str] = mapped_column(Text, default=AlertFrequency.DAILY)
    last_run: Mapped[datetime.datetime | None]
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = set_now()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form


class AlertSettings(Base):
    """When a person is told of new partners of entries; no row: once a day."""

    __tablename__ = "alert_settings"
    __table_args__ = (one_of("frequency", AlertFrequency, "frequency"),)
    account_id: Mapped[int] = mapped_column(
        ForeignKey(Account.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    frequency: Mapped[str] = mapped_column(Text, default=AlertFrequency.DAILY)
    # The last day, in Japan, of a digest.
    digested_on: Mapped[datetime.date | None] = mapped_column(Date)


class Alert(Base):
    """Something new that a person is told of, once: a match, or what a saved search found."""

    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN saved_search_id IS NULL THEN match_id IS NOT NULL AND num_nonnulls(seed_id, need_id) = 0 "
            "ELSE match_id IS NULL AND num_nonnulls(seed_id, need_id) = 1 END",
            name="found",
        ),
        Index("uq_alerts_match", "account_id", "match_id", unique=True),
        Index("uq_alerts_seed", "saved_search_id", "seed_id", unique=True),
        Index("uq_alerts_need", "saved_search_id", "need_id", unique=True),
        Index("ix_alerts_page", "account_id", "created", "public_id"),
        Index("ix_alerts_waiting", "account_id", postgresql_where=text("sent IS NULL AND dropped IS NULL")),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    match_id: Mapped[int | None] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    saved_search_id: Mapped[int | None] = mapped_column(ForeignKey(SavedSearch.id, ondelete="CASCADE"))
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), index=True)
    created: Mapped[datetime.datetime] = set_now()
    sent: Mapped[datetime.datetime | None]
    # No longer to be told: closed, hidden or turned down before its turn came.
    dropped: Mapped[datetime.datetime | None]

    match: Mapped[Match | None] = relationship(lazy="raise")
    saved_search: Mapped[SavedSearch | None] = relationship(lazy="raise")
    seed: Mapped[Seed | None] = relationship(lazy="raise")
    need: Mapped[Need | None] = relationship(lazy="raise")


class AlertStop(Base):
    """A link in a letter that stops what it tells of; only its hash is kept."""

    __tablename__ = "alert_stops"
    __table_args__ = (
        one_of("stops", Stopped, "stops"),
        CheckConstraint("(stops = 'search') = (saved_search_id IS NOT NULL)", name="search"),
        {"implicit_returning": False},
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"), index=True)
    stops: Mapped[str] = mapped_column(Text)
    saved_search_id: Mapped[int | None] = mapped_column(ForeignKey(SavedSearch.id, ondelete="CASCADE"), index=True)
    created: Mapped[datetime.datetime] = set_now()
    used: Mapped[datetime.datetime | None]
