"""Invitations: ask a person to join, read and accept by the link's token, list, withdraw."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, joinedload

from enmusubi.app import opaque
from enmusubi.app.auth import Identified
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.catalogue.organisations import read_organisation
from enmusubi.app.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from enmusubi.app.models import Account, Cluster, Invitation, Organisation
from enmusubi.app.permissions import Relation, Right, may, require
from enmusubi.app.recording import Actor, record
from enmusubi.app.signing_in import letters, sessions, throttling
from enmusubi.app.signing_in.drafts import AcceptanceDraft, InvitationDraft
from enmusubi.app.signing_in.letters import Reader
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.passwords import check_choice
from enmusubi.app.signing_in.shown import InvitationMade, InvitationOut, InvitationRead
from enmusubi.app.signing_in.visits import Desk, Opened, Visit
from enmusubi.app.vocabulary import (
    WITHOUT_ORGANISATION,
    Action,
    Language,
    OrganisationKind,
    RecordedKind,
    Role,
    SignInMethod,
)

LIFETIME: Final = datetime.timedelta(days=7)
_NEED_ORGANISATION = (Role.COMPANY, Role.UNIVERSITY)
_OPEN = (Invitation.accepted.is_(None), Invitation.withdrawn.is_(None), Invitation.expires > func.now())
_READ = text("select * from open_invitation(:hash)")
_ACCEPT = select(Account).from_statement(
    text("select * from accept_invitation(:hash, :key, :made, :name, :language, :password, :issuer, :subject)")
)
_REFUSED: Final = {
    "23505": (
        ConflictError,
        "there is an account with this e-mail address already: sign in with it or, where it is deactivated, ask its "
        "cluster administrator to reactivate it; the invitation stays open",
    ),
    "21000": (ForbiddenError, "several clusters have invited you; open the link in the letter of the one to join"),
}
"""What the database says while an invitation is taken up, by SQLSTATE."""
_UNKNOWN = "the link is not valid any more: it was used, withdrawn or has expired; ask for a new invitation"


def invite(session: Session, desk: Desk, identified: Identified, draft: InvitationDraft) -> tuple[Invitation, str]:
    """An invitation to the caller's cluster, and the text of its token."""
    caller = identified.caller
    require(caller, _right_to_invite(draft.role), Relation.HERE)
    sessions.require_confirmed(desk, identified)
    throttling.take(session, throttling.LETTERS, str(caller.public_id))
    sessions.hold_active(session, caller.id)
    owner = read_organisation(session, caller, draft.organisation) if draft.organisation else None
    return add(session, caller, draft, owner)


def add(session: Session, by: Actor, draft: InvitationDraft, owner: Organisation | None) -> tuple[Invitation, str]:
    """An invitation on behalf of an account or the command line; it takes the place of an earlier one."""
    _check_owner(by, draft.role, owner)
    key = sessions.email_key(draft.email)
    _check_address(session, by, key)
    _withdraw(session, (Invitation.cluster_id == by.cluster_id) & (Invitation.email_key == key))
    secret = opaque.new(opaque.INVITATION)
    made = Invitation(
        token_hash=opaque.digest(secret),
        email=draft.email,
        email_key=key,
        name=draft.name,
        role=draft.role,
        language=draft.language,
        cluster_id=by.cluster_id,
        organisation_id=owner.id if owner else None,
        invited_by_id=by.id if isinstance(by, Caller) else None,
        expires=func.now() + LIFETIME,
    )
    session.add(made)
    session.flush()
    session.refresh(made)
    record(session, by, Action.INVITED, RecordedKind.INVITATION, made.public_id, role=str(made.role))
    return made, secret


def link(desk: Desk, secret: str) -> str:
    """What the invited person opens. The token stands behind `#`, which no server gets to see or log."""
    return f"{desk.settings.address}/invitation#{secret}"


def deliver(session: Session, desk: Desk, made: Invitation, secret: str) -> InvitationMade:
    """Commit the invitation, so that its link works, then send the letter; a link that is not sent is shown instead."""
    shown = InvitationOut.model_validate(made)
    session.commit()
    cluster = session.get_one(Cluster, made.cluster_id)
    owner = session.get_one(Organisation, made.organisation_id) if made.organisation_id else None
    reader = Reader(made.email, made.name or made.email, Language(made.language))
    letter = letters.invitation(
        reader, cluster.name, Role(made.role), owner.name if owner else None, LIFETIME, link(desk, secret)
    )
    session.commit()  # nothing is held while the mail server takes its time
    sent = desk.post.send(letter)
    return InvitationMade(**dict(shown), sent=sent, link=None if sent else link(desk, secret))


def list_open(session: Session, caller: Caller) -> Sequence[Invitation]:
    """The open invitations of the cluster, for those who may invite, the newest first."""
    require(caller, Right.READ_INVITATIONS, Relation.HERE)
    return session.scalars(
        select(Invitation)
        .where(Invitation.cluster_id == caller.cluster_id, *_OPEN)
        .options(joinedload(Invitation.organisation))
        .order_by(Invitation.id.desc())
    ).all()


def withdraw(session: Session, caller: Caller, public_id: uuid.UUID) -> None:
    """The link stops working; NotFoundError where the cluster has no such open invitation."""
    made = next((each for each in list_open(session, caller) if each.public_id == public_id), None)
    if made is None:
        raise NotFoundError("no such open invitation in your cluster")
    require(caller, _right_to_invite(Role(made.role)), Relation.HERE)
    _withdraw(session, Invitation.id == made.id)
    record(session, caller, Action.WITHDRAWN, RecordedKind.INVITATION, public_id)


def withdraw_of(session: Session, account_id: int) -> None:
    """Whom a deactivated account has invited joins no more."""
    _withdraw(session, Invitation.invited_by_id == account_id)


def roles_to_invite(caller: Caller) -> list[Role]:
    """As what the caller may invite people; empty for who may invite nobody."""
    return [role for role in Role if may(caller, _right_to_invite(role), Relation.HERE)]


def _right_to_invite(role: Role) -> Right:
    return Right.INVITE_SIDE if role in _NEED_ORGANISATION else Right.INVITE_OVERSEER


def read(visit: Visit, secret: str) -> InvitationRead:
    """What the invited person is asked to join."""
    with visit.desk.sessions() as session:
        visit.take(session, throttling.LINKS)
        return _read(session, secret)


def accept(visit: Visit, draft: AcceptanceDraft) -> Opened:
    """The account of an invitation, signed in; each invitation makes one."""
    secret, password = draft.token.get_secret_value(), draft.password.get_secret_value()
    with visit.desk.sessions() as session:
        visit.take(session, throttling.LINKS)
        asked = _read(session, secret)
        check_choice(password, (draft.name, asked.name, asked.email))
        account = _accept(
            session,
            hash=opaque.digest(secret),
            name=draft.name,
            language=draft.language,
            password=visit.desk.passwords.hash(password),
        )
        if account is None:
            raise NotFoundError(_UNKNOWN)
        opened = sessions.open_session(session, visit, account, SignInMethod.PASSWORD, datetime.timedelta())
        session.commit()
    return opened


def accept_by_email(session: Session, email: str, name: str | None, issuer: str, subject: str) -> Account | None:
    """The account of an invitation to an address that an identity provider has verified."""
    return _accept(session, key=sessions.email_key(email), name=name, issuer=issuer, subject=subject)


def _read(session: Session, secret: str) -> InvitationRead:
    row = session.execute(_READ, {"hash": opaque.digest(secret)}).one_or_none()
    if row is None:
        raise NotFoundError(_UNKNOWN)
    return InvitationRead.model_validate(row)


def _accept(session: Session, **given: object) -> Account | None:
    nothing = dict.fromkeys(("hash", "key", "name", "language", "password", "issuer", "subject"))
    try:
        account = session.scalars(_ACCEPT, {**nothing, "made": uuid.uuid4(), **given}).one_or_none()
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state not in _REFUSED:
            raise
        session.rollback()  # the invitation stays open
        refusal, told = _REFUSED[state]
        raise refusal(told) from None
    if account is not None:
        act_as(session, sessions.caller_of(account))
        note(session, sessions.caller_of(account), Action.JOINED, account.id)
    return account


def _withdraw(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(update(Invitation).where(which, *_OPEN).values(withdrawn=func.now()))


def _check_address(session: Session, by: Actor, key: str) -> None:
    """ConflictError where the cluster has an account of that address; of others' the inviter learns nothing."""
    here = select(Account.active).where(Account.cluster_id == by.cluster_id, Account.email_key == key)
    active = session.scalar(here)
    if active:
        raise ConflictError("there is an account with this e-mail address already")
    if active is False:
        raise ConflictError(
            "there is a deactivated account with this e-mail address; a cluster administrator can reactivate it"
        )


def _check_owner(by: Actor, role: Role, owner: Organisation | None) -> None:
    if owner is None:
        if role in _NEED_ORGANISATION:
            raise InvalidInputError(f"organisation: an account of the role {role} needs one")
        return
    if owner.cluster_id != by.cluster_id:
        # Seen, because an entry that is opened to this cluster names it; its people are another cluster's.
        raise NotFoundError("no such organisation in your cluster")
    if role in WITHOUT_ORGANISATION:
        raise InvalidInputError(f"organisation: an account of the role {role} belongs to none")
    if owner.withdrawn:
        raise ConflictError("the organisation has been withdrawn")
    is_company = owner.kind == OrganisationKind.COMPANY
    if role in _NEED_ORGANISATION and (role is Role.COMPANY) != is_company:
        raise InvalidInputError(f"organisation: a {owner.kind} has no account of the role {role}")
