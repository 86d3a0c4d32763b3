"""Forms of the queue: a verdict on one match or on many, taking back, more seeds for a need."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.datastructures import FormData

from enmusubi.app.dependencies import ExplainingNow, MatchmakingNow, MomentNow
from enmusubi.app.errors import EnmusubiError, InvalidInputError, NotFoundError, PreconditionFailedError
from enmusubi.app.explaining import Explaining
from enmusubi.app.permissions import Right
from enmusubi.app.queueing import deciding, searching
from enmusubi.app.queueing.deciding import NotAllDecidedError, Ticked
from enmusubi.app.schemas import ReviewDraft
from enmusubi.app.vocabulary import Verdict
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.forms import Filled
from enmusubi.app.web.languages import N_
from enmusubi.app.web.queue.pages import UNDO, show_queue, undo_of
from enmusubi.app.web.queue.places import FIRST, Place, as_filled, back_of, ticked_of

router = APIRouter()
_SAYS: Final = {Verdict.SHORTLIST: "shortlisted", Verdict.DISMISS: "dismissed"}
_GONE: Final = N_("It is not there any more, or not open to you.")
_CHANGED: Final = N_("Somebody took a step meanwhile. Look at it again.")
_MOVED_ON: Final = N_("It has moved on: this cannot be decided any more.")


@router.post("/queue/decisions")
def do_review_match(screen: ScreenNow, explaining: ExplainingNow, now: MomentNow) -> Response:
    """Give a verdict on the opened match, and open the next."""
    deciding.require_decider(screen.caller, Right.REVIEW_MATCH)
    back = back_of(screen.form, screen.speech)
    draft, filled = _draft(screen)
    ticked = _ticked(screen.form)
    if draft is None or len(ticked) != 1:
        return _again(screen, explaining, back, draft=filled)
    return _decide(screen, explaining, back, ticked, draft, now)


@router.post("/queue/batch")
def do_review_matches(screen: ScreenNow, explaining: ExplainingNow, now: MomentNow) -> Response:
    """Give one verdict on all ticked matches, or on none of them and say why."""
    deciding.require_decider(screen.caller, Right.REVIEW_MATCH)
    back = back_of(screen.form, screen.speech)
    draft, filled = _draft(screen)
    ticked = _ticked(screen.form)
    if not ticked:
        filled.add("match", screen.speech.say(N_("Tick the matches that you decide on.")))
    if draft is None or not ticked:
        return _again(screen, explaining, back, report=_errors(filled), ticked=ticked)
    return _decide(screen, explaining, back, ticked, draft, now)


@router.post("/queue/undo")
def do_reconsider_matches(screen: ScreenNow, explaining: ExplainingNow, now: MomentNow) -> Response:
    """Take the last verdict back, and open its match again."""
    deciding.require_decider(screen.caller, Right.HANDLE_MATCH)
    back = back_of(screen.form, screen.speech)
    try:
        taken = deciding.reconsider_all(screen.session, screen.caller, _ticked(screen.form), now)
    except NotAllDecidedError as error:
        return _refused(screen, explaining, back, error, ())
    except InvalidInputError:
        return _again(screen, explaining, back)
    return screen.go("/queue", "taken-back", **back.at(taken[0].match).fields)


@router.post("/queue/more")
def do_find_more(screen: ScreenNow, matchmaking: MatchmakingNow) -> Response:
    """Rank further seeds for a need, and list all of that need."""
    deciding.require_decider(screen.caller, Right.REVIEW_MATCH)
    back = back_of(screen.form, screen.speech)
    try:
        need = uuid.UUID(text_of(screen.form, "need"))
    except ValueError:
        raise NotFoundError("no such need, or it is not open to you") from None
    found = searching.find_more(screen.session, screen.caller, matchmaking, need)
    if not found:
        return screen.go("/queue", "no-more", **back.fields)
    filters = back.filters.model_copy(update={"need": need})
    return screen.go("/queue", "found-more", **Place(filters, None, back.match).fields)


def _decide(
    screen: Screen, explaining: Explaining, back: Place, ticked: Sequence[Ticked], draft: ReviewDraft, now: Any
) -> Response:
    try:
        decided = deciding.review_all(screen.session, screen.caller, ticked, draft, now)
    except NotAllDecidedError as error:
        return _refused(screen, explaining, back, error, ticked)
    done = _SAYS[draft.verdict] if len(decided) == 1 else "decided-all"
    return screen.go("/queue", done, **_next(screen.form, back, decided).fields, **{UNDO: undo_of(decided)})


def _next(form: FormData, back: Place, decided: Sequence[Ticked]) -> Place:
    """Where work goes on: at the match after the opened one, or where it was where that stays open."""
    if back.match is not None and all(str(each.match) != back.match for each in decided):
        return back
    wanted = text_of(form, "next")
    if wanted == FIRST:
        return back.part(text_of(form, "further") or None, FIRST)
    try:
        return back.at(uuid.UUID(wanted))
    except ValueError:
        return back.at(None)


def _draft(screen: Screen) -> tuple[ReviewDraft | None, Filled]:
    """Whoever gives a reason dismisses."""
    form = screen.form
    verdict = text_of(form, "verdict") or (Verdict.DISMISS if text_of(form, "reason") else "")
    given = {"verdict": str(verdict)} if verdict else {}
    leave_out = ("reason",) if verdict == Verdict.SHORTLIST else ()
    return forms.read(ReviewDraft, form, screen.speech, given=given, leave_out=leave_out)


def _ticked(form: FormData) -> list[Ticked]:
    sent = [ticked_of(one) for one in form.getlist("match") if isinstance(one, str)]
    return [ticked for ticked in sent if ticked is not None]


def _again(screen: Screen, explaining: Explaining, back: Place, status: int = 422, **values: Any) -> Response:
    """The queue once more, with what is wrong with the form."""
    return show_queue(screen, explaining, back, as_filled(back, screen.speech), status, **values)


def _refused(
    screen: Screen, explaining: Explaining, back: Place, error: NotAllDecidedError, ticked: Sequence[Ticked]
) -> Response:
    """Nothing was decided: which did not go, and why; the others stay ticked."""
    screen.start_over()
    refused = {each.match: screen.speech.say(_why(each.error)) for each in error.refused}
    still = [each for each in ticked if each.match not in refused]
    return _again(screen, explaining, back, 409, report={"refused": refused}, ticked=still)


def _why(error: EnmusubiError) -> str:
    if isinstance(error, NotFoundError):
        return _GONE
    return _CHANGED if isinstance(error, PreconditionFailedError) else _MOVED_ON


def _errors(filled: Filled) -> Mapping[str, Any]:
    return {"errors": [said for all_said in filled.errors.values() for said in all_said]}
