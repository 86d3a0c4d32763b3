"""A new password for who has forgotten theirs, by a link in a letter."""

import datetime
from collections.abc import Callable
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.caller import act_as
from enmusubi.app.errors import ConflictError, NotFoundError, Sentence
from enmusubi.app.mail import Letter
from enmusubi.app.models import Account
from enmusubi.app.signing_in import letters, sessions, throttling
from enmusubi.app.signing_in.drafts import NewPasswordDraft
from enmusubi.app.signing_in.letters import Reader
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.passwords import check_choice
from enmusubi.app.signing_in.visits import Desk, Opened, Visit
from enmusubi.app.vocabulary import Action, Language, SignInMethod

LIFETIME: Final = datetime.timedelta(minutes=60)
_BEGIN = text("select * from begin_reset(:key, :hash, :lifetime)")
_OPEN = select(Account).from_statement(text("select * from open_reset(:hash)"))
_ACCEPT = select(Account).from_statement(text("select * from accept_reset(:hash, :password)"))
_UNKNOWN = Sentence("the link is not valid any more: it was used or has expired; ask for a new one")


def begin(visit: Visit, email: str) -> Callable[[], None]:
    """A link for the account of that address, if there is one; what is returned sends it, after the reply.

    The same is said, and the same is written, whether or not the address is known.
    """
    desk, key = visit.desk, sessions.email_key(email)
    if not desk.post.delivers:
        raise ConflictError("this installation sends no letters; ask your cluster administrator for a link")
    secret = opaque.new(opaque.RESET)
    with desk.sessions() as session:
        visit.take(session, throttling.RESETS)
        throttling.take(session, throttling.RESETS_OF_ONE, f"{visit.network}\0{key}")
        throttling.take(session, throttling.RESETS_TO_ONE, key)
        reader = session.execute(
            _BEGIN, {"key": key, "hash": opaque.digest(secret), "lifetime": LIFETIME}
        ).one_or_none()
        session.commit()
    letter = None if reader is None else _letter(desk, Reader(reader.email, reader.name, reader.language), secret)

    def send() -> None:
        if letter is not None:
            desk.post.send(letter)

    return send


def make_link(session: Session, desk: Desk, account: Account) -> str:
    """A link to hand over, on behalf of the command line."""
    if account.email_key is None or not account.active:
        raise ConflictError("the account has no e-mail address to sign in with, or is deactivated")
    secret = opaque.new(opaque.RESET)
    session.execute(_BEGIN, {"key": account.email_key, "hash": opaque.digest(secret), "lifetime": LIFETIME})
    return link(desk, secret)


def link(desk: Desk, secret: str) -> str:
    """What the person opens. The token stands behind `#`, which no server gets to see or log."""
    return f"{desk.settings.address}/new-password#{secret}"


def accept(visit: Visit, draft: NewPasswordDraft) -> Opened:
    """The new password is stored, all sessions of the account end, and its person is signed in."""
    secret, password = draft.token.get_secret_value(), draft.password.get_secret_value()
    with visit.desk.sessions() as session:
        visit.take(session, throttling.LINKS)
        known = session.scalars(_OPEN, {"hash": opaque.digest(secret)}).one_or_none()
        if known is None:
            raise NotFoundError(_UNKNOWN)
        check_choice(password, (known.name, known.email))
        stored = visit.desk.passwords.hash(password)
        account = session.scalars(_ACCEPT, {"hash": opaque.digest(secret), "password": stored}).one_or_none()
        if account is None or account.email_key is None:
            raise NotFoundError(_UNKNOWN)
        act_as(session, sessions.caller_of(account))
        throttling.forget(session, account.email_key, visit.network)
        note(session, sessions.caller_of(account), Action.PASSWORD_CHANGED, account.id, through="link")
        opened = sessions.open_session(session, visit, account, SignInMethod.PASSWORD, datetime.timedelta())
        session.commit()
    return opened


def _letter(desk: Desk, reader: Reader, secret: str) -> Letter:
    return letters.reset(Reader(reader.email, reader.name, Language(reader.language)), LIFETIME, link(desk, secret))
