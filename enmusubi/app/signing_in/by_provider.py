"""Sign-in by the identity provider: out with a state that works once, in this browser alone, and back."""

import datetime
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.caller import act_as
from enmusubi.app.errors import ForbiddenError, NotFoundError, Sentence, UnauthenticatedError
from enmusubi.app.models import Account, OidcSignIn
from enmusubi.app.signing_in import invitations, sessions, throttling
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.oidc import LEEWAY, Identity, Provider
from enmusubi.app.signing_in.visits import Desk, Opened, Visit
from enmusubi.app.vocabulary import Action, SignInMethod

LIFETIME: Final = datetime.timedelta(minutes=10)
_LEEWAY: Final = datetime.timedelta(seconds=LEEWAY)
_BEGIN = text("select begin_oidc(:state, :browser, :nonce, :verifier, :confirms, :lifetime)")
_END = select(OidcSignIn).from_statement(text("select * from end_oidc(:state)"))
_OF_SUBJECT = select(Account).from_statement(text("select * from account_of_subject(:issuer, :subject)"))
_OF_EMAIL = select(Account).from_statement(text("select * from account_of_email(:key)"))
_REFUSED: Final = Sentence("this sign-in was begun elsewhere, is used up or took too long; begin again")


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and what it must bring back as a cookie."""

    address: str
    browser: str


def begin(visit: Visit, *, confirm: bool) -> Departure:
    """Send a browser to the provider; NotFoundError where none is configured."""
    provider = _provider(visit.desk)
    state, browser = opaque.new(opaque.STATE), opaque.new(opaque.STATE)
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    address = provider.address(state, nonce, verifier, confirm=confirm)
    with visit.desk.sessions() as session:
        visit.take(session, throttling.SIGN_INS)
        session.execute(
            _BEGIN,
            {
                "state": opaque.digest(state), "browser": opaque.digest(browser), "nonce": nonce,
                "verifier": verifier, "confirms": confirm, "lifetime": LIFETIME,
            },
        )  # fmt: skip
        session.commit()
    return Departure(address, browser)


def end(visit: Visit, state: str, code: str | None, browser: str | None) -> Opened:
    """A session for the account of who comes back; nobody gets in who has no account and no invitation."""
    provider = _provider(visit.desk)
    with visit.desk.sessions() as session:
        visit.take(session, throttling.SIGN_INS)
        begun = session.scalars(_END, {"state": opaque.digest(state)}).one_or_none()
        session.commit()  # the state is used up, whatever comes of it; nothing is held while the provider is asked
    if begun is None or browser is None or not secrets.compare_digest(begun.browser_hash, opaque.digest(browser)):
        raise UnauthenticatedError(_REFUSED)
    if code is None:
        raise UnauthenticatedError("the identity provider did not sign you in; try again")
    identity = provider.identity(code, begun.nonce, begun.verifier)
    if begun.confirms and (identity.authenticated is None or identity.authenticated > LIFETIME + _LEEWAY):
        raise UnauthenticatedError("the identity provider did not ask you anew who you are")
    with visit.desk.sessions() as session:
        account = _account(session, identity)
        opened = sessions.open_session(session, visit, account, SignInMethod.OIDC, identity.authenticated)
        session.commit()
    return opened


def _account(session: Session, identity: Identity) -> Account:
    """By the provider's subject; the first time by a verified address of an account or of an open invitation."""
    by_subject = {"issuer": identity.issuer, "subject": identity.subject}
    known: Account | None = session.scalars(_OF_SUBJECT, by_subject).one_or_none()
    if known is None and identity.verified_email is not None:
        key = sessions.email_key(identity.verified_email)
        known = session.scalars(_OF_EMAIL, {"key": key}).one_or_none()
        if known is None:
            known = invitations.accept_by_email(session, key, identity.name, identity.issuer, identity.subject)
        elif known.oidc_subject is not None:
            # Somebody else at the provider has that address now.
            known = None
        else:
            act_as(session, sessions.caller_of(known))
            known.oidc_issuer, known.oidc_subject = identity.issuer, identity.subject
            session.flush()
            note(session, sessions.caller_of(known), Action.IDENTITY_LINKED, known.id)
    if known is None:
        raise ForbiddenError("no account belongs to this identity; ask your coordinator for an invitation")
    act_as(session, sessions.caller_of(known))
    return known


def _provider(desk: Desk) -> Provider:
    if desk.provider is None:
        raise NotFoundError("this installation has no identity provider")
    return desk.provider
