"""Steps of a match by form: each is taken by the use case of the API, and leads back to the page of the match."""

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from enmusubi.app import reviewing
from enmusubi.app.caller import Caller
from enmusubi.app.introducing import pairing, steps
from enmusubi.app.introducing.drafts import InterestDraft, OutcomeDraft, PairDraft, RefusalDraft, ReportDraft, StepDraft
from enmusubi.app.introducing.steps import At
from enmusubi.app.schemas import ReviewDraft
from enmusubi.app.vocabulary import Step, Verdict
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.entries.living import REFUSED, Said
from enmusubi.app.web.entries.matches import show
from enmusubi.app.web.entries.said import why_not
from enmusubi.app.web.entries.showing import version_of

router = APIRouter()
Draft = TypeVar("Draft", bound=BaseModel)


@router.post("/matches/{match_id:uuid}/shortlist")
def do_shortlist(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A coordinator keeps it, to be introduced."""
    return _decided(screen, match_id, Step.SHORTLIST, Verdict.SHORTLIST, "shortlisted")


@router.post("/matches/{match_id:uuid}/dismiss")
def do_dismiss(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A coordinator does not keep it, and says why."""
    return _decided(screen, match_id, Step.DISMISS, Verdict.DISMISS, "dismissed")


@router.post("/matches/{match_id:uuid}/reconsider")
def do_reconsider(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A coordinator takes a verdict back."""
    return _taken(screen, match_id, Step.RECONSIDER, StepDraft, steps.reconsider, "reconsidered")


@router.post("/matches/{match_id:uuid}/pair")
def do_pair(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A coordinator shortlists it once more, whatever was said before."""

    def pair(session: Session, caller: Caller, at: At, draft: StepDraft) -> None:
        match = reviewing.read_match(session, caller, match_id)
        both = PairDraft(need=match.need.public_id, seed=match.seed.public_id, note=draft.note)
        pairing.pair(session, caller, screen.runtime.matchmaking, both, at.now)

    return _taken(screen, match_id, Step.PAIR, StepDraft, pair, "paired")


@router.post("/matches/{match_id:uuid}/introduce")
def do_introduce(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A coordinator has both sides asked."""
    return _taken(screen, match_id, Step.INTRODUCE, StepDraft, steps.introduce, "introduced")


@router.post("/matches/{match_id:uuid}/interest")
def do_express_interest(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A side says yes before it was asked."""
    return _taken(screen, match_id, Step.EXPRESS_INTEREST, InterestDraft, steps.express_interest, "interested")


@router.post("/matches/{match_id:uuid}/accept")
def do_accept(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A side that was asked says yes."""
    return _taken(screen, match_id, Step.ACCEPT, InterestDraft, steps.accept, "accepted")


@router.post("/matches/{match_id:uuid}/decline")
def do_decline(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A side that was asked says no, and why."""
    return _taken(screen, match_id, Step.DECLINE, RefusalDraft, steps.decline, "declined")


@router.post("/matches/{match_id:uuid}/meeting")
def do_report_meeting(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """The two sides meet, or met."""
    return _reported(screen, match_id, Step.MEET)


@router.post("/matches/{match_id:uuid}/negotiation")
def do_report_negotiation(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """The two sides negotiate."""
    return _reported(screen, match_id, Step.NEGOTIATE)


@router.post("/matches/{match_id:uuid}/agreement")
def do_report_agreement(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """The two sides agree."""
    return _reported(screen, match_id, Step.AGREE)


@router.post("/matches/{match_id:uuid}/outcomes")
def do_report_outcome(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """What came of it."""
    return _taken(screen, match_id, Step.REPORT_OUTCOME, OutcomeDraft, steps.report_outcome, "reported")


@router.post("/matches/{match_id:uuid}/close")
def do_close(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A side or a coordinator ends it, and says why."""
    return _taken(screen, match_id, Step.CLOSE, RefusalDraft, steps.close, "closed")


def _reported(screen: Screen, match_id: uuid.UUID, step: Step) -> Response:
    def report(session: Session, caller: Caller, at: At, draft: ReportDraft) -> None:
        steps.report(session, caller, at, step, draft)

    return _taken(screen, match_id, step, ReportDraft, report, "reported")


def _decided(screen: Screen, match_id: uuid.UUID, step: Step, verdict: Verdict, done: str) -> Response:
    def review(session: Session, caller: Caller, at: At, draft: ReviewDraft) -> None:
        reviewing.review(session, caller, at.match, draft, at.version, at.now)

    return _taken(screen, match_id, step, ReviewDraft, review, done, {"verdict": verdict})


def _taken(
    screen: Screen, match_id: uuid.UUID, step: Step, kind: type[Draft],
    take: Callable[[Session, Caller, At, Draft], object], done: str, given: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    """Take a step with what the form says; where it is refused, the page as it is now, with what was typed."""
    draft, filled = forms.read(kind, screen.form, screen.speech, given=given)
    if draft is None:
        return show(screen, match_id, Said(422, None, str(step), filled))
    at = At(match_id, version_of(screen), screen.runtime.clock.now())
    try:
        take(screen.session, screen.caller, at, draft)
    except REFUSED as error:
        screen.start_over()
        return show(screen, match_id, Said(error.status, why_not(screen.speech, error), str(step), filled))
    return screen.go(f"/matches/{match_id}", done=done)
