"""Seeds and needs: their public rows, and apart from these what is confidential in them.

The public row of a need names its owner only where the need is not anonymous.
"""

import datetime
import uuid
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, set_now, string_list
from enmusubi.app.models.organisations import Cluster, Organisation
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import EntryStatus, PublicationVerdict


class _ProfileColumns:
    """What a seed and a need have in common, the stored embedding included."""

    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    source: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    source_digest: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    reference: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    translation_title: Mapped[str | None] = mapped_column(Text)
    translation_summary: Mapped[str | None] = mapped_column(Text)
    applications: Mapped[str | None] = mapped_column(Text)
    technology_keywords: Mapped[list[str]] = string_list()
    market_keywords: Mapped[list[str]] = string_list()
    field_codes: Mapped[list[str]] = string_list()
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list, server_default=text("'{}'"))
    regions: Mapped[list[str]] = string_list()
    language: Mapped[str | None] = mapped_column(Text)
    expires_on: Mapped[datetime.date] = mapped_column(Date)
    open_for_interest: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    status: Mapped[str] = mapped_column(Text)
    # Whether it ever was more than a draft: what was not stays its owner's, withdrawn or not.
    submitted: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    # The day it was published first, by its owner or by who reviewed it; to a moment it would join needs to each other.
    published_on: Mapped[datetime.date | None] = mapped_column(Date)
    # Whether its public text was revised since somebody reviewed it.
    review_due: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    # When its owner was told that its last day is near; NULL again once that day is moved.
    expiry_noticed_on: Mapped[datetime.date | None] = mapped_column(Date)
    search_text: Mapped[str] = mapped_column(Text, deferred=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = set_now()
    last_modified: Mapped[datetime.datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    # NULL until embedded, and again as soon as the matched text changes.
    embedding: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group="embedding")
    embedding_key: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group="embedding")
    embedding_encoder: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_group="embedding")
    # What the lexical side is built from: the terms, joined by single spaces, what made them, and the text's language.
    terms: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_group="embedding")
    terms_analysis: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_group="embedding")
    text_language: Mapped[str | None] = mapped_column(Text, deferred=True, deferred_group="embedding")
    # Set by a trigger to the writing transaction's id: what a snapshot's watermark is compared with.
    changed_xid: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), index=True, deferred=True)

    @declared_attr
    def cluster_id(cls) -> Mapped[int]:  # noqa: N805
        """The cluster the entry belongs to."""
        return mapped_column(ForeignKey(Cluster.id))

    @declared_attr
    def organisation_id(cls) -> Mapped[int | None]:  # noqa: N805
        """The owner that readers see."""
        return mapped_column(ForeignKey(Organisation.id), index=True)

    @declared_attr
    def organisation(cls) -> Mapped[Organisation | None]:  # noqa: N805
        """The owner that readers see."""
        return relationship(Organisation, lazy="raise")

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


def _profile_constraints(table: str) -> tuple[Any, ...]:
    return (
        # Apart for what nobody but its owner sees: a taken id must not tell others that it is there.
        Index(
            f"uq_{table}_external_id",
            "cluster_id",
            "source",
            "external_id",
            text("(submitted AND status <> 'draft')"),
            unique=True,
        ),
        one_of("status", EntryStatus, "status"),
        # The order of lists. Without the cluster: which others' entries one sees is no condition on a column.
        Index(f"ix_{table}_newest", "created", "public_id"),
        # What the clock looks for every day.
        Index(f"ix_{table}_expiry", "expires_on", postgresql_where=text("status IN ('published', 'on_hold')")),
        Index(
            f"ix_{table}_waiting", "cluster_id", "created", "public_id",
            postgresql_where=text("status = 'under_review' OR review_due"),
        ),
    )  # fmt: skip


class Seed(_ProfileColumns, Base):
    """A technology seed."""

    __tablename__ = "seeds"
    __table_args__ = (
        *_profile_constraints("seeds"),
        CheckConstraint("trl BETWEEN 1 AND 9", name="trl"),
    )
    description: Mapped[str | None] = mapped_column(Text)
    advantages: Mapped[str | None] = mapped_column(Text)
    open_challenges: Mapped[str | None] = mapped_column(Text)
    expected_partner: Mapped[str | None] = mapped_column(Text)
    trl: Mapped[int | None] = mapped_column(SmallInteger)
    stage: Mapped[str | None] = mapped_column(Text)
    ipr_status: Mapped[str | None] = mapped_column(Text)
    ipr_numbers: Mapped[list[str]] = string_list()
    licensable: Mapped[bool | None] = mapped_column(Boolean)
    transferable: Mapped[bool | None] = mapped_column(Boolean)
    # Whose words were submitted last: anybody else may review them.
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    researchers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))

    detail: Mapped["SeedDetail | None"] = relationship(
        cascade="all, delete-orphan", lazy="raise", single_parent=True, uselist=False
    )
    openings: Mapped[list["SeedOpening"]] = relationship(cascade="all, delete-orphan", lazy="raise")


class SeedDetail(Base):
    """What only the seed's own organisation and the coordinators of its cluster read; no row where there is nothing."""

    __tablename__ = "seed_details"
    seed_id: Mapped[int] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), primary_key=True)
    unpublished: Mapped[str | None] = mapped_column(Text)
    filing_expected_on: Mapped[datetime.date | None] = mapped_column(Date)


class Need(_ProfileColumns, Base):
    """The public summary of a company's need."""

    __tablename__ = "needs"
    __table_args__ = (
        *_profile_constraints("needs"),
        CheckConstraint("wanted_trl BETWEEN 1 AND 9", name="wanted_trl"),
        CheckConstraint("NOT (anonymous AND organisation_id IS NOT NULL)", name="anonymous_owner"),
        # A new need is nobody's until its detail is there: its company could not read it back.
        {"implicit_returning": False},
    )
    expertise_sought: Mapped[str | None] = mapped_column(Text)
    wanted_trl: Mapped[int | None] = mapped_column(SmallInteger)
    cooperation: Mapped[list[str]] = string_list()
    region_preference: Mapped[list[str]] = string_list()
    deadline: Mapped[datetime.date | None] = mapped_column(Date)
    # Vectors of the parts of a long need, one after the other; empty for a short one.
    embedding_parts: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_group="embedding")
    anonymous: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))

    detail: Mapped["NeedDetail"] = relationship(
        back_populates="need", cascade="all, delete-orphan", lazy="raise", single_parent=True
    )
    openings: Mapped[list["NeedOpening"]] = relationship(cascade="all, delete-orphan", lazy="raise")


class NeedDetail(Base):
    """What only the need's own organisation and the coordinators of its cluster read."""

    __tablename__ = "need_details"
    need_id: Mapped[int] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id), index=True)
    description: Mapped[str | None] = mapped_column(Text)
    requirements: Mapped[str | None] = mapped_column(Text)
    constraints: Mapped[str | None] = mapped_column(Text)
    budget_yen: Mapped[int | None] = mapped_column(BigInteger)
    # Whose words were submitted last: anybody else may review them. Here, since it tells whose need it is.
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))

    need: Mapped[Need] = relationship(back_populates="detail", lazy="raise")
    owner: Mapped[Organisation | None] = relationship(lazy="raise")
    exclusions: Mapped[list["NeedExclusion"]] = relationship(
        cascade="all, delete-orphan", lazy="raise", order_by="NeedExclusion.id"
    )


class NeedExclusion(Base):
    """An organisation that a need must never be proposed to: registered already, or known by name only."""

    __tablename__ = "need_exclusions"
    id: Mapped[int] = new_key()
    need_id: Mapped[int] = mapped_column(ForeignKey(NeedDetail.need_id, ondelete="CASCADE"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id))
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)


class SeedOpening(Base):
    """Another cluster that may see a seed."""

    __tablename__ = "seed_openings"
    seed_id: Mapped[int] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), primary_key=True)
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), primary_key=True, index=True)
    cluster: Mapped[Cluster] = relationship(lazy="raise")


class NeedOpening(Base):
    """Another cluster whose universities and coordinators may see a need."""

    __tablename__ = "need_openings"
    need_id: Mapped[int] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), primary_key=True)
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), primary_key=True, index=True)
    cluster: Mapped[Cluster] = relationship(lazy="raise")


class EntryPassages(Base):
    """Vectors of the passages of one entry's public texts, so that its matches are explained at once.

    A table of its own: a write to the entry would count as a change of it. Holds no text, and can be computed again.
    """

    __tablename__ = "passages"
    __table_args__ = (CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name="entry"),)
    id: Mapped[int] = new_key()
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), unique=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), unique=True)
    # The version of the entry, and the encoder and rule of splitting, that they were looked at with last.
    entry_version: Mapped[int] = mapped_column(Integer)
    made_with: Mapped[str] = mapped_column(Text)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PublicationReview(Base):
    """What a second pair of eyes said of an entry before, or after, it was published; the reason is for its owner."""

    __tablename__ = "publication_reviews"
    __table_args__ = (
        CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name="entry"),
        one_of("verdict", PublicationVerdict, "verdict"),
        CheckConstraint("verdict <> 'reject' OR reason IS NOT NULL", name="rejection_reason"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    verdict: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    # Of the entry: what was read.
    entry_version: Mapped[int] = mapped_column(Integer)
    created: Mapped[datetime.datetime] = set_now()
