"""Seeds: register, read, list, revise, withdraw, and the needs that a seed could serve."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from enmusubi.app import record_reading
from enmusubi.app.catalogue import listing, origins, seeds
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import (
    Asked,
    AskedNow,
    CreationNow,
    ExpectedVersion,
    ExplainingNow,
    MatchmakingNow,
    TodayNow,
    WithReasons,
    etag,
)
from enmusubi.app.explaining import refuse_too_many
from enmusubi.app.models import Seed, SeedDetail
from enmusubi.app.record_shown import ViewOut, view_out
from enmusubi.app.representations import DeclinesOut, Page, RankingOut, SeedOut, declines_out, ranking_out, seed_out
from enmusubi.app.schemas import SeedDraft, SeedRevision
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/seeds", tags=["seeds"])


def _shown(asked: Asked, seed: Seed) -> SeedOut:
    """The seed with its unpublished part for those who may read it, which is recorded."""
    return _with_origins(asked, seed, seeds.view_detail(asked.session, asked.caller, seed))


def _with_origins(asked: Asked, seed: Seed, detail: SeedDetail | None) -> SeedOut:
    shown = seed_out(seed, detail)
    shown.grown_from = origins.of_entry(asked.session, asked.caller, seed)
    return shown


@router.post("", status_code=201, response_model=SeedOut, openapi_extra=allows(Scope.WRITE))
def register_seed(
    draft: SeedDraft, asked: AskedNow, creation: CreationNow, matchmaking: MatchmakingNow, today: TodayNow
) -> Response:
    """Register a seed; it can be matched at once."""

    def register() -> tuple[BaseModel, Mapping[str, str]]:
        seed = seeds.register_seed(asked.session, asked.caller, draft, matchmaking.encoder, today)
        seed = seeds.read_seed(asked.session, asked.caller, seed.public_id)
        shown = _with_origins(asked, seed, seeds.posted_detail(asked.session, asked.caller, seed))
        return shown, {**etag(seed.version), "Location": f"/api/v1/seeds/{seed.public_id}"}

    return creation.reply(register)


@router.get("", openapi_extra=allows(Scope.READ))
def list_seeds(query: Annotated[listing.SeedQuery, Query()], asked: AskedNow) -> Page[SeedOut]:
    """The seeds open to you, newest first."""
    listed = listing.list_seeds(asked.session, asked.caller, query)
    return Page[SeedOut](items=[seed_out(seed, None) for seed in listed.rows], next=listed.next)


@router.get("/{seed_id}", openapi_extra=allows(Scope.READ))
def read_seed(seed_id: uuid.UUID, asked: AskedNow, response: Response) -> SeedOut:
    """One seed; its ETag is what If-Match takes."""
    seed = seeds.read_seed(asked.session, asked.caller, seed_id)
    response.headers.update(etag(seed.version))
    return _shown(asked, seed)


@router.patch("/{seed_id}", openapi_extra=allows(Scope.WRITE))
def revise_seed(
    seed_id: uuid.UUID,
    revision: SeedRevision,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> SeedOut:
    """Change the fields given (JSON merge patch); the new text is matched at once."""
    seed = seeds.revise_seed(asked.session, asked.caller, seed_id, version, revision, matchmaking.encoder, today)
    seed = seeds.read_seed(asked.session, asked.caller, seed_id)
    response.headers.update(etag(seed.version))
    return _shown(asked, seed)


@router.post("/{seed_id}/withdraw", openapi_extra=allows(Scope.WRITE))
def withdraw_seed(seed_id: uuid.UUID, asked: AskedNow, version: ExpectedVersion, response: Response) -> SeedOut:
    """Withdraw a seed: it is kept for its owner and coordinators, and never proposed again."""
    seeds.withdraw_seed(asked.session, asked.caller, seed_id, version)
    seed = seeds.read_seed(asked.session, asked.caller, seed_id)
    response.headers.update(etag(seed.version))
    return _shown(asked, seed)


@router.get("/{seed_id}/views", openapi_extra=allows(Scope.READ))
def seed_views(seed_id: uuid.UUID, query: Annotated[listing.PageQuery, Query()], asked: AskedNow) -> Page[ViewOut]:
    """Who looked at the unpublished part, newest first; for its own organisation and coordinators."""
    read = record_reading.seed_views(asked.session, asked.caller, seed_id, query)
    return Page[ViewOut](items=[view_out(row) for row in read.rows], next=read.next)


@router.get("/{seed_id}/declines", openapi_extra=allows(Scope.READ))
def seed_declines(seed_id: uuid.UUID, asked: AskedNow) -> DeclinesOut:
    """Why matches of this seed were turned down, and which of its changes would bring how many back."""
    return declines_out(seeds.declines(asked.session, asked.caller, seed_id))


@router.post("/{seed_id}/ready", openapi_extra=allows(Scope.WRITE))
def seed_ready(seed_id: uuid.UUID, asked: AskedNow) -> DeclinesOut:
    """Its side is ready again: what it turned down for want of time or terms is back. The reply holds what is not."""
    seeds.ready_again(asked.session, asked.caller, seed_id)
    return declines_out(seeds.declines(asked.session, asked.caller, seed_id))


@router.get("/{seed_id}/matches", openapi_extra=allows(Scope.READ))
def seed_matches(
    seed_id: uuid.UUID,
    asked: AskedNow,
    matchmaking: MatchmakingNow,
    explaining: ExplainingNow,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    misses: Annotated[
        bool, Query(description="The nearest needs also where none is a good match yet; none is stored")
    ] = False,
    reasons: WithReasons = False,
) -> RankingOut:
    """The needs that this seed could serve, ranked now, as far as you may see these matches."""
    if reasons:
        refuse_too_many(limit)
    seed = seeds.read_seed(asked.session, asked.caller, seed_id)
    proposals = matchmaking.for_seed(asked.session, asked.caller, seed, limit, misses=misses)
    matches = matchmaking.keep_for_seed(asked.session, asked.caller, seed, proposals)
    explained = explaining.of_seed(asked.session, asked.caller, seed, proposals) if reasons else None
    return ranking_out(asked.caller, proposals, matches, "need", explained)
