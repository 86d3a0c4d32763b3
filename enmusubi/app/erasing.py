"""Forget the person behind an account: what it did stays, who it was does not."""

from sqlalchemy import Uuid, delete, func, select, update
from sqlalchemy.orm import Session

from enmusubi.app.errors import ConflictError
from enmusubi.app.introducing.leaving import tell_left_alone
from enmusubi.app.models import (
    Account,
    Alert,
    AlertSettings,
    AlertStop,
    ApiToken,
    Delivery,
    IdempotentReply,
    Import,
    Invitation,
    Notice,
    PasswordReset,
    SavedSearch,
    SignedIn,
)

ERASED = "erased account"
"""What stands where the name was."""

_BELONGINGS = (
    Alert.account_id,
    AlertSettings.account_id,
    AlertStop.account_id,
    SavedSearch.account_id,
    ApiToken.account_id,
    Delivery.account_id,
    IdempotentReply.account_id,
    Import.account_id,
    Invitation.account_id,
    Notice.account_id,
    PasswordReset.account_id,
    SignedIn.account_id,
)
"""Rows that are nothing without their account; add what else an account gets of its own."""


def erase_account(session: Session, account: Account) -> None:
    """Take away name, address, tokens, sessions and the like of an account, and the record's pseudonym for it.

    Reviews and events stay, attributed to nobody; the chain of the record stays valid. There is no way back. Raises
    ConflictError for an account that was erased before.
    """
    # Held first, as by whoever opens a session of it, so that none is opened meanwhile and left behind.
    session.refresh(account, with_for_update=True)
    if account.email_key is not None:
        session.execute(delete(Invitation).where(Invitation.email_key == account.email_key))
    sent = (Invitation.invited_by_id == account.id, Invitation.accepted.is_(None), Invitation.withdrawn.is_(None))
    session.execute(update(Invitation).where(*sent).values(withdrawn=func.now()))
    for column in _BELONGINGS:
        session.execute(delete(column.class_).where(column == account.id))
    erased = session.scalar(select(func.record_erase(account.public_id, type_=Uuid)))
    if erased is None:
        raise ConflictError("the account has been erased before")
    account.name = ERASED
    account.email = account.email_key = account.password_hash = account.oidc_issuer = account.oidc_subject = None
    was_active, account.active = account.active, False
    session.flush()
    if was_active:
        tell_left_alone(session, account.organisation_id)
