"""Webhooks of an organisation, or of those who run a cluster: make, list, change, try, and replay what failed."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, false, func, select, update
from sqlalchemy.orm import Session, joinedload, undefer_group

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.catalogue.rules import check_version
from enmusubi.app.delivering import signing
from enmusubi.app.delivering.attempts import keys_of, post_to
from enmusubi.app.delivering.outbound import Outbound
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, Sentence
from enmusubi.app.models import Delivery, WebhookEndpoint
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.recording import record
from enmusubi.app.representations import Page
from enmusubi.app.signing_in import throttling
from enmusubi.app.signing_in.throttling import Rate
from enmusubi.app.telling.drafts import WebhookDraft, WebhookRevision
from enmusubi.app.telling.shown import FailedDeliveryOut, TriedOut, WebhookMade, WebhookOut
from enmusubi.app.vocabulary import Action, Channel, DeliveryState, NoticeKind, RecordedKind, Role

MOST: Final = 50
TRIES: Final = Rate("webhook", 10, datetime.timedelta(seconds=30))
_SIDES: Final = (Role.COMPANY, Role.UNIVERSITY)


def visible_to(caller: Caller) -> ColumnElement[bool]:
    """A side's own organisation's; for coordinators and cluster administrators those that the cluster itself has."""
    here = WebhookEndpoint.cluster_id == caller.cluster_id
    if caller.role in _SIDES:
        return here & (WebhookEndpoint.organisation_id == caller.organisation_id)
    if caller.role in (Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR):
        return here & WebhookEndpoint.organisation_id.is_(None)
    return false()


def make(session: Session, outbound: Outbound, caller: Caller, draft: WebhookDraft) -> WebhookMade:
    """A new webhook with its secret."""
    side = caller.role in _SIDES
    require(caller, Right.ADD_WEBHOOK, Relation.OWN if side else Relation.HERE)
    outbound.reach.check(draft.url)
    if len(list_all(session, caller)) >= MOST:
        raise ConflictError(Sentence("there are %(most)s webhooks at most; delete one first", most=MOST))
    endpoint = WebhookEndpoint(
        cluster_id=caller.cluster_id,
        organisation_id=caller.organisation_id if side else None,
        created_by_id=caller.id,
        url=draft.url,
        events=sorted(map(str, draft.events)),
        secret=signing.new_secret(),
    )
    session.add(endpoint)
    session.flush()
    session.refresh(endpoint, ["created", "active", "failing_since"])
    _record(session, caller, Action.CREATED, endpoint, events=endpoint.events)
    return WebhookMade(**dict(WebhookOut.model_validate(endpoint)), secret=endpoint.secret)


def list_all(session: Session, caller: Caller) -> Sequence[WebhookEndpoint]:
    """The webhooks that the caller manages, newest first."""
    return session.scalars(select(WebhookEndpoint).where(visible_to(caller)).order_by(WebhookEndpoint.id.desc())).all()


def read(session: Session, caller: Caller, public_id: uuid.UUID) -> WebhookEndpoint:
    """One of them."""
    return _found(session, caller, public_id)


def revise(
    session: Session, caller: Caller, public_id: uuid.UUID, version: int | None, revision: WebhookRevision
) -> WebhookEndpoint:
    """Take other kinds of notices, or switch it off or on."""
    endpoint = _found(session, caller, public_id, lock=True)
    check_version(endpoint, version)
    for name in revision.model_fields_set:
        if getattr(revision, name) is None:
            raise InvalidInputError(Sentence("%(name)s: cannot be taken away", name=name))
    if revision.events is not None:
        endpoint.events = sorted(map(str, revision.events))
    if revision.active is not None:
        endpoint.active = revision.active
        # Switched on, it gets its days to answer anew.
        endpoint.failing_since = None
    session.flush()
    _record(session, caller, Action.REVISED, endpoint, fields=sorted(revision.model_fields_set))
    return endpoint


def rotate(
    session: Session, outbound: Outbound, caller: Caller, public_id: uuid.UUID, version: int | None
) -> tuple[WebhookMade, int]:
    """A new secret, and the webhook's version; for a day the one of before signs too, so that receivers can follow."""
    endpoint = _found(session, caller, public_id, lock=True)
    check_version(endpoint, version)
    endpoint.former_secret, endpoint.secret = endpoint.secret, signing.new_secret()
    endpoint.rotated = outbound.clock.now()
    session.flush()
    _record(session, caller, Action.REVISED, endpoint, fields=["secret"])
    return WebhookMade(**dict(WebhookOut.model_validate(endpoint)), secret=endpoint.secret), endpoint.version


def remove(session: Session, caller: Caller, public_id: uuid.UUID) -> None:
    """Delete a webhook with its secret and what it was to be sent."""
    endpoint = _found(session, caller, public_id, lock=True)
    _record(session, caller, Action.WITHDRAWN, endpoint)
    session.delete(endpoint)
    session.flush()


def try_out(session: Session, outbound: Outbound, caller: Caller, public_id: uuid.UUID) -> TriedOut:
    """Send a signed trial at once, and tell how it went; it is of the type `test`."""
    _found(session, caller, public_id)
    throttling.take(session, TRIES, str(caller.public_id))
    endpoint = _found(session, caller, public_id)
    now = outbound.clock.now()
    body = signing.body_of("test", now, {})
    headers = signing.headers_of(uuid.uuid4(), now, body, keys_of(endpoint, now))
    refused = post_to(outbound, endpoint.url, headers, body)
    return TriedOut(delivered=refused is None, error=None if refused is None else refused.reason)


def list_failed(session: Session, caller: Caller, public_id: uuid.UUID, query: PageQuery) -> Page[FailedDeliveryOut]:
    """A page of what a webhook did not take, newest first."""
    endpoint = _found(session, caller, public_id)
    chosen = select(Delivery).where(*_failed(endpoint)).options(joinedload(Delivery.notice))
    listed: Listed = page(session, chosen, Delivery, query)
    items = [
        FailedDeliveryOut(
            id=row.public_id,
            kind=NoticeKind(row.notice.kind),
            created=row.created,
            attempts=row.attempts,
            error=row.last_error,
        )
        for row in listed.rows
    ]
    return Page[FailedDeliveryOut](items=items, next=listed.next)


def replay(session: Session, caller: Caller, public_id: uuid.UUID, delivery: uuid.UUID | None) -> int:
    """Send one failed delivery again, or all; with the ids of before. How many those are."""
    endpoint = _found(session, caller, public_id, lock=True)
    if not endpoint.active:
        raise ConflictError("the webhook is switched off; switch it on first")
    chosen = update(Delivery).where(*_failed(endpoint))
    if delivery is not None:
        chosen = chosen.where(Delivery.public_id == delivery)
    waiting = {"state": DeliveryState.WAITING, "attempts": 0, "next_attempt": func.now()}
    replayed = len(session.scalars(chosen.values(**waiting).returning(Delivery.id)).all())
    if delivery is not None and not replayed:
        raise NotFoundError("no failed delivery of this webhook has this id")
    return replayed


def _failed(endpoint: WebhookEndpoint) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.endpoint_id == endpoint.id,
        Delivery.channel == Channel.WEBHOOK,
        Delivery.state == DeliveryState.FAILED,
    )


def _found(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> WebhookEndpoint:
    chosen = select(WebhookEndpoint).where(WebhookEndpoint.public_id == public_id, visible_to(caller))
    chosen = chosen.options(undefer_group("secret")).execution_options(populate_existing=True)
    endpoint = session.scalar(chosen.with_for_update() if lock else chosen)
    if endpoint is None:
        raise NotFoundError("no such webhook, or it is not open to you")
    return endpoint


def _record(session: Session, caller: Caller, action: Action, endpoint: WebhookEndpoint, **content: Any) -> None:
    record(session, caller, action, RecordedKind.WEBHOOK, endpoint.public_id, **content)
