"""Organisations: read, find, add, revise, withdraw."""

import unicodedata
import uuid
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Boolean, func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.rules import check_version, revised, touch
from enmusubi.app.errors import ConflictError, ForbiddenError, NotFoundError, Sentence
from enmusubi.app.models import Organisation
from enmusubi.app.permissions import Relation, Right, relation_to, require
from enmusubi.app.recording import Actor, Operator, record
from enmusubi.app.schemas import OrganisationDraft
from enmusubi.app.vocabulary import Action, RecordedKind


def name_key(name: str) -> str:
    """What two spellings of an organisation's name share: NFKC, case folded, no blanks."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def read_organisation(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> Organisation:
    """The organisation, if the caller may see it; NotFoundError otherwise."""
    query = select(Organisation).where(Organisation.public_id == public_id, visibility.organisations_visible_to(caller))
    organisation = session.scalar(query.with_for_update() if lock else query)
    if organisation is None:
        raise NotFoundError("no such organisation, or it is not open to you")
    return organisation


def add_organisation(session: Session, caller: Caller, draft: OrganisationDraft) -> Organisation:
    """Add an organisation to the caller's cluster; for coordinators and cluster administrators."""
    require(caller, Right.ADD_ORGANISATION, Relation.HERE)
    organisation = Organisation(cluster_id=caller.cluster_id)
    _fill_organisation(session, organisation, draft)
    session.add(organisation)
    session.flush()
    _record(session, caller, Action.CREATED, organisation)
    return organisation


def revise_organisation(
    session: Session, caller: Caller, public_id: uuid.UUID, version: int | None, changes: BaseModel
) -> Organisation:
    """Change the fields that `changes` sets; for coordinators and cluster administrators."""
    organisation = _organisation_to_change(session, caller, public_id, version)
    if organisation.withdrawn:
        raise ConflictError("the organisation has been withdrawn")
    present = {name: getattr(organisation, name) for name in OrganisationDraft.model_fields}
    _fill_organisation(session, organisation, revised(OrganisationDraft, present, changes), organisation.id)
    touch(organisation)
    session.flush()
    _record(session, caller, Action.REVISED, organisation, fields=sorted(changes.model_fields_set))
    return organisation


def withdraw_organisation(session: Session, caller: Caller, public_id: uuid.UUID, version: int | None) -> Organisation:
    """Withdraw an organisation that no open entry but drafts belongs to; ConflictError otherwise."""
    organisation = _organisation_to_change(session, caller, public_id, version)
    if session.scalar(select(func.has_open_entries(organisation.id, type_=Boolean))):
        raise ConflictError("the organisation still has entries that are not withdrawn; withdraw these first")
    organisation.withdrawn = True
    touch(organisation)
    session.flush()
    _record(session, caller, Action.WITHDRAWN, organisation)
    return organisation


def find_organisation(
    session: Session,
    cluster_id: int,
    *,
    name: str | None = None,
    ror: str | None = None,
    corporate_number: str | None = None,
) -> Organisation | None:
    """The cluster's organisation with that number or name: the numbers first, its English name last."""
    conditions = []
    if ror is not None:
        conditions.append(Organisation.ror == ror)
    if corporate_number is not None:
        conditions.append(Organisation.corporate_number == corporate_number)
    if name is not None:
        conditions += [Organisation.name_key == name_key(name), Organisation.name_en_key == name_key(name)]
    for condition in conditions:
        found = session.scalars(
            select(Organisation).where(Organisation.cluster_id == cluster_id, condition).order_by(Organisation.id)
        ).first()
        if found is not None:
            return found
    return None


def create_organisation(session: Session, cluster_id: int, draft: OrganisationDraft) -> Organisation:
    """Add an organisation on behalf of an ingest or the command line."""
    organisation = Organisation(cluster_id=cluster_id)
    _fill_organisation(session, organisation, draft)
    session.add(organisation)
    session.flush()
    _record(session, Operator(cluster_id), Action.CREATED, organisation)
    return organisation


def update_organisation(session: Session, organisation: Organisation, draft: OrganisationDraft) -> bool:
    """Bring an organisation up to date on behalf of an ingest; whether anything changed."""
    values = draft.model_dump(mode="json")
    changed = sorted(column for column, value in values.items() if getattr(organisation, column) != value)
    if not changed:
        return False
    _fill_organisation(session, organisation, draft, organisation.id)
    touch(organisation)
    session.flush()
    _record(session, Operator(organisation.cluster_id), Action.REVISED, organisation, fields=changed)
    return True


def owner_of(session: Session, caller: Caller, public_id: uuid.UUID | None) -> int | None:
    """The key of the organisation that is to own an entry: the caller's own; coordinators may name any or none."""
    owner = owner_to_be(session, caller, public_id)
    return None if owner is None else owner.id


def owner_to_be(session: Session, caller: Caller, public_id: uuid.UUID | None) -> Organisation | None:
    """The organisation that is to own an entry: the caller's own; coordinators may name any or none."""
    if caller.coordinates:
        if public_id is None:
            return None
        named = read_organisation(session, caller, public_id)
        if named.cluster_id != caller.cluster_id:
            # Seen because an entry that is opened names it: what is entered here is of this cluster.
            raise NotFoundError("no such organisation, or it is not open to you")
        return _not_withdrawn(named)
    own = session.get(Organisation, caller.organisation_id)
    assert own is not None  # the accounts' check constraint
    if public_id is not None and public_id != own.public_id:
        raise ForbiddenError("organisation: only your own may own what you enter")
    return _not_withdrawn(own)


def named_here(session: Session, caller: Caller, name: str) -> Organisation | None:
    """The organisation of the caller's cluster with that name, Japanese or English, as far as the caller may see it."""
    found = find_organisation(session, caller.cluster_id, name=name)
    if found is None:
        return None
    visible = select(Organisation).where(
        Organisation.id == found.id, visibility.organisations_visible_to(caller), ~Organisation.withdrawn
    )
    return session.scalar(visible)


def _not_withdrawn(organisation: Organisation) -> Organisation:
    if organisation.withdrawn:
        raise ConflictError("organisation: it has been withdrawn; nothing is entered for it any more")
    return organisation


def _record(session: Session, by: Actor, action: Action, organisation: Organisation, **content: Any) -> None:
    record(
        session, by, action, RecordedKind.ORGANISATION, organisation.public_id, version=organisation.version, **content
    )


def _organisation_to_change(
    session: Session, caller: Caller, public_id: uuid.UUID, version: int | None
) -> Organisation:
    organisation = read_organisation(session, caller, public_id)
    require(caller, Right.CHANGE_ORGANISATION, relation_to(caller, organisation.cluster_id, organisation.id))
    organisation = read_organisation(session, caller, public_id, lock=True)
    check_version(organisation, version)
    return organisation


def _fill_organisation(
    session: Session, organisation: Organisation, draft: OrganisationDraft, own_id: int | None = None
) -> None:
    key = name_key(draft.name)
    taken = {"name": Organisation.name_key == key}
    if draft.ror:
        taken["ror"] = Organisation.ror == draft.ror
    if draft.corporate_number:
        taken["corporate_number"] = Organisation.corporate_number == draft.corporate_number
    for column, condition in taken.items():
        other = session.scalar(
            select(Organisation.id).where(Organisation.cluster_id == organisation.cluster_id, condition)
        )
        if other is not None and other != own_id:
            raise ConflictError(
                Sentence("another organisation of the cluster has this %(column)s", column=Sentence(column))
            )
    for column, value in draft.model_dump().items():
        setattr(organisation, column, value)
    organisation.name_key = key
    organisation.name_en_key = name_key(draft.name_en) if draft.name_en else None
