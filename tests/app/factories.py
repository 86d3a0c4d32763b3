"""Typed factories: small, complete rows that tests can read aloud."""

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.catalogue import needs, organisations, seeds
from enmusubi.app.embeddings import embed
from enmusubi.app.models import Account, ApiToken, Cluster, Need, Organisation, Seed
from enmusubi.app.schemas import NeedDraft, OrganisationDraft, SeedDraft
from enmusubi.app.visibility import Caller
from enmusubi.app.vocabulary import OrganisationKind, Role
from enmusubi.matching.encoder import Encoder, HashEncoder

ENCODER = HashEncoder()


def a_cluster(session: Session, name: str | None = None) -> Cluster:
    """A cluster."""
    cluster = Cluster(name=name or f"Cluster {uuid.uuid4()}")
    session.add(cluster)
    session.flush()
    return cluster


def an_organisation(
    session: Session,
    cluster: Cluster,
    kind: OrganisationKind = OrganisationKind.COMPANY,
    name: str | None = None,
    **fields: Any,
) -> Organisation:
    """An organisation of a cluster, a company unless said otherwise."""
    draft = OrganisationDraft(name=name or f"Organisation {uuid.uuid4()}", kind=kind, **fields)
    return organisations.create_organisation(session, cluster.id, draft)


def a_university(session: Session, cluster: Cluster, name: str | None = None) -> Organisation:
    """A university of a cluster."""
    return an_organisation(session, cluster, OrganisationKind.UNIVERSITY, name)


def a_caller(session: Session, cluster: Cluster, role: Role, organisation: Organisation | None = None) -> Caller:
    """An account with that role, as the one that asks; a new organisation where the role needs one."""
    if organisation is None and role in (Role.COMPANY, Role.UNIVERSITY):
        kind = OrganisationKind.COMPANY if role is Role.COMPANY else OrganisationKind.UNIVERSITY
        organisation = an_organisation(session, cluster, kind)
    account = auth.create_account(session, cluster, role, f"{role} person", organisation)
    return Caller(account.id, account.public_id, account.cluster_id, account.organisation_id, role)


def a_token(session: Session, caller: Caller) -> str:
    """A token of the caller's account."""
    account = session.get(Account, caller.id)
    assert account is not None
    return auth.issue_token(session, account)


def a_seed(
    session: Session,
    cluster: Cluster,
    owner: Organisation | None = None,
    encoder: Encoder | None = ENCODER,
    **fields: Any,
) -> Seed:
    """A published seed of a cluster, embedded unless `encoder` is None."""
    seed = seeds.new_seed(cluster.id, "test")
    seeds.fill_seed(seed, SeedDraft(**{"title": "Collagen concrete", **fields}), owner.id if owner else None)
    session.add(seed)
    session.flush()
    if encoder is not None:
        embed(seed, encoder)
        session.flush()
    return seed


def a_need(
    session: Session,
    cluster: Cluster,
    owner: Organisation | None = None,
    encoder: Encoder | None = ENCODER,
    **fields: Any,
) -> Need:
    """A published, anonymous need of a cluster, embedded unless `encoder` is None."""
    need = needs.new_need(cluster.id, "test")
    draft = NeedDraft(**{"title": "Concrete that does not freeze", **fields})
    needs.fill_need(session, need, draft, owner.id if owner else None)
    session.add(need)
    session.flush()
    if encoder is not None:
        embed(need, encoder)
        session.flush()
    return need


def tokens_of(session: Session, caller: Caller) -> list[ApiToken]:
    """The stored tokens of the caller's account."""
    return list(session.scalars(select(ApiToken).where(ApiToken.account_id == caller.id)))
