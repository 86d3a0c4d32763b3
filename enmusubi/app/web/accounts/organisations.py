"""Organisations of the cluster: listed, added, revised, withdrawn."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue import listing, organisations
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.permissions import Relation, Right, may, relation_to, require
from enmusubi.app.representations import OrganisationOut
from enmusubi.app.schemas import OrganisationDraft, OrganisationRevision
from enmusubi.app.vocabulary import OrganisationKind
from enmusubi.app.web.accounts import office
from enmusubi.app.web.accounts.fields import is_first, new_once, refused, version_of
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.forms import Filled, read

router = APIRouter(prefix="/organisations")


@router.get("")
def page_organisations(
    screen: ScreenNow, q: str | None = None, kind: str | None = None, cursor: str | None = None
) -> Response:
    """Those open to the reader, newest first, by name and kind."""
    chosen = OrganisationKind(kind) if kind in tuple(OrganisationKind) else None
    query = listing.OrganisationQuery(q=(q or "")[:500] or None, kind=chosen, cursor=cursor)
    listed = listing.list_organisations(screen.session, screen.caller, query)
    return screen.show(
        "accounts/organisations.html", organisations=listed.rows, next=listed.next, q=q or "",
        chosen=str(chosen or ""), adds=may(screen.caller, Right.ADD_ORGANISATION, Relation.HERE),
        office=office.links(screen),
    )  # fmt: skip


@router.get("/new")
def page_add_organisation(screen: ScreenNow) -> Response:
    """The form of a new one."""
    require(screen.caller, Right.ADD_ORGANISATION, Relation.HERE)
    return _form(screen, Filled())


@router.post("/new")
def do_add_organisation(screen: ScreenNow) -> Response:
    """Add it."""
    require(screen.caller, Right.ADD_ORGANISATION, Relation.HERE)
    draft, filled = read(OrganisationDraft, screen.form, screen.speech)
    if draft is None:
        return _form(screen, filled, 422)
    try:
        if is_first(screen):
            organisations.add_organisation(screen.session, screen.caller, draft)
    except (ConflictError, InvalidInputError) as error:
        screen.start_over()
        return _form(screen, refused(filled, error, screen.speech), error.status)
    return screen.go("/organisations", done="saved")


@router.get("/{organisation_id}")
def page_organisation(organisation_id: uuid.UUID, screen: ScreenNow) -> Response:
    """One of them; with its form for who may change it."""
    organisation = organisations.read_organisation(screen.session, screen.caller, organisation_id)
    shown = OrganisationOut.model_validate(organisation)
    relation = relation_to(screen.caller, organisation.cluster_id, organisation.id)
    if organisation.withdrawn or not may(screen.caller, Right.CHANGE_ORGANISATION, relation):
        return screen.show("accounts/organisation_shown.html", organisation=shown)
    return _form(screen, Filled({**shown.model_dump(), "version": organisation.version}), of=organisation_id)


@router.post("/{organisation_id}")
def do_revise_organisation(organisation_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Change it to what the form says."""
    version = version_of(screen.form)
    draft, filled = read(OrganisationDraft, screen.form, screen.speech)
    filled.values = {**filled.values, "version": version}
    if draft is None:
        return _form(screen, filled, 422, organisation_id)
    changes = OrganisationRevision.model_validate(draft.model_dump())
    try:
        organisations.revise_organisation(screen.session, screen.caller, organisation_id, version, changes)
    except (ConflictError, InvalidInputError) as error:
        screen.start_over()
        return _form(screen, refused(filled, error, screen.speech), error.status, organisation_id)
    return screen.go("/organisations", done="saved")


@router.post("/{organisation_id}/withdraw")
def do_withdraw_organisation(organisation_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Withdraw one that has no open entries."""
    organisations.withdraw_organisation(screen.session, screen.caller, organisation_id, version_of(screen.form))
    return screen.go("/organisations", done="withdrawn")


def _form(screen: Screen, filled: Filled, status: int = 200, of: uuid.UUID | None = None) -> Response:
    return screen.show("accounts/organisation.html", status, filled=filled, organisation_id=of, once=new_once())
