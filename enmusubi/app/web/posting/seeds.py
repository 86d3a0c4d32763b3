"""Pages on which a seed is registered and changed."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.web.asking import ScreenNow
from enmusubi.app.web.posting import live, writing
from enmusubi.app.web.posting.sheets import SEED

router = APIRouter(prefix="/seeds")


@router.get("/new")
def page_new_seed(screen: ScreenNow) -> Response:
    """An empty form."""
    return writing.begin(screen, SEED)


@router.post("/new")
def do_register_seed(screen: ScreenNow) -> Response:
    """Register a seed, save a draft, preview, or match: what the pressed button says."""
    return writing.post(screen, SEED)


@router.post("/new/matches")
def do_match_seed_text(screen: ScreenNow) -> Response:
    """The needs that a seed under hand would match, as a part of a page; nothing is stored."""
    return live.fragment(screen, SEED)


@router.get("/{seed_id}/edit")
def page_edit_seed(screen: ScreenNow, seed_id: uuid.UUID) -> Response:
    """The form of a seed."""
    return writing.edit(screen, SEED, seed_id)


@router.post("/{seed_id}/edit")
def do_revise_seed(screen: ScreenNow, seed_id: uuid.UUID) -> Response:
    """Change a seed, publish a draft, preview, or match: what the pressed button says."""
    return writing.revise(screen, SEED, seed_id)
