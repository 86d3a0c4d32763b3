"""How an organisation looks."""

import datetime
import uuid

from pydantic import Field

from enmusubi.app.models import Organisation
from enmusubi.app.representations.representation import PUBLIC_ID, Representation
from enmusubi.app.vocabulary import OrganisationKind, SizeBand


class OrganisationNamed(Representation):
    """An organisation as other things name it."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    name: str
    name_en: str | None


class OrganisationOut(OrganisationNamed):
    """An organisation of the cluster."""

    kind: OrganisationKind
    region: str | None
    size_band: SizeBand | None
    ror: str | None
    corporate_number: str | None
    withdrawn: bool
    created: datetime.datetime
    last_modified: datetime.datetime


def organisation_named(organisation: Organisation | None) -> OrganisationNamed | None:
    """An organisation as other things name it, None for none."""
    return OrganisationNamed.model_validate(organisation) if organisation else None
