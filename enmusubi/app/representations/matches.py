"""How a match and its verdicts look to the account that asks."""

import datetime
import uuid
from collections.abc import Sequence

from pydantic import BaseModel, Field

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match, Review
from enmusubi.app.reasons_shown import ReasonsOut, reasons_out
from enmusubi.app.refusals import back
from enmusubi.app.representations.declines import ReopenedOut, reopened_out
from enmusubi.app.representations.entries import EntryShown, entry_shown
from enmusubi.app.representations.representation import PUBLIC_ID, Representation
from enmusubi.app.representations.scores import (
    STATUS,
    PartOut,
    ProbabilityOut,
    ProvenanceOut,
    Score,
    SharedOut,
    provenance_out,
)
from enmusubi.app.schemas import need_profile
from enmusubi.app.stored_parts import shown_parts, shown_probability, shown_score
from enmusubi.app.verdicts import seen_status
from enmusubi.app.vocabulary import MatchStatus, ReasonCode, Role, Verdict
from enmusubi.matching.reasons import Reasons
from enmusubi.matching.shared import Asked, shared


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
    status: MatchStatus = Field(description=STATUS)
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
    reopened: ReopenedOut | None = Field(
        description="Turned down once, and back since what it was turned down for has changed; of a coordinator's "
        "dismissal those who oversee the cluster alone are told"
    )
    reviews: list[ReviewOut] | None = Field(description="For those who oversee the need's cluster; null for others")
    created: datetime.datetime
    scored: datetime.datetime


def match_out(
    match: Match, caller: Caller, reviews: Sequence[Review] | None, reasons: Reasons | None = None
) -> MatchOut:
    """A match as the caller may see it.

    `reviews` is None for those who may not read them, `reasons` where it is not explained.
    """
    return MatchOut(
        id=match.public_id,
        status=seen_status(match, caller),
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
        need=entry_shown(match.need),
        seed=entry_shown(match.seed),
        reasons=reasons_out(reasons, coarse=caller.role is Role.COMPANY) if reasons else None,
        provenance=provenance_out(match, caller),
        need_version=match.need_version,
        seed_version=match.seed_version,
        fresh=match.fresh,
        reopened=reopened_out(match, overseeing=reviews is not None) if back.is_told(caller, match) else None,
        reviews=None if reviews is None else [_review_out(review, caller) for review in reviews],
        created=match.created,
        scored=match.scored,
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
