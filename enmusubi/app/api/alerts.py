"""Alerts of new partners, and the searches that look for them; each person's own."""

import uuid
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from enmusubi.app.alerting import inbox, searches, stopping
from enmusubi.app.alerting.drafts import AlertSettingsDraft, SavedSearchDraft, SavedSearchRevision
from enmusubi.app.alerting.shown import (
    AlertOut,
    AlertSettingsOut,
    SavedSearchOut,
    StoppedOut,
    alert_out,
    stopped_out,
)
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, CreationNow, ExpectedVersion, MatchmakingNow, VisitNow, etag
from enmusubi.app.errors import ForbiddenError
from enmusubi.app.representations import Page, RankingOut, ranking_out
from enmusubi.app.vocabulary import Scope

router = APIRouter(tags=["alerts"])

Secret = Annotated[str, Query(min_length=1, max_length=200, description="What the letter's link brings")]


@router.get("/alerts", openapi_extra=allows(Scope.READ))
def list_alerts(query: Annotated[PageQuery, Query()], asked: AskedNow) -> Page[AlertOut]:
    """What you have been told of, newest first; what waits for the digest is not among it."""
    listed = inbox.list_alerts(asked.session, asked.caller, query)
    return Page[AlertOut](items=[alert_out(alert) for alert in listed.rows], next=listed.next)


@router.get("/alerts/settings", openapi_extra=allows(Scope.READ))
def read_alert_settings(asked: AskedNow) -> AlertSettingsOut:
    """When you are told of new partners of your entries, or of your cluster's if you coordinate it."""
    return AlertSettingsOut(frequency=stopping.read_settings(asked.session, asked.caller))


@router.patch("/alerts/settings", openapi_extra=allows(Scope.WRITE))
def revise_alert_settings(draft: AlertSettingsDraft, asked: AskedNow) -> AlertSettingsOut:
    """Be told at once, daily or never."""
    return AlertSettingsOut(frequency=stopping.revise_settings(asked.session, asked.caller, draft))


@router.post("/alerts/stop")
def stop_alerts(secret: Secret, visit: VisitNow) -> StoppedOut:
    """Stop what a letter's link stops, without signing in (RFC 8058); as often as one likes."""
    return stopped_out(stopping.stop(visit, secret))


@router.get(
    "/alerts/stop", response_model=StoppedOut,
    responses={303: {"description": "Sends a browser on to the page that asks"}},
)  # fmt: skip
def stop_alerts_by_link(
    secret: Secret,
    visit: VisitNow,
    sec_purpose: Annotated[str | None, Header(include_in_schema=False)] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> StoppedOut | RedirectResponse:
    """The same for programs; who opens the link in a browser is asked first, and one fetched ahead stops nothing."""
    if sec_purpose is not None:
        raise ForbiddenError("nobody has opened the link yet")
    if "text/html" in accept:
        return RedirectResponse(f"{stopping.PAGE}?{urlencode({'secret': secret})}", 303)
    return stopped_out(stopping.stop(visit, secret))


@router.post("/saved-searches", status_code=201, response_model=SavedSearchOut, openapi_extra=allows(Scope.WRITE))
def save_search(draft: SavedSearchDraft, asked: AskedNow, creation: CreationNow) -> Response:
    """Save a search; what is published from now on is ranked for it. Its text is read by nobody but you."""

    def save() -> tuple[BaseModel, Mapping[str, str]]:
        search = searches.save_search(asked.session, asked.caller, draft)
        asked.session.refresh(search)
        headers = {**etag(search.version), "Location": f"/api/v1/saved-searches/{search.public_id}"}
        return SavedSearchOut.model_validate(search), headers

    return creation.reply(save)


@router.get("/saved-searches", openapi_extra=allows(Scope.READ))
def list_searches(query: Annotated[PageQuery, Query()], asked: AskedNow) -> Page[SavedSearchOut]:
    """Your saved searches, newest first."""
    listed = searches.list_searches(asked.session, asked.caller, query)
    return Page[SavedSearchOut](items=[SavedSearchOut.model_validate(row) for row in listed.rows], next=listed.next)


@router.get("/saved-searches/{search_id}", openapi_extra=allows(Scope.READ))
def read_search(search_id: uuid.UUID, asked: AskedNow, response: Response) -> SavedSearchOut:
    """One of your saved searches; its ETag is what If-Match takes."""
    search = searches.read_search(asked.session, asked.caller, search_id)
    response.headers.update(etag(search.version))
    return SavedSearchOut.model_validate(search)


@router.patch("/saved-searches/{search_id}", openapi_extra=allows(Scope.WRITE))
def revise_search(
    search_id: uuid.UUID, changes: SavedSearchRevision, asked: AskedNow, version: ExpectedVersion, response: Response
) -> SavedSearchOut:
    """Change the fields given (JSON merge patch); `frequency` never switches it off."""
    search = searches.revise_search(asked.session, asked.caller, search_id, version, changes)
    response.headers.update(etag(search.version))
    return SavedSearchOut.model_validate(search)


@router.delete("/saved-searches/{search_id}", status_code=204, openapi_extra=allows(Scope.WRITE))
def remove_search(search_id: uuid.UUID, asked: AskedNow, version: ExpectedVersion) -> None:
    """Remove a saved search with its alerts."""
    searches.remove_search(asked.session, asked.caller, search_id, version)


@router.get("/saved-searches/{search_id}/matches", openapi_extra=allows(Scope.READ))
def search_matches(
    search_id: uuid.UUID,
    asked: AskedNow,
    matchmaking: MatchmakingNow,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    misses: Annotated[bool, Query(description="The nearest entries also where none is a good match yet")] = False,
) -> RankingOut:
    """What a saved search finds now, of all that is open to you; nothing is stored."""
    search = searches.read_search(asked.session, asked.caller, search_id)
    proposals = searches.run_search(asked.session, asked.caller, search, matchmaking, limit, misses=misses)
    return ranking_out(asked.caller, proposals, None, "seed" if search.against == "seeds" else "need")
