"""The service: create_app puts routers, error handlers and the runtime together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import enmusubi
from enmusubi.app import problems
from enmusubi.app.api import (
    accounts,
    alerts,
    audit,
    clusters,
    health,
    imports,
    introductions,
    invitations,
    lifecycle,
    matches,
    needs,
    notices,
    oidc,
    organisations,
    seeds,
    session,
    webhooks,
    work,
)
from enmusubi.app.clock import Clock
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.headers import SafeHeaders
from enmusubi.app.mail import Post
from enmusubi.app.runtime import Runtime
from enmusubi.app.web.application import Pages, create_pages, is_page
from enmusubi.app.web.failures import failure
from enmusubi.matching.encoder import Encoder

DESCRIPTION = """Seeds-to-needs matchmaking: universities register technology seeds, companies post needs,
coordinators review ranked matches. Every call but health, this description and those that sign somebody in needs an
API token or a session."""


class BodyLimit:
    """Refuses request bodies over a size with 413, whether or not Content-Length tells the truth.

    `most_at` are the sizes of paths that take more than all others.
    """

    def __init__(self, app: ASGIApp, most: int, most_at: Mapping[str, int]) -> None:
        self.app = app
        self.most = most
        self.most_at = most_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting what of its body arrives."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.most_at.get(scope["path"], self.most)
        refusal: ASGIApp = problems.problem(
            413, "too-large", "The request body is too large", f"at most {most:,} bytes are taken"
        )
        if is_page(scope["path"]):
            refusal = failure(Request(scope), 413)
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > most:
                await refusal(scope, receive, send)
                return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise ClientDisconnect  # whoever reads the body gives up
            return message

        async def unless_too_large(message: Message) -> None:
            nonlocal started
            # What the application says of a body it could not read to the end is not the reason.
            if started or seen <= most:
                started = True
                await send(message)

        try:
            await self.app(scope, counted, unless_too_large)
        except ClientDisconnect:
            if seen <= most:
                raise
        if seen > most and not started:
            await refusal(scope, receive, send)


def _largest(settings: Settings) -> Mapping[str, int]:
    """What paths take that take files; a form has fields beside its file."""
    most = settings.max_import_bytes
    return {"/api/v1/imports": most, "/imports": most + settings.max_body_bytes}


def create_app(
    settings: Settings,
    encoder: Encoder | None = None,
    database: Database | None = None,
    post: Post | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """The ASGI application; `encoder`, `database`, `post` and `clock` replace the configured ones, the caller's own."""
    runtime = Runtime(settings, encoder, database, post, clock)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # A thread for every request that has a place, and some for those that need none.
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.database_pool + 4
        runtime.start()
        yield
        await anyio.to_thread.run_sync(runtime.close)

    app = FastAPI(
        title="Enmusubi",
        version=enmusubi.__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=problems.PROBLEM_RESPONSES,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the page loads its scripts from another host
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.runtime = runtime
    app.state.places = asyncio.Semaphore(settings.database_pool)
    app.add_middleware(Pages, pages=create_pages(app))
    app.add_middleware(BodyLimit, most=settings.max_body_bytes, most_at=_largest(settings))
    app.add_middleware(SafeHeaders, is_https=settings.is_https)
    app.include_router(health.router)
    for module in (
        *(seeds, needs, lifecycle, organisations, clusters, matches, introductions, work, imports),
        *(notices, webhooks, alerts),
        *(session, accounts, invitations, oidc, audit),
    ):
        app.include_router(module.router, prefix="/api/v1")
    problems.install(app)
    return app
