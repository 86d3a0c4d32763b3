"""Accounts: one's own, those one may see, and what cluster administrators do with them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session, joinedload

from enmusubi.app.auth import Identified
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError
from enmusubi.app.introducing.handing_over import count_open
from enmusubi.app.introducing.leaving import tell_left_alone
from enmusubi.app.models import Account, ApiToken, Cluster, Delivery, Organisation
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.recording import Actor
from enmusubi.app.signing_in import invitations, sessions
from enmusubi.app.signing_in.drafts import AccountDraft, PasswordDraft
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.passwords import check_choice
from enmusubi.app.signing_in.shown import AccountOut, PersonDeactivated, PersonOut
from enmusubi.app.signing_in.visits import Desk
from enmusubi.app.vocabulary import Action, Language, Letters, Role

MOST_UNREAD: Final = 99


def visible_to(caller: Caller) -> ColumnElement[bool]:
    """Accounts of the cluster for those who oversee it; others see their own organisation's."""
    here = Account.cluster_id == caller.cluster_id
    if caller.oversees:
        return here
    return here & (Account.organisation_id == caller.organisation_id)


@dataclass(frozen=True, slots=True)
class Badge:
    """What the head of every page shows of who looks at it."""

    name: str
    language: Language
    cluster: str
    organisation: str | None
    unread: int
    """Notices that were not read yet; counted up to MOST_UNREAD."""


def badge(session: Session, caller: Caller) -> Badge:
    """The account that looks, in one statement."""
    unread = (
        select(Delivery.id)
        .where(Delivery.account_id == caller.id, Delivery.read.is_(None))
        .limit(MOST_UNREAD)
        .subquery()
    )
    row = session.execute(
        select(
            Account.name,
            Account.language,
            Cluster.name,
            Organisation.name,
            select(func.count()).select_from(unread).scalar_subquery(),
        )
        .join(Cluster, Cluster.id == Account.cluster_id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.id == caller.id)
    ).one()
    return Badge(row[0], Language(row[1]), row[2], row[3], row[4])


def own(session: Session, caller: Caller) -> Account:
    """The account that asks."""
    return session.get_one(Account, caller.id, options=[joinedload(Account.organisation)])


def own_out(session: Session, caller: Caller) -> AccountOut:
    """The account that asks, with how it can sign in."""
    account = own(session, caller)
    shown = PersonOut.model_validate(account)
    return AccountOut(
        **dict(shown),
        has_password=account.password_hash is not None,
        has_identity=account.oidc_subject is not None,
        letters=Letters(account.letters),
    )


def revise_own(session: Session, caller: Caller, changes: AccountDraft) -> None:
    """Change name, language, or which letters come."""
    account = own(session, caller)
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        if value is None:
            raise InvalidInputError(f"{name}: cannot be taken away")
        setattr(account, name, value)
    session.flush()
    note(session, caller, Action.REVISED, caller.id, fields=sorted(changes.model_fields_set))


def change_own_password(session: Session, desk: Desk, identified: Identified, draft: PasswordDraft) -> None:
    """A new password; the present one proves who asks, and where there is none, a session confirmed lately does."""
    account = own(session, identified.caller)
    check_choice(draft.password.get_secret_value(), (account.name, account.email))
    if account.password_hash is None:
        sessions.require_confirmed(desk, identified)
    elif draft.present is None:
        raise InvalidInputError("present: the present password is needed")
    else:
        sessions.check_password(session, desk, identified.caller, draft.present.get_secret_value())
    sessions.change_password(session, desk, identified, draft.password.get_secret_value())


def list_people(session: Session, caller: Caller, query: PageQuery) -> Listed:
    """A page of the accounts that the caller may see, newest first."""
    chosen = select(Account).where(visible_to(caller)).options(joinedload(Account.organisation))
    return page(session, chosen, Account, query)


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account that is to be deactivated or let in again, and what hangs on it."""

    account: Account
    open_matches: int
    followers: Sequence[Account]
    """Active coordinators who could take its matches over."""


def read_leaving(session: Session, desk: Desk, identified: Identified, public_id: uuid.UUID) -> Leaving:
    """What an administrator looks at before; the same rights as for the step itself."""
    account = session.scalars(_administered(session, desk, identified, public_id)).one()
    coordinators = (
        select(Account)
        .where(visible_to(identified.caller), Account.role == Role.COORDINATOR, Account.active)
        .where(Account.id != account.id)
        .order_by(Account.name, Account.id)
    )
    return Leaving(account, count_open(session, account), session.scalars(coordinators).all())


def deactivate(session: Session, desk: Desk, identified: Identified, public_id: uuid.UUID) -> Account:
    """The account can do nothing any more: its sessions end, its tokens are revoked; what it did stays."""
    account = _to_administer(session, desk, identified, public_id)
    if account.id == identified.caller.id:
        raise ConflictError("you cannot deactivate your own account; another administrator can")
    end(session, identified.caller, account)
    return account


def deactivated_out(session: Session, account: Account) -> PersonDeactivated:
    """An account that was deactivated, with what it leaves behind."""
    return PersonDeactivated(**dict(PersonOut.model_validate(account)), open_matches=count_open(session, account))


def reactivate(session: Session, desk: Desk, identified: Identified, public_id: uuid.UUID) -> Account:
    """The account may sign in again; tokens and sessions of before stay ended."""
    account = _to_administer(session, desk, identified, public_id)
    let_in(session, identified.caller, account)
    return account


def let_in(session: Session, by: Actor, account: Account) -> None:
    """Let an account sign in again, on behalf of an administrator or the command line."""
    account.active = True
    session.flush()
    note(session, by, Action.REACTIVATED, account.id)


def end(session: Session, by: Actor, account: Account) -> None:
    """Deactivate an account, on behalf of an administrator or the command line."""
    was_active, account.active = account.active, False
    session.execute(
        update(ApiToken).where(ApiToken.account_id == account.id, ApiToken.revoked.is_(None)).values(revoked=func.now())
    )
    sessions.end_all(session, account.id)
    invitations.withdraw_of(session, account.id)
    session.flush()
    note(session, by, Action.DEACTIVATED, account.id)
    if was_active:
        tell_left_alone(session, account.organisation_id)


def _to_administer(session: Session, desk: Desk, identified: Identified, public_id: uuid.UUID) -> Account:
    query = _administered(session, desk, identified, public_id)
    return session.scalars(query.with_for_update(of=Account)).one()


def _administered(session: Session, desk: Desk, identified: Identified, public_id: uuid.UUID) -> Select[Account]:
    """What finds the account, which the caller may administer now."""
    caller = identified.caller
    query = select(Account).where(Account.public_id == public_id, visible_to(caller))
    query = query.options(joinedload(Account.organisation)).execution_options(populate_existing=True)
    account = session.scalar(query)
    if account is None:
        raise NotFoundError("no such account, or it is not open to you")
    # Asked before it is locked: the database locks nothing for those who may not change it.
    require(caller, Right.ADMINISTER_ACCOUNT, relation_to(caller, account.cluster_id, account.organisation_id))
    sessions.require_confirmed(desk, identified)
    return query
