"""The record: the cluster's events with filters, and the chain as a file to be verified elsewhere."""

import datetime
import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app import record_reading
from enmusubi.app.clock import JAPAN
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.record_shown import event_out
from enmusubi.app.vocabulary import Action, RecordedKind
from enmusubi.app.web.accounts import office
from enmusubi.app.web.asking import ScreenNow
from enmusubi.app.web.forms import Filled
from enmusubi.app.web.languages import N_

router = APIRouter(prefix="/record")
_DAY = datetime.timedelta(days=1)


@router.get("")
def page_record(
    screen: ScreenNow, action: str = "", kind: str = "", object: str = "", since: str = "", until: str = "",  # noqa: A002
    cursor: str | None = None,
) -> Response:  # fmt: skip
    """A page of events, newest first."""
    filled = Filled({"action": action, "kind": kind, "object": object, "since": since, "until": until})
    query = record_reading.EventQuery(
        cursor=cursor,
        action=Action(action) if action in tuple(Action) else None,
        kind=RecordedKind(kind) if kind in tuple(RecordedKind) else None,
    )
    try:
        query.object = uuid.UUID(object.strip()) if object.strip() else None
    except ValueError:
        filled.add("object", screen.speech.say(N_("is not an id")))
    query.since, last = _day(filled, "since", screen), _day(filled, "until", screen)
    query.until = None if last is None else last + _DAY
    read = record_reading.list_events(screen.session, screen.caller, query)
    events = [event_out(row) for row in read.rows] if filled.is_right else []
    return screen.show(
        "accounts/record.html", 200 if filled.is_right else 422, events=events,
        next=read.next if filled.is_right else None, filled=filled, office=office.links(screen),
    )  # fmt: skip


@router.get("/export")
def page_export_record(screen: ScreenNow, after: str = "0") -> Response:
    """The next part of the chain as JSON Lines; that it was taken is recorded."""
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise InvalidInputError("after: not a number of an event")
    query = record_reading.ExportQuery(after=int(after), limit=10_000)
    lines = "".join(record_reading.export(screen.session, screen.caller, query))
    headers = {"Content-Disposition": f'attachment; filename="record-after-{int(after)}.jsonl"'}
    return Response(lines, media_type="application/jsonl", headers=headers)


def _day(filled: Filled, name: str, screen: ScreenNow) -> datetime.datetime | None:
    """The beginning of a day in Japan."""
    given = filled.text(name).strip()
    if not given:
        return None
    try:
        return datetime.datetime.combine(datetime.date.fromisoformat(given), datetime.time(), JAPAN)
    except ValueError:
        filled.add(name, screen.speech.say(N_("is not a date such as 2026-04-01")))
        return None
