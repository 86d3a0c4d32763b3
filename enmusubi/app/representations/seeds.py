"""How a seed looks."""

import datetime

from pydantic import Field

from enmusubi.app.models import Seed, SeedDetail
from enmusubi.app.representations.entries import EntryOut
from enmusubi.app.representations.representation import Representation
from enmusubi.app.schemas import ResearcherDraft
from enmusubi.app.vocabulary import IprStatus, Stage


class SeedConfidential(Representation):
    """What only the seed's own organisation and the coordinators of its cluster read, until a patent is filed."""

    unpublished: str | None
    filing_expected_on: datetime.date | None


class SeedOut(EntryOut):
    """A technology seed."""

    description: str | None
    advantages: str | None
    open_challenges: str | None
    expected_partner: str | None
    trl: int | None
    stage: Stage | None
    ipr_status: IprStatus | None
    ipr_numbers: list[str]
    licensable: bool | None
    transferable: bool | None
    researchers: list[ResearcherDraft]
    confidential: SeedConfidential | None = Field(
        default=None, description="Null in lists, for those who may not read it, and where there is nothing in it"
    )


def seed_out(seed: Seed, detail: SeedDetail | None) -> SeedOut:
    """A seed as its reader may see it: `detail` is None in lists, and for those who may not read it."""
    shown = SeedOut.model_validate(seed)
    if detail is not None:
        shown.confidential = SeedConfidential.model_validate(detail)
    return shown
