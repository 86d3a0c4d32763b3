"""The page of the queue: the list, and beside it the opened match."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.clock import day_of
from enmusubi.app.dependencies import ExplainingNow
from enmusubi.app.errors import InvalidInputError, NotFoundError
from enmusubi.app.explaining import Explaining
from enmusubi.app.permissions import Relation, Right, may, require
from enmusubi.app.queueing import counting, listing, opening, views
from enmusubi.app.queueing.deciding import Ticked
from enmusubi.app.queueing.listing import Queued, QueuePage
from enmusubi.app.queueing.opening import Opened
from enmusubi.app.stored_parts import shown_parts, shown_probability, shown_score
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.forms import Filled
from enmusubi.app.web.languages import N_
from enmusubi.app.web.queue.bars import WIDTH, bars_of
from enmusubi.app.web.queue.evidence import evidence_of
from enmusubi.app.web.queue.labels import filter_words
from enmusubi.app.web.queue.places import FIRST, Place, place_of, ticked_of, written

router = APIRouter()
UNDO: Final = "undo"
"""In the address: the matches that were decided on last, which can be taken back."""
DECIDED: Final = frozenset({"shortlisted", "dismissed", "decided-all"})
KEYWORDS: Final = 24
"""So many keywords of a side are shown; the rest is on its page."""
KEYS: Final = (
    ("j", N_("next match")), ("k", N_("match before")), ("s", N_("shortlist")),
    ("d", N_("dismiss; then the letter of a reason")), ("m", N_("more seeds for this need")),
    ("n", N_("write a note")), ("x", N_("tick the match")), ("u", N_("undo the last decision")),
    ("?", N_("show or hide these keys")),
)  # fmt: skip
_NOTHING_SENT: Final[Mapping[str, Any]] = {"report": None, "ticked": (), "draft": None, "view_draft": None}
REASON_KEYS: Final = "123456789abce"
"""A key for each reason, in their order; without d, which opens them, and j and k."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The matches before and after the opened one, in the order of the list; addresses, as they may be elsewhere."""

    before: str | None
    after: str | None
    next_id: uuid.UUID | None
    next_title: str | None


@router.get("/queue")
def page_queue(screen: ScreenNow, explaining: ExplainingNow) -> Response:
    """The review queue."""
    place, filled = place_of(screen.request.query_params, screen.speech)
    return show_queue(screen, explaining, place, filled)


def show_queue(
    screen: Screen, explaining: Explaining, place: Place, filled: Filled, status: int = 200, **values: Any
) -> Response:
    """The queue at a place; `values` say what a form that was sent came to."""
    session, caller = screen.session, screen.caller
    require(caller, Right.READ_REVIEWS, Relation.HERE)
    today = day_of(screen.runtime.clock.now())
    page, counts = QueuePage([], None), None
    if filled.is_right:
        page, status = _page_at(screen, place, filled, status)
        counts = counting.count_queue(session, caller, place.filters, today)
    opened = _opened(screen, place, page)
    if opened is not None:
        place = place.at(opened.match.public_id)
        values |= _compared(screen, explaining, opened)
    return screen.show(
        "queue/queue.html", 422 if filled.errors else status, place=place, filled=filled, page=page, counts=counts,
        opened=opened, beside=_beside(place, page), kept=views.list_views(session, caller), most=counting.MOST,
        reviews=may(caller, Right.REVIEW_MATCH, Relation.HERE), undo=_undoable(screen), keys=KEYS,
        reason_keys=REASON_KEYS, trls=[(str(level), str(level)) for level in range(1, 10)],
        filter_words=partial(filter_words, screen.speech), **{**_NOTHING_SENT, **values},
    )  # fmt: skip


def _page_at(screen: Screen, place: Place, filled: Filled, status: int) -> tuple[QueuePage, int]:
    today = day_of(screen.runtime.clock.now())
    try:
        return listing.list_queue(screen.session, screen.caller, place.filters, place.cursor, today), status
    except InvalidInputError:
        return listing.list_queue(screen.session, screen.caller, place.filters, None, today), 422


def _opened(screen: Screen, place: Place, page: QueuePage) -> Opened | None:
    if place.match is None:
        return None
    if place.match == FIRST:
        return opening.open_match(screen.session, screen.caller, page.matches[0].id) if page.matches else None
    try:
        return opening.open_match(screen.session, screen.caller, uuid.UUID(place.match))
    except ValueError:
        raise NotFoundError("no such match, or it is not open to you") from None


def _compared(screen: Screen, explaining: Explaining, opened: Opened) -> Mapping[str, Any]:
    """What the pane shows of the opened match."""
    match, caller = opened.match, screen.caller
    reasons = explaining.match(screen.session, caller, match, public_only=True)
    return {
        "evidence": evidence_of(match.need, match.seed, reasons),
        "reasons": reasons,
        "bars": bars_of(shown_parts(match, caller)),
        "width": WIDTH,
        "score": shown_score(match, caller),
        "sure": shown_probability(match, caller),
        "keywords": KEYWORDS,
    }


def _beside(place: Place, page: QueuePage) -> Beside:
    """Where the keys lead; from outside the list into it, from its end to the next part."""
    matches = page.matches
    further = place.part(page.next, FIRST).address() if page.next else None
    places = [str(match.id) for match in matches]
    if place.match not in places:
        first = matches[0] if matches else None
        return Beside(None, place.at(first.id).address() if first else further, *_told(first))
    here = places.index(place.match)
    before = place.at(places[here - 1]).address() if here else None
    after = next((two for one, two in pairwise(matches) if str(one.id) == place.match), None)
    return Beside(before, further if after is None else place.at(after.id).address(), *_told(after))


def _told(match: Queued | None) -> tuple[uuid.UUID | None, str | None]:
    return (None, None) if match is None else (match.id, match.seed_title)


def _undoable(screen: Screen) -> Sequence[Ticked]:
    """What the said-line offers to take back."""
    if screen.request.query_params.get("done") not in DECIDED:
        return ()
    sent = screen.request.query_params.get(UNDO, "").split(",")
    return [ticked for ticked in map(ticked_of, sent) if ticked is not None]


def undo_of(decided: Sequence[Ticked]) -> str:
    """Decided matches as the address writes them."""
    return ",".join(map(written, decided))
