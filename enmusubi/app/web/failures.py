"""Errors as pages that help: what happened, what to do, and nothing that the reader may not know."""

import logging
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from enmusubi.app.errors import (
    ConfirmationNeededError,
    EnmusubiError,
    TooManyAttemptsError,
    UnauthenticatedError,
)
from enmusubi.app.web.asking import Screen, frame_of
from enmusubi.app.web.going import page_of
from enmusubi.app.web.languages import N_, speech_of
from enmusubi.app.web.rendering import rendered

logger = logging.getLogger(__name__)

_SAYS: Final[dict[int, tuple[str, str]]] = {
    401: (N_("Please sign in"), N_("Your session has ended. Sign in again; what was saved is still there.")),
    403: (N_("You may not do that"), N_("Your account has no right to this. A coordinator of your cluster can help.")),
    404: (N_("There is nothing here"), N_("It does not exist, was removed, or is not open to your account.")),
    405: (N_("This cannot be done here"), N_("Go back to the page you came from and try again from there.")),
    409: (N_("It has moved on"), N_("Somebody changed it meanwhile, or its state does not allow this any more.")),
    412: (N_("It has changed meanwhile"), N_("Somebody changed it since you opened the page. Open it again and look.")),
    413: (N_("That is too large"), N_("Send a smaller file or a shorter text.")),
    422: (N_("Something is not right"), N_("Go back and correct what is named below.")),
    429: (N_("Too many attempts"), N_("Wait a little, then try again.")),
    500: (N_("Something went wrong here"), N_("It was recorded. Nothing that was saved is lost; try again later.")),
    503: (N_("The service is not ready"), N_("It is starting, or cannot reach its database. Try again in a moment.")),
}  # fmt: skip

_ONCE_MORE: Final = (429, 500, 503)
"""Where the same page may be there the next time."""
_SECRET: Final = ("csrf", "password", "present", "token", "link", "secret", "once", "version", "cursor", "next")
_WORTH_KEEPING: Final = 20  # characters; the rest is chosen or typed again faster than it is copied


def install(pages: FastAPI) -> None:
    """Render every error that leaves a page's endpoint."""

    @pages.exception_handler(EnmusubiError)
    def _expected(request: Request, error: EnmusubiError) -> Response:
        page = urlencode({"next": page_of(request)})
        if isinstance(error, UnauthenticatedError) and request.method in ("GET", "HEAD"):
            return RedirectResponse(f"/sign-in?{page}", 303)
        if isinstance(error, ConfirmationNeededError):
            return RedirectResponse(f"/account/confirm?{page}", 303)
        headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttemptsError) else None
        return failure(request, error.status, error.detail, headers)

    @pages.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        # A path with what is no id, or a query that nobody's page links to.
        return failure(request, 404 if any(one["loc"][0] == "path" for one in error.errors()) else 422)

    @pages.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        return failure(request, error.status_code, None, dict(error.headers or {}))

    @pages.exception_handler(StaleDataError)
    @pages.exception_handler(IntegrityError)
    def _raced(request: Request, error: Exception) -> Response:
        return failure(request, 409)

    @pages.exception_handler(OperationalError)
    @pages.exception_handler(InterfaceError)
    @pages.exception_handler(PoolTimeoutError)
    def _database(request: Request, error: Exception) -> Response:
        logger.error("the database did not answer: %s", type(error).__name__)
        return failure(request, 503, None, {"Retry-After": "2"})

    @pages.exception_handler(DBAPIError)
    def _refused(request: Request, error: DBAPIError) -> Response:
        # PostgreSQL's message quotes the failing row: it must not go on to the server's log.
        logger.error("the database refused a statement: %s", type(error.orig).__name__)
        return failure(request, 500)

    @pages.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> Response:
        return failure(request, 500)


def failure(
    request: Request, status: int, detail: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """The page of an error, as far as it is known with the head and in the language of who gets it."""
    title, help_ = _SAYS.get(status) or (HTTPStatus(status).phrase, _SAYS[500][1])
    screen: Screen | None = getattr(request.state, "screen", None)
    speech = speech_of(request) if screen is None else screen.speech
    values = {
        **frame_of(request), **({} if screen is None else screen.own), "query": "", "done": None,
        "status": status, "title": title, "help": help_, "detail": detail,
        "page": page_of(request) if request.method == "POST" or status in _ONCE_MORE else None,
        "sent": _sent(request),
    }  # fmt: skip
    return rendered(speech, "failure.html", status, values, headers)


def _sent(request: Request) -> list[str]:
    """What was typed into a form that was not taken, so that it can be copied; nothing secret."""
    form: FormData = getattr(request.state, "sent", None) or FormData()
    typed = [value for name, value in form.multi_items() if isinstance(value, str) and name not in _SECRET]
    return [value for value in typed if len(value) >= _WORTH_KEEPING]
