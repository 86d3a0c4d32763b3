"""How the reasons of a match look to the account that asks."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from enmusubi.app.vocabulary import Cooperation
from enmusubi.matching.reasons import Passage, Reasons, Requirement
from enmusubi.matching.reasons.shared_terms import SharedTerms

CONFIDENTIAL = frozenset({"requirements", "constraints"})
"""Fields of a need whose sentences are shown to those alone who may read its detail."""

DECIMALS: Final = 4

# Finer differences say nothing to people, and much of the texts of others that a part is compared with.
Rounded = Annotated[float, AfterValidator(lambda value: round(value, DECIMALS) + 0.0)]  # never -0.0
# Of how one sentence stands beside those of all seeds, whoever's they are, no more than people read.
Coarse = Annotated[float, AfterValidator(lambda value: round(value, 2) + 0.0)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, hide_input_in_errors=True)


class PassageOut(_Out):
    """A piece of a field's text, at its place there: characters (Unicode code points) `start` to `end`."""

    field: str
    start: int
    end: int
    text: str


class SupportOut(PassageOut):
    """A sentence of the seed that speaks of a requirement."""

    strength: Annotated[Coarse, Field(ge=0, le=1)] = Field(
        description="How far it stands out from sentences of other seeds; half is the least"
    )
    similarity: Coarse = Field(description="Cosine of the two sentences, less what their sides and languages share")


class RequirementOut(PassageOut):
    """What the need says, in one sentence or one item of a list."""

    wanted: bool = Field(description="Whether it asks for something; false where it only tells the situation")
    confidential: bool = Field(description="Whether it is shown to you as one who may read the need's detail")


class AlignedOut(RequirementOut):
    """A requirement with the sentences of the seed that support it, strongest first, three at most."""

    support: list[SupportOut]


class SharedTermOut(_Out):
    """A word, or two adjacent words joined by an underscore, that both texts hold."""

    term: str
    weight: Rounded = Field(
        description="Its share of all the words, or of all the phrases, of the need; rare ones weigh"
    )
    need: list[PassageOut] = Field(description="Where it is written first; empty where only keywords hold it")
    seed: list[PassageOut]
    more_in_need: int = Field(description="How many further places of the need it is written at")
    more_in_seed: int = Field(description="How many further places of the seed it is written at")


class TrlFitOut(_Out):
    """The readiness wanted and offered."""

    wanted: int | None
    offered: int | None
    fit: Literal["meets", "below", "unknown"]
    short_by: int


class RegionFitOut(_Out):
    """The regions preferred and offered; `open` where the need prefers none."""

    preferred: list[str]
    offered: list[str]
    fit: Literal["same", "other", "open", "unknown"]
    shared: list[str]


class CooperationFitOut(_Out):
    """One form of cooperation the need asks for."""

    kind: Cooperation
    offer: Literal["offered", "not_offered", "unknown"]


class CooperationOut(_Out):
    """Forms of cooperation, and what the seed states of its rights and the partner it expects."""

    asked: list[CooperationFitOut]
    licensable: bool | None
    transferable: bool | None
    expected_partner: str | None


class AgainstOut(_Out):
    """One thing that counts against the match."""

    what: str = Field(description="A part of the score, or not_addressed, open_challenges, trl, regions, licence")
    contribution: Rounded | None = Field(description="What it took off the score; null where it is no part of it")
    count: int | None = Field(description="Of how many requirements, or levels; null where there is nothing to count")


class ReasonsOut(_Out):
    """Everything that can be said for and against a match; what is not known is `missing`, never a no."""

    requirements: list[AlignedOut] = Field(description="All that the need says, in its order")
    not_addressed: list[RequirementOut] = Field(description="What is wanted, and no sentence of the seed supports")
    left_out: int = Field(description="How many further requirements were not looked at, of a need that has very many")
    shared_terms: list[SharedTermOut] = Field(description="The heaviest, heaviest first")
    more_shared_terms: int = Field(description="How many lighter ones are not listed")
    keywords: list[str] = Field(description="Keywords of the seed that occur in the need's text")
    field_codes: list[str] = Field(description="Fields both name, IPC and CPC by subclass")
    other_language: bool
    trl: TrlFitOut
    region: RegionFitOut
    cooperation: CooperationOut
    against: list[AgainstOut]
    missing: list[str] = Field(
        description="What is not known: requirements, seed_sentences, background (too few sentences of other seeds are "
        "stored to tell support), terms (estimated), wanted_trl, trl, regions, cooperation, field_codes"
    )


def reasons_out(reasons: Reasons, *, coarse: bool) -> ReasonsOut:
    """The reasons as they are given to those for whom they were made; `coarse` gives figures in tenths.

    That is for companies: what a sentence stands out from depends on others' needs a little.
    """
    places = 1 if coarse else DECIMALS
    return ReasonsOut(
        requirements=[
            AlignedOut(
                **_requirement(aligned.requirement),
                support=[
                    SupportOut(
                        **_passage(each.passage),
                        strength=round(each.strength, places),
                        similarity=round(each.similarity, places),
                    )
                    for each in aligned.support
                ],
            )
            for aligned in reasons.aligned
        ],
        not_addressed=[RequirementOut(**_requirement(each)) for each in reasons.not_addressed],
        left_out=reasons.left_out,
        shared_terms=[
            SharedTermOut(
                term=shared.term,
                weight=round(shared.weight, places),
                need=[PassageOut(**_passage(each)) for each in shared.need_offsets],
                seed=[PassageOut(**_passage(each)) for each in shared.seed_offsets],
                more_in_need=shared.more_in_need,
                more_in_seed=shared.more_in_seed,
            )
            for shared in reasons.shared_terms
        ],
        more_shared_terms=reasons.shared_terms.more if isinstance(reasons.shared_terms, SharedTerms) else 0,
        keywords=list(reasons.keywords),
        field_codes=list(reasons.field_codes),
        other_language=reasons.other_language,
        trl=TrlFitOut.model_validate(reasons.trl),
        region=RegionFitOut.model_validate(reasons.region),
        cooperation=CooperationOut.model_validate(reasons.cooperation),
        against=[AgainstOut.model_validate(each) for each in reasons.against],
        missing=list(reasons.missing),
    )


def _passage(passage: Passage) -> dict[str, Any]:
    return {"field": passage.field, "start": passage.start, "end": passage.end, "text": passage.text}


def _requirement(requirement: Requirement) -> dict[str, Any]:
    passage = requirement.passage
    return {**_passage(passage), "wanted": requirement.wanted, "confidential": passage.field in CONFIDENTIAL}
