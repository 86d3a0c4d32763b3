"""Needs: post, read, list, revise, withdraw, and the seeds ranked for a need."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from enmusubi.app.catalogue import listing, needs
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import (
    Asked,
    AskedNow,
    CreationNow,
    ExpectedVersion,
    ExplainingNow,
    MatchmakingNow,
    WithReasons,
    etag,
)
from enmusubi.app.explaining import refuse_too_many
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Need
from enmusubi.app.representations import MISSES, NeedOut, NeedPosted, Page, RankingOut, need_out, ranking_out
from enmusubi.app.schemas import NeedDraft, NeedRevision
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/needs", tags=["needs"])

MatchLimit = Annotated[int, Query(ge=1, le=100, description="How many ranked seeds")]
Misses = Annotated[bool, Query(description="The nearest seeds also where none is a good match yet; none is stored")]


def _shown(asked: Asked, need: Need) -> NeedOut:
    return need_out(need, needs.read_details(asked.session, asked.caller, [need.id]).get(need.id))


def _ranked(asked: Asked, matchmaking: Matchmaking, need: Need, limit: int) -> RankingOut:
    proposals = matchmaking.for_need(asked.session, asked.caller, need, limit)
    matches = matchmaking.keep_for_need(asked.session, need, proposals)
    return ranking_out(proposals, matches, "seed", misses=f"GET /needs/{need.public_id}/matches?{MISSES}")


@router.post("", status_code=201, response_model=NeedPosted, openapi_extra=allows(Scope.WRITE))
def post_need(
    draft: NeedDraft, asked: AskedNow, creation: CreationNow, matchmaking: MatchmakingNow, limit: MatchLimit = 10
) -> Response:
    """Post a need; the reply holds its ranked seeds."""

    def post() -> tuple[BaseModel, Mapping[str, str]]:
        need = needs.post_need(asked.session, asked.caller, draft, matchmaking.encoder)
        need = needs.read_need(asked.session, asked.caller, need.public_id)
        ranking = _ranked(asked, matchmaking, need, limit)
        posted = NeedPosted(**dict(_shown(asked, need)), matches=ranking)
        return posted, {**etag(need.version), "Location": f"/api/v1/needs/{need.public_id}"}

    return creation.reply(post)


@router.get("", openapi_extra=allows(Scope.READ))
def list_needs(query: Annotated[listing.NeedQuery, Query()], asked: AskedNow) -> Page[NeedOut]:
    """The needs open to you, newest first."""
    listed = listing.list_needs(asked.session, asked.caller, query)
    details = needs.read_details(asked.session, asked.caller, [need.id for need in listed.rows])
    return Page[NeedOut](items=[need_out(need, details.get(need.id)) for need in listed.rows], next=listed.next)


@router.get("/{need_id}", openapi_extra=allows(Scope.READ))
def read_need(need_id: uuid.UUID, asked: AskedNow, response: Response) -> NeedOut:
    """One need; its confidential part only for its own organisation and coordinators."""
    need = needs.read_need(asked.session, asked.caller, need_id)
    response.headers.update(etag(need.version))
    return _shown(asked, need)


@router.patch("/{need_id}", openapi_extra=allows(Scope.WRITE))
def revise_need(
    need_id: uuid.UUID,
    revision: NeedRevision,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    response: Response,
) -> NeedOut:
    """Change the fields given (JSON merge patch); the new text is matched at once."""
    need = needs.revise_need(asked.session, asked.caller, need_id, version, revision, matchmaking.encoder)
    need = needs.read_need(asked.session, asked.caller, need_id)
    response.headers.update(etag(need.version))
    return _shown(asked, need)


@router.post("/{need_id}/withdraw", openapi_extra=allows(Scope.WRITE))
def withdraw_need(need_id: uuid.UUID, asked: AskedNow, version: ExpectedVersion, response: Response) -> NeedOut:
    """Withdraw a need: it is kept for its owner and coordinators, and never proposed again."""
    needs.withdraw_need(asked.session, asked.caller, need_id, version)
    need = needs.read_need(asked.session, asked.caller, need_id)
    response.headers.update(etag(need.version))
    return _shown(asked, need)


@router.get("/{need_id}/matches", openapi_extra=allows(Scope.READ))
def need_matches(
    need_id: uuid.UUID,
    asked: AskedNow,
    matchmaking: MatchmakingNow,
    explaining: ExplainingNow,
    limit: MatchLimit = 10,
    misses: Misses = False,
    reasons: WithReasons = False,
) -> RankingOut:
    """The seeds ranked for this need now, as far as you may see these matches."""
    if reasons:
        refuse_too_many(limit)
    need = needs.read_need(asked.session, asked.caller, need_id)
    proposals = matchmaking.for_need(asked.session, asked.caller, need, limit, misses=misses)
    matches = matchmaking.keep_for_need(asked.session, need, proposals)
    explained = explaining.of_need(asked.session, asked.caller, need, proposals) if reasons else None
    return ranking_out(proposals, matches, "seed", explained)
