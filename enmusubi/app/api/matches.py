"""Matches: rank for a text that is not stored, list, read with reasons and provenance, review."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from enmusubi.app import reviewing
from enmusubi.app.clock import day_of
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import (
    Asked,
    AskedNow,
    AskingNow,
    CreationNow,
    ExpectedVersion,
    ExplainingNow,
    MatchmakingNow,
    MomentNow,
    etag,
)
from enmusubi.app.models import Match, Need, Seed
from enmusubi.app.representations import MatchOut, Page, RankingOut, ReviewOut, match_out, ranking_out
from enmusubi.app.schemas import MatchQuery, ReviewDraft
from enmusubi.app.stepping.taking import seen_version
from enmusubi.app.verdicts import may_read_reviews
from enmusubi.app.vocabulary import Scope
from enmusubi.matching.reasons import Reasons

router = APIRouter(tags=["matches"])


def _shown(asked: Asked, match: Match, reasons: Reasons | None = None) -> MatchOut:
    reviews = match.reviews if may_read_reviews(asked.caller, match) else None
    return match_out(match, asked.caller, reviews, reasons)


@router.post("/match", response_model=RankingOut, openapi_extra=allows(Scope.READ))
def match_text(query: MatchQuery, asking: AskingNow, matchmaking: MatchmakingNow) -> Response:
    """Rank the entries open to you for a text, which is not stored."""
    against = Seed if query.against == "seeds" else Need
    with asking.reading() as asked:
        proposals = matchmaking.for_text(
            asked.session, asked.caller, query.text, against, query.limit, misses=query.misses
        )
    ranking = ranking_out(asked.caller, proposals, None, "seed" if against is Seed else "need")
    # Written here, in this request's thread, not once more as Python objects in the one that serves them all.
    return Response(ranking.model_dump_json(by_alias=True), media_type="application/json")


@router.get("/matches", openapi_extra=allows(Scope.READ))
def list_matches(
    query: Annotated[reviewing.MatchListQuery, Query()], asked: AskedNow, now: MomentNow
) -> Page[MatchOut]:
    """The stored matches open to you, newest first."""
    listed = reviewing.list_matches(asked.session, asked.caller, query, day_of(now))
    return Page[MatchOut](items=[_shown(asked, match) for match in listed.rows], next=listed.next)


@router.get("/matches/{match_id}", openapi_extra=allows(Scope.READ))
def read_match(match_id: uuid.UUID, asked: AskedNow, explaining: ExplainingNow, response: Response) -> MatchOut:
    """One match with its reasons as you may see them, and the snapshot, model and policy that ranked it."""
    match = reviewing.read_match(asked.session, asked.caller, match_id)
    response.headers.update(etag(seen_version(asked.session, asked.caller, match)))
    return _shown(asked, match, explaining.match(asked.session, asked.caller, match))


@router.post(
    "/matches/{match_id}/reviews", status_code=201, response_model=ReviewOut, openapi_extra=allows(Scope.REVIEW)
)
def review_match(
    match_id: uuid.UUID,
    draft: ReviewDraft,
    asked: AskedNow,
    version: ExpectedVersion,
    creation: CreationNow,
    now: MomentNow,
) -> Response:
    """A coordinator's verdict; the pair is no longer proposed afterwards."""

    def review() -> tuple[BaseModel, Mapping[str, str]]:
        verdict = reviewing.review(asked.session, asked.caller, match_id, draft, version, now)
        match = reviewing.read_match(asked.session, asked.caller, match_id)
        return ReviewOut.model_validate(verdict), {**etag(match.version), "Location": f"/api/v1/matches/{match_id}"}

    return creation.reply(review)
