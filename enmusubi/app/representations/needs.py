"""How a need looks."""

import datetime

from pydantic import Field

from enmusubi.app.catalogue.needs import OwnerOutline
from enmusubi.app.models import Need, NeedDetail
from enmusubi.app.representations.entries import EntryOut
from enmusubi.app.representations.findings import Findings
from enmusubi.app.representations.organisations import OrganisationNamed, organisation_named
from enmusubi.app.representations.rankings import RankingOut
from enmusubi.app.representations.representation import Representation
from enmusubi.app.vocabulary import Cooperation, OrganisationKind, SizeBand


class NeedConfidential(Representation):
    """What only the need's own organisation and the coordinators of its cluster read."""

    owner: OrganisationNamed | None
    description: str | None
    requirements: str | None
    constraints: str | None
    budget_yen: int | None
    excluded_organisations: list[str]


class OwnerOutlined(Representation):
    """All that readers learn of the company behind an anonymous need."""

    kind: OrganisationKind
    size_band: SizeBand | None
    region: str | None


class NeedOut(EntryOut):
    """A need: its public part, and, where one need is read, the confidential part for those who may read it."""

    expertise_sought: str | None
    wanted_trl: int | None
    cooperation: list[Cooperation]
    region_preference: list[str]
    deadline: datetime.date | None
    anonymous: bool
    owner_outline: OwnerOutlined | None = Field(default=None, description="Of an anonymous need; null for others")
    confidential: NeedConfidential | None = None


class NeedRevised(NeedOut):
    """A revised need, and what of it may identify its owner."""

    findings: Findings


class NeedPosted(NeedRevised):
    """A posted need with its ranked seeds, and what of it may identify its owner."""

    matches: RankingOut


def need_out(
    need: Need, detail: NeedDetail | None, outline: OwnerOutline | None, *, owner_known: bool = False
) -> NeedOut:
    """A need as its reader may see it: `detail` is None in lists, and for those who may not read it.

    `owner_known` tells of a need without its detail that the reader may know whose it is.
    """
    shown = NeedOut.model_validate(need)
    shown.owner_outline = OwnerOutlined.model_validate(outline) if outline else None
    if detail is None and not owner_known:
        # The name of a file, or the numbering of a company's own list, may say whose need it is.
        shown.source = shown.external_id = shown.reference = None
        # To the day: what was changed in one go is one owner's.
        shown.created, shown.last_modified = (_day(moment) for moment in (shown.created, shown.last_modified))
    if detail is not None:
        shown.confidential = NeedConfidential(
            owner=organisation_named(detail.owner),
            description=detail.description,
            requirements=detail.requirements,
            constraints=detail.constraints,
            budget_yen=detail.budget_yen,
            excluded_organisations=[exclusion.name for exclusion in detail.exclusions],
        )
    return shown


def _day(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
