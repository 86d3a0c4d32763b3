"""Downloads: any list as Excel or CSV, a match as a sheet for a meeting, the board for the yearly report."""

import uuid
from collections.abc import Iterator
from typing import Final, TypeVar
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from starlette.datastructures import FormData

from enmusubi.app.catalogue.listing import NeedQuery, PageQuery, SeedQuery
from enmusubi.app.dependencies import ExplainingNow
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.introducing.work import WorkQuery
from enmusubi.app.reviewing import MatchListQuery
from enmusubi.app.sheets import lists
from enmusubi.app.sheets.board_sheet import board_sheet
from enmusubi.app.sheets.lists import Exporting, Form
from enmusubi.app.sheets.match_sheet import match_sheet
from enmusubi.app.sheets.spreadsheets import Written
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.exporting.speaking import Words
from enmusubi.app.web.languages import N_

router = APIRouter()

_TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8; header=present",
    "pdf": "application/pdf",
}
_CHUNK: Final = 64 * 1024
Query = TypeVar("Query", bound=PageQuery)


@router.get("/exports/seeds.{form}")
def page_export_seeds(screen: ScreenNow, form: Form) -> Response:
    """The seeds of the list, all pages of it."""
    return _sent(screen, N_("seeds"), form, lists.seeds(_exporting(screen, form), _asked(screen, SeedQuery)))


@router.get("/exports/needs.{form}")
def page_export_needs(screen: ScreenNow, form: Form) -> Response:
    """The public part of the needs of the list, all pages of it."""
    return _sent(screen, N_("needs"), form, lists.all_needs(_exporting(screen, form), _asked(screen, NeedQuery)))


@router.get("/exports/matches.{form}")
def page_export_matches(screen: ScreenNow, form: Form) -> Response:
    """The matches of the list, all pages of it."""
    return _sent(screen, N_("matches"), form, lists.matches(_exporting(screen, form), _asked(screen, MatchListQuery)))


@router.get("/exports/work.{form}")
def page_export_work(screen: ScreenNow, form: Form) -> Response:
    """The steps that one is waited for, all pages of the list."""
    return _sent(screen, N_("steps"), form, lists.waiting(_exporting(screen, form), _asked(screen, WorkQuery)))


@router.get("/matches/{match_id}/sheet.pdf")
def page_match_sheet(screen: ScreenNow, match_id: uuid.UUID, explaining: ExplainingNow) -> Response:
    """A match on one page for a meeting."""
    words, now = Words(screen.speech.language), screen.runtime.clock.now()
    made = match_sheet(screen.session, screen.caller, explaining, match_id, words, now)
    return Response(made, media_type=_TYPES["pdf"], headers=_named(screen, N_("match"), str(match_id)[:8], "pdf"))


@router.get("/board.pdf")
def page_board_sheet(screen: ScreenNow, year: str = "") -> Response:
    """The board of a fiscal year for the yearly report; of the present one where none is named."""
    words, now = Words(screen.speech.language), screen.runtime.clock.now()
    if year and not (year.isascii() and year.isdigit() and 1970 <= int(year[:5]) <= 2200):
        raise InvalidInputError(_NOT_RIGHT)
    oldest = screen.runtime.settings.indicators_seconds
    made = board_sheet(screen.session, screen.caller, int(year) if year else None, words, oldest, now)
    return Response(made.pdf, media_type=_TYPES["pdf"], headers=_named(screen, N_("report"), str(made.year), "pdf"))


_NOT_RIGHT: Final = N_("a filter in the address is not right: go back to the list and choose it there")


def _asked(screen: Screen, kind: type[Query]) -> Query:
    """The filters of the list; that one is not right is said, since without it more would be exported."""
    sent = FormData([(name, text) for name, text in screen.request.query_params.multi_items()])
    query, _ = forms.read(kind, sent, screen.speech, given={"limit": 200, "cursor": None})
    if query is None:
        raise InvalidInputError(_NOT_RIGHT)
    return query


def _exporting(screen: Screen, form: Form) -> Exporting:
    words = Words(screen.speech.language)
    return Exporting(screen.session, screen.caller, words, screen.runtime.clock.now(), form)


def _sent(screen: Screen, name: str, form: Form, written: Written) -> Response:
    def content() -> Iterator[bytes]:
        with written.file as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    day = screen.runtime.clock.today().isoformat()
    return StreamingResponse(content(), media_type=_TYPES[form], headers=_named(screen, name, day, form))


def _named(screen: Screen, name: str, which: str, ending: str) -> dict[str, str]:
    """The name of the file: in ASCII for every browser, and in the reader's language."""
    said = quote(f"{screen.speech.say(name)}-{which}.{ending}", safe="")
    return {
        "Content-Disposition": f"attachment; filename=\"{name}-{which}.{ending}\"; filename*=UTF-8''{said}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
