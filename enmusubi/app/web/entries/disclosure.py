"""What a disclosure would tell each side, shown to the coordinator before; and to hand over what is under way."""

import re
import uuid
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app import reviewing
from enmusubi.app.errors import ConflictError, PreconditionFailedError
from enmusubi.app.introducing import disclosing, handing_over
from enmusubi.app.introducing.drafts import HandOverDraft, StepDraft
from enmusubi.app.introducing.shown import preview_out
from enmusubi.app.introducing.steps import At
from enmusubi.app.vocabulary import Role, Step
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.entries.living import NOTHING, REFUSED, Said
from enmusubi.app.web.entries.matches import show
from enmusubi.app.web.entries.said import why_not
from enmusubi.app.web.going import FIRST

router = APIRouter()
_TAG: Final = re.compile(r"[0-9a-f]{64}")


@router.get("/matches/{match_id:uuid}/disclosure")
def page_disclosure(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Exactly what each side would be told of the other; recorded, as it shows what is confidential."""
    return _preview(screen, match_id)


@router.post("/matches/{match_id:uuid}/disclosure")
def do_disclose(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Tell each side what was shown; where that is no more what it would be, what it would be now is shown."""
    draft, filled = forms.read(StepDraft, screen.form, screen.speech)
    if draft is None:
        return _preview(screen, match_id, Said(422, None, "disclose", filled))
    tag = text_of(screen.form, "tag")
    at = At(match_id, None, screen.runtime.clock.now())
    try:
        shown = tag if _TAG.fullmatch(tag) else ""
        disclosing.disclose(screen.session, screen.caller, at, shown, draft)
    except PreconditionFailedError as error:
        screen.start_over()
        return _preview(screen, match_id, Said(error.status, why_not(screen.speech, error), "disclose", filled))
    except ConflictError as error:
        screen.start_over()
        return show(screen, match_id, Said(error.status, why_not(screen.speech, error), str(Step.DISCLOSE), filled))
    return screen.go(f"/matches/{match_id}", done="disclosed")


@router.get("/hand-over")
def page_hand_over(screen: ScreenNow, of: uuid.UUID | None = None) -> Response:
    """To whom all that is under way goes: one's own, or as a cluster administrator somebody else's."""
    return _hand_over(screen, of)


@router.post("/hand-over")
def do_hand_over(screen: ScreenNow) -> Response:
    """Give all open matches to another coordinator in one step."""
    draft, filled = forms.read(HandOverDraft, screen.form, screen.speech)
    of = text_of(screen.form, "of")
    try:
        leaving = uuid.UUID(of) if of else None
    except ValueError:
        leaving = None
    if draft is None:
        return _hand_over(screen, leaving, Said(422, None, "hand-over", filled))
    now = screen.runtime.clock.now()
    try:
        handing_over.hand_over(screen.session, screen.caller, leaving or screen.caller.public_id, draft, now)
    except REFUSED as error:
        screen.start_over()
        return _hand_over(screen, leaving, Said(error.status, why_not(screen.speech, error), "hand-over", filled))
    return screen.go(FIRST[screen.caller.role], done="handed-over")


def _preview(screen: Screen, match_id: uuid.UUID, said: Said = NOTHING) -> Response:
    try:
        shown = disclosing.preview(screen.session, screen.caller, match_id)
    except ConflictError as error:
        screen.start_over()
        return show(screen, match_id, Said(error.status, why_not(screen.speech, error)))
    match = reviewing.read_match(screen.session, screen.caller, match_id)
    items = preview_out(shown.told).items
    return screen.show(
        "entries/disclosure.html", said.status, items=items, tag=shown.tag, said=said, need=match.need,
        seed=match.seed, match_id=match_id,
    )  # fmt: skip


def _hand_over(screen: Screen, of: uuid.UUID | None, said: Said = NOTHING) -> Response:
    leaving, count = handing_over.to_hand_over(screen.session, screen.caller, of)
    others = handing_over.followers(screen.session, screen.caller, leaving.public_id)
    return screen.show(
        "entries/hand_over.html", said.status, leaving=leaving, count=count, others=others, said=said,
        own=leaving.id == screen.caller.id, is_administrator=screen.caller.role is Role.CLUSTER_ADMINISTRATOR,
    )  # fmt: skip
