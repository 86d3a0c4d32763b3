"""A notice becomes deliveries: one to each reader and each webhook of its audience, all in one transaction."""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.delivering.outbound import Outbound
from enmusubi.app.models import Delivery, Notice, WebhookEndpoint
from enmusubi.app.vocabulary import ANSWERS_WANTED, Channel, DeliveryState, Letters, NoticeKind

_READER = text("select name, email, language, letters from reader_of(:account)")


def dispatch(outbound: Outbound, notice_id: int) -> None:
    """Write down the deliveries of a notice, once: a further call, or one at the same time, does nothing."""
    with outbound.sessions() as session, acting_as_service(session):
        waiting = select(Notice).where(Notice.id == notice_id, Notice.dispatched.is_(None))
        notice = session.scalar(waiting.with_for_update(skip_locked=True))
        if notice is None:
            return
        for account_id in session.scalars(select(func.recipients_of(notice.id))).all():
            session.add(_letter(session, outbound, notice, account_id))
        for endpoint in _endpoints(session, notice):
            session.add(_webhook(notice, endpoint))
        notice.dispatched = outbound.clock.now()
        session.commit()


def _letter(session: Session, outbound: Outbound, notice: Notice, account_id: int) -> Delivery:
    reader = session.execute(_READER, {"account": account_id}).one_or_none()
    stopped = None
    if not outbound.post.delivers:
        stopped = "NoPost"
    elif reader is None or reader.email is None:
        stopped = "NoAddress"
    elif reader.letters == Letters.NEEDED and NoticeKind(notice.kind) not in ANSWERS_WANTED:
        stopped = "NotWanted"
    # Without a letter too the notice is in its reader's list.
    return Delivery(
        notice_id=notice.id,
        channel=Channel.EMAIL,
        account_id=account_id,
        state=DeliveryState.WAITING if stopped is None else DeliveryState.STOPPED,
        last_error=stopped,
    )


def _endpoints(session: Session, notice: Notice) -> list[WebhookEndpoint]:
    chosen = select(WebhookEndpoint).where(WebhookEndpoint.id.in_(select(func.endpoints_of(notice.id))))
    return list(session.scalars(chosen))


def _webhook(notice: Notice, endpoint: WebhookEndpoint) -> Delivery:
    # What comes while an endpoint is switched off is kept with what failed, to be replayed.
    return Delivery(
        notice_id=notice.id,
        channel=Channel.WEBHOOK,
        endpoint_id=endpoint.id,
        state=DeliveryState.WAITING if endpoint.active else DeliveryState.FAILED,
        last_error=None if endpoint.active else "EndpointOff",
    )
