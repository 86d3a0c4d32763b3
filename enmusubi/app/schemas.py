"""What comes in: one Draft per kind checks an API body and an ingest row alike."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from enmusubi.app import examples, identifiers
from enmusubi.app.vocabulary import (
    Cooperation,
    EntryStatus,
    IprStatus,
    OrganisationKind,
    OriginKind,
    PublicationVerdict,
    ReasonCode,
    ReviewedKinds,
    SizeBand,
    Stage,
    Verdict,
)
from enmusubi.matching.profile import Profile

TEXT_LIMIT = 20_000  # characters of one stored text; DOMAIN lengths bind forms, not the store
KEYWORD_LIMIT = 200
LIST_LIMIT = 200
ORIGINS_LIMIT = 20


def storable(text: str) -> str:
    """The text as it is; ValueError for what PostgreSQL and UTF-8 cannot hold."""
    if "\x00" in text:
        raise ValueError("contains a NUL character, which no text may hold")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains a broken character (a lone surrogate)") from None
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; leave the field out instead")
    return text


Text = Annotated[str, Field(max_length=TEXT_LIMIT), AfterValidator(storable), AfterValidator(_filled)]
ShortText = Annotated[str, Field(max_length=2_000), AfterValidator(storable), AfterValidator(_filled)]
# Part of a unique index, whose entries PostgreSQL limits to 2,704 bytes.
Name = Annotated[str, Field(max_length=500), AfterValidator(storable), AfterValidator(_filled)]
Keyword = Annotated[
    str,
    Field(max_length=KEYWORD_LIMIT),
    AfterValidator(storable),
    AfterValidator(identifiers.normalise),
    AfterValidator(_filled),
]
Keywords = Annotated[list[Keyword], Field(max_length=LIST_LIMIT)]
FieldCodes = Annotated[
    list[Annotated[str, Field(max_length=100), AfterValidator(identifiers.field_code)]],
    Field(max_length=LIST_LIMIT, examples=[["IPC:A23L 3/36", "FORD:2.11"]]),
]
Sdgs = Annotated[list[Annotated[int, Field(ge=1, le=17)]], Field(max_length=17)]
Trl = Annotated[int, Field(ge=1, le=9, description="Technology readiness level, ISO 16290")]
Language = Literal["ja", "en"]
PublishableStatus = Literal[EntryStatus.DRAFT, EntryStatus.PUBLISHED, EntryStatus.ON_HOLD]
Orcid = Annotated[str, Field(max_length=60), AfterValidator(identifiers.orcid)]
Ror = Annotated[str, Field(max_length=60), AfterValidator(identifiers.ror)]
CorporateNumber = Annotated[str, Field(max_length=40), AfterValidator(identifiers.corporate_number)]


class Schema(BaseModel):
    """Unknown fields are errors: a misspelt one must not be lost silently."""

    # A value may be confidential: no error message repeats it.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ResearcherDraft(Schema):
    """A researcher behind a seed."""

    name: Annotated[str, Field(max_length=200), AfterValidator(storable), AfterValidator(_filled)]
    orcid: Orcid | None = None
    erad_number: Annotated[str, Field(pattern=r"^[0-9]{8}$")] | None = Field(
        default=None, description="e-Rad researcher number, 8 digits"
    )
    researchmap: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = Field(
        default=None, description="researchmap permalink, its last path segment"
    )


class OriginDraft(Schema):
    """One thing that a seed or a need grew from."""

    kind: OriginKind
    id: UUID


class ProfileDraft(Schema):
    """What a seed and a need have in common."""

    external_id: Name | None = Field(default=None, description="The id in the system it comes from")
    reference: ShortText | None = Field(default=None, description="The owner's own reference")
    title: Text | None = Field(default=None, examples=["Freeze-tolerant concrete additive from fish collagen"])
    summary: Text | None = Field(default=None, description="Shown to everyone who may see the entry")
    translation_title: Text | None = Field(default=None, description="The title in the other language")
    translation_summary: Text | None = Field(default=None, description="The summary in the other language")
    applications: Text | None = Field(default=None, description="想定される用途")
    technology_keywords: Keywords = []
    market_keywords: Keywords = []
    field_codes: FieldCodes = []
    sdgs: Sdgs = []
    regions: Keywords = []
    language: Language | None = None
    expires_on: date | None = Field(default=None, description="365 days from now if left out; two years at most")
    open_for_interest: bool = True
    status: PublishableStatus = EntryStatus.PUBLISHED
    organisation: UUID | None = Field(default=None, description="Public id of the owner; your own by default")
    opened_to: list[UUID] = Field(default=[], max_length=LIST_LIMIT, description="Other clusters that may see it")
    grown_from: list[OriginDraft] = Field(
        default=[], max_length=ORIGINS_LIMIT, description="Matches, outcomes, seeds and needs that it grew from"
    )


class SeedDraft(ProfileDraft):
    """A technology seed as it is registered."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.SEEDS)})

    description: Text | None = None
    advantages: Text | None = Field(default=None, description="従来技術との比較")
    open_challenges: Text | None = Field(default=None, description="実用化に向けた課題")
    expected_partner: Text | None = Field(default=None, description="企業への期待")
    unpublished: Text | None = Field(
        default=None, description="Confidential, for what must not be disclosed before a patent is filed (未公開情報)"
    )
    filing_expected_on: date | None = Field(default=None, description="Confidential: when it is to be filed")
    trl: Trl | None = None
    stage: Stage | None = None
    ipr_status: IprStatus | None = None
    ipr_numbers: Annotated[
        list[
            Annotated[str, Field(max_length=100), AfterValidator(storable), AfterValidator(identifiers.patent_number)]
        ],
        Field(max_length=LIST_LIMIT),
    ] = []
    licensable: bool | None = Field(default=None, description="実施許諾の可否")
    transferable: bool | None = Field(default=None, description="譲渡の可否")
    researchers: list[ResearcherDraft] = Field(default=[], max_length=LIST_LIMIT)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.profile().matched_text():
            raise ValueError("a seed needs at least one of title, summary, description, advantages or applications")
        return self

    def profile(self) -> Profile:
        """The public part that is matched."""
        return seed_profile(self)


class NeedDraft(ProfileDraft):
    """A company's need as it is posted; the fields marked confidential are read by its owner and coordinators."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.NEEDS)})

    expertise_sought: Text | None = None
    wanted_trl: Trl | None = None
    cooperation: list[Cooperation] = Field(default=[], max_length=len(Cooperation))
    region_preference: Keywords = []
    deadline: date | None = None
    anonymous: bool = Field(default=True, description="Universities do not learn who posts it")
    description: Text | None = Field(default=None, description="Confidential")
    requirements: Text | None = Field(default=None, description="Confidential")
    constraints: Text | None = Field(default=None, description="Confidential")
    budget_yen: Annotated[int, Field(ge=0, le=10**13)] | None = Field(default=None, description="Confidential")
    excluded_organisations: list[ShortText] = Field(
        default=[], max_length=LIST_LIMIT, description="Confidential: names or public ids, never proposed"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.profile().matched_text():
            raise ValueError("a need needs at least one public text: title, summary, expertise_sought or applications")
        return self

    def profile(self) -> Profile:
        """The public part that is matched; nothing confidential enters it."""
        return need_profile(self)


def seed_profile(seed: object) -> Profile:
    """The matched profile of a SeedDraft or of a stored seed (they share their field names)."""
    return _profile("seed", seed, ("description", "advantages", "open_challenges"))


def need_profile(need: object) -> Profile:
    """The matched profile of a NeedDraft or of a stored need: public fields only."""
    return _profile("need", need, ("expertise_sought",))


def _profile(kind: Literal["seed", "need"], entry: object, own: tuple[str, ...]) -> Profile:
    shared = ("title", "summary", "applications", "translation_title", "translation_summary", "language")
    texts = {name: getattr(entry, name) for name in (*shared, *own)}
    keywords = (*getattr(entry, "technology_keywords"), *getattr(entry, "market_keywords"))  # noqa: B009
    return Profile(kind=kind, keywords=keywords, **texts)


class OrganisationDraft(Schema):
    """A university, public research institute, company or core organisation."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.ORGANISATIONS)})

    name: Name
    name_en: Name | None = None
    kind: OrganisationKind
    region: ShortText | None = None
    size_band: SizeBand | None = Field(default=None, description="Number of employees, for companies")
    ror: Ror | None = None
    corporate_number: CorporateNumber | None = Field(default=None, description="法人番号")


class MatchQuery(Schema):
    """A text to rank against without storing it."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.MATCH_QUERIES)})

    text: Text
    against: Literal["seeds", "needs"] = "seeds"
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    misses: Annotated[bool, Field(description="The nearest entries also where none is a good match yet")] = False


class ReviewDraft(Schema):
    """A coordinator's verdict; dismissing needs a reason code."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.REVIEWS)})

    verdict: Verdict
    reason: ReasonCode | None = None
    note: ShortText | None = Field(default=None, description="For coordinators only")

    @model_validator(mode="after")
    def _dismissal_has_a_reason(self) -> Self:
        if self.verdict is Verdict.DISMISS and self.reason is None:
            raise ValueError("a dismissal needs a reason code")
        return self


class PublicationVerdictDraft(Schema):
    """What a second pair of eyes says of an entry; a rejection needs a reason for its owner."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.PUBLICATION_VERDICTS)})

    verdict: PublicationVerdict
    reason: ShortText | None = Field(default=None, description="For the entry's owner and coordinators")

    @model_validator(mode="after")
    def _rejection_has_a_reason(self) -> Self:
        if self.verdict is PublicationVerdict.REJECT and self.reason is None:
            raise ValueError("a rejection needs a reason, which its owner reads")
        return self


Term = Annotated[int, Field(ge=1, le=250)]
Grace = Annotated[int, Field(ge=0, le=250)]


class Terms(Schema):
    """How long introductions may take in a cluster, in working days of Japan."""

    answer_days: Term = Field(default=10, description="For a side to answer whether it wants to be introduced")
    introduce_days: Term = Field(default=5, description="For a coordinator to introduce what is shortlisted")
    disclose_days: Term = Field(default=3, description="For a coordinator to disclose after two yeses")
    meeting_days: Term = Field(default=10, description="For a coordinator to bring about a meeting")
    report_days: Term = Field(default=20, description="For a coordinator to report what came of it")
    outcome_days: Term = Field(default=60, description="For a coordinator to report the outcome of an agreement")
    warn_days: Grace = Field(
        default=2, description="Before the last day, when whoever is waited for is told once more; 0: not at all"
    )
    remind_days: Grace = Field(default=5, description="After the last day, until whoever is late is reminded")
    escalate_days: Grace = Field(default=5, description="After that, until the coordinator is told")
    raise_days: Grace = Field(default=5, description="After that, until the cluster administrators are told")
    lapse_days: Grace = Field(default=5, description="After that, until what nobody answered is declined")
    most_open_interests: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=20, description="Introductions that one organisation asked for and that wait for an answer, at once"
    )


class ClusterSettingsRevision(Terms):
    """What changes in the settings of a cluster: only the fields given."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.CLUSTER_SETTINGS)})

    review_before_publication: ReviewedKinds = Field(
        default=ReviewedKinds.OFF, description="Which entries somebody else looks at before they are published"
    )


def _revision_of(draft: type[Schema], shown: list[examples.Example]) -> Any:
    """The draft with every field optional, for a JSON merge patch (RFC 7396): null brings back the default."""
    fields: dict[str, Any] = {
        name: (cast(Any, info.annotation) | None, Field(default=None, description=info.description))
        for name, info in draft.model_fields.items()
    }
    name = draft.__name__.replace("Draft", "Revision")
    revision = create_model(
        name, __base__=Schema, __doc__=f"What changes in {draft.__name__}: only the fields given.", **fields
    )
    revision.model_config = {**revision.model_config, "json_schema_extra": {"examples": list(shown)}}
    revision.model_rebuild(force=True)
    return revision


if TYPE_CHECKING:
    SeedRevision = SeedDraft
    NeedRevision = NeedDraft
    OrganisationRevision = OrganisationDraft
else:
    SeedRevision = _revision_of(SeedDraft, examples.SEED_REVISIONS)
    NeedRevision = _revision_of(NeedDraft, examples.NEED_REVISIONS)
    OrganisationRevision = _revision_of(OrganisationDraft, examples.ORGANISATION_REVISIONS)
