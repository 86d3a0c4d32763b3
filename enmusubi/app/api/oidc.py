"""Sign in by the identity provider: there, and back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from enmusubi.app.credentials import browser_of, keep_browser, keep_session
from enmusubi.app.dependencies import RuntimeNow, VisitNow
from enmusubi.app.errors import EnmusubiError, ForbiddenError, NotFoundError
from enmusubi.app.signing_in import by_provider

router = APIRouter(prefix="/oidc", tags=["signing in"])

_GONE: dict[int | str, dict[str, Any]] = {303: {"description": "Sends the browser on"}}
_Value = Annotated[str | None, Query(max_length=4_000)]


@router.get("/start", status_code=303, response_class=RedirectResponse, responses=_GONE)
def begin_oidc(
    request: Request,
    visit: VisitNow,
    runtime: RuntimeNow,
    confirm: Annotated[bool, Query(description="Have the provider ask anew who you are")] = False,
) -> RedirectResponse:
    """Send the browser to the identity provider."""
    try:
        departure = by_provider.begin(visit, confirm=confirm)
    except EnmusubiError as error:
        return _back_to_sign_in(request, error)
    response = RedirectResponse(departure.address, 303)
    keep_browser(response, runtime.settings, departure.browser, int(by_provider.LIFETIME.total_seconds()))
    return response


@router.get("/callback", status_code=303, response_class=RedirectResponse, responses=_GONE)
def end_oidc(
    request: Request, visit: VisitNow, runtime: RuntimeNow, state: _Value = None, code: _Value = None
) -> RedirectResponse:
    """Where the identity provider sends the browser back to: begins the session, and goes on to the first page."""
    try:
        opened = by_provider.end(visit, state or "", code, browser_of(request, runtime.settings))
    except EnmusubiError as error:
        return _back_to_sign_in(request, error)
    response = RedirectResponse("/", 303)
    keep_session(response, runtime, opened)
    keep_browser(response, runtime.settings, "", 0)
    return response


def _back_to_sign_in(request: Request, error: EnmusubiError) -> RedirectResponse:
    """A person in front of a browser is told on the page to sign in, by a code; programs get the error itself."""
    if "text/html" not in request.headers.get("accept", "") or isinstance(error, NotFoundError):
        raise error
    return RedirectResponse(f"/sign-in?refused={'unknown' if isinstance(error, ForbiddenError) else 'failed'}", 303)
