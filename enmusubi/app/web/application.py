"""The application of the pages, and how it stands beside that of the API."""

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enmusubi.app.web import accounts, entering, exporting, failures, files, queue
from enmusubi.app.web.board import library
from enmusubi.app.web.board import pages as board
from enmusubi.app.web.entries import routers as entries
from enmusubi.app.web.posting import needs as posting_needs
from enmusubi.app.web.posting import seeds as posting_seeds
from enmusubi.app.web.rendering import STATIC, static_version

_OF_API: Final = (["api"], ["health"])
"""First parts of the paths of the other application."""
# Those of forms before those of pages: /needs/new is no need's page.
ROUTERS: Final = (
    posting_needs.router,
    posting_seeds.router,
    entering.router,
    *accounts.ROUTERS,
    board.router,
    *exporting.ROUTERS,
    *files.ROUTERS,
    *entries.ROUTERS,
    *queue.ROUTERS,
)


def is_page(path: str) -> bool:
    """Whether a path is one of the pages', not of the API."""
    return path.split("/")[1:2] not in _OF_API


class Pages:
    """Hands to the pages what is not of the API."""

    def __init__(self, app: ASGIApp, pages: FastAPI) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the application whose it is."""
        if scope["type"] == "http" and is_page(scope["path"]):
            await _asked_for_head(self._pages, scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _asked_for_head(pages: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """HEAD is answered as GET is, without the page itself."""
    if scope["method"] != "HEAD":
        await pages(scope, receive, send)
        return

    async def without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    await pages({**scope, "method": "GET"}, receive, without_body)


class _Static(StaticFiles):
    """Files of ours, whose address changes with what is in them: browsers may keep them."""

    def file_response(self, *args: object, **options: object) -> Response:
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_pages(beside: FastAPI) -> FastAPI:
    """The pages' application; it holds what the API's holds: the runtime, and places for requests."""
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
                    generate_unique_id_function=lambda route: route.name)  # fmt: skip
    pages.state.runtime = beside.state.runtime
    pages.state.places = beside.state.places
    pages.mount(f"/static/{static_version()}", _Static(directory=STATIC), name="static")
    pages.mount(library.folder_address(), library.library, name="plots")
    for router in ROUTERS:
        pages.include_router(router)
    failures.install(pages)

    @pages.get("/favicon.ico")
    async def favicon() -> Response:
        return Response(status_code=204)

    return pages
