"""Steps of an entry's life by form: its owner's, and the look of a second pair of eyes; the same of needs and seeds."""

import datetime
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fastapi.responses import Response
from pydantic import BaseModel

from enmusubi.app.catalogue import needs, seeds, steps
from enmusubi.app.errors import ConflictError, InvalidInputError, PreconditionFailedError
from enmusubi.app.life_shown import LifeOut, life_out
from enmusubi.app.models import Need, Seed
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.record_shown import ViewOut
from enmusubi.app.schemas import NeedRevision, PublicationVerdictDraft, SeedRevision
from enmusubi.app.vocabulary import EntryStatus, EntryStep, PublicationVerdict
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen
from enmusubi.app.web.entries.said import OF_STEP, done_by, why_not
from enmusubi.app.web.entries.showing import version_of
from enmusubi.app.web.forms import Filled

REFUSED: Final = (ConflictError, InvalidInputError, PreconditionFailedError)
"""What a form may meet: its page is shown again, as things stand now."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a page says of a form that came to nothing."""

    status: int = 200
    alert: str | None = None
    form: str | None = None
    """Which of the page's forms it was."""
    filled: Filled | None = None


NOTHING: Final = Said()
Show = Callable[[Screen, uuid.UUID, Said], Response]


class MoveDraft(BaseModel):
    """A step of an owner, and of a renewal the new last day."""

    step: EntryStep
    expires_on: datetime.date | None = None


def path_of(kind: steps.Kind, public_id: uuid.UUID) -> str:
    """Where the page of an entry is."""
    return f"/{'seeds' if kind is Seed else 'needs'}/{public_id}"


def life_of(screen: Screen, kind: steps.Kind, public_id: uuid.UUID) -> LifeOut:
    """Where an entry stands, and what the reader can do with it."""
    return life_out(steps.read_life(screen.session, screen.caller, kind, public_id))


def move(screen: Screen, kind: steps.Kind, public_id: uuid.UUID, show: Show) -> Response:
    """Take an owner's step."""
    draft, filled = forms.read(MoveDraft, screen.form, screen.speech)
    if draft is None or draft.step not in OF_STEP:
        screen.start_over()
        alert = (
            None if filled.errors else screen.speech.say("That is not right as it was sent. Look at it, and try again.")
        )
        return show(screen, public_id, Said(422, alert, "move", filled))
    try:
        if draft.step is EntryStep.RECALL:
            _recall(screen, kind, public_id)
        else:
            steps.take(
                screen.session, screen.caller, kind, public_id, version_of(screen), draft.step,
                screen.runtime.matchmaking.encoder, screen.runtime.clock.today(), draft.expires_on,
            )  # fmt: skip
    except REFUSED as error:
        screen.start_over()
        return show(screen, public_id, Said(error.status, why_not(screen.speech, error), "move", filled))
    status = life_of(screen, kind, public_id).status
    return screen.go(path_of(kind, public_id), done=done_by(draft.step, status))


def withdraw(screen: Screen, kind: steps.Kind, public_id: uuid.UUID, show: Show) -> Response:
    """Withdraw an entry; its owner was asked whether it is meant."""
    take = seeds.withdraw_seed if kind is Seed else needs.withdraw_need
    try:
        take(screen.session, screen.caller, public_id, version_of(screen))
    except REFUSED as error:
        screen.start_over()
        return show(screen, public_id, Said(error.status, why_not(screen.speech, error)))
    return screen.go(path_of(kind, public_id), done="entry-withdrawn")


def review(screen: Screen, kind: steps.Kind, public_id: uuid.UUID, show: Show) -> Response:
    """Approve an entry, or send it back with a reason."""
    draft, filled = forms.read(PublicationVerdictDraft, screen.form, screen.speech)
    if draft is None:
        screen.start_over()
        return show(screen, public_id, Said(422, None, "review", filled))
    try:
        steps.review(
            screen.session, screen.caller, kind, public_id, version_of(screen), draft.verdict, draft.reason,
            screen.runtime.clock.today(),
        )  # fmt: skip
    except REFUSED as error:
        screen.start_over()
        return show(screen, public_id, Said(error.status, why_not(screen.speech, error), "review", filled))
    approved = draft.verdict is PublicationVerdict.APPROVE
    return screen.go(path_of(kind, public_id), done="approved" if approved else "sent-back")


def ready(screen: Screen, kind: steps.Kind, public_id: uuid.UUID) -> Response:
    """Its side has time and terms for it again."""
    take = seeds.ready_again if kind is Seed else needs.ready_again
    take(screen.session, screen.caller, public_id)
    return screen.go(path_of(kind, public_id), done="ready")


def show_withdrawal(screen: Screen, kind: steps.Kind, public_id: uuid.UUID) -> Response:
    """The page that asks whether an entry is really to be withdrawn, for who may."""
    session, caller = screen.session, screen.caller
    entry: Seed | Need
    if kind is Seed:
        entry = seeds.read_seed(session, caller, public_id)
        right, owner_id = Right.CHANGE_SEED, entry.organisation_id
    else:
        entry = needs.read_need(session, caller, public_id)
        detail = needs.posted_detail(session, caller, entry)
        right, owner_id = Right.CHANGE_NEED, detail.owner_id if detail else None
    require(caller, right, relation_to(caller, entry.cluster_id, owner_id))
    life = life_of(screen, kind, public_id)
    path = path_of(kind, public_id)
    return screen.show("entries/withdraw.html", entry=entry, kind=life.kind, life=life, path_of=path)


def show_views(
    screen: Screen, kind: Literal["need", "seed"], entry: Seed | Need, views: Sequence[ViewOut], address: str,
    next_: str | None,
) -> Response:  # fmt: skip
    """Who looked at the confidential part of an entry."""
    return screen.show("entries/views.html", entry=entry, kind=kind, views=views, address=address, next=next_)


def _recall(screen: Screen, kind: steps.Kind, public_id: uuid.UUID) -> None:
    session, caller, version = screen.session, screen.caller, version_of(screen)
    encoder, today = screen.runtime.matchmaking.encoder, screen.runtime.clock.today()
    if kind is Seed:
        seeds.revise_seed(session, caller, public_id, version, SeedRevision(status=EntryStatus.DRAFT), encoder, today)
    else:
        needs.revise_need(session, caller, public_id, version, NeedRevision(status=EntryStatus.DRAFT), encoder, today)
