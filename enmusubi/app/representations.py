"""What goes out: how entries, organisations and matches look to the account that asks."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.needs import OwnerOutline
from enmusubi.app.models import Match, Need, NeedDetail, Organisation, Review, Seed, SeedDetail
from enmusubi.app.proposals import EXCERPT, Proposal, Proposals, Provenance
from enmusubi.app.reasons_shown import ReasonsOut, Rounded, reasons_out
from enmusubi.app.schemas import ResearcherDraft, need_profile
from enmusubi.app.stored_parts import (
    seen_parts,
    seen_probability,
    seen_score,
    shown_parts,
    shown_probability,
    shown_score,
)
from enmusubi.app.vocabulary import (
    Cooperation,
    EntryStatus,
    IprStatus,
    MatchStatus,
    OrganisationKind,
    ReasonCode,
    Role,
    SizeBand,
    Stage,
    Verdict,
)
from enmusubi.matching.identifying import Finding, Kind, Sureness
from enmusubi.matching.reasons import Reasons
from enmusubi.matching.shared import Asked, shared

Score = Annotated[
    float,
    Field(
        description="Higher is better; the sum of value times weight over its parts. To two decimals, and without the "
        "hubs, for those who do not oversee the cluster; null for companies, which see an order and how probable it is"
    ),
]


PUBLIC_ID = AliasChoices("public_id", "id")


class Representation(BaseModel):
    """Built from our own rows only."""

    model_config = ConfigDict(from_attributes=True, hide_input_in_errors=True)


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


class ProvenanceOut(Representation):
    """What ranked: snapshot (null: all scored exactly from the stored vectors), model, policy and calibration."""

    snapshot: str | None
    model: str
    revision: str
    precision: str
    policy: str
    calibration: str | None = Field(description="What the probability comes from; null where there is none")
    needs_unknown: bool | None = Field(
        description="Whether it was ranked for a company, by statistics without needs; told to those who oversee the "
        "cluster"
    )


class PartOut(Representation):
    """One named part of a score."""

    name: str
    value: Annotated[Rounded, Field(description="What was found, before it is weighed; to four decimals")]
    weight: Annotated[float, Field(description="How much the policy weighs it; hubs count against a match")]
    estimated: Annotated[
        bool,
        Field(description="True where the evidence cannot exist, since the languages differ, and was estimated"),
    ]


class ProbabilityOut(Representation):
    """How probable it is that a coordinator would find a match worth a look, with a 90 % interval."""

    value: Annotated[float, Field(ge=0, le=1)]
    low: Annotated[float, Field(ge=0, le=1)]
    high: Annotated[float, Field(ge=0, le=1)]


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


class SharedOut(Representation):
    """What the entry plainly shares with the side that asks, for people to read beside the score."""

    keywords: list[str] = Field(description="Keywords of the entry that occur in the asking text")
    field_codes: list[str] = Field(description="Fields both name, IPC and CPC by subclass")
    other_language: bool = Field(description="Whether the two are in different languages, as far as is known")


class RankedOut(BaseModel):
    """One ranked entry."""

    rank: int
    score: Score | None
    probability: ProbabilityOut | None = Field(description="Null for a match that was ranked before there were any")
    parts: list[PartOut]
    shared: SharedOut
    entry: EntryShown
    fresh: Annotated[bool, Field(description="Newer than the snapshot, and scored from its stored vector and terms")]
    reasons: ReasonsOut | None = Field(default=None, description="With reasons=true; null otherwise")
    match: uuid.UUID | None = Field(default=None, description="Id of the stored match")
    status: MatchStatus | None = None


class RankingOut(BaseModel):
    """Ranked entries, best first; an empty list says why."""

    ranking: list[RankedOut]
    message: str | None = None
    provenance: ProvenanceOut


class SuggestionOut(Representation):
    """What to write instead, in Japanese and English."""

    ja: str
    en: str


class FindingOut(Representation):
    """What may tell whose an anonymous need is: the characters (Unicode code points) `start` to `end` of a field."""

    field: str = Field(description="A public field; an item of a list as technology_keywords/0")
    start: int
    end: int
    text: str
    kind: Kind
    sureness: Sureness
    suggestion: SuggestionOut


class NeedChecked(BaseModel):
    """What would identify the owner of a need, in the order of its fields; nothing is stored or changed."""

    findings: list[FindingOut]


Findings = Annotated[
    list[FindingOut] | None,
    Field(description="What may tell whose it is, for you to decide; null where it is not anonymous"),
]


class NeedRevised(NeedOut):
    """A revised need, and what of it may identify its owner."""

    findings: Findings


class NeedPosted(NeedRevised):
    """A posted need with its ranked seeds, and what of it may identify its owner."""

    matches: RankingOut


class ReviewOut(Representation):
    """A coordinator's verdict."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    verdict: Verdict
    reason: ReasonCode | None
    note: str | None = Field(description="For coordinators; null for others")
    created: datetime.datetime


class MatchOut(BaseModel):
    """A match with its reasons and where they came from."""

    id: uuid.UUID
    status: MatchStatus
    score: Score | None
    probability: ProbabilityOut | None = Field(
        description="Null for a match that was ranked before there were any; companies are told what their own "
        "rankings of the need said, and nothing before there was one"
    )
    parts: list[PartOut] = Field(description="Without the hubs for those who do not oversee the cluster")
    shared: SharedOut
    need: EntryShown
    seed: EntryShown
    reasons: ReasonsOut | None = Field(default=None, description="Computed when one match is read; null in lists")
    provenance: ProvenanceOut
    need_version: int | None = Field(description="The version of the need that was ranked; null before it was kept")
    seed_version: int | None = Field(description="The version of the seed that was ranked; null before it was kept")
    fresh: bool | None = Field(description="Whether the proposed entry was newer than the snapshot; null before")
    reviews: list[ReviewOut] | None = Field(description="For those who oversee the need's cluster; null for others")
    created: datetime.datetime
    scored: datetime.datetime


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is the cursor of the following one, null on the last."""

    items: list[Item]
    next: str | None


NOTHING_OPEN = "Nothing can be proposed: the entry that asks is not open, or nothing open to you is left to match with."
NOT_READY = "Open entries are not ready to be matched yet: the operator has to run `enmusubi index`."
NOTHING_GOOD = "No good match yet: none is as probable as the floor. Ask with {misses} for the nearest ones."
ONLY_MISSES = "No good match yet: none is as probable as the floor. These are the nearest misses."

MISSES: Final = "misses=true"
"""What asks for the nearest misses, in a call that takes it."""


def organisation_named(organisation: Organisation | None) -> OrganisationNamed | None:
    """An organisation as other things name it, None for none."""
    return OrganisationNamed.model_validate(organisation) if organisation else None


def seed_out(seed: Seed, detail: SeedDetail | None) -> SeedOut:
    """A seed as its reader may see it: `detail` is None in lists, and for those who may not read it."""
    shown = SeedOut.model_validate(seed)
    if detail is not None:
        shown.confidential = SeedConfidential.model_validate(detail)
    return shown


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


def findings_out(findings: Sequence[Finding]) -> list[FindingOut]:
    """What was found, as the one who posts sees it."""
    return [FindingOut.model_validate(finding) for finding in findings]


def ranking_out(
    caller: Caller,
    proposals: Proposals,
    matches: Mapping[int, Match] | None,
    kind: Literal["seed", "need"],
    reasons: Mapping[int, Reasons] | None = None,
    *,
    misses: str = MISSES,
) -> RankingOut:
    """A ranking as the caller may see it.

    `matches` are the stored ones, and `reasons` those given, by the ranked entry's key; `misses` is what the one who
    asked can ask with for the nearest misses.
    """
    return RankingOut(
        ranking=[
            _ranked(caller, place, each, proposals.asked, matches, kind, (reasons or {}).get(each.ranked.key))
            for place, each in enumerate(proposals.found, start=1)
        ],
        message=_message(proposals, misses),
        provenance=_provenance(proposals.provenance, caller),
    )


def _message(proposals: Proposals, misses: str) -> str | None:
    if not proposals.any_open:
        return NOTHING_OPEN
    if not proposals.any_ranked:
        return NOT_READY
    if proposals.misses:
        return ONLY_MISSES if proposals.found else NOTHING_GOOD.format(misses=misses)
    return None


def _ranked(
    caller: Caller,
    place: int,
    proposal: Proposal,
    asked: Asked,
    matches: Mapping[int, Match] | None,
    kind: Literal["seed", "need"],
    reasons: Reasons | None,
) -> RankedOut:
    ranked, row = proposal.ranked, proposal.row
    owner = None
    if row.organisation_id is not None:
        owner = OrganisationNamed(
            public_id=row.organisation_id, name=row.organisation_name, name_en=row.organisation_name_en
        )
    match = matches.get(ranked.key) if matches is not None else None
    return RankedOut(
        rank=place,
        score=seen_score(ranked.score, ranked.parts, caller),
        probability=ProbabilityOut.model_validate(seen_probability(proposal.probability, caller)),
        parts=[PartOut.model_validate(part) for part in seen_parts(ranked.parts, caller)],
        shared=SharedOut.model_validate(
            shared(asked, [*row.technology_keywords, *row.market_keywords], row.field_codes, row.language)
        ),
        entry=EntryShown(
            id=row.public_id,
            kind=kind,
            title=row.title,
            excerpt=_excerpt(row.excerpt),
            language=row.language,
            technology_keywords=row.technology_keywords,
            regions=row.regions,
            trl=row.trl,
            organisation=owner,
        ),
        reasons=reasons_out(reasons, coarse=caller.role is Role.COMPANY) if reasons else None,
        fresh=proposal.fresh,
        match=match.public_id if match else None,
        status=MatchStatus(match.status) if match else None,
    )


def _excerpt(text: str | None) -> str | None:
    return text if text is None or len(text) <= EXCERPT else text[:EXCERPT] + "…"


def _provenance(source: Provenance | Match, caller: Caller) -> ProvenanceOut:
    return ProvenanceOut(
        # When it was published tells that something has changed, which may be hidden from who asks.
        snapshot=source.snapshot if caller.oversees else None,
        model=_name_of(source.model),
        revision=source.revision,
        precision=source.precision,
        policy=source.policy,
        calibration=source.calibration,
        needs_unknown=source.needs_unknown if caller.oversees else None,
    )


def _name_of(model: str) -> str:
    """A model as it is called: of a folder on the server its last name alone."""
    return PurePath(model).name if PurePath(model).is_absolute() else model


def _entry_shown(entry: Seed | Need) -> EntryShown:
    seed = entry if isinstance(entry, Seed) else None
    need = entry if isinstance(entry, Need) else None
    own = seed.description if seed else need.expertise_sought if need else None
    return EntryShown(
        id=entry.public_id,
        kind="seed" if seed else "need",
        title=entry.title,
        excerpt=_excerpt(entry.summary or own or entry.applications),
        language=entry.language,
        technology_keywords=entry.technology_keywords,
        regions=entry.regions,
        trl=seed.trl if seed else need.wanted_trl if need else None,
        organisation=organisation_named(entry.organisation),
    )


def _probability(match: Match, caller: Caller) -> ProbabilityOut | None:
    shown = shown_probability(match, caller)
    return None if shown is None else ProbabilityOut.model_validate(shown)


def _review_out(review: Review, caller: Caller) -> ReviewOut:
    shown = ReviewOut.model_validate(review)
    if not caller.coordinates:
        # Written by one who reads confidential parts, it may hold what is in them.
        shown.note = None
    return shown


def match_out(
    match: Match, caller: Caller, reviews: Sequence[Review] | None, reasons: Reasons | None = None
) -> MatchOut:
    """A match as the caller may see it.

    `reviews` is None for those who may not read them, `reasons` where it is not explained.
    """
    return MatchOut(
        id=match.public_id,
        status=MatchStatus(match.status),
        score=shown_score(match, caller),
        probability=_probability(match, caller),
        parts=[PartOut.model_validate(part) for part in shown_parts(match, caller)],
        shared=SharedOut.model_validate(
            shared(
                Asked(need_profile(match.need).matched_text(), tuple(match.need.field_codes), match.need.language),
                [*match.seed.technology_keywords, *match.seed.market_keywords],
                match.seed.field_codes,
                match.seed.language,
            )
        ),
        need=_entry_shown(match.need),
        seed=_entry_shown(match.seed),
        reasons=reasons_out(reasons, coarse=caller.role is Role.COMPANY) if reasons else None,
        provenance=_provenance(match, caller),
        need_version=match.need_version,
        seed_version=match.seed_version,
        fresh=match.fresh,
        reviews=None if reviews is None else [_review_out(review, caller) for review in reviews],
        created=match.created,
        scored=match.scored,
    )
