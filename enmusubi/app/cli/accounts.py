"""Clusters, accounts and tokens, made by whoever runs the server: for the first people, and for programs."""

import datetime
import uuid
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.catalogue import organisations
from enmusubi.app.cli.opening import find_cluster, opened, read_settings
from enmusubi.app.erasing import erase_account
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError
from enmusubi.app.models import Account, Cluster, Organisation
from enmusubi.app.recording import Operator, record
from enmusubi.app.schemas import OrganisationDraft
from enmusubi.app.signing_in import sessions
from enmusubi.app.signing_in.drafts import email_address
from enmusubi.app.signing_in.noting import note
from enmusubi.app.vocabulary import WITHOUT_ORGANISATION, Action, OrganisationKind, RecordedKind, Role, Scope

_KINDS = {Role.COMPANY: OrganisationKind.COMPANY, Role.UNIVERSITY: OrganisationKind.UNIVERSITY}


def create_cluster(name: str) -> None:
    """Create a cluster; its name must be new."""
    with opened(read_settings()) as database, database.session() as session:
        add_cluster(session, name)
        session.commit()
    Console().print(f"cluster {name!r} created", markup=False, highlight=False)


def add_cluster(session: Session, name: str) -> Cluster:
    """A new cluster; ConflictError where the name is taken."""
    if not name.strip():
        raise InvalidInputError("a cluster needs a name")
    if session.scalar(select(Cluster.id).where(Cluster.name == name)) is not None:
        raise ConflictError(f"there is a cluster {name!r} already")
    cluster = Cluster(name=name)
    session.add(cluster)
    session.flush()
    record(session, Operator(cluster.id), Action.CREATED, RecordedKind.CLUSTER, cluster.public_id)
    return cluster


def list_clusters() -> None:
    """Print all clusters."""
    table = Table("Cluster")
    table.add_column("Id", no_wrap=True, min_width=36)  # to be copied whole
    with opened(read_settings()) as database, database.session() as session:
        for cluster in session.scalars(select(Cluster).order_by(Cluster.id)):
            table.add_row(cluster.name, str(cluster.public_id))
    Console().print(table)


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """What a token made on the command line may be used for, and for how many days."""

    scopes: tuple[Scope, ...] = tuple(Scope)
    days: int | None = None


def create_account(
    name: str, role: Role, organisation: str | None, email: str | None, cluster_name: str | None, options: TokenOptions
) -> None:
    """Create an account and print its token."""
    with opened(read_settings()) as database, database.session() as session:
        cluster = find_cluster(session, cluster_name)
        account = new_account(session, cluster, name, role, organisation, email)
        token = _issued(session, account, options)
        session.commit()
    Console().print(
        f"token of {name} ({role}), shown this once; send it as Authorization: Bearer …", markup=False, highlight=False
    )
    print(token)  # noqa: T201 alone on its line, so that a script can take it


def add_account(session: Session, cluster: Cluster, name: str, role: Role, organisation: str | None) -> str:
    """A new account and its token."""
    return _issued(session, new_account(session, cluster, name, role, organisation, None), TokenOptions())


def new_account(
    session: Session, cluster: Cluster, name: str, role: Role, organisation: str | None, email: str | None
) -> Account:
    """A new account; the organisation is added where it is new and its kind follows from the role."""
    address = None if email is None else checked_email(email)
    key = None if address is None else sessions.email_key(address)
    if key is not None and session.scalar(select(Account.id).where(Account.email_key == key)) is not None:
        raise ConflictError(f"there is an account with the address {email} already")
    account = auth.create_account(session, cluster, role, name, owner_of(session, cluster, role, organisation))
    account.email, account.email_key = address, key
    session.flush()
    note(session, Operator(cluster.id), Action.CREATED, account.id, role=str(role))
    return account


def checked_email(email: str) -> str:
    """The address as it is stored; InvalidInputError where it is none."""
    try:
        return email_address(email)
    except ValueError as error:
        raise InvalidInputError(f"{email!r} {error}") from None


def owner_of(session: Session, cluster: Cluster, role: Role, organisation: str | None) -> Organisation | None:
    """The organisation of an account of that role, by name or id, added where it is new."""
    if organisation is None:
        if role in _KINDS:
            raise InvalidInputError(f"an account of the role {role} needs --organisation")
        return None
    if role in WITHOUT_ORGANISATION:
        raise InvalidInputError(f"an account of the role {role} belongs to no organisation; leave out --organisation")
    owner = find_organisation(session, cluster, organisation)
    if owner is None:
        if role not in _KINDS:
            raise NotFoundError(f"no organisation {organisation!r} in the cluster; ingest or create it first")
        draft = OrganisationDraft(name=organisation, kind=_KINDS[role])
        owner = organisations.create_organisation(session, cluster.id, draft)
    _check_kind(role, owner)
    return owner


def _check_kind(role: Role, owner: Organisation) -> None:
    company = owner.kind == OrganisationKind.COMPANY
    if (role is Role.COMPANY) != company and role in _KINDS:
        raise InvalidInputError(f"{owner.name} is a {owner.kind}, which has no account of the role {role}")


def find_organisation(session: Session, cluster: Cluster, name: str) -> Organisation | None:
    """The cluster's organisation with that name or public id."""
    found = organisations.find_organisation(session, cluster.id, name=name)
    if found is not None:
        return found
    try:
        public_id = uuid.UUID(name)
    except ValueError:
        return None
    return session.scalar(
        select(Organisation).where(Organisation.cluster_id == cluster.id, Organisation.public_id == public_id)
    )


def list_accounts(cluster_name: str | None) -> None:
    """Print the accounts of a cluster."""
    table = Table("Account", "E-mail", "Role", "Organisation", "Active")
    table.add_column("Id", no_wrap=True, min_width=36)  # to be copied whole
    with opened(read_settings()) as database, database.session() as session:
        cluster = find_cluster(session, cluster_name)
        rows = session.execute(
            select(Account, Organisation.name)
            .outerjoin(Organisation, Account.organisation_id == Organisation.id)
            .where(Account.cluster_id == cluster.id)
            .order_by(Account.id)
        )
        for row, owner in rows:
            table.add_row(
                row.name, row.email or "–", row.role, owner or "–", "yes" if row.active else "no", str(row.public_id)
            )
    Console().print(table)


def find_account(session: Session, account_id: str) -> Account:
    """The account of that id; NotFoundError where there is none."""
    try:
        account = session.scalar(select(Account).where(Account.public_id == uuid.UUID(account_id)))
    except ValueError:
        account = None
    if account is None:
        raise NotFoundError(f"there is no account {account_id!r}; `enmusubi account list` shows them")
    return account


def _issued(session: Session, account: Account, options: TokenOptions) -> str:
    if not account.active:
        raise ConflictError("the account is deactivated; its tokens do nothing")
    lifetime = None if options.days is None else datetime.timedelta(days=options.days)
    scopes = sorted(map(str, options.scopes))
    note(session, Operator(account.cluster_id), Action.TOKEN_ISSUED, account.id, scopes=scopes)
    return auth.new_token(session, account.id, "command line", options.scopes, lifetime)[1]


def token(account_id: str, options: TokenOptions, *, revoke: bool) -> None:
    """Print a further token of an account, or revoke all of them."""
    with opened(read_settings()) as database, database.session() as session:
        account = find_account(session, account_id)
        if revoke:
            revoked = auth.revoke_tokens(session, account)
            note(session, Operator(account.cluster_id), Action.TOKENS_REVOKED, account.id, tokens=revoked)
            session.commit()
            Console().print(f"{revoked} tokens revoked", highlight=False)
            return
        issued = _issued(session, account, options)
        session.commit()
    print(issued)  # noqa: T201 alone on its line, so that a script can take it


def erase(account_id: str) -> None:
    """Remove what tells who an account's person is, for good."""
    with opened(read_settings()) as database, database.session() as session:
        erase_account(session, find_account(session, account_id))
        session.commit()
    Console().print(
        "erased: its name, tokens and pseudonym are gone; what it decided stays, as an erased account's",
        highlight=False,
    )
