"""The page of a need, and what can be done with it there."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app import identifying, record_reading
from enmusubi.app.catalogue import needs, origins
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.catalogue.steps import life_of
from enmusubi.app.errors import NotFoundError
from enmusubi.app.introducing.progress import progress_of_need
from enmusubi.app.life_shown import life_out
from enmusubi.app.models import Need
from enmusubi.app.permissions import Right, may, relation_to
from enmusubi.app.record_shown import view_out
from enmusubi.app.representations import declines_out, findings_out, need_out
from enmusubi.app.vocabulary import Role
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.entries import living
from enmusubi.app.web.entries.filtering import wanted
from enmusubi.app.web.entries.living import NOTHING, Said
from enmusubi.app.web.entries.showing import seeds_for

router = APIRouter()


def show(screen: Screen, need_id: uuid.UUID, said: Said = NOTHING) -> Response:
    """The need as its reader may see it, with its confidential part where he may, which is recorded."""
    session, caller = screen.session, screen.caller
    need = needs.read_need(session, caller, need_id)
    detail = needs.view_details(session, caller, [need], through="need").get(need.id)
    shown = need_out(need, detail, needs.outline_owners(session, [need]).get(need.id))
    shown.grown_from = origins.of_entry(session, caller, need)
    relation = relation_to(caller, need.cluster_id, detail.owner_id if detail else None)
    own = detail is not None and detail.owner_id is not None and detail.owner_id == caller.organisation_id
    life = life_out(life_of(session, caller, need, detail)) if may(caller, Right.READ_NEED_LIFE, relation) else None
    follows = may(caller, Right.FOLLOW_NEED, relation)
    progress = progress_of_need(session, caller, need, screen.runtime.clock.now()) if follows else None
    refused = (
        needs.declines_of(session, caller, need, detail) if may(caller, Right.READ_NEED_DECLINES, relation) else []
    )
    return screen.show(
        "entries/need.html", said.status, entry=shown, kind="need", own=own, life=life, progress=progress,
        declines=declines_out(refused).causes, ranked=seeds_for(screen, need), said=said,
        may_change=may(caller, Right.CHANGE_NEED, relation), follows=follows, version=need.version,
        today=screen.runtime.clock.today(), companys=caller.role is Role.COMPANY,
    )  # fmt: skip


@router.get("/needs/{need_id:uuid}")
def page_need(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A need."""
    return show(screen, need_id)


@router.get("/needs/{need_id:uuid}/views")
def page_need_views(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Who looked at its confidential part."""
    need = needs.read_need(screen.session, screen.caller, need_id)
    asked = wanted(screen, PageQuery, {"limit": 50})
    read = record_reading.need_views(screen.session, screen.caller, need_id, asked.query or PageQuery())
    return living.show_views(screen, "need", need, [view_out(row) for row in read.rows], asked.address, read.next)


@router.get("/needs/{need_id:uuid}/check")
def page_need_check(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Would this identify you? What of its public text may, for those who may read whose it is."""
    session, caller = screen.session, screen.caller
    need = needs.read_need(session, caller, need_id)
    detail = needs.posted_detail(session, caller, need)
    if detail is None:
        raise NotFoundError("no such need, or it is not open to you")
    found = identifying.check_need(session, caller, need, detail)
    texts = identifying.public_texts(need)
    return screen.show(
        "entries/check.html", entry=need_out(need, None, None), texts=texts, kind="need",
        findings=None if found is None else findings_out(found),
    )  # fmt: skip


@router.get("/needs/{need_id:uuid}/withdraw")
def page_withdraw_need(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Whether it is really to be withdrawn."""
    return living.show_withdrawal(screen, Need, need_id)


@router.post("/needs/{need_id:uuid}/withdraw")
def do_withdraw_need(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Withdraw it."""
    return living.withdraw(screen, Need, need_id, show)


@router.post("/needs/{need_id:uuid}/move")
def do_move_need(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A step of its owner: publish, take back, hold, resume, renew, archive."""
    return living.move(screen, Need, need_id, show)


@router.post("/needs/{need_id:uuid}/review")
def do_review_need(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """What a second pair of eyes says."""
    return living.review(screen, Need, need_id, show)


@router.post("/needs/{need_id:uuid}/ready")
def do_ready_need(need_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Its side is ready again."""
    return living.ready(screen, Need, need_id)
