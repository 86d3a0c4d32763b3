"""Everything an endpoint can ask for: the only list of injectables."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy.orm import Session

from enmusubi.app import auth, idempotency
from enmusubi.app.caller import Caller
from enmusubi.app.errors import InvalidInputError, PreconditionRequiredError, UnauthenticatedError
from enmusubi.app.explaining import MOST_EXPLAINED, Explaining
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.runtime import Runtime

_SEND_ONE = "send a token: Authorization: Bearer enm_…"
_bearer = HTTPBearer(auto_error=False, description="An API token made by `enmusubi account create`")


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeNow = Annotated[Runtime, Depends(_runtime)]


async def _place(request: Request) -> AsyncIterator[None]:
    """As many requests at once as there are connections: a further one waits here, where it holds nothing.

    Otherwise requests that hold a connection and wait for a thread, and others that hold a thread and wait for a
    connection, would wait for each other.
    """
    request.app.state.runtime.note_request()
    async with request.app.state.places:
        yield


PlaceNow = Annotated[None, Depends(_place, scope="function")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and the session of the request: one request, one transaction."""

    session: Session
    caller: Caller


def _asked(
    place: PlaceNow, runtime: RuntimeNow, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Iterator[Asked]:
    if credentials is None:
        raise UnauthenticatedError(_SEND_ONE)
    with runtime.session() as session:
        yield Asked(session, auth.identify(session, credentials.credentials))
        session.commit()


# Scope "function": the commit happens before the reply goes out, not after.
AskedNow = Annotated[Asked, Depends(_asked, scope="function")]


@dataclass(frozen=True, slots=True)
class Asking:
    """A token that is looked up when the endpoint asks: for the busiest call, which only reads.

    The endpoint then needs no further turns of the threads before and after it, and no transaction.
    """

    runtime: Runtime
    token: str

    @contextmanager
    def reading(self) -> Iterator[Asked]:
        """Who asks, and a session without a transaction."""
        with self.runtime.reading() as session:
            yield Asked(session, auth.identify(session, self.token))


async def _asking(
    place: PlaceNow, runtime: RuntimeNow, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Asking:
    if credentials is None:
        raise UnauthenticatedError(_SEND_ONE)
    return Asking(runtime, credentials.credentials)


AskingNow = Annotated[Asking, Depends(_asking)]


async def _matchmaking(runtime: RuntimeNow) -> Matchmaking:
    return runtime.matchmaking


MatchmakingNow = Annotated[Matchmaking, Depends(_matchmaking)]


async def _explaining(runtime: RuntimeNow) -> Explaining:
    return runtime.explaining


ExplainingNow = Annotated[Explaining, Depends(_explaining)]
WithReasons = Annotated[
    bool, Query(description=f"With the reasons of each match, for a limit of {MOST_EXPLAINED} at most")
]


async def _expected_version(
    if_match: Annotated[
        str | None, Header(description='The ETag of the version you read, for example "3"; * for any')
    ] = None,
) -> int | None:
    if if_match is None:
        raise PreconditionRequiredError("send If-Match with the ETag of the version you read")
    if if_match.strip() == "*":
        return None
    found = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if not found:
        raise InvalidInputError('If-Match: expected one strong ETag as we gave it, for example "3", or *')
    return int(found[1])


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]


def etag(version: int) -> dict[str, str]:
    """The ETag header of a version."""
    return {"ETag": f'"{version}"'}


class Creation:
    """Replies to a creating call; with an Idempotency-Key, a repeat gets the first reply again."""

    def __init__(self, asked: Asked, key: str | None, request_digest: bytes) -> None:
        self._asked = asked
        self._key = key
        self._digest = request_digest

    def reply(self, create: Callable[[], tuple[BaseModel, Mapping[str, str]]]) -> Response:
        """201 with what `create` makes and its headers, or the stored reply of the first call."""
        session, caller = self._asked.session, self._asked.caller
        if self._key is not None:
            earlier = idempotency.claim(session, caller, self._key, self._digest)
            if earlier is not None:
                headers = {**(earlier.headers or {}), "Idempotent-Replayed": "true"}
                return JSONResponse(earlier.body, status_code=earlier.status or 201, headers=headers)
        made, headers_made = create()
        body = made.model_dump(mode="json", by_alias=True)
        if self._key is not None:
            idempotency.keep(session, caller, self._key, 201, dict(headers_made), body)
        return JSONResponse(body, status_code=201, headers=dict(headers_made))


async def _creation(
    request: Request,
    asked: AskedNow,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            description="A value of your own; a repeated call with it within 24 hours gets the first reply",
        ),
    ] = None,
) -> Creation:
    target = f"{request.method} {request.url.path}?{request.url.query}\n"
    digest = hashlib.sha256(target.encode())
    digest.update(await request.body())
    return Creation(asked, idempotency_key, digest.digest())


CreationNow = Annotated[Creation, Depends(_creation)]
