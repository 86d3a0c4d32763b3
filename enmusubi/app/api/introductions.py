"""Introductions: the steps of a match by its sides and coordinators, disclosure, outcomes, and where things are."""

import uuid
from typing import Any, Final

from fastapi import APIRouter, Response

from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import (
    AskedNow,
    CreationNow,
    ExpectedTag,
    MatchmakingNow,
    MomentNow,
    TakingNow,
    TakingShownNow,
    etag,
    step_made,
)
from enmusubi.app.introducing import disclosing, handing_over, pairing, progress, reading, steps
from enmusubi.app.introducing.drafts import (
    HandOverDraft,
    InterestDraft,
    OutcomeDraft,
    PairDraft,
    RefusalDraft,
    ReportDraft,
    StepDraft,
)
from enmusubi.app.introducing.handing_over import HandedOver
from enmusubi.app.introducing.progress import ProgressOut
from enmusubi.app.introducing.shown import (
    DisclosedOut,
    OutcomesOut,
    PreviewOut,
    StepsOut,
    StepTaken,
    disclosed_out,
    outcomes_out,
    preview_out,
)
from enmusubi.app.vocabulary import Scope, Step

router = APIRouter(tags=["introductions"])

_STEP: Final[dict[str, Any]] = {"status_code": 201, "response_model": StepTaken}
_FOR_COORDINATORS: Final = {**_STEP, "openapi_extra": allows(Scope.REVIEW)}
_FOR_SIDES: Final = {**_STEP, "openapi_extra": allows(Scope.WRITE)}


@router.get("/matches/{match_id}/steps", openapi_extra=allows(Scope.READ))
def list_steps(match_id: uuid.UUID, asked: AskedNow, now: MomentNow, response: Response) -> StepsOut:
    """What happened to a match, who is waited for, and what you may do now."""
    shown, version = reading.read_steps(asked.session, asked.caller, match_id, now)
    response.headers.update(etag(version))
    return shown


@router.post("/matches", **_FOR_COORDINATORS)
def pair_match(
    draft: PairDraft, asked: AskedNow, creation: CreationNow, matchmaking: MatchmakingNow, now: MomentNow
) -> Response:
    """Pair a need and a seed by hand; the pair is shortlisted, however little the ranking finds for it."""
    return creation.reply(
        lambda: step_made(asked, pairing.pair(asked.session, asked.caller, matchmaking, draft, now), now)
    )


@router.post("/matches/{match_id}/reconsider", **_FOR_COORDINATORS)
def reconsider_match(draft: StepDraft, taking: TakingNow) -> Response:
    """Take a verdict back; the pair is proposed again."""
    return taking.reply(lambda session, caller, at: steps.reconsider(session, caller, at, draft))


@router.post("/matches/{match_id}/introduce", **_FOR_COORDINATORS)
def introduce_match(draft: StepDraft, taking: TakingNow) -> Response:
    """Ask both sides whether they want to be introduced; neither learns who the other is."""
    return taking.reply(lambda session, caller, at: steps.introduce(session, caller, at, draft))


@router.post("/matches/{match_id}/interest", **_FOR_SIDES)
def express_interest(draft: InterestDraft, taking: TakingNow) -> Response:
    """Say yes to a match that you see before you are asked; the other side is asked at once."""
    return taking.reply(lambda session, caller, at: steps.express_interest(session, caller, at, draft))


@router.post("/matches/{match_id}/accept", **_FOR_SIDES)
def accept_match(draft: InterestDraft, taking: TakingNow) -> Response:
    """Say yes to being introduced, and of a need what may be disclosed beside who you are."""
    return taking.reply(lambda session, caller, at: steps.accept(session, caller, at, draft))


@router.post("/matches/{match_id}/decline", **_FOR_SIDES)
def decline_match(draft: RefusalDraft, taking: TakingNow) -> Response:
    """Say no to being introduced, and why."""
    return taking.reply(lambda session, caller, at: steps.decline(session, caller, at, draft))


@router.get("/matches/{match_id}/disclosure", openapi_extra=allows(Scope.REVIEW))
def preview_disclosure(match_id: uuid.UUID, asked: AskedNow, response: Response) -> PreviewOut:
    """Exactly what each side would be told of the other; recorded, as it shows what is confidential."""
    shown = disclosing.preview(asked.session, asked.caller, match_id)
    response.headers.update(etag(shown.tag))
    return preview_out(shown.told)


@router.post("/matches/{match_id}/disclosure", **_FOR_COORDINATORS)
def disclose_match(draft: StepDraft, tag: ExpectedTag, taking: TakingShownNow) -> Response:
    """Tell each side what you were shown, once both have said yes; the ETag of what you were shown is If-Match."""
    return taking.reply(lambda session, caller, at: disclosing.disclose(session, caller, at, tag, draft))


@router.get("/matches/{match_id}/disclosed", openapi_extra=allows(Scope.READ))
def read_disclosed(match_id: uuid.UUID, asked: AskedNow) -> DisclosedOut:
    """What your side was told of the other, word for word; for coordinators what both were."""
    return disclosed_out(disclosing.read_disclosed(asked.session, asked.caller, match_id))


@router.post("/matches/{match_id}/meeting", **_FOR_SIDES)
def report_meeting(draft: ReportDraft, taking: TakingNow) -> Response:
    """That the two sides meet, or met; a further meeting is reported in the same way."""
    return taking.reply(lambda session, caller, at: steps.report(session, caller, at, Step.MEET, draft))


@router.post("/matches/{match_id}/negotiation", **_FOR_SIDES)
def report_negotiation(draft: ReportDraft, taking: TakingNow) -> Response:
    """That the two sides negotiate."""
    return taking.reply(lambda session, caller, at: steps.report(session, caller, at, Step.NEGOTIATE, draft))


@router.post("/matches/{match_id}/agreement", **_FOR_SIDES)
def report_agreement(draft: ReportDraft, taking: TakingNow) -> Response:
    """That the two sides agree."""
    return taking.reply(lambda session, caller, at: steps.report(session, caller, at, Step.AGREE, draft))


@router.get("/matches/{match_id}/outcomes", openapi_extra=allows(Scope.READ))
def list_outcomes(match_id: uuid.UUID, asked: AskedNow) -> OutcomesOut:
    """What came of a match, in the order in which it was reported."""
    return OutcomesOut(items=outcomes_out(steps.list_outcomes(asked.session, asked.caller, match_id)))


@router.post("/matches/{match_id}/outcomes", **_FOR_SIDES)
def report_outcome(draft: OutcomeDraft, taking: TakingNow) -> Response:
    """What came of an agreement: its kind, amount and dates; there may be several."""
    return taking.reply(lambda session, caller, at: steps.report_outcome(session, caller, at, draft))


@router.post("/matches/{match_id}/close", **_FOR_SIDES)
def close_match(draft: RefusalDraft, taking: TakingNow) -> Response:
    """End what is under way, also after disclosure, and say why."""
    return taking.reply(lambda session, caller, at: steps.close(session, caller, at, draft))


@router.get("/needs/{need_id}/progress", openapi_extra=allows(Scope.READ))
def need_progress(need_id: uuid.UUID, asked: AskedNow, now: MomentNow) -> ProgressOut:
    """Where is my need: what happened, what is waiting on whom, and until when."""
    return progress.need_progress(asked.session, asked.caller, need_id, now)


@router.get("/seeds/{seed_id}/progress", openapi_extra=allows(Scope.READ))
def seed_progress(seed_id: uuid.UUID, asked: AskedNow, now: MomentNow) -> ProgressOut:
    """Where is my seed: the same, as far as you may see its matches."""
    return progress.seed_progress(asked.session, asked.caller, seed_id, now)


@router.post("/accounts/{account_id}/hand-over", openapi_extra=allows(Scope.REVIEW))
def hand_over(account_id: uuid.UUID, draft: HandOverDraft, asked: AskedNow, now: MomentNow) -> HandedOver:
    """Give all open matches of a coordinator to another one: your own, or as a cluster administrator anybody's."""
    return handing_over.hand_over(asked.session, asked.caller, account_id, draft, now)
