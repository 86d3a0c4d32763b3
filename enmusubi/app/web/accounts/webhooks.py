"""Webhooks: addresses that take notices; made, tried, given new secrets, and sent again what they did not take."""

import uuid
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.telling import webhooks
from enmusubi.app.telling.drafts import ReplayDraft, WebhookDraft, WebhookRevision
from enmusubi.app.telling.shown import WebhookMade, WebhookOut
from enmusubi.app.web.accounts import office
from enmusubi.app.web.accounts.fields import is_first, new_once, refused, version_of
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.forms import Filled, read

router = APIRouter(prefix="/webhooks")


@router.get("")
def page_webhooks(screen: ScreenNow) -> Response:
    """Those of one's organisation; of the cluster for who runs it."""
    _require(screen)
    rows = webhooks.list_all(screen.session, screen.caller)
    shown = [WebhookOut.model_validate(row) for row in rows]
    return screen.show("accounts/webhooks.html", webhooks=shown, office=office.links(screen))


@router.get("/new")
def page_make_webhook(screen: ScreenNow) -> Response:
    """The form of a new one."""
    _require(screen)
    return _form(screen, Filled())


@router.post("/new")
def do_make_webhook(screen: ScreenNow) -> Response:
    """Make it; its secret is on the page that answers, and nowhere else."""
    _require(screen)
    draft, filled = read(WebhookDraft, screen.form, screen.speech)
    if draft is None:
        return _form(screen, filled, 422)
    try:
        if not is_first(screen):
            return screen.go("/webhooks", done="twice")
        made = webhooks.make(screen.session, screen.runtime.outbound, screen.caller, draft)
    except (ConflictError, InvalidInputError) as error:
        screen.start_over()
        return _form(screen, refused(filled, error, screen.speech), error.status)
    return _made(screen, made)


@router.get("/{webhook_id}")
def page_webhook(webhook_id: uuid.UUID, screen: ScreenNow, cursor: str | None = None) -> Response:
    """One of them, and what it did not take."""
    return _webhook(screen, webhook_id, cursor=cursor)


@router.post("/{webhook_id}")
def do_revise_webhook(webhook_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Take other kinds of notices, or switch it off or on."""
    revision, filled = read(WebhookRevision, screen.form, screen.speech, flags=("active",))
    if revision is None:
        return _webhook(screen, webhook_id, filled=filled, status=422)
    webhooks.revise(screen.session, screen.caller, webhook_id, version_of(screen.form), revision)
    return screen.go(f"/webhooks/{webhook_id}", done="saved")


@router.post("/{webhook_id}/secret")
def do_rotate_secret(webhook_id: uuid.UUID, screen: ScreenNow) -> Response:
    """A new secret, on the page that answers, and nowhere else."""
    outbound, version = screen.runtime.outbound, version_of(screen.form)
    made, _ = webhooks.rotate(screen.session, outbound, screen.caller, webhook_id, version)
    return _made(screen, made)


@router.post("/{webhook_id}/try")
def do_try_webhook(webhook_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Send it something now, and show how that went."""
    tried = webhooks.try_out(screen.session, screen.runtime.outbound, screen.caller, webhook_id)
    return _webhook(screen, webhook_id, tried=tried)


@router.post("/{webhook_id}/replay")
def do_replay_deliveries(webhook_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Send one failed delivery again, or all."""
    draft, filled = read(ReplayDraft, screen.form, screen.speech)
    try:
        if draft is not None:
            webhooks.replay(screen.session, screen.caller, webhook_id, draft.delivery)
    except ConflictError as error:
        screen.start_over()
        refused(filled, error, screen.speech)
    if not filled.is_right:
        return _webhook(screen, webhook_id, filled=filled, status=409)
    return screen.go(f"/webhooks/{webhook_id}", done="replayed")


@router.post("/{webhook_id}/remove")
def do_remove_webhook(webhook_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Delete it."""
    webhooks.remove(screen.session, screen.caller, webhook_id)
    return screen.go("/webhooks", done="removed")


def _require(screen: Screen) -> None:
    owns = screen.caller.organisation_id is not None
    require(screen.caller, Right.ADD_WEBHOOK, Relation.OWN if owns else Relation.HERE)


def _form(screen: Screen, filled: Filled, status: int = 200) -> Response:
    return screen.show("accounts/webhook_new.html", status, filled=filled, once=new_once())


def _made(screen: Screen, made: WebhookMade) -> Response:
    return screen.show("accounts/webhook_made.html", made=made)


def _webhook(
    screen: Screen, webhook_id: uuid.UUID, *, filled: Filled | None = None, status: int = 200,
    cursor: str | None = None, **values: Any,
) -> Response:  # fmt: skip
    endpoint = webhooks.read(screen.session, screen.caller, webhook_id)
    failed = webhooks.list_failed(screen.session, screen.caller, webhook_id, PageQuery(cursor=cursor))
    shown = WebhookOut.model_validate(endpoint)
    return screen.show(
        "accounts/webhook.html", status, webhook=shown, version=endpoint.version, failed=failed,
        filled=filled or Filled({"events": [str(kind) for kind in shown.events]}), **{"tried": None, **values},
    )  # fmt: skip
