"""Alerts are stopped by the link of a letter: who opens it is asked, mail programs stop by one click (RFC 8058)."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.alerting import stopping
from enmusubi.app.alerting.shown import stopped_out
from enmusubi.app.errors import NotFoundError
from enmusubi.app.web.asking import EntranceNow, text_of
from enmusubi.app.web.languages import Speech

router = APIRouter()


@router.get(stopping.PAGE)
def page_stop_alerts(entrance: EntranceNow, secret: str = "") -> Response:
    """Ask whether to stop: a scanner of letters that opens every link stops nothing."""
    return entrance.show("accounts/stop.html", secret=secret[:200])


@router.post(stopping.PAGE)
def do_stop_alerts(entrance: EntranceNow) -> Response:
    """Stop what the link stops, as often as one likes."""
    try:
        stopped = stopping.stop(entrance.visit, text_of(entrance.form, "secret")[:200])
    except NotFoundError:
        return entrance.show("accounts/not_stopped.html", 404)
    entrance = replace(entrance, speech=Speech(stopped.language))
    return entrance.show("accounts/stopped.html", stopped=stopped_out(stopped))
