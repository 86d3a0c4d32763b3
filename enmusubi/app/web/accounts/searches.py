"""Saved searches of one's own."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.alerting import searches
from enmusubi.app.alerting.drafts import SavedSearchDraft, SavedSearchRevision
from enmusubi.app.alerting.shown import SavedSearchOut
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.vocabulary import Role
from enmusubi.app.web.accounts.fields import is_first, new_once, refused, version_of
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.forms import Filled, read

router = APIRouter(prefix="/account/searches")


@router.get("")
def page_searches(screen: ScreenNow, cursor: str | None = None) -> Response:
    """The searches, newest first."""
    listed = searches.list_searches(screen.session, screen.caller, PageQuery(cursor=cursor))
    return screen.show("accounts/searches.html", searches=listed.rows, next=listed.next)


@router.get("/new")
def page_save_search(screen: ScreenNow) -> Response:
    """The form of a new one."""
    return _form(screen, Filled({"frequency": "daily", "against": "seeds"}))


@router.post("/new")
def do_save_search(screen: ScreenNow) -> Response:
    """Save it."""
    draft, filled = read(SavedSearchDraft, screen.form, screen.speech)
    if draft is None:
        return _form(screen, filled, 422)
    try:
        if not is_first(screen):
            return screen.go("/account/searches", done="twice")
        searches.save_search(screen.session, screen.caller, draft)
    except (InvalidInputError, ConflictError) as error:
        screen.start_over()
        return _form(screen, refused(filled, error, screen.speech), error.status)
    return screen.go("/account/searches", done="saved")


@router.get("/{search_id}")
def page_search(search_id: uuid.UUID, screen: ScreenNow) -> Response:
    """The form of one that is there."""
    search = searches.read_search(screen.session, screen.caller, search_id)
    values = SavedSearchOut.model_validate(search).model_dump()
    return _form(screen, Filled({**values, "version": search.version}), search_id=search_id)


@router.post("/{search_id}")
def do_revise_search(search_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Save it as the form has it: an emptied filter is gone."""
    fields = [name for name in SavedSearchDraft.model_fields if name != "against"]
    draft, filled = read(SavedSearchDraft, screen.form, screen.speech, leave_out=("against",))
    version = version_of(screen.form)
    filled.values = {**filled.values, "version": version}
    if draft is None:
        return _form(screen, filled, 422, search_id)
    changes = SavedSearchRevision.model_validate({name: getattr(draft, name) for name in fields})
    searches.revise_search(screen.session, screen.caller, search_id, version, changes)
    return screen.go("/account/searches", done="saved")


@router.post("/{search_id}/remove")
def do_remove_search(search_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Remove it with its alerts."""
    searches.remove_search(screen.session, screen.caller, search_id, version_of(screen.form))
    return screen.go("/account/searches", done="removed")


def _form(screen: Screen, filled: Filled, status: int = 200, search_id: uuid.UUID | None = None) -> Response:
    kinds = ("seeds",) if screen.caller.role is Role.COMPANY else ("seeds", "needs")
    return screen.show(
        "accounts/search.html", status, filled=filled, kinds=kinds, search_id=search_id, once=new_once()
    )  # fmt: skip
