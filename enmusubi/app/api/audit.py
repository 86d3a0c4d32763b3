"""The record: a cluster's events, and the chain as JSON Lines to be verified elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from enmusubi.app import record_reading
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow
from enmusubi.app.record_shown import EventOut, event_out
from enmusubi.app.representations import Page
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/audit", tags=["audit"])

JSON_LINES = "application/jsonl"


@router.get("", openapi_extra=allows(Scope.READ))
def list_events(query: Annotated[record_reading.EventQuery, Query()], asked: AskedNow) -> Page[EventOut]:
    """The events of your cluster, newest first; for auditors and cluster administrators."""
    read = record_reading.list_events(asked.session, asked.caller, query)
    return Page[EventOut](items=[event_out(row) for row in read.rows], next=read.next)


@router.get(
    "/export", response_class=Response, responses={200: {"content": {JSON_LINES: {}}}}, openapi_extra=allows(Scope.READ)
)
def export_events(query: Annotated[record_reading.ExportQuery, Query()], asked: AskedNow) -> Response:
    """Part of the chain as JSON Lines, its head last; for auditors and cluster administrators."""
    lines = record_reading.export(asked.session, asked.caller, query)
    return Response("".join(lines), media_type=JSON_LINES)
