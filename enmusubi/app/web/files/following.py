"""How far a file is, as events for the page that shows it: it holds no connection, and no place of a request, between.

A stream ends with the import, and after a minute; the browser asks again then.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from enmusubi.app import posted_files
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.errors import EnmusubiError
from enmusubi.app.models import Import
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.runtime import Runtime
from enmusubi.app.vocabulary import ImportState
from enmusubi.app.web.asking import ScreenNow
from enmusubi.app.web.files.telling import told
from enmusubi.app.web.languages import Speech

router = APIRouter(prefix="/imports")
_PAUSE: Final = 1.0  # seconds between looks
_LOOKS: Final = 60
_MOVING: Final = (ImportState.CHECKING, ImportState.QUEUED, ImportState.RUNNING)


@router.get("/{import_id}/events")
def page_import_events(import_id: uuid.UUID, screen: ScreenNow) -> Response:
    """What changes on the page of an import, as long as something does."""
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    made = posted_files.read_import(screen.session, screen.caller, import_id)
    first = _event(screen.speech, made)
    stream = _follow(screen.runtime, screen.request.app.state.places, screen.caller, screen.speech, import_id, first)
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _follow(
    runtime: Runtime, places: asyncio.Semaphore, caller: Caller, speech: Speech, public_id: uuid.UUID, first: str
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    last = first
    yield last
    for _ in range(_LOOKS):
        if last.startswith("event: ended"):
            return
        await asyncio.sleep(_PAUSE)
        async with places:
            event = await anyio.to_thread.run_sync(_look, runtime, caller, speech, public_id)
        # A comment keeps what stands between from closing it, and finds out whether somebody still listens.
        yield event if event != last else ": \n\n"
        last = event


def _look(runtime: Runtime, caller: Caller, speech: Speech, public_id: uuid.UUID) -> str:
    with runtime.session() as session:
        act_as(session, caller)
        try:
            return _event(speech, posted_files.read_import(session, caller, public_id))
        except EnmusubiError:
            return "event: ended\ndata: {}\n\n"  # forgotten meanwhile


def _event(speech: Speech, made: Import) -> str:
    kind = "progress" if made.state in _MOVING else "ended"
    data: dict[str, Any] = {
        "state": made.state, "text": told(speech, made), "value": made.read, "max": made.total,
    }  # fmt: skip
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
