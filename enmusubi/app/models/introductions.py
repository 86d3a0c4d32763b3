"""Introductions: what happened to a match, who is waited for, what was disclosed and what came of it."""

import datetime
import uuid
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, set_now
from enmusubi.app.models.matches import Match
from enmusubi.app.models.organisations import Cluster, Organisation
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import Awaited, InterestAnswer, MatchStatus, OutcomeKind, ReasonCode, Side, Step


class MatchStep(Base):
    """One step of a match: when, whose, from which status to which, and why. Never changed afterwards."""

    __tablename__ = "match_steps"
    __table_args__ = (
        one_of("step", Step, "step"),
        one_of("before", MatchStatus, "before"),
        one_of("after", MatchStatus, "after"),
        one_of("side", Side, "side"),
        one_of("reason", ReasonCode, "reason"),
        Index("ix_match_steps_page", "match_id", "id"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"))
    # The match's: whose coordinators read all of its steps.
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    step: Mapped[str] = mapped_column(Text)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    # Whose step it was: of one of the two sides, or the cluster's (its coordinators, or its clock).
    side: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    # To everybody who sees the step, the other side included.
    message: Mapped[str | None] = mapped_column(Text)
    # Of the step: who was waited for, the day of a meeting; nothing confidential.
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    taken: Mapped[datetime.datetime] = set_now()

    actor: Mapped["StepActor | None"] = relationship(lazy="raise", uselist=False)


class StepActor(Base):
    """Who took a step, and what they noted: for their own organisation and the coordinators. The clock leaves none.

    Apart from the step, which the other side reads. `veiled` is the step of a company that stays anonymous, also to
    cluster administrators and auditors.
    """

    __tablename__ = "step_actors"
    step_id: Mapped[int] = mapped_column(
        ForeignKey(MatchStep.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id), index=True)
    veiled: Mapped[bool] = mapped_column(Boolean)
    # Never to the other side.
    note: Mapped[str | None] = mapped_column(Text)

    # None where it is of another cluster than the reader's, whose people are not his to read.
    account: Mapped[Account | None] = relationship(lazy="raise")


class Interest(Base):
    """What one side of a match answered to being introduced, for itself and those who oversee; no row: not asked."""

    __tablename__ = "interests"
    __table_args__ = (
        UniqueConstraint("match_id", "side"),
        CheckConstraint("side IN ('need', 'seed')", name="side"),
        one_of("answer", InterestAnswer, "answer"),
        one_of("reason", ReasonCode, "reason"),
        CheckConstraint("answer <> 'no' OR reason IS NOT NULL", name="refusal_reason"),
    )
    id: Mapped[int] = new_key()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"))
    side: Mapped[str] = mapped_column(Text)
    asked: Mapped[datetime.datetime] = set_now()
    # waiting, yes, no or none
    answer: Mapped[str] = mapped_column(Text)
    answered: Mapped[datetime.datetime | None] = mapped_column()
    reason: Mapped[str | None] = mapped_column(Text)
    # What this side agrees to disclose, beyond who it is: names of fields of its confidential part.
    discloses: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))


class Wait(Base):
    """A step of a match that somebody is waited for, until when, and what was done about it since."""

    __tablename__ = "waits"
    __table_args__ = (
        one_of("awaited", Awaited, "awaited"),
        one_of("side", Side, "side"),
        one_of("acts", Side, "acts"),
        Index("uq_waits_open", "match_id", "side", "awaited", unique=True, postgresql_where=text("ended IS NULL")),
        # The queue of a cluster, by what is due first.
        Index("ix_waits_due", "cluster_id", "acts", "due_on", "public_id", postgresql_where=text("ended IS NULL")),
        # What one side is waited for, and what a coordinator handles.
        Index("ix_waits_side", "cluster_id", "side", "due_on", postgresql_where=text("ended IS NULL")),
        Index("ix_waits_handled", "coordinator_id", postgresql_where=text("ended IS NULL")),
        # What was raised to the administrators.
        Index(
            "ix_waits_raised",
            "cluster_id",
            "due_on",
            "public_id",
            postgresql_where=text("ended IS NULL AND raised IS NOT NULL"),
        ),
        # What the clock has to look at.
        Index("ix_waits_next", "next_on", "id", postgresql_where=text("ended IS NULL")),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    awaited: Mapped[str] = mapped_column(Text)
    # Whose step it is that is waited for: of one of the two sides, or of the cluster's coordinator.
    side: Mapped[str] = mapped_column(Text)
    # Who is to take it: the same, but the coordinator for an entry of no organisation.
    acts: Mapped[str] = mapped_column(Text)
    # The match's coordinator, kept by triggers while it is open: a queue is read without a look at every match.
    coordinator_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    since: Mapped[datetime.datetime] = set_now()
    due_on: Mapped[datetime.date] = mapped_column(Date)
    # The day from which the clock does the next thing about it; NULL: nothing more.
    next_on: Mapped[datetime.date | None] = mapped_column(Date)
    # Before the last day; after it.
    warned: Mapped[datetime.datetime | None] = mapped_column()
    reminded: Mapped[datetime.datetime | None] = mapped_column()
    # To the coordinator; to the cluster's administrators.
    escalated: Mapped[datetime.datetime | None] = mapped_column()
    raised: Mapped[datetime.datetime | None] = mapped_column()
    ended: Mapped[datetime.datetime | None] = mapped_column()

    match: Mapped[Match] = relationship(lazy="raise")


class Disclosure(Base):
    """What was told to one side of the other at a disclosure, word for word. Never changed afterwards."""

    __tablename__ = "disclosures"
    __table_args__ = (CheckConstraint("told IN ('need', 'seed')", name="told"),)
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    # The side that was told.
    told: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    disclosed: Mapped[datetime.datetime] = set_now()


class Outcome(Base):
    """What came of a match: joint research, a licence, ...; a match may have several."""

    __tablename__ = "outcomes"
    __table_args__ = (
        one_of("kind", OutcomeKind, "kind"),
        CheckConstraint("amount_yen >= 0", name="amount_yen"),
        CheckConstraint("ends_on >= starts_on", name="ends_on"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    # Received by the university side: 受入額 of research, income of a licence.
    amount_yen: Mapped[int | None] = mapped_column(BigInteger)
    agreed_on: Mapped[datetime.date] = mapped_column(Date)
    starts_on: Mapped[datetime.date | None] = mapped_column(Date)
    ends_on: Mapped[datetime.date | None] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Text)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    created: Mapped[datetime.datetime] = set_now()

    match: Mapped[Match] = relationship(lazy="raise")
