"""One attempt at a delivery. Its row is locked until the outcome is committed: nobody sends the same at the same time.

Killed between the moment the other side takes it and the commit, it is sent again, with the same id: a repeat that the
other side can tell from a second notice. Killed at any other moment, it is sent once.
"""

import datetime
import logging
import random
from dataclasses import dataclass
from typing import Any, Final

import httpx2 as httpx
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, joinedload, undefer_group

from enmusubi.app.caller import acting_as_service
from enmusubi.app.delivering import signing
from enmusubi.app.delivering.outbound import Outbound
from enmusubi.app.delivering.reaching import BlockedAddressError, NoAnswerError, UnknownHostError
from enmusubi.app.delivering.texts import Things, is_ordered, letter_text
from enmusubi.app.mail import Letter, Refusal
from enmusubi.app.models import Delivery, Notice, WebhookEndpoint
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, Channel, DeliveryState, Language, NoticeKind

logger = logging.getLogger(__name__)

ATTEMPTS: Final = 12
_FIRST: Final = datetime.timedelta(seconds=30)
_LONGEST: Final = datetime.timedelta(hours=12)
FAILING_FOR: Final = datetime.timedelta(days=5)
"""An endpoint that has taken nothing for so long is switched off."""
# The database's clock says when a job is due, ours whether its delivery is: they may differ a little.
_TOLERANCE: Final = datetime.timedelta(seconds=5)

_READER = text("select name, email, language from reader_of(:account)")
_THINGS = text("select need, seed, match from things_of(:notice)")


@dataclass(frozen=True, slots=True)
class _Stopped:
    """There is nobody to send it to any more."""

    reason: str


def pause_after(attempts: int, chance: random.Random) -> datetime.timedelta:
    """How long to wait after so many failed attempts: three times as long each time, and up to a half less by chance.

    By chance, so that what failed together does not come back together.
    """
    longest = min(_LONGEST, _FIRST * 3 ** min(attempts - 1, 10))
    pause: datetime.timedelta = longest * chance.uniform(0.5, 1.0)
    return pause


def attempt(outbound: Outbound, delivery_id: int) -> None:
    """Send what waits and is due, and write down what came of it; nothing where it is sent, or being sent."""
    with outbound.sessions() as session, acting_as_service(session):
        now = outbound.clock.now()
        due = (Delivery.state == DeliveryState.WAITING, Delivery.next_attempt <= now + _TOLERANCE)
        chosen = select(Delivery).where(Delivery.id == delivery_id, *due).options(joinedload(Delivery.notice))
        delivery = session.scalar(chosen.with_for_update(of=Delivery, skip_locked=True))
        if delivery is None:
            return
        if delivery.channel == Channel.EMAIL:
            came_of_it = _send_letter(session, outbound, delivery)
        else:
            came_of_it = _send_webhook(session, outbound, delivery)
        _write_down(delivery, came_of_it, outbound)
        session.commit()


def _write_down(delivery: Delivery, came_of_it: Refusal | _Stopped | None, outbound: Outbound) -> None:
    now = outbound.clock.now()
    if isinstance(came_of_it, _Stopped):
        delivery.state, delivery.last_error = DeliveryState.STOPPED, came_of_it.reason
        return
    delivery.attempts += 1
    if came_of_it is None:
        delivery.state, delivery.sent, delivery.last_error = DeliveryState.SENT, now, None
        return
    delivery.last_error = came_of_it.reason
    if came_of_it.final or delivery.attempts >= ATTEMPTS:
        delivery.state = DeliveryState.FAILED
        logger.warning("a delivery was given up: %s, %s", delivery.public_id, came_of_it.reason)
        return
    delivery.next_attempt = now + pause_after(delivery.attempts, outbound.chance)


def _send_letter(session: Session, outbound: Outbound, delivery: Delivery) -> Refusal | _Stopped | None:
    reader = session.execute(_READER, {"account": delivery.account_id}).one_or_none()
    if reader is None or reader.email is None:
        return _Stopped("NoAddress")
    notice, settings = delivery.notice, outbound.settings
    kind, language = NoticeKind(notice.kind), Language(reader.language)
    link = settings.address + _things(session, notice).path
    written = letter_text(kind, notice.facts, language, reader.name, link)
    headers = {}
    stop = outbound.stop_link(session, delivery) if is_ordered(kind) else None
    if stop is not None:
        # RFC 8058: mail programs show it as a button.
        headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message_id = f"<{delivery.public_id}@{outbound.host}>"
    return outbound.post.attempt(Letter(reader.email, written.subject, written.text, message_id, headers))


def _send_webhook(session: Session, outbound: Outbound, delivery: Delivery) -> Refusal | None:
    chosen = select(WebhookEndpoint).where(WebhookEndpoint.id == delivery.endpoint_id)
    endpoint = session.scalars(chosen.options(undefer_group("secret"))).one()
    if not endpoint.active:
        return Refusal("EndpointOff", final=True)
    refused = send_signed(session, outbound, endpoint, delivery)
    if refused is None:
        if endpoint.failing_since is not None:
            _mark(session, endpoint, failing_since=None)
        return None
    now = outbound.clock.now()
    failing_since = endpoint.failing_since or now
    if now - failing_since > FAILING_FOR or refused.final:
        _switch_off(session, endpoint)
        return Refusal(refused.reason, final=True)
    if endpoint.failing_since is None:
        _mark(session, endpoint, failing_since=now)
    return refused


def _mark(session: Session, endpoint: WebhookEndpoint, **values: Any) -> bool:
    # Not as a new version: another delivery may do the same now, and this one is not to fail, and be repeated, for it.
    changed = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id, WebhookEndpoint.active)
    found = session.execute(
        changed.values(**values).returning(WebhookEndpoint.id), execution_options={"synchronize_session": False}
    )
    return found.one_or_none() is not None


def send_signed(session: Session, outbound: Outbound, endpoint: WebhookEndpoint, delivery: Delivery) -> Refusal | None:
    """Send a delivery to its endpoint, signed; why it was not taken, None where it was."""
    notice, now = delivery.notice, outbound.clock.now()
    things = _things(session, notice)
    ids = {name: str(found) for name in ("need", "seed", "match") if (found := getattr(things, name)) is not None}
    data = {"notice": str(notice.public_id), "audience": notice.audience, **ids, "facts": notice.facts}
    body = signing.body_of(notice.kind, notice.created, data)
    headers = signing.headers_of(delivery.public_id, now, body, keys_of(endpoint, now))
    return post_to(outbound, endpoint.url, headers, body)


def post_to(outbound: Outbound, url: str, headers: dict[str, str], body: str) -> Refusal | None:
    """Why the address did not take it, by the kind of error; None where it did."""
    try:
        status = outbound.reach.post(url, headers, body.encode())
    except (BlockedAddressError, UnknownHostError, NoAnswerError, httpx.HTTPError, OSError) as error:
        return Refusal(type(error).__name__, final=False)
    if 200 <= status < 300:
        return None
    # The specification: 410 asks not to be called any more.
    return Refusal(f"Status{status}", final=status == 410)


def keys_of(endpoint: WebhookEndpoint, now: datetime.datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    overlaps = endpoint.rotated is not None and now - endpoint.rotated < signing.OVERLAP
    return [endpoint.secret, *([endpoint.former_secret] if overlaps and endpoint.former_secret else [])]


def _switch_off(session: Session, endpoint: WebhookEndpoint) -> None:
    if _mark(session, endpoint, active=False, version=WebhookEndpoint.version + 1):
        notify(
            session,
            cluster_id=endpoint.cluster_id,
            kind=NoticeKind.WEBHOOK_OFF,
            audience=Audience.ACCOUNT,
            account=endpoint.created_by_id,
            facts={"webhook": str(endpoint.public_id)},
        )


def _things(session: Session, notice: Notice) -> Things:
    found = session.execute(_THINGS, {"notice": notice.id}).one()
    return Things(found.need, found.seed, found.match)


def requeue(outbound: Outbound, grace: datetime.timedelta) -> int:
    """Put back into the queue what is overdue and no job waits for: its worker was killed. How many that were."""
    with outbound.sessions() as session, acting_as_service(session):
        found = session.scalar(select(func.requeue_overdue(grace, 1_000))) or 0
        session.commit()
    return found
