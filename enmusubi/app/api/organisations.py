"""Organisations: add, read, list, revise, withdraw."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from enmusubi.app.catalogue import listing, organisations
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, CreationNow, ExpectedVersion, etag
from enmusubi.app.representations import OrganisationOut, Page
from enmusubi.app.schemas import OrganisationDraft, OrganisationRevision
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/organisations", tags=["organisations"])


@router.post("", status_code=201, response_model=OrganisationOut, openapi_extra=allows(Scope.WRITE))
def add_organisation(draft: OrganisationDraft, asked: AskedNow, creation: CreationNow) -> Response:
    """Add an organisation to your cluster; for coordinators and cluster administrators."""

    def add() -> tuple[BaseModel, Mapping[str, str]]:
        added = organisations.add_organisation(asked.session, asked.caller, draft)
        headers = {**etag(added.version), "Location": f"/api/v1/organisations/{added.public_id}"}
        return OrganisationOut.model_validate(added), headers

    return creation.reply(add)


@router.get("", openapi_extra=allows(Scope.READ))
def list_organisations(query: Annotated[listing.OrganisationQuery, Query()], asked: AskedNow) -> Page[OrganisationOut]:
    """The organisations open to you, newest first."""
    listed = listing.list_organisations(asked.session, asked.caller, query)
    return Page[OrganisationOut](items=[OrganisationOut.model_validate(row) for row in listed.rows], next=listed.next)


@router.get("/{organisation_id}", openapi_extra=allows(Scope.READ))
def read_organisation(organisation_id: uuid.UUID, asked: AskedNow, response: Response) -> OrganisationOut:
    """One organisation; its ETag is what If-Match takes."""
    organisation = organisations.read_organisation(asked.session, asked.caller, organisation_id)
    response.headers.update(etag(organisation.version))
    return OrganisationOut.model_validate(organisation)


@router.patch("/{organisation_id}", openapi_extra=allows(Scope.WRITE))
def revise_organisation(
    organisation_id: uuid.UUID,
    revision: OrganisationRevision,
    asked: AskedNow,
    version: ExpectedVersion,
    response: Response,
) -> OrganisationOut:
    """Change the fields given (JSON merge patch); for coordinators and cluster administrators."""
    organisation = organisations.revise_organisation(asked.session, asked.caller, organisation_id, version, revision)
    response.headers.update(etag(organisation.version))
    return OrganisationOut.model_validate(organisation)


@router.post("/{organisation_id}/withdraw", openapi_extra=allows(Scope.WRITE))
def withdraw_organisation(
    organisation_id: uuid.UUID, asked: AskedNow, version: ExpectedVersion, response: Response
) -> OrganisationOut:
    """Withdraw an organisation that has no open entries."""
    organisation = organisations.withdraw_organisation(asked.session, asked.caller, organisation_id, version)
    response.headers.update(etag(organisation.version))
    return OrganisationOut.model_validate(organisation)
