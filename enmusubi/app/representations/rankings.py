"""How a ranking looks to the account that asks."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.proposals import Proposal, Proposals
from enmusubi.app.reasons_shown import ReasonsOut, reasons_out
from enmusubi.app.refusals import back
from enmusubi.app.representations.declines import ReopenedOut, reopened_out
from enmusubi.app.representations.entries import EntryShown, excerpt
from enmusubi.app.representations.organisations import OrganisationNamed
from enmusubi.app.representations.scores import (
    STATUS,
    PartOut,
    ProbabilityOut,
    ProvenanceOut,
    Score,
    SharedOut,
    provenance_out,
)
from enmusubi.app.stored_parts import seen_parts, seen_probability, seen_score
from enmusubi.app.verdicts import seen_status
from enmusubi.app.vocabulary import MatchStatus, Role
from enmusubi.matching.reasons import Reasons
from enmusubi.matching.shared import Asked, shared

NOTHING_OPEN = "Nothing can be proposed: the entry that asks is not open, or nothing open to you is left to match with."
NOT_READY = "Open entries are not ready to be matched yet: the operator has to run `enmusubi index`."
NOTHING_GOOD = "No good match yet: none is as probable as the floor. Ask with {misses} for the nearest ones."
ONLY_MISSES = "No good match yet: none is as probable as the floor. These are the nearest misses."

MISSES: Final = "misses=true"
"""What asks for the nearest misses, in a call that takes it."""


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
    status: MatchStatus | None = Field(default=None, description=f"Of the stored match. {STATUS}")
    reopened: ReopenedOut | None = Field(default=None, description="As of the stored match")


class RankingOut(BaseModel):
    """Ranked entries, best first; an empty list says why."""

    ranking: list[RankedOut]
    message: str | None = None
    provenance: ProvenanceOut


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
        provenance=provenance_out(proposals.provenance, caller),
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
            excerpt=excerpt(row.excerpt),
            language=row.language,
            technology_keywords=row.technology_keywords,
            regions=row.regions,
            trl=row.trl,
            organisation=owner,
        ),
        reasons=reasons_out(reasons, coarse=caller.role is Role.COMPANY) if reasons else None,
        fresh=proposal.fresh,
        match=match.public_id if match else None,
        status=seen_status(match, caller) if match else None,
        reopened=_reopened(caller, match) if match else None,
    )


def _reopened(caller: Caller, match: Match) -> ReopenedOut | None:
    return reopened_out(match, overseeing=caller.oversees) if back.is_told(caller, match) else None
