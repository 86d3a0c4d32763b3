"""Webhooks: addresses that take notices as signed requests, and what they did not take."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, ExpectedVersion, OutboundNow, etag
from enmusubi.app.representations import Page
from enmusubi.app.telling import webhooks
from enmusubi.app.telling.drafts import ReplayDraft, WebhookDraft, WebhookRevision
from enmusubi.app.telling.shown import FailedDeliveryOut, ReplayedOut, TriedOut, WebhookMade, WebhookOut, WebhooksOut
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("", status_code=201, openapi_extra=allows(Scope.ADMINISTER))
def make_webhook(draft: WebhookDraft, asked: AskedNow, outbound: OutboundNow) -> WebhookMade:
    """Have the notices to your organisation, or to those who run your cluster, sent to an address as well."""
    return webhooks.make(asked.session, outbound, asked.caller, draft)


@router.get("", openapi_extra=allows(Scope.ADMINISTER))
def list_webhooks(asked: AskedNow) -> WebhooksOut:
    """The webhooks of your organisation; of the cluster for its coordinators and administrators."""
    rows = webhooks.list_all(asked.session, asked.caller)
    return WebhooksOut(items=[WebhookOut.model_validate(row) for row in rows])


@router.get("/{webhook_id}", openapi_extra=allows(Scope.ADMINISTER))
def read_webhook(webhook_id: uuid.UUID, asked: AskedNow, response: Response) -> WebhookOut:
    """One webhook; its ETag is what If-Match takes."""
    endpoint = webhooks.read(asked.session, asked.caller, webhook_id)
    response.headers.update(etag(endpoint.version))
    return WebhookOut.model_validate(endpoint)


@router.patch("/{webhook_id}", openapi_extra=allows(Scope.ADMINISTER))
def revise_webhook(
    webhook_id: uuid.UUID, revision: WebhookRevision, asked: AskedNow, version: ExpectedVersion, response: Response
) -> WebhookOut:
    """Change which kinds of notices it takes, or switch it off or on again."""
    endpoint = webhooks.revise(asked.session, asked.caller, webhook_id, version, revision)
    response.headers.update(etag(endpoint.version))
    return WebhookOut.model_validate(endpoint)


@router.post("/{webhook_id}/secret", openapi_extra=allows(Scope.ADMINISTER))
def rotate_webhook_secret(
    webhook_id: uuid.UUID, asked: AskedNow, outbound: OutboundNow, version: ExpectedVersion, response: Response
) -> WebhookMade:
    """A new secret, shown this once; for a day signatures with the one of before are sent along."""
    made, now = webhooks.rotate(asked.session, outbound, asked.caller, webhook_id, version)
    response.headers.update(etag(now))
    return made


@router.delete("/{webhook_id}", status_code=204, openapi_extra=allows(Scope.ADMINISTER))
def remove_webhook(webhook_id: uuid.UUID, asked: AskedNow) -> None:
    """Delete a webhook, with what it did not take."""
    webhooks.remove(asked.session, asked.caller, webhook_id)


@router.post("/{webhook_id}/test", openapi_extra=allows(Scope.ADMINISTER))
def try_webhook(webhook_id: uuid.UUID, asked: AskedNow, outbound: OutboundNow) -> TriedOut:
    """Send it a signed request of the type `test` at once, and tell how that went."""
    return webhooks.try_out(asked.session, outbound, asked.caller, webhook_id)


@router.get("/{webhook_id}/failures", openapi_extra=allows(Scope.ADMINISTER))
def list_failed_deliveries(
    webhook_id: uuid.UUID, query: Annotated[PageQuery, Query()], asked: AskedNow
) -> Page[FailedDeliveryOut]:
    """What it did not take after all attempts, or while it was switched off; newest first."""
    return webhooks.list_failed(asked.session, asked.caller, webhook_id, query)


@router.post("/{webhook_id}/replay", openapi_extra=allows(Scope.ADMINISTER))
def replay_deliveries(webhook_id: uuid.UUID, draft: ReplayDraft, asked: AskedNow) -> ReplayedOut:
    """Send one failed delivery again, or all of them, with the ids of before."""
    return ReplayedOut(replayed=webhooks.replay(asked.session, asked.caller, webhook_id, draft.delivery))
