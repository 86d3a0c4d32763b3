"""What waits for the account that asks."""

from typing import Annotated

from fastapi import APIRouter, Query

from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, MomentNow
from enmusubi.app.introducing import work
from enmusubi.app.introducing.work import WorkItem
from enmusubi.app.representations import Page
from enmusubi.app.vocabulary import Scope

router = APIRouter(tags=["introductions"])


@router.get("/work", openapi_extra=allows(Scope.READ))
def list_work(query: Annotated[work.WorkQuery, Query()], asked: AskedNow, now: MomentNow) -> Page[WorkItem]:
    """The steps that you are waited for, by what is due first; for cluster administrators what was raised to them."""
    listed = work.list_work(asked.session, asked.caller, query, now)
    return Page[WorkItem](items=list(listed.items), next=listed.next)
