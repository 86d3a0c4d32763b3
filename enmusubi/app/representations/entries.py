"""What seeds and needs have in common, and how lists of matches show them."""

import datetime
import uuid
from typing import Literal

from pydantic import BaseModel, Field

from enmusubi.app.matchmaking import EXCERPT
from enmusubi.app.models import Need, Seed
from enmusubi.app.representations.organisations import OrganisationNamed, organisation_named
from enmusubi.app.representations.representation import PUBLIC_ID, Representation
from enmusubi.app.vocabulary import EntryStatus


class EntryOut(Representation):
    """What a seed and a need have in common."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    status: EntryStatus
    source: str | None = Field(description="Where it was entered; null for those who may not know the owner")
    external_id: str | None = Field(description="Its id there; null for those who may not know the owner")
    reference: str | None = Field(description="The owner's reference; null for those who may not know the owner")
    title: str | None
    summary: str | None
    translation_title: str | None
    translation_summary: str | None
    applications: str | None
    technology_keywords: list[str]
    market_keywords: list[str]
    field_codes: list[str]
    sdgs: list[int]
    regions: list[str]
    language: str | None
    expires_on: datetime.date
    open_for_interest: bool
    organisation: OrganisationNamed | None = Field(description="The owner; null where it is not to be known")
    created: datetime.datetime
    last_modified: datetime.datetime


class EntryShown(BaseModel):
    """What a list of matches shows of a seed or a need."""

    id: uuid.UUID
    kind: Literal["seed", "need"]
    title: str | None
    excerpt: str | None = Field(description="The beginning of its text, with … where there is more")
    language: str | None
    technology_keywords: list[str]
    regions: list[str]
    trl: int | None = Field(description="TRL of a seed, wanted TRL of a need")
    organisation: OrganisationNamed | None


def entry_shown(entry: Seed | Need) -> EntryShown:
    """A stored seed or need as a list of matches shows it."""
    seed = entry if isinstance(entry, Seed) else None
    need = entry if isinstance(entry, Need) else None
    own = seed.description if seed else need.expertise_sought if need else None
    return EntryShown(
        id=entry.public_id,
        kind="seed" if seed else "need",
        title=entry.title,
        excerpt=excerpt(entry.summary or own or entry.applications),
        language=entry.language,
        technology_keywords=entry.technology_keywords,
        regions=entry.regions,
        trl=seed.trl if seed else need.wanted_trl if need else None,
        organisation=organisation_named(entry.organisation),
    )


def excerpt(text: str | None) -> str | None:
    """The beginning of a text, with … where there is more."""
    return text if text is None or len(text) <= EXCERPT else text[:EXCERPT] + "…"
