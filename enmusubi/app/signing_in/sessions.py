"""Sessions of people: begin, list, confirm, end. Each sign-in makes a new id, and ends the session it came from."""

import datetime
import uuid

from sqlalchemy import ColumnElement, Row, delete, func, select, text, update
from sqlalchemy.orm import Session, undefer

from enmusubi.app import opaque
from enmusubi.app.auth import Identified
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.errors import ConfirmationNeededError, NotFoundError, Sentence, UnauthenticatedError
from enmusubi.app.models import Account, SignedIn
from enmusubi.app.signing_in import throttling
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.shown import PersonOut, SessionOut, SessionsOut
from enmusubi.app.signing_in.visits import Desk, Opened, Visit
from enmusubi.app.vocabulary import Action, Role, SignInMethod

USER_AGENT_LENGTH = 200
_FORGOTTEN_AFTER = datetime.timedelta(days=30)
_OF_EMAIL = (
    select(Account)
    .options(undefer(Account.password_hash))  # with the rest: the same statements for known and unknown addresses
    .from_statement(text("select * from account_of_email(:key)"))
)
_END_PRESENTED = text("select end_session(:hash)")
_SIGNED_IN = "signed in"
_WRONG = Sentence("e-mail address or password are not right")


def email_key(email: str) -> str:
    """What two spellings of an e-mail address share."""
    return email.strip().lower()


def caller_of(account: Account) -> Caller:
    """The account as the one that asks."""
    return Caller(account.id, account.public_id, account.cluster_id, account.organisation_id, Role(account.role))


def sign_in(visit: Visit, email: str, password: str) -> Opened:
    """A session for who knows the password; the same error, after the same work, for everything else."""
    desk, key = visit.desk, email_key(email)
    with desk.sessions() as session:
        visit.take(session, throttling.SIGN_INS)
        throttling.attempt(session, key, visit.network)
        account = session.scalars(_OF_EMAIL, {"key": key}).one_or_none()
        stored = account.password_hash if account else None
        if not desk.passwords.verify(stored, password) or account is None or stored is None:
            raise UnauthenticatedError(_WRONG)
        throttling.forget(session, key, visit.network)
        act_as(session, caller_of(account))
        outdated = desk.passwords.is_outdated(stored)
        if tuple(hold(session, account.id, to_change=outdated)) != (True, stored):
            raise UnauthenticatedError(_WRONG)
        if outdated:
            _store(session, account.id, desk.passwords.hash(password))
        opened = open_session(session, visit, account, SignInMethod.PASSWORD, confirmed=datetime.timedelta())
        session.commit()
    return opened


def hold(session: Session, account_id: int, *, to_change: bool = False) -> Row[bool, str | None]:
    """Keep an account as it is until the transaction ends; whether it is active, and its password's hash.

    Nothing that the account had before is to outlive its deactivation or a new password: whoever gives it a session
    or a token holds it first, and what ends them waits for that.
    """
    query = select(Account.active, Account.password_hash).where(Account.id == account_id)
    return session.execute(query.with_for_update(read=not to_change)).one()


def hold_active(session: Session, account_id: int) -> None:
    """The same; UnauthenticatedError where the account is not active any more."""
    active, _ = hold(session, account_id)
    if not active:
        raise UnauthenticatedError("the account was deactivated meanwhile")


def hold_signed_in(session: Session, identified: Identified) -> None:
    """The same for the account of a session; UnauthenticatedError where that has ended meanwhile."""
    hold_active(session, identified.caller.id)
    if session.scalar(select(SignedIn.revoked).where(SignedIn.id == identified.credential)) is not None:
        raise UnauthenticatedError("the session has ended; sign in again")


def open_session(
    session: Session, visit: Visit, account: Account, method: SignInMethod, confirmed: datetime.timedelta | None
) -> Opened:
    """Every sign-in ends here. `confirmed` is how long ago the person proved who they are, if that is known."""
    hold_active(session, account.id)
    if visit.session_secret is not None:
        # By its secret: it may be another account's.
        session.execute(_END_PRESENTED, {"hash": opaque.digest(visit.session_secret)})
    session.execute(
        delete(SignedIn).where(SignedIn.account_id == account.id, SignedIn.expires < func.now() - _FORGOTTEN_AFTER)
    )
    secret = opaque.new(opaque.SESSION)
    row = SignedIn(
        account_id=account.id,
        token_hash=opaque.digest(secret),
        method=method,
        user_agent=_storable(visit.user_agent),
        expires=func.now() + visit.desk.lifetime,
        confirmed=None if confirmed is None else func.now() - confirmed,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    note(session, caller_of(account), Action.SIGNED_IN, account.id, method=str(method))
    return Opened(_shown(row, row.id), PersonOut.model_validate(account), secret)


def current(session: Session, identified: Identified, secret: str) -> Opened:
    """The session that asks."""
    row = session.get_one(SignedIn, identified.credential)
    account = session.get_one(Account, identified.caller.id)
    return Opened(_shown(row, row.id), PersonOut.model_validate(account), secret)


def list_sessions(session: Session, identified: Identified, idle: datetime.timedelta) -> SessionsOut:
    """The account's sessions that have not ended, the last used first."""
    live = (SignedIn.revoked.is_(None), SignedIn.expires > func.now(), SignedIn.last_seen > func.now() - idle)
    rows = session.scalars(
        select(SignedIn)
        .where(SignedIn.account_id == identified.caller.id, *live)
        .order_by(SignedIn.last_seen.desc(), SignedIn.id.desc())
    )
    return SessionsOut(items=[_shown(row, identified.credential) for row in rows])


def end_session(session: Session, caller: Caller, public_id: uuid.UUID) -> None:
    """End one session of the account; NotFoundError where it has none of that id."""
    if not _end(session, (SignedIn.account_id == caller.id) & (SignedIn.public_id == public_id)):
        raise NotFoundError("no such session of yours, or it has ended")
    note(session, caller, Action.SESSIONS_ENDED, caller.id, sessions=1)


def end_current(session: Session, identified: Identified) -> None:
    """Sign out."""
    _end(session, SignedIn.id == identified.credential)
    note(session, identified.caller, Action.SIGNED_OUT, identified.caller.id)


def end_others(session: Session, identified: Identified) -> int:
    """End all sessions of the account but the one that asks; returns how many."""
    ended = _end(session, (SignedIn.account_id == identified.caller.id) & (SignedIn.id != identified.credential))
    note(session, identified.caller, Action.SESSIONS_ENDED, identified.caller.id, sessions=ended)
    return ended


def end_all(session: Session, account_id: int) -> int:
    """End all sessions of an account; returns how many."""
    return _end(session, SignedIn.account_id == account_id)


def confirm(session: Session, desk: Desk, identified: Identified, password: str) -> None:
    """The person proves once more who they are; counted like a sign-in."""
    check_password(session, desk, identified.caller, password)
    session.execute(update(SignedIn).where(SignedIn.id == identified.credential).values(confirmed=func.now()))


def check_password(session: Session, desk: Desk, caller: Caller, password: str) -> None:
    """UnauthenticatedError where it is not the account's password."""
    stored = session.scalar(select(Account.password_hash).where(Account.id == caller.id))
    # Counted apart from sign-ins, whose count a stranger can drive up: that stops nobody who is signed in.
    counted = (str(caller.public_id), _SIGNED_IN)
    throttling.attempt(session, *counted)
    if not desk.passwords.verify(stored, password):
        raise UnauthenticatedError("the password is not right")
    throttling.forget(session, *counted)


def require_confirmed(desk: Desk, identified: Identified) -> None:
    """For sensitive steps of a session; a token was made in a confirmed one, and has its scope."""
    if not identified.by_session:
        return
    most = desk.settings.session_confirm_minutes * 60
    if identified.confirmed is None or identified.confirmed > most:
        raise ConfirmationNeededError("confirm who you are first: POST /session/confirm, or sign in again")


def change_password(session: Session, desk: Desk, identified: Identified, password: str) -> None:
    """Store a new password, checked already; all other sessions of the account end."""
    _store(session, identified.caller.id, desk.passwords.hash(password))
    note(session, identified.caller, Action.PASSWORD_CHANGED, identified.caller.id)
    end_others(session, identified)


def _store(session: Session, account_id: int, password_hash: str) -> None:
    session.execute(update(Account).where(Account.id == account_id).values(password_hash=password_hash))


def _shown(row: SignedIn, current: int) -> SessionOut:
    return SessionOut.model_validate(row).model_copy(update={"current": row.id == current})


def _end(session: Session, which: ColumnElement[bool]) -> int:
    ended = session.execute(
        update(SignedIn).where(which, SignedIn.revoked.is_(None)).values(revoked=func.now()).returning(SignedIn.id)
    )
    return len(ended.all())


def _storable(user_agent: str) -> str:
    plain = "".join(character for character in user_agent if character.isprintable())
    return plain[:USER_AGENT_LENGTH]
