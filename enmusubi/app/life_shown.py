"""What goes out of the life of entries, and of the settings of a cluster."""

import datetime
import uuid
from typing import Literal

from pydantic import BaseModel, Field

from enmusubi.app.catalogue.steps import Life
from enmusubi.app.models import Need, PublicationReview, Seed
from enmusubi.app.representations import PUBLIC_ID, Representation
from enmusubi.app.vocabulary import EntryStatus, EntryStep, PublicationVerdict, ReviewedKinds


class PublicationReviewOut(Representation):
    """What a second pair of eyes said."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    verdict: PublicationVerdict
    reason: str | None = Field(description="For the owner and coordinators; null for others")
    entry_version: int = Field(description="The version that was read")
    created: datetime.datetime


class LifeOut(BaseModel):
    """Where an entry stands, and what can be done with it."""

    id: uuid.UUID
    kind: Literal["seed", "need"]
    status: EntryStatus
    version: int = Field(description="What If-Match takes")
    expires_on: datetime.date
    published_on: datetime.date | None = Field(
        description="Since when it may be published without another look; null before, and after a rejection"
    )
    review_due: bool = Field(description="Whether its words were revised since somebody looked at it")
    steps: list[EntryStep] = Field(description="What you can do with it now")
    reviews: list[PublicationReviewOut] = Field(description="What was said of it, the first one first")


class WaitingOut(BaseModel):
    """An entry that waits for a second pair of eyes."""

    id: uuid.UUID
    kind: Literal["seed", "need"]
    status: EntryStatus
    version: int = Field(description="What If-Match takes")
    title: str | None
    expires_on: datetime.date


class ClusterSettingsOut(Representation):
    """What a cluster decides for itself; days are working days of Japan."""

    review_before_publication: ReviewedKinds
    answer_days: int
    introduce_days: int
    disclose_days: int
    meeting_days: int
    report_days: int
    outcome_days: int
    warn_days: int
    remind_days: int
    escalate_days: int
    raise_days: int
    lapse_days: int
    most_open_interests: int


def life_out(life: Life) -> LifeOut:
    """Where an entry stands, as its reader may see it."""
    entry = life.entry
    return LifeOut(
        id=entry.public_id,
        kind=_kind(entry),
        status=EntryStatus(entry.status),
        version=entry.version,
        expires_on=entry.expires_on,
        published_on=entry.published_on,
        review_due=entry.review_due,
        steps=life.steps,
        reviews=[_review_out(review, shown=life.reads_reasons) for review in life.reviews],
    )


def waiting_out(entry: Seed | Need) -> WaitingOut:
    """One of those that wait, as whoever reviews sees it."""
    return WaitingOut(
        id=entry.public_id,
        kind=_kind(entry),
        status=EntryStatus(entry.status),
        version=entry.version,
        title=entry.title,
        expires_on=entry.expires_on,
    )


def _review_out(review: PublicationReview, *, shown: bool) -> PublicationReviewOut:
    out = PublicationReviewOut.model_validate(review)
    return out if shown else out.model_copy(update={"reason": None})


def _kind(entry: Seed | Need) -> Literal["seed", "need"]:
    return "seed" if isinstance(entry, Seed) else "need"
