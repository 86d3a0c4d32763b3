"""Everything an endpoint can ask for: the only list of injectables."""

import datetime
import hashlib
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy.orm import Session

from enmusubi.app import auth, idempotency
from enmusubi.app.auth import Identified
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.clock import Clock
from enmusubi.app.credentials import Credentials, read_credentials, read_visit
from enmusubi.app.delivering.outbound import Outbound
from enmusubi.app.errors import InvalidInputError, PreconditionRequiredError, UnauthenticatedError
from enmusubi.app.explaining import MOST_EXPLAINED, Explaining
from enmusubi.app.introducing.reading import taken_out
from enmusubi.app.introducing.steps import At
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import MatchStep
from enmusubi.app.runtime import Runtime
from enmusubi.app.signing_in.visits import Desk, Visit

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="An API token; x-token-scope is what it needs")
# Described here, read in credentials.py: over http the name has no prefix.
_cookie = APIKeyCookie(
    name="__Host-enmusubi", auto_error=False, scheme_name="session",
    description="The cookie of POST /session; calls that change something also need the header X-CSRF-Token",
)  # fmt: skip


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeNow = Annotated[Runtime, Depends(_runtime)]


async def _today(runtime: RuntimeNow) -> datetime.date:
    return runtime.clock.today()


TodayNow = Annotated[datetime.date, Depends(_today)]


async def _place(request: Request) -> AsyncIterator[None]:
    """As many requests at once as there are connections: a further one waits here, where it holds nothing.

    Otherwise requests that hold a connection and wait for a thread, and others that hold a thread and wait for a
    connection, would wait for each other.
    """
    request.app.state.runtime.note_request()
    async with request.app.state.places:
        yield


PlaceNow = Annotated[None, Depends(_place, scope="function")]


async def _credentials(
    request: Request,
    runtime: RuntimeNow,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Credentials:
    return read_credentials(request, runtime, None if bearer is None else bearer.credentials)


CredentialsNow = Annotated[Credentials, Depends(_credentials)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and the session of the request: one request, one transaction."""

    session: Session
    identified: Identified

    @property
    def caller(self) -> Caller:
        """The account that asks."""
        return self.identified.caller


@contextmanager
def asked_by(runtime: Runtime, credentials: Credentials) -> Iterator[Asked]:
    """Who asks, and the transaction of the request: committed at the end, undone by an error."""
    with runtime.session() as session:
        try:
            identified = credentials.identify(session)
        except UnauthenticatedError:
            session.rollback()
            credentials.count_failure(session)
            raise
        yield Asked(session, identified)
        session.commit()
        _note_use(session, identified)


def _asked(place: PlaceNow, runtime: RuntimeNow, credentials: CredentialsNow) -> Iterator[Asked]:
    with asked_by(runtime, credentials) as asked:
        yield asked


# Scope "function": the commit happens before the reply goes out, not after.
AskedNow = Annotated[Asked, Depends(_asked, scope="function")]


def _note_use(session: Session, identified: Identified) -> None:
    if identified.due:
        auth.note_use(session, identified)
        session.commit()


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks is looked up when the endpoint asks: for the busiest call, which only reads.

    The endpoint then needs no further turns of the threads before and after it.
    """

    credentials: Credentials

    @contextmanager
    def reading(self) -> Iterator[Asked]:
        """Who asks, and a session that only reads, in one short transaction."""
        runtime = self.credentials.runtime
        with runtime.reading() as session:
            try:
                asked = Asked(session, self.credentials.identify(session))
            except UnauthenticatedError:
                session.close()
                with runtime.session() as counting:
                    self.credentials.count_failure(counting)
                raise
            yield asked
        if asked.identified.due:
            with runtime.session() as session:
                act_as(session, asked.caller)
                _note_use(session, asked.identified)


async def _asking(place: PlaceNow, credentials: CredentialsNow) -> Asking:
    return Asking(credentials)


AskingNow = Annotated[Asking, Depends(_asking)]


async def _visit(request: Request, place: PlaceNow, runtime: RuntimeNow) -> Visit:
    return read_visit(request, runtime)


VisitNow = Annotated[Visit, Depends(_visit)]


async def _desk(runtime: RuntimeNow) -> Desk:
    return runtime.desk


DeskNow = Annotated[Desk, Depends(_desk)]


async def _now(runtime: RuntimeNow) -> datetime.datetime:
    return runtime.clock.now()


MomentNow = Annotated[datetime.datetime, Depends(_now)]


async def _outbound(runtime: RuntimeNow) -> Outbound:
    return runtime.outbound


OutboundNow = Annotated[Outbound, Depends(_outbound)]


async def _clock(runtime: RuntimeNow) -> Clock:
    return runtime.clock


ClockNow = Annotated[Clock, Depends(_clock)]


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


async def _expected_tag(
    asked: AskedNow,  # who asks is found out first: nobody else learns what a header should be
    if_match: Annotated[str | None, Header(description="The ETag of what you were shown")] = None,
) -> str:
    if if_match is None:
        raise PreconditionRequiredError("send If-Match with the ETag of what you were shown")
    found = re.fullmatch(r'\s*"([0-9a-f]{64})"\s*', if_match)
    if not found:
        raise InvalidInputError("If-Match: expected one strong ETag as we gave it")
    return found[1]


ExpectedTag = Annotated[str, Depends(_expected_tag)]


def etag(version: int | str) -> dict[str, str]:
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


def step_made(asked: Asked, taken: MatchStep, now: datetime.datetime) -> tuple[BaseModel, Mapping[str, str]]:
    """The reply to a step that was taken, and its headers."""
    made, version = taken_out(asked.session, asked.caller, taken, now)
    return made, {**etag(version), "Location": f"/api/v1/matches/{made.match}/steps"}


@dataclass(frozen=True, slots=True)
class Taking:
    """Who takes a step of which match, and how it is replied to."""

    asked: Asked
    creation: Creation
    at: At

    def reply(self, take: Callable[[Session, Caller, At], MatchStep]) -> Response:
        """201 with the step, or the stored reply of the first call."""
        session, caller = self.asked.session, self.asked.caller
        return self.creation.reply(lambda: step_made(self.asked, take(session, caller, self.at), self.at.now))


async def _taking(
    match_id: uuid.UUID, asked: AskedNow, version: ExpectedVersion, creation: CreationNow, now: MomentNow
) -> Taking:
    return Taking(asked, creation, At(match_id, version, now))


TakingNow = Annotated[Taking, Depends(_taking)]


async def _taking_shown(match_id: uuid.UUID, asked: AskedNow, creation: CreationNow, now: MomentNow) -> Taking:
    return Taking(asked, creation, At(match_id, None, now))


TakingShownNow = Annotated[Taking, Depends(_taking_shown)]
"""Of a step whose If-Match names what its taker was shown, not the version of the match."""
