"""The tables: clusters, organisations, people and how they sign in, seeds, needs, matches, reviews, the record.

What is confidential in a need lives in `need_details`, apart from the public row, its owner included: the
public row names the owner only when the need is not anonymous.
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
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.vocabulary import (
    EntryStatus,
    FittingKind,
    Language,
    MatchStatus,
    OrganisationKind,
    ReasonCode,
    Role,
    Scope,
    SignInMethod,
    Verdict,
)


def _quoted(values: type[Any]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _one_of(column: str, values: type[Any], name: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({_quoted(values)})", name=name)


def _key() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def _public_id() -> Mapped[uuid.UUID]:
    return mapped_column(Uuid, default=uuid.uuid4, unique=True)


def _strings() -> Mapped[list[str]]:
    return mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))


def _now() -> Mapped[datetime.datetime]:
    return mapped_column(server_default=func.now())


class Cluster(Base):
    """A region with its own R&D topic."""

    __tablename__ = "clusters"
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    name: Mapped[str] = mapped_column(Text, unique=True)
    created: Mapped[datetime.datetime] = _now()


class Organisation(Base):
    """A university, public research institute, company or core organisation of a cluster."""

    __tablename__ = "organisations"
    __table_args__ = (
        UniqueConstraint("cluster_id", "name_key"),
        _one_of("kind", OrganisationKind, "kind"),
        # A number names one organisation of a cluster.
        Index("uq_organisations_ror", "cluster_id", "ror", unique=True, postgresql_where=text("ror IS NOT NULL")),
        Index(
            "uq_organisations_corporate_number",
            "cluster_id",
            "corporate_number",
            unique=True,
            postgresql_where=text("corporate_number IS NOT NULL"),
        ),
    )
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
    name_en_key: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    size_band: Mapped[str | None] = mapped_column(Text)
    ror: Mapped[str | None] = mapped_column(Text)
    corporate_number: Mapped[str | None] = mapped_column(Text)
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = _now()
    last_modified: Mapped[datetime.datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form


class Account(Base):
    """A person of an organisation with a role in a cluster."""

    __tablename__ = "accounts"
    __table_args__ = (
        _one_of("role", Role, "role"),
        CheckConstraint(
            "organisation_id IS NOT NULL OR role IN ('coordinator', 'cluster_administrator', 'auditor')",
            name="organisation",
        ),
        _one_of("language", Language, "language"),
        CheckConstraint("num_nulls(oidc_issuer, oidc_subject) IN (0, 2)", name="oidc"),
        UniqueConstraint("oidc_issuer", "oidc_subject"),
    )
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id), index=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    email: Mapped[str | None] = mapped_column(Text)
    email_key: Mapped[str | None] = mapped_column(Text, unique=True)
    language: Mapped[str] = mapped_column(Text, default=Language.JA, server_default=text("'ja'"))
    # Not read with the rest, so that nothing that shows an account can show it.
    password_hash: Mapped[str | None] = mapped_column(Text, deferred=True)
    oidc_issuer: Mapped[str | None] = mapped_column(Text)
    oidc_subject: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime.datetime] = _now()

    organisation: Mapped[Organisation | None] = relationship()


class ApiToken(Base):
    """A token of an account; only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint(f"scopes <@ ARRAY[{_quoted(Scope)}]", name="scopes"),)
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=lambda: [str(scope) for scope in Scope],
        server_default=text("'{read,write,review,administer}'"),
    )  # fmt: skip
    created: Mapped[datetime.datetime] = _now()
    expires: Mapped[datetime.datetime | None]
    last_used: Mapped[datetime.datetime | None]
    revoked: Mapped[datetime.datetime | None]


class Invitation(Base):
    """A person asked to join a cluster; only the hash of the link's token is kept."""

    __tablename__ = "invitations"
    __table_args__ = (_one_of("role", Role, "role"), _one_of("language", Language, "language"))
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text, index=True)
    name: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id))
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    created: Mapped[datetime.datetime] = _now()
    expires: Mapped[datetime.datetime]
    accepted: Mapped[datetime.datetime | None]
    withdrawn: Mapped[datetime.datetime | None]

    organisation: Mapped[Organisation | None] = relationship()


class PasswordReset(Base):
    """A link to choose a new password; without an account where the address that asked for it has none."""

    __tablename__ = "password_resets"
    id: Mapped[int] = _key()
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created: Mapped[datetime.datetime] = _now()
    expires: Mapped[datetime.datetime] = mapped_column(index=True)
    used: Mapped[datetime.datetime | None]


class SignedIn(Base):
    """A session of a person in a browser; only the hash of the cookie's id is kept.

    No address: where people work from is nobody's business here, and times and browser tell a session from another.
    """

    __tablename__ = "sessions"
    __table_args__ = (_one_of("method", SignInMethod, "method"),)
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    method: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime.datetime] = _now()
    last_seen: Mapped[datetime.datetime] = _now()
    expires: Mapped[datetime.datetime]
    confirmed: Mapped[datetime.datetime | None]
    revoked: Mapped[datetime.datetime | None]


class OidcSignIn(Base):
    """A sign-in that is under way at the identity provider; removed when it comes back."""

    __tablename__ = "oidc_sign_ins"
    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str] = mapped_column(Text)
    verifier: Mapped[str] = mapped_column(Text)
    confirms: Mapped[bool] = mapped_column(Boolean)
    expires: Mapped[datetime.datetime] = mapped_column(index=True)


class Throttle(Base):
    """How often something was tried; the key is a hash, so that no address or e-mail can be read from it."""

    __tablename__ = "throttles"
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    until: Mapped[datetime.datetime]
    changed: Mapped[datetime.datetime] = mapped_column(index=True)


class _ProfileColumns:
    """What a seed and a need have in common, the stored embedding included."""

    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    source: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    source_digest: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    reference: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    translation_title: Mapped[str | None] = mapped_column(Text)
    translation_summary: Mapped[str | None] = mapped_column(Text)
    applications: Mapped[str | None] = mapped_column(Text)
    technology_keywords: Mapped[list[str]] = _strings()
    market_keywords: Mapped[list[str]] = _strings()
    field_codes: Mapped[list[str]] = _strings()
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list, server_default=text("'{}'"))
    regions: Mapped[list[str]] = _strings()
    language: Mapped[str | None] = mapped_column(Text)
    expires_on: Mapped[datetime.date] = mapped_column(Date)
    open_for_interest: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    status: Mapped[str] = mapped_column(Text)
    # Whether it ever was more than a draft: what was not stays its owner's, withdrawn or not.
    submitted: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    search_text: Mapped[str] = mapped_column(Text, deferred=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = _now()
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
        _one_of("status", EntryStatus, "status"),
        Index(f"ix_{table}_page", "cluster_id", "created", "public_id"),
    )


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
    ipr_numbers: Mapped[list[str]] = _strings()
    licensable: Mapped[bool | None] = mapped_column(Boolean)
    transferable: Mapped[bool | None] = mapped_column(Boolean)
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
    cooperation: Mapped[list[str]] = _strings()
    region_preference: Mapped[list[str]] = _strings()
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

    need: Mapped[Need] = relationship(back_populates="detail", lazy="raise")
    owner: Mapped[Organisation | None] = relationship(lazy="raise")
    exclusions: Mapped[list["NeedExclusion"]] = relationship(
        cascade="all, delete-orphan", lazy="raise", order_by="NeedExclusion.id"
    )


class NeedExclusion(Base):
    """An organisation that a need must never be proposed to: registered already, or known by name only."""

    __tablename__ = "need_exclusions"
    id: Mapped[int] = _key()
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
    id: Mapped[int] = _key()
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), unique=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), unique=True)
    # The version of the entry, and the encoder and rule of splitting, that they were looked at with last.
    entry_version: Mapped[int] = mapped_column(Integer)
    made_with: Mapped[str] = mapped_column(Text)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Match(Base):
    """A proposed pairing of a need and a seed, with its score and where that came from."""

    __tablename__ = "matches"
    __table_args__ = (
        UniqueConstraint("need_id", "seed_id"),
        _one_of("status", MatchStatus, "status"),
        CheckConstraint("asking IN ('need', 'seed')", name="asking"),
    )
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    need_id: Mapped[int] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"))
    seed_id: Mapped[int] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    # The need's cluster, which never changes: whose coordinators handle the match.
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    status: Mapped[str] = mapped_column(Text, default=MatchStatus.SUGGESTED)
    score: Mapped[float] = mapped_column(Double)
    parts: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSONB)
    # Which side asked: a score is that of an entry among those of the other side.
    asking: Mapped[str] = mapped_column(Text, default="need", server_default=text("'need'"))
    # Provenance: which index, model and policy ranked it. No snapshot means: scored exactly from stored vectors.
    snapshot: Mapped[str | None] = mapped_column(Text)
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
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = _now()
    scored: Mapped[datetime.datetime] = _now()

    need: Mapped[Need] = relationship(lazy="raise")
    seed: Mapped[Seed] = relationship(lazy="raise")
    reviews: Mapped[list["Review"]] = relationship(lazy="raise", order_by="Review.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form


class Review(Base):
    """A coordinator's verdict on a match."""

    __tablename__ = "reviews"
    __table_args__ = (
        _one_of("verdict", Verdict, "verdict"),
        _one_of("reason", ReasonCode, "reason"),
        CheckConstraint("verdict <> 'dismiss' OR reason IS NOT NULL", name="dismissal_reason"),
    )
    id: Mapped[int] = _key()
    public_id: Mapped[uuid.UUID] = _public_id()
    match_id: Mapped[int] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id))
    verdict: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime.datetime] = _now()


class IdempotentReply(Base):
    """The reply to a creating call that carried an Idempotency-Key, kept so that a repeat gets the same."""

    __tablename__ = "idempotent_replies"
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[datetime.datetime] = mapped_column(server_default=func.now(), index=True)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Fitting(Base):
    """What was fitted to this installation's own reviews: a policy that ranks, or a calibration; kept by name."""

    __tablename__ = "fittings"
    __table_args__ = (
        _one_of("kind", FittingKind, "kind"),
        Index("ix_fittings_in_use", "kind", unique=True, postgresql_where=text("in_use")),
    )
    id: Mapped[int] = _key()
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, unique=True)
    content: Mapped[str] = mapped_column(Text)
    # Whose rankings were reviewed: those of another model are on another scale.
    model: Mapped[str] = mapped_column(Text)
    revision: Mapped[str] = mapped_column(Text)
    in_use: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    created: Mapped[datetime.datetime] = _now()


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
    id: Mapped[int] = _key()
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
