"""Forms of saved views: keep the filters under a name, remove a view."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.dependencies import ExplainingNow
from enmusubi.app.errors import ConflictError, NotFoundError
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.queueing import views
from enmusubi.app.queueing.drafts import ViewDraft
from enmusubi.app.web import forms
from enmusubi.app.web.asking import ScreenNow, text_of
from enmusubi.app.web.languages import N_
from enmusubi.app.web.queue.pages import show_queue
from enmusubi.app.web.queue.places import Place, as_filled, back_of

router = APIRouter()


@router.post("/queue/views")
def do_save_view(screen: ScreenNow, explaining: ExplainingNow) -> Response:
    """Keep the filters that are set under a name."""
    require(screen.caller, Right.READ_REVIEWS, Relation.HERE)
    back = back_of(screen.form, screen.speech)
    draft, filled = forms.read(ViewDraft, screen.form, screen.speech, given={"filters": back.filters})
    if draft is not None:
        try:
            views.save_view(screen.session, screen.caller, draft)
        except ConflictError:
            screen.start_over()
            filled.add("name", screen.speech.say(N_("You have as many views as there may be; remove one first.")))
        else:
            return screen.go("/queue", "view-saved", **Place(back.filters).fields)
    return show_queue(screen, explaining, back, as_filled(back, screen.speech), 422, view_draft=filled)


@router.post("/queue/views/remove")
def do_remove_view(screen: ScreenNow) -> Response:
    """Remove a saved view."""
    require(screen.caller, Right.READ_REVIEWS, Relation.HERE)
    back = back_of(screen.form, screen.speech)
    try:
        views.remove_view(screen.session, screen.caller, uuid.UUID(text_of(screen.form, "view")))
    except ValueError:
        raise NotFoundError("no such saved view of yours") from None
    return screen.go("/queue", "view-removed", **Place(back.filters).fields)
