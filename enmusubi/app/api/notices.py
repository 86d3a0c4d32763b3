"""One's own notices."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow
from enmusubi.app.representations import Page
from enmusubi.app.telling import inbox
from enmusubi.app.telling.shown import NoticeOut
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/notices", tags=["notices"])


@router.get("", openapi_extra=allows(Scope.READ))
def list_notices(query: Annotated[PageQuery, Query()], asked: AskedNow) -> Page[NoticeOut]:
    """What you were told, in your language, newest first; letters tell the same."""
    return inbox.list_own(asked.session, asked.caller, query)


@router.post("/{notice_id}/read", openapi_extra=allows(Scope.WRITE))
def mark_notice_read(notice_id: uuid.UUID, asked: AskedNow) -> NoticeOut:
    """Note that you have read a notice."""
    return inbox.mark_read(asked.session, asked.caller, notice_id)
