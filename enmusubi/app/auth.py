"""Accounts and their API tokens: made on the command line, kept hashed, looked up at every request."""

import hashlib
import secrets

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, act_as
from enmusubi.app.errors import UnauthenticatedError
from enmusubi.app.models import Account, ApiToken, Cluster, Organisation
from enmusubi.app.vocabulary import Role

TOKEN_PREFIX = "enm_"  # noqa: S105 makes a leaked token recognisable; no secret


def _hash(token: str) -> bytes:
    # A token is 256 random bits, so a plain hash cannot be reversed by guessing.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def create_account(
    session: Session, cluster: Cluster, role: Role, name: str, organisation: Organisation | None
) -> Account:
    """Make an account; companies and universities need an organisation."""
    account = Account(
        cluster_id=cluster.id,
        organisation_id=organisation.id if organisation else None,
        name=name,
        role=role,
    )
    session.add(account)
    session.flush()
    return account


def issue_token(session: Session, account: Account) -> str:
    """A new token of the account, shown once: only its hash is stored."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(account_id=account.id, token_hash=_hash(token)))
    session.flush()
    return token


def revoke_tokens(session: Session, account: Account) -> int:
    """Revoke all tokens of the account; returns how many."""
    result = session.execute(
        update(ApiToken)
        .where(ApiToken.account_id == account.id, ApiToken.revoked.is_(None))
        .values(revoked=func.now())
        .returning(ApiToken.id)
    )
    return len(result.all())


def identify(session: Session, token: str) -> Caller:
    """The account behind a token; UnauthenticatedError where it is unknown, revoked or its account inactive."""
    row = session.execute(
        select(Account.id, Account.public_id, Account.cluster_id, Account.organisation_id, Account.role)
        .join(ApiToken, ApiToken.account_id == Account.id)
        .where(ApiToken.token_hash == _hash(token), ApiToken.revoked.is_(None), Account.active)
    ).one_or_none()
    if row is None:
        raise UnauthenticatedError("the token is unknown or revoked; ask your coordinator for a new one")
    caller = Caller(row.id, row.public_id, row.cluster_id, row.organisation_id, Role(row.role))
    act_as(session, caller)
    return caller
