"""Every error of the API as one shape: RFC 9457 problem details."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from enmusubi.app.errors import ConflictError, EnmusubiError, PreconditionFailedError, TooManyAttemptsError, located

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[dict[str, Any]] | None = None


_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": "Problem details (RFC 9457)", "content": _CONTENT} for status in ("4XX", "5XX")
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """A problem response; `type` is a relative reference that names the kind of problem."""
    body: dict[str, Any] = {"type": f"/problems/{code}", "title": title, "status": status}
    if detail is not None:
        body["detail"] = detail
    return JSONResponse({**body, **extra}, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Render every error that leaves an endpoint, and describe the shape they share."""
    _describe(app)

    @app.exception_handler(EnmusubiError)
    def _expected(request: Request, error: EnmusubiError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "2"
        if isinstance(error, TooManyAttemptsError):
            headers["Retry-After"] = str(error.retry_after)
        return problem(error.status, error.code, error.title, error.detail, headers, **error.extra)

    @app.exception_handler(RequestValidationError)
    def _invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        return _invalid(error.errors())

    @app.exception_handler(StaleDataError)
    def _stale(request: Request, error: StaleDataError) -> JSONResponse:
        lost = PreconditionFailedError
        return problem(lost.status, lost.code, lost.title, "somebody changed it at the same moment; read it again")

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        title = HTTPStatus(error.status_code).phrase
        code = title.lower().replace(" ", "-")
        return problem(error.status_code, code, title, None, dict(error.headers or {}))

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeoutError)
    def _database(request: Request, error: Exception) -> JSONResponse:
        logger.error("the database did not answer: %s", type(error).__name__)
        return problem(
            503, "not-ready", "The service is not ready", "the database does not answer", {"Retry-After": "2"}
        )

    @app.exception_handler(IntegrityError)
    def _raced(request: Request, error: IntegrityError) -> JSONResponse:
        # The rules are checked before a write; only a write at the same moment gets past them.
        logger.warning("a write was refused by the database: %s", type(error.orig).__name__)
        return problem(
            ConflictError.status, ConflictError.code, ConflictError.title, "somebody entered the same; read it again"
        )

    @app.exception_handler(DBAPIError)
    def _refused(request: Request, error: DBAPIError) -> JSONResponse:
        # PostgreSQL's message quotes the failing row: it must not go on to the server's log.
        logger.error("the database refused a statement: %s", type(error.orig).__name__)
        return problem(500, "internal", "Internal error", "the error was recorded; please report it")

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        # Starlette re-raises it to the server's log after this reply; the reply says nothing of it.
        return problem(500, "internal", "Internal error", "the error was recorded; please report it")


def _describe(app: FastAPI) -> None:
    generate = app.openapi

    def described() -> dict[str, Any]:
        description = generate()
        # Named by every response and by no model, so that FastAPI does not find it.
        description["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        return description

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend the description


def _invalid(errors: Sequence[Any]) -> JSONResponse:
    return problem(
        422, "invalid-input", "The input is not valid", "see errors: each names its place", errors=located(errors)
    )
