"""The page of a match: both entries in short, what connects them, what happened, and the steps of its reader."""

import uuid
from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app import reviewing
from enmusubi.app.catalogue import needs
from enmusubi.app.errors import NotReadyError
from enmusubi.app.introducing import disclosing, reading, steps
from enmusubi.app.introducing.shown import DisclosedItem, StepsOut, disclosed_out, outcomes_out
from enmusubi.app.models import Match
from enmusubi.app.permissions import Right, may, relation_to
from enmusubi.app.representations import match_out
from enmusubi.app.stepping.parties import sides_of
from enmusubi.app.verdicts import may_read_reviews
from enmusubi.app.vocabulary import MatchStatus, Side, Step
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.entries.living import NOTHING, Said
from enmusubi.app.web.entries.said import BUTTONS, HELP
from enmusubi.matching.reasons import Reasons

router = APIRouter()
_FOLLOWED_UP = (Step.MEET, Step.NEGOTIATE, Step.AGREE, Step.REPORT_OUTCOME)
_ORDER: tuple[Step, ...] = (
    *(Step.ACCEPT, Step.DECLINE, Step.EXPRESS_INTEREST, Step.DISCLOSE, Step.INTRODUCE, Step.SHORTLIST, Step.PAIR),
    *(Step.REPORT_OUTCOME, Step.AGREE, Step.NEGOTIATE, Step.MEET, Step.DISMISS, Step.RECONSIDER, Step.CLOSE),
    Step.HAND_OVER,
)
"""In which order the forms of the steps stand on the page."""


@router.get("/matches/{match_id:uuid}")
def page_match(match_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A match."""
    return show(screen, match_id)


def show(screen: Screen, match_id: uuid.UUID, said: Said = NOTHING) -> Response:
    """The match as its reader may see it, and exactly the steps that he may take now."""
    session, caller = screen.session, screen.caller
    match = reviewing.read_match(session, caller, match_id)
    taken, version = reading.read_steps(session, caller, match_id, screen.runtime.clock.now())
    reviews = match.reviews if may_read_reviews(caller, match) else None
    shown = match_out(match, caller, reviews, _reasons(screen, match))
    sides = sides_of(session, match)
    ended = taken.status is MatchStatus.OUTCOME
    return screen.show(
        "entries/match.html", said.status, match=shown, taken=taken, version=version, said=said, sides=sides,
        outline=needs.outline_owners(session, [match.need]).get(match.need_id), anonymous=match.need.anonymous,
        need=match.need, seed=match.seed, forms=_forms(taken, said), answers=Side.NEED in sides,
        disclosed=_disclosed(screen, match, taken, bool(sides)),
        outcomes=outcomes_out(steps.list_outcomes(session, caller, match_id)) if ended else [],
        overseeing=caller.oversees and match.cluster_id == caller.cluster_id, today=screen.runtime.clock.today(),
    )  # fmt: skip


def _forms(taken: StepsOut, said: Said) -> list[Mapping[str, object]]:
    """The legal steps, each with its words; the one that was sent, or the first that somebody waits for, is open."""
    legal = [step for step in _ORDER if step in taken.legal_steps]
    if Step.SHORTLIST in legal:
        legal = [step for step in legal if step is not Step.PAIR]  # the same, to those who look at it here
    opened = said.form or next((str(step) for step in legal if step in (Step.ACCEPT, Step.INTRODUCE)), None)
    return [{"step": step, "button": BUTTONS[step], "help": HELP[step], "open": str(step) == opened} for step in legal]


def _reasons(screen: Screen, match: Match) -> Reasons | None:
    try:
        explaining = screen.runtime.explaining
    except NotReadyError:
        return None
    return explaining.match(screen.session, screen.caller, match)


def _disclosed(screen: Screen, match: Match, taken: StepsOut, has_side: bool) -> list[DisclosedItem]:
    """What was disclosed, for those who may read it; it is recorded as a look, so nothing is read where nothing was."""
    if not any(step.step is Step.DISCLOSE for step in taken.steps):
        return []
    if not has_side and not may(
        screen.caller, Right.READ_DISCLOSED, relation_to(screen.caller, match.cluster_id, None)
    ):
        return []
    return disclosed_out(disclosing.read_disclosed(screen.session, screen.caller, match.public_id)).items
