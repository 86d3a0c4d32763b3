"""Pages on which a need is posted and changed."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.web.asking import ScreenNow
from enmusubi.app.web.posting import live, writing
from enmusubi.app.web.posting.sheets import NEED

router = APIRouter(prefix="/needs")


@router.get("/new")
def page_new_need(screen: ScreenNow) -> Response:
    """An empty form."""
    return writing.begin(screen, NEED)


@router.post("/new")
def do_post_need(screen: ScreenNow) -> Response:
    """Post a need, save a draft, check, preview, or match: what the pressed button says."""
    return writing.post(screen, NEED)


@router.post("/new/matches")
def do_match_need_text(screen: ScreenNow) -> Response:
    """The seeds that a need under hand would match, as a part of a page; nothing is stored."""
    return live.fragment(screen, NEED)


@router.get("/{need_id}/edit")
def page_edit_need(screen: ScreenNow, need_id: uuid.UUID) -> Response:
    """The form of a need."""
    return writing.edit(screen, NEED, need_id)


@router.post("/{need_id}/edit")
def do_revise_need(screen: ScreenNow, need_id: uuid.UUID) -> Response:
    """Change a need, post a draft, check, preview, or match: what the pressed button says."""
    return writing.revise(screen, NEED, need_id)
