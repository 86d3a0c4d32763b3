"""A person's own notices, whether or not letters went out."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, joinedload

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import PageQuery, page
from enmusubi.app.delivering.texts import Things, said
from enmusubi.app.errors import NotFoundError
from enmusubi.app.models import Account, Delivery
from enmusubi.app.representations import Page
from enmusubi.app.telling.shown import NoticeOut
from enmusubi.app.vocabulary import DeliveryState, Language, NoticeKind

_THINGS = text(
    "select notice.id, about.need, about.seed, about.match from unnest(cast(:notices as bigint[])) as notice(id), "
    "lateral things_of(notice.id) as about"
)


def list_own(session: Session, caller: Caller, query: PageQuery) -> Page[NoticeOut]:
    """A page of the notices to the caller, newest first."""
    chosen = select(Delivery).where(Delivery.account_id == caller.id).options(joinedload(Delivery.notice))
    listed = page(session, chosen, Delivery, query)
    return Page[NoticeOut](items=_shown(session, caller, listed.rows), next=listed.next)


def mark_read(session: Session, caller: Caller, public_id: uuid.UUID) -> NoticeOut:
    """Note that the caller has read a notice; the first time counts."""
    chosen = select(Delivery).where(Delivery.account_id == caller.id, Delivery.public_id == public_id)
    delivery = session.scalar(chosen.options(joinedload(Delivery.notice)).with_for_update(of=Delivery))
    if delivery is None:
        raise NotFoundError("no such notice to you")
    if delivery.read is None:
        delivery.read = func.now()
        session.flush()
        session.refresh(delivery, ["read"])
    return _shown(session, caller, [delivery])[0]


def mark_all_read(session: Session, caller: Caller, public_ids: Collection[uuid.UUID]) -> None:
    """Note that the caller has read these notices; who names one of somebody else has read none of them."""
    own = (Delivery.account_id == caller.id, Delivery.public_id.in_(public_ids))
    found = session.scalar(select(func.count()).select_from(Delivery).where(*own))
    if found != len(set(public_ids)):
        raise NotFoundError("no such notice to you")
    session.execute(update(Delivery).where(*own, Delivery.read.is_(None)).values(read=func.now()))


def _shown(session: Session, caller: Caller, deliveries: Sequence[Delivery]) -> list[NoticeOut]:
    language = Language(session.scalars(select(Account.language).where(Account.id == caller.id)).one())
    found = session.execute(_THINGS, {"notices": [delivery.notice_id for delivery in deliveries]})
    things = {row.id: Things(row.need, row.seed, row.match) for row in found}
    return [_out(delivery, things[delivery.notice_id], language) for delivery in deliveries]


def _out(delivery: Delivery, things: Things, language: Language) -> NoticeOut:
    notice = delivery.notice
    written = said(NoticeKind(notice.kind), notice.facts, language)
    return NoticeOut(
        id=delivery.public_id,
        kind=NoticeKind(notice.kind),
        subject=written.subject,
        text=written.text,
        need=things.need,
        seed=things.seed,
        match=things.match,
        facts=notice.facts,
        created=delivery.created,
        read=delivery.read,
        letter=DeliveryState(delivery.state),
    )
