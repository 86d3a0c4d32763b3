"""The page of a seed, and what can be done with it there."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app import record_reading
from enmusubi.app.catalogue import origins, seeds
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.catalogue.steps import life_of
from enmusubi.app.introducing.progress import progress_of_seed
from enmusubi.app.life_shown import life_out
from enmusubi.app.models import Seed
from enmusubi.app.permissions import Right, may, relation_to
from enmusubi.app.record_shown import view_out
from enmusubi.app.representations import declines_out, seed_out
from enmusubi.app.vocabulary import Role
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.entries import living
from enmusubi.app.web.entries.filtering import wanted
from enmusubi.app.web.entries.living import NOTHING, Said
from enmusubi.app.web.entries.showing import needs_for

router = APIRouter()


def show(screen: Screen, seed_id: uuid.UUID, said: Said = NOTHING) -> Response:
    """The seed as its reader may see it, with its unpublished part where he may, which is recorded."""
    session, caller = screen.session, screen.caller
    seed = seeds.read_seed(session, caller, seed_id)
    shown = seed_out(seed, seeds.view_detail(session, caller, seed))
    shown.grown_from = origins.of_entry(session, caller, seed)
    relation = relation_to(caller, seed.cluster_id, seed.organisation_id)
    own = seed.organisation_id is not None and seed.organisation_id == caller.organisation_id
    life = life_out(life_of(session, caller, seed, None)) if may(caller, Right.READ_SEED_LIFE, relation) else None
    follows = may(caller, Right.FOLLOW_SEED, relation)
    progress = progress_of_seed(session, caller, seed, screen.runtime.clock.now()) if follows else None
    refused = seeds.declines_of(session, caller, seed) if may(caller, Right.READ_SEED_DECLINES, relation) else []
    return screen.show(
        "entries/seed.html", said.status, entry=shown, kind="seed", own=own, life=life, progress=progress,
        declines=declines_out(refused).causes, ranked=needs_for(screen, seed), said=said,
        may_change=may(caller, Right.CHANGE_SEED, relation), follows=follows, version=seed.version,
        today=screen.runtime.clock.today(), companys=caller.role is Role.COMPANY,
        reads_detail=may(caller, Right.READ_SEED_DETAIL, relation),
    )  # fmt: skip


@router.get("/seeds/{seed_id:uuid}")
def page_seed(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A seed."""
    return show(screen, seed_id)


@router.get("/seeds/{seed_id:uuid}/views")
def page_seed_views(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Who looked at its unpublished part."""
    seed = seeds.read_seed(screen.session, screen.caller, seed_id)
    asked = wanted(screen, PageQuery, {"limit": 50})
    read = record_reading.seed_views(screen.session, screen.caller, seed_id, asked.query or PageQuery())
    return living.show_views(screen, "seed", seed, [view_out(row) for row in read.rows], asked.address, read.next)


@router.get("/seeds/{seed_id:uuid}/withdraw")
def page_withdraw_seed(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Whether it is really to be withdrawn."""
    return living.show_withdrawal(screen, Seed, seed_id)


@router.post("/seeds/{seed_id:uuid}/withdraw")
def do_withdraw_seed(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Withdraw it."""
    return living.withdraw(screen, Seed, seed_id, show)


@router.post("/seeds/{seed_id:uuid}/move")
def do_move_seed(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A step of its owner: publish, take back, hold, resume, renew, archive."""
    return living.move(screen, Seed, seed_id, show)


@router.post("/seeds/{seed_id:uuid}/review")
def do_review_seed(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """What a second pair of eyes says."""
    return living.review(screen, Seed, seed_id, show)


@router.post("/seeds/{seed_id:uuid}/ready")
def do_ready_seed(seed_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Its side is ready again."""
    return living.ready(screen, Seed, seed_id)
