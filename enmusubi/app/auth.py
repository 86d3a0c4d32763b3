"""Who asks: accounts, their API tokens, and the account behind a token or a session."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, TextClause, func, text, update
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.caller import AND_ACT, Caller, acts_already
from enmusubi.app.errors import UnauthenticatedError
from enmusubi.app.models import Account, ApiToken, Cluster, Organisation, SignedIn
from enmusubi.app.vocabulary import Role, Scope

# One statement says who asks and tells the database: the busiest call is measured by it.
_OF_TOKEN: Final = text(f"select *, {AND_ACT} from caller_of_token(:hash)")  # noqa: S608 no value in it
_OF_SESSION: Final = text(f"select *, {AND_ACT} from caller_of_session(:hash, :idle)")  # noqa: S608 no value in it
_SEEN_EVERY: Final = datetime.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Identified:
    """The account that asks, and by what it was known."""

    caller: Caller
    credential: int
    """Key of the token, or of the session."""
    scopes: frozenset[Scope] | None
    """What the token may be used for; None for a session, which may do all that its account may."""
    confirmed: float | None
    """Seconds since the person of the session proved who they are."""
    due: bool
    """Whether its use has not been noted for a minute."""

    @property
    def by_session(self) -> bool:
        """Whether a person is signed in."""
        return self.scopes is None


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


def new_token(
    session: Session,
    account_id: int,
    name: str = "",
    scopes: Iterable[Scope] = tuple(Scope),
    lifetime: datetime.timedelta | None = None,
) -> tuple[ApiToken, str]:
    """A new token of the account, and its text, which is shown once: only its hash is stored."""
    secret = opaque.new(opaque.API_TOKEN)
    chosen = set(scopes)
    token = ApiToken(
        account_id=account_id,
        token_hash=opaque.digest(secret),
        name=name,
        scopes=[str(scope) for scope in Scope if scope in chosen],
        expires=None if lifetime is None else func.now() + lifetime,
    )
    session.add(token)
    session.flush()
    return token, secret


def issue_token(session: Session, account: Account) -> str:
    """A new token of the account for everything it may do, until revoked."""
    return new_token(session, account.id)[1]


def revoke_tokens(session: Session, account: Account) -> int:
    """Revoke all tokens of the account; returns how many."""
    result = session.execute(
        update(ApiToken)
        .where(ApiToken.account_id == account.id, ApiToken.revoked.is_(None))
        .values(revoked=func.now())
        .returning(ApiToken.id)
    )
    return len(result.all())


def identify(session: Session, token: str) -> Identified:
    """The account behind a token; UnauthenticatedError where the token or the account does not count any more."""
    row = _found(session, _OF_TOKEN, hash=opaque.digest(token))
    if row is None:
        raise UnauthenticatedError("the token is unknown, expired or revoked; make a new one or ask your coordinator")
    return Identified(_caller(session, row), row.credential, frozenset(map(Scope, row.scopes)), None, row.due)


def identify_session(session: Session, secret: str, idle: datetime.timedelta) -> Identified:
    """The account behind a session; UnauthenticatedError where it has ended, for whatever reason."""
    row = _found(session, _OF_SESSION, hash=opaque.digest(secret), idle=idle)
    if row is None:
        raise UnauthenticatedError("the session has ended; sign in again")
    return Identified(_caller(session, row), row.credential, None, row.confirmed, row.due)


def note_use(session: Session, identified: Identified) -> None:
    """Remember that the token or session was used, once a minute at most.

    In a short transaction of its own after the request's: requests of one token would wait for each other otherwise.
    """
    kind, moment = (SignedIn, SignedIn.last_seen) if identified.by_session else (ApiToken, ApiToken.last_used)
    unseen = moment.is_(None) | (moment < func.now() - _SEEN_EVERY)
    session.execute(update(kind).where(kind.id == identified.credential, unseen).values({moment: func.now()}))


def _found(session: Session, statement: TextClause, **values: object) -> Row[Any] | None:
    return session.execute(statement, values).one_or_none()


def _caller(session: Session, row: Row[Any]) -> Caller:
    caller = Caller(row.account, row.account_public_id, row.cluster, row.organisation, Role(row.role))
    acts_already(session, caller)
    return caller
