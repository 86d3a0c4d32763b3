"""Needs: post, read, list, revise, withdraw, and the seeds ranked for a need."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from enmusubi.app import identifying, record_reading
from enmusubi.app.catalogue import listing, needs, origins
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
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Need, NeedDetail
from enmusubi.app.record_shown import ViewOut, view_out
from enmusubi.app.representations import (
    MISSES,
    DeclinesOut,
    NeedChecked,
    NeedOut,
    NeedPosted,
    NeedRevised,
    Page,
    RankingOut,
    declines_out,
    findings_out,
    need_out,
    ranking_out,
)
from enmusubi.app.schemas import NeedDraft, NeedRevision
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/needs", tags=["needs"])

MatchLimit = Annotated[int, Query(ge=1, le=100, description="How many ranked seeds")]
Misses = Annotated[bool, Query(description="The nearest seeds also where none is a good match yet; none is stored")]


def _shown(asked: Asked, need: Need) -> NeedOut:
    """The need with its confidential part for those who may read it, which is recorded."""
    details = needs.view_details(asked.session, asked.caller, [need], through="need")
    return _with_outline(asked, need, details.get(need.id))


def _with_outline(asked: Asked, need: Need, detail: NeedDetail | None) -> NeedOut:
    shown = need_out(need, detail, needs.outline_owners(asked.session, [need]).get(need.id))
    shown.grown_from = origins.of_entry(asked.session, asked.caller, need)
    return shown


def _checked(asked: Asked, need: Need, detail: NeedDetail | None) -> NeedRevised:
    found = identifying.check_need(asked.session, asked.caller, need, detail)
    shown = _with_outline(asked, need, detail)
    return NeedRevised(**dict(shown), findings=None if found is None else findings_out(found))


def _ranked(asked: Asked, matchmaking: Matchmaking, need: Need, limit: int) -> RankingOut:
    proposals = matchmaking.for_need(asked.session, asked.caller, need, limit)
    matches = matchmaking.keep_for_need(asked.session, asked.caller, need, proposals)
    return ranking_out(asked.caller, proposals, matches, "seed", misses=f"GET /needs/{need.public_id}/matches?{MISSES}")


@router.post("", status_code=201, response_model=NeedPosted, openapi_extra=allows(Scope.WRITE))
def post_need(
    draft: NeedDraft,
    asked: AskedNow,
    creation: CreationNow,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    limit: MatchLimit = 10,
) -> Response:
    """Post a need; the reply holds its ranked seeds, and what of an anonymous one may identify you."""

    def post() -> tuple[BaseModel, Mapping[str, str]]:
        need = needs.post_need(asked.session, asked.caller, draft, matchmaking.encoder, today)
        need = needs.read_need(asked.session, asked.caller, need.public_id)
        ranking = _ranked(asked, matchmaking, need, limit)
        posted = NeedPosted(
            **dict(_checked(asked, need, needs.posted_detail(asked.session, asked.caller, need))), matches=ranking
        )
        return posted, {**etag(need.version), "Location": f"/api/v1/needs/{need.public_id}"}

    return creation.reply(post)


@router.post("/check", openapi_extra=allows(Scope.READ))
def check_need(draft: NeedDraft, asked: AskedNow) -> NeedChecked:
    """Would this identify you? What of a need's public text may, and what to write instead; nothing is stored."""
    return NeedChecked(findings=findings_out(identifying.check_draft(asked.session, asked.caller, draft)))


@router.get("", openapi_extra=allows(Scope.READ))
def list_needs(query: Annotated[listing.NeedQuery, Query()], asked: AskedNow) -> Page[NeedOut]:
    """The public part of the needs open to you, newest first."""
    listed = listing.list_needs(asked.session, asked.caller, query)
    if query.asks_for_owner:
        needs.note_owner_asked(asked.session, asked.caller, listed.rows)
    known = needs.owners_known(asked.session, asked.caller, listed.rows)
    outlines = needs.outline_owners(asked.session, listed.rows)
    shown = [need_out(need, None, outlines.get(need.id), owner_known=need.id in known) for need in listed.rows]
    return Page[NeedOut](items=shown, next=listed.next)


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
    today: TodayNow,
    response: Response,
) -> NeedRevised:
    """Change the fields given (JSON merge patch); the new text is matched at once, and checked where anonymous."""
    need = needs.revise_need(asked.session, asked.caller, need_id, version, revision, matchmaking.encoder, today)
    need = needs.read_need(asked.session, asked.caller, need_id)
    response.headers.update(etag(need.version))
    details = needs.view_details(asked.session, asked.caller, [need], through="need")
    return _checked(asked, need, details.get(need.id))


@router.post("/{need_id}/withdraw", openapi_extra=allows(Scope.WRITE))
def withdraw_need(need_id: uuid.UUID, asked: AskedNow, version: ExpectedVersion, response: Response) -> NeedOut:
    """Withdraw a need: it is kept for its owner and coordinators, and never proposed again."""
    needs.withdraw_need(asked.session, asked.caller, need_id, version)
    need = needs.read_need(asked.session, asked.caller, need_id)
    response.headers.update(etag(need.version))
    return _shown(asked, need)


@router.get("/{need_id}/views", openapi_extra=allows(Scope.READ))
def need_views(need_id: uuid.UUID, query: Annotated[listing.PageQuery, Query()], asked: AskedNow) -> Page[ViewOut]:
    """Who looked at the confidential part, newest first; for its own organisation and coordinators."""
    read = record_reading.need_views(asked.session, asked.caller, need_id, query)
    return Page[ViewOut](items=[view_out(row) for row in read.rows], next=read.next)


@router.get("/{need_id}/declines", openapi_extra=allows(Scope.READ))
def need_declines(need_id: uuid.UUID, asked: AskedNow) -> DeclinesOut:
    """Why matches of this need were turned down, and which of its changes would bring how many back."""
    return declines_out(needs.declines(asked.session, asked.caller, need_id))


@router.post("/{need_id}/ready", openapi_extra=allows(Scope.WRITE))
def need_ready(need_id: uuid.UUID, asked: AskedNow) -> DeclinesOut:
    """Its side is ready again: what it turned down for want of time or terms is back. The reply holds what is not."""
    needs.ready_again(asked.session, asked.caller, need_id)
    return declines_out(needs.declines(asked.session, asked.caller, need_id))


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
    matches = matchmaking.keep_for_need(asked.session, asked.caller, need, proposals)
    explained = explaining.of_need(asked.session, asked.caller, need, proposals) if reasons else None
    return ranking_out(asked.caller, proposals, matches, "seed", explained)
