"""Matches, the verdicts on them, and what was fitted to verdicts."""

import datetime
import uuid
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, set_now
from enmusubi.app.models.entries import Need, Seed
from enmusubi.app.models.organisations import Cluster
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import (
    FittingKind,
    MatchStatus,
    ReasonCode,
    Side,
    Verdict,
)

_INTRODUCED = "status NOT IN ('suggested', 'shortlisted', 'dismissed')"


class Match(Base):
    """A proposed pairing of a need and a seed, with its score and where that came from."""

    __tablename__ = "matches"
    __table_args__ = (
        UniqueConstraint("need_id", "seed_id"),
        one_of("status", MatchStatus, "status"),
        one_of("reopened_for", ReasonCode, "reopened_for"),
        CheckConstraint("asking IN ('need', 'seed')", name="asking"),
        # Every list begins with the cluster, and ends in the order in which it is shown.
        Index("ix_matches_page", "cluster_id", "created", "public_id"),
        Index("ix_matches_in_status", "cluster_id", "status", "created", "public_id"),
        Index("ix_matches_by_need", "cluster_id", "need_id", "score", "public_id"),
        Index("ix_matches_back", "cluster_id", "created", "public_id", postgresql_where=text("reopened IS NOT NULL")),
        Index("ix_matches_handled", "coordinator_id", "created", "public_id"),
        # What stays readable to both sides, whatever becomes of the entries.
        Index("ix_matches_of_seed", "seed_id", "need_id", postgresql_where=text(_INTRODUCED)),
        Index("ix_matches_of_need", "need_id", "seed_id", postgresql_where=text(_INTRODUCED)),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    need_id: Mapped[int] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"))
    seed_id: Mapped[int] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    # The need's cluster, which never changes: whose coordinators handle the match.
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    status: Mapped[str] = mapped_column(Text, default=MatchStatus.SUGGESTED)
    score: Mapped[float] = mapped_column(Double)
    parts: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSONB)
    # Which side asked: a score is that of an entry among those of the other side.
    asking: Mapped[str] = mapped_column(Text, default="need", server_default=text("'need'"))
    # Provenance: which index, model and policy ranked it. No snapshot means: scored exactly from stored vectors.
    snapshot: Mapped[str | None] = mapped_column(Text)
    # The other cluster whose index ranked it, for an account of that; NULL: the need's own.
    ranked_in: Mapped[int | None] = mapped_column(ForeignKey(Cluster.id))
    model: Mapped[str] = mapped_column(Text)
    revision: Mapped[str] = mapped_column(Text)
    precision: Mapped[str] = mapped_column(Text)
    policy: Mapped[str] = mapped_column(Text)
    # What was ranked: the versions of both entries, and whether the proposed one was newer than the snapshot.
    need_version: Mapped[int | None] = mapped_column(Integer)
    seed_version: Mapped[int | None] = mapped_column(Integer)
    fresh: Mapped[bool | None] = mapped_column(Boolean)
    # How probable it is that a coordinator finds it worth a look, its interval, and the calibration that says so.
    probability: Mapped[float | None] = mapped_column(Double)
    probability_low: Mapped[float | None] = mapped_column(Double)
    probability_high: Mapped[float | None] = mapped_column(Double)
    calibration: Mapped[str | None] = mapped_column(Text)
    # Whether all this is of a ranking for a company, which no need of the catalogue but the pair's own had a part in.
    needs_unknown: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    # How probable it was in the last such ranking of the need: all that its company is told, whoever has looked since.
    company_probability: Mapped[float | None] = mapped_column(Double)
    company_probability_low: Mapped[float | None] = mapped_column(Double)
    company_probability_high: Mapped[float | None] = mapped_column(Double)
    # The coordinator who handles it from its shortlisting on; NULL: any of the cluster's.
    coordinator_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    # Put together by a coordinator, not by the ranking.
    by_hand: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    # Declined once, and back in the queue since what it was declined for has changed: when, what for, what changed.
    reopened: Mapped[datetime.datetime | None] = mapped_column()
    reopened_for: Mapped[str | None] = mapped_column(Text)
    reopened_since: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = set_now()
    scored: Mapped[datetime.datetime] = set_now()

    need: Mapped[Need] = relationship(lazy="raise")
    seed: Mapped[Seed] = relationship(lazy="raise")
    reviews: Mapped[list["Review"]] = relationship(lazy="raise", order_by="Review.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form


class Review(Base):
    """A coordinator's verdict on a match."""

    __tablename__ = "reviews"
    __table_args__ = (
        one_of("verdict", Verdict, "verdict"),
        one_of("reason", ReasonCode, "reason"),
        CheckConstraint("verdict <> 'dismiss' OR reason IS NOT NULL", name="dismissal_reason"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    verdict: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime.datetime] = set_now()


class Decline(Base):
    """A "no" to a match: whose, why, and what both entries were like at that time. Reached by functions alone."""

    __tablename__ = "declines"
    __table_args__ = (
        one_of("refused_by", Side, "refused_by"),
        one_of("reason", ReasonCode, "reason"),
        Index("uq_declines_standing", "match_id", unique=True, postgresql_where=text("ended IS NULL")),
    )
    id: Mapped[int] = new_key()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    refused_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    noted: Mapped[datetime.datetime] = set_now()
    # Levels, rights and days, and of the public texts a digest.
    seed_then: Mapped[dict[str, Any]] = mapped_column(JSONB)
    need_then: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # No longer what counts: the pair is back, or another "no" has followed.
    ended: Mapped[datetime.datetime | None]
    # When the other side was told of it in a digest.
    digested: Mapped[datetime.datetime | None]


class Fitting(Base):
    """What was fitted to this installation's own reviews: a policy that ranks, or a calibration; kept by name."""

    __tablename__ = "fittings"
    __table_args__ = (
        one_of("kind", FittingKind, "kind"),
        Index("ix_fittings_in_use", "kind", unique=True, postgresql_where=text("in_use")),
    )
    id: Mapped[int] = new_key()
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, unique=True)
    content: Mapped[str] = mapped_column(Text)
    # Whose rankings were reviewed: those of another model are on another scale.
    model: Mapped[str] = mapped_column(Text)
    revision: Mapped[str] = mapped_column(Text)
    in_use: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    created: Mapped[datetime.datetime] = set_now()
