"""Accounts, how people sign in, and what is kept for an account."""

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
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, quoted, set_now
from enmusubi.app.models.organisations import Cluster, Organisation
from enmusubi.app.vocabulary import (
    Language,
    Letters,
    Role,
    Scope,
    SignInMethod,
)


def _owner_of_the_same_cluster() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["cluster_id", "organisation_id"], [Organisation.cluster_id, Organisation.id])


def _no_owner_of_overseers() -> CheckConstraint:
    # What is "own" would be open to them, in every status and with its confidential part.
    return CheckConstraint(
        "organisation_id IS NULL OR role NOT IN ('cluster_administrator', 'auditor')", name="no_organisation"
    )


class Account(Base):
    """A person of an organisation with a role in a cluster."""

    __tablename__ = "accounts"
    __table_args__ = (
        one_of("role", Role, "role"),
        CheckConstraint(
            "organisation_id IS NOT NULL OR role IN ('coordinator', 'cluster_administrator', 'auditor')",
            name="organisation",
        ),
        _no_owner_of_overseers(),
        _owner_of_the_same_cluster(),
        one_of("language", Language, "language"),
        one_of("letters", Letters, "letters"),
        CheckConstraint("num_nulls(oidc_issuer, oidc_subject) IN (0, 2)", name="oidc"),
        UniqueConstraint("oidc_issuer", "oidc_subject"),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    email: Mapped[str | None] = mapped_column(Text)
    email_key: Mapped[str | None] = mapped_column(Text, unique=True)
    language: Mapped[str] = mapped_column(Text, default=Language.JA, server_default=text("'ja'"))
    letters: Mapped[str] = mapped_column(Text, default=Letters.ALL, server_default=text("'all'"))
    # Not read with the rest, so that nothing that shows an account can show it.
    password_hash: Mapped[str | None] = mapped_column(Text, deferred=True)
    oidc_issuer: Mapped[str | None] = mapped_column(Text)
    oidc_subject: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime.datetime] = set_now()

    organisation: Mapped[Organisation | None] = relationship(
        primaryjoin=lambda: Account.organisation_id == Organisation.id, foreign_keys=[organisation_id]
    )


class ApiToken(Base):
    """A token of an account; only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint(f"scopes <@ ARRAY[{quoted(Scope)}]", name="scopes"),)
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=lambda: [str(scope) for scope in Scope],
        server_default=text("'{read,write,review,administer}'"),
    )  # fmt: skip
    created: Mapped[datetime.datetime] = set_now()
    expires: Mapped[datetime.datetime | None]
    last_used: Mapped[datetime.datetime | None]
    revoked: Mapped[datetime.datetime | None]


class Invitation(Base):
    """A person asked to join a cluster; only the hash of the link's token is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        one_of("role", Role, "role"),
        one_of("language", Language, "language"),
        _no_owner_of_overseers(),
        _owner_of_the_same_cluster(),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text, index=True)
    name: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), index=True)
    organisation_id: Mapped[int | None] = mapped_column(BigInteger)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    created: Mapped[datetime.datetime] = set_now()
    expires: Mapped[datetime.datetime]
    accepted: Mapped[datetime.datetime | None]
    withdrawn: Mapped[datetime.datetime | None]

    organisation: Mapped[Organisation | None] = relationship(
        primaryjoin=lambda: Invitation.organisation_id == Organisation.id, foreign_keys=[organisation_id]
    )


class PasswordReset(Base):
    """A link to choose a new password; without an account where the address that asked for it has none."""

    __tablename__ = "password_resets"
    id: Mapped[int] = new_key()
    account_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created: Mapped[datetime.datetime] = set_now()
    expires: Mapped[datetime.datetime] = mapped_column(index=True)
    used: Mapped[datetime.datetime | None]


class SignedIn(Base):
    """A session of a person in a browser; only the hash of the cookie's id is kept.

    No address: where people work from is nobody's business here, and times and browser tell a session from another.
    """

    __tablename__ = "sessions"
    __table_args__ = (one_of("method", SignInMethod, "method"),)
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    method: Mapped[str] = mapped_column(Text)
    user_agent: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime.datetime] = set_now()
    last_seen: Mapped[datetime.datetime] = set_now()
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
