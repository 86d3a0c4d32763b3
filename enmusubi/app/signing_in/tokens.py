"""A person's API tokens: make, list, revoke."""

import datetime
import uuid
from collections.abc import Sequence

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.auth import Identified
from enmusubi.app.caller import Caller
from enmusubi.app.errors import ConflictError, NotFoundError, Sentence
from enmusubi.app.models import ApiToken
from enmusubi.app.signing_in import sessions
from enmusubi.app.signing_in.drafts import TokenDraft
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.visits import Desk
from enmusubi.app.vocabulary import Action

MOST = 50
_USABLE = (ApiToken.revoked.is_(None), or_(ApiToken.expires.is_(None), ApiToken.expires > func.now()))


def make(session: Session, desk: Desk, identified: Identified, draft: TokenDraft) -> tuple[ApiToken, str]:
    """A new token and its text; for a session that was confirmed lately."""
    sessions.require_confirmed(desk, identified)
    sessions.hold_signed_in(session, identified)
    if len(list_tokens(session, identified.caller)) >= MOST:
        raise ConflictError(Sentence("an account has %(most)s tokens at most; revoke one first", most=MOST))
    lifetime = datetime.timedelta(days=draft.days)
    made, secret = auth.new_token(session, identified.caller.id, draft.name, draft.scopes, lifetime)
    session.refresh(made)
    note(session, identified.caller, Action.TOKEN_ISSUED, identified.caller.id, scopes=sorted(map(str, draft.scopes)))
    return made, secret


def list_tokens(session: Session, caller: Caller) -> Sequence[ApiToken]:
    """The account's tokens that can be used, the newest first."""
    return session.scalars(
        select(ApiToken).where(ApiToken.account_id == caller.id, *_USABLE).order_by(ApiToken.id.desc())
    ).all()


def revoke(session: Session, caller: Caller, public_id: uuid.UUID) -> None:
    """Revoke one token of the account; NotFoundError where it has none of that id."""
    revoked = session.execute(
        update(ApiToken)
        .where(ApiToken.account_id == caller.id, ApiToken.public_id == public_id, ApiToken.revoked.is_(None))
        .values(revoked=func.now())
        .returning(ApiToken.id)
    )
    if not revoked.all():
        raise NotFoundError("no such token of yours, or it is revoked")
    note(session, caller, Action.TOKENS_REVOKED, caller.id, tokens=1)
