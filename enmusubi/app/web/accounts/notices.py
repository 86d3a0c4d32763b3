"""One's own notices: each leads to what it tells of."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.delivering.texts import Things
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.telling import inbox
from enmusubi.app.telling.shown import NoticeOut
from enmusubi.app.vocabulary import NoticeKind
from enmusubi.app.web.asking import ScreenNow

router = APIRouter(prefix="/notices")
_SHOWN = 30


@router.get("")
def page_notices(screen: ScreenNow, cursor: str | None = None) -> Response:
    """A page of them, newest first; what is unread is marked."""
    listed = inbox.list_own(screen.session, screen.caller, PageQuery(cursor=cursor, limit=_SHOWN))
    shown = [(notice, _leads_to(notice)) for notice in listed.items]
    unread = [notice.id for notice in listed.items if notice.read is None]
    return screen.show("accounts/notices.html", notices=shown, unread=unread, next=listed.next)


@router.post("/read")
def do_mark_shown_read(screen: ScreenNow) -> Response:
    """Note that the notices of a page were read."""
    inbox.mark_all_read(screen.session, screen.caller, _ids(screen))
    return screen.go("/notices", done="marked")


@router.post("/{notice_id}/read")
def do_mark_notice_read(notice_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Note that one was read, and go to what it tells of."""
    leads_to = _leads_to(inbox.mark_read(screen.session, screen.caller, notice_id))
    return screen.go(leads_to or "/notices")


def _ids(screen: ScreenNow) -> list[uuid.UUID]:
    sent = [one for one in screen.form.getlist("notice") if isinstance(one, str)]
    try:
        return [uuid.UUID(one) for one in sent]
    except ValueError:
        raise InvalidInputError("the form is not whole; open the page again") from None


def _leads_to(notice: NoticeOut) -> str | None:
    """Where what it tells of is shown; None where that is told in the notice itself."""
    things = Things(notice.need, notice.seed, notice.match)
    if things != Things():
        return things.path
    match notice.kind:
        case NoticeKind.IMPORT_FINISHED:
            return f"/imports/{uuid.UUID(notice.facts['import'])}"
        case NoticeKind.WEBHOOK_OFF:
            return f"/webhooks/{uuid.UUID(notice.facts['webhook'])}"
        case NoticeKind.HANDED_OVER:
            return "/queue"
        case _:
            return None
