"""Sign in by the identity provider: there, and back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from enmusubi.app.credentials import browser_of, keep_browser, keep_session
from enmusubi.app.dependencies import RuntimeNow, VisitNow
from enmusubi.app.signing_in import by_provider

router = APIRouter(prefix="/oidc", tags=["signing in"])

_GONE: dict[int | str, dict[str, Any]] = {303: {"description": "Sends the browser on"}}
_Value = Annotated[str | None, Query(max_length=4_000)]


@router.get("/start", status_code=303, response_class=RedirectResponse, responses=_GONE)
def begin_oidc(
    visit: VisitNow,
    runtime: RuntimeNow,
    confirm: Annotated[bool, Query(description="Have the provider ask anew who you are")] = False,
) -> RedirectResponse:
    """Send the browser to the identity provider."""
    departure = by_provider.begin(visit, confirm=confirm)
    response = RedirectResponse(departure.address, 303)
    keep_browser(response, runtime.settings, departure.browser, int(by_provider.LIFETIME.total_seconds()))
    return response


@router.get("/callback", status_code=303, response_class=RedirectResponse, responses=_GONE)
def end_oidc(
    request: Request, visit: VisitNow, runtime: RuntimeNow, state: _Value = None, code: _Value = None
) -> RedirectResponse:
    """Where the identity provider sends the browser back to: begins the session, and goes on to the first page."""
    opened = by_provider.end(visit, state or "", code, browser_of(request, runtime.settings))
    response = RedirectResponse("/", 303)
    keep_session(response, runtime, opened)
    keep_browser(response, runtime.settings, "", 0)
    return response
