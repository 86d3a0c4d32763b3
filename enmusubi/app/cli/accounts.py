"""Clusters, accounts and tokens, made by whoever runs the server until people can be invited."""

import uuid
from typing import Any

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
from enmusubi.app.recording import Operator, actor_of, record
from enmusubi.app.schemas import OrganisationDraft
from enmusubi.app.vocabulary import Action, OrganisationKind, RecordedKind, Role

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


def create_account(name: str, role: Role, organisation: str | None, cluster_name: str | None) -> None:
    """Create an account and print its token."""
    with opened(read_settings()) as database, database.session() as session:
        cluster = find_cluster(session, cluster_name)
        token = add_account(session, cluster, name, role, organisation)
        session.commit()
    Console().print(
        f"token of {name} ({role}), shown this once; send it as Authorization: Bearer …", markup=False, highlight=False
    )
    print(token)  # noqa: T201 alone on its line, so that a script can take it


def add_account(session: Session, cluster: Cluster, name: str, role: Role, organisation: str | None) -> str:
    """A new account and its token; the organisation is added where it is new and its kind follows from the role."""
    if organisation is None and role in _KINDS:
        raise InvalidInputError(f"an account of the role {role} needs --organisation")
    owner = None
    if organisation is not None:
        owner = find_organisation(session, cluster, organisation)
        if owner is None:
            if role not in _KINDS:
                raise NotFoundError(f"no organisation {organisation!r} in the cluster; ingest or create it first")
            draft = OrganisationDraft(name=organisation, kind=_KINDS[role])
            owner = organisations.create_organisation(session, cluster.id, draft)
        _check_kind(role, owner)
    account = auth.create_account(session, cluster, role, name, owner)
    _record(session, account, Action.CREATED, role=str(role))
    return _issue_token(session, account)


def _issue_token(session: Session, account: Account) -> str:
    _record(session, account, Action.TOKEN_ISSUED)
    return auth.issue_token(session, account)


def _record(session: Session, account: Account, action: Action, **content: Any) -> None:
    # By its pseudonym, so that it can be forgotten.
    by = Operator(account.cluster_id)
    record(session, by, action, RecordedKind.ACCOUNT, actor_of(session, account), **content)


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
    table = Table("Account", "Role", "Organisation", "Active")
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
            table.add_row(row.name, row.role, owner or "–", "yes" if row.active else "no", str(row.public_id))
    Console().print(table)


def token(account_id: str, *, revoke: bool) -> None:
    """Print a further token of an account, or revoke all of them."""
    with opened(read_settings()) as database, database.session() as session:
        account = _find_account(session, account_id)
        if revoke:
            revoked = auth.revoke_tokens(session, account)
            _record(session, account, Action.TOKENS_REVOKED, tokens=revoked)
            session.commit()
            Console().print(f"{revoked} tokens revoked", highlight=False)
            return
        issued = _issue_token(session, account)
        session.commit()
    print(issued)  # noqa: T201 alone on its line, so that a script can take it


def erase(account_id: str) -> None:
    """Remove what tells who an account's person is, for good."""
    with opened(read_settings()) as database, database.session() as session:
        erase_account(session, _find_account(session, account_id))
        session.commit()
    Console().print(
        "erased: its name, tokens and pseudonym are gone; what it decided stays, as an erased account's",
        highlight=False,
    )


def _find_account(session: Session, account_id: str) -> Account:
    try:
        account = session.scalar(select(Account).where(Account.public_id == uuid.UUID(account_id)))
    except ValueError:
        account = None
    if account is None:
        raise NotFoundError(f"there is no account {account_id!r}; `enmusubi account list` shows them")
    return account
