"""What is forgotten at night: read notices and what was sent, after their time; nothing that somebody has not read."""

import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.models import Delivery, Notice
from enmusubi.app.vocabulary import Audience, Channel, DeliveryState, NoticeKind, Role
from enmusubi.app.working.forgetting import forget_notices, forgetting
from tests.app.factories import a_caller, a_cluster, a_webhook
from tests.clocks import SetClock

LONG, LONGER = datetime.timedelta(days=366), datetime.timedelta(days=731)


def a_notice(session: Session, cluster: int, age: datetime.timedelta, *, dispatched: bool = True) -> int:
    """A notice of that age."""
    then = datetime.datetime.now(datetime.UTC) - age
    notice = Notice(
        cluster_id=cluster, kind=NoticeKind.STEP_DUE, audience=Audience.COORDINATORS, created=then,
        dispatched=then if dispatched else None,
    )  # fmt: skip
    session.add(notice)
    session.flush()
    return notice.id


def a_reader(session: Session, notice: int, account: int, age: datetime.timedelta, **values: object) -> None:
    """A delivery of that age to a person."""
    then = datetime.datetime.now(datetime.UTC) - age
    row = {"state": DeliveryState.SENT, **values}
    session.add(Delivery(notice_id=notice, channel=Channel.EMAIL, account_id=account, created=then, **row))


def test_what_was_read_and_what_was_sent_goes(service: Database, committed: Database, settings: Settings) -> None:
    """A notice goes with its last delivery; what waits, is unread or is young stays."""
    now = datetime.datetime.now(datetime.UTC)
    with committed.session() as session:
        cluster = a_cluster(session)
        first, second = (a_caller(session, cluster, Role.COORDINATOR) for _ in range(2))
        hook = a_webhook(session, first)
        read = a_notice(session, cluster.id, LONG)
        for reader in (first, second):
            a_reader(session, read, reader.id, LONG, read=now)
        half_read = a_notice(session, cluster.id, LONG)
        a_reader(session, half_read, first.id, LONG, read=now)
        a_reader(session, half_read, second.id, LONG, state=DeliveryState.STOPPED)
        waiting = a_notice(session, cluster.id, LONGER)
        a_reader(session, waiting, first.id, LONGER, state=DeliveryState.WAITING)
        undispatched = a_notice(session, cluster.id, LONGER, dispatched=False)
        unread = a_notice(session, cluster.id, LONGER)
        a_reader(session, unread, first.id, LONGER)
        young = a_notice(session, cluster.id, datetime.timedelta(days=300))
        a_reader(session, young, first.id, datetime.timedelta(days=300), read=now)
        hooked = a_notice(session, cluster.id, LONG)
        session.add(
            Delivery(
                notice_id=hooked, channel=Channel.WEBHOOK, endpoint_id=hook.id, created=now - LONG,
                state=DeliveryState.FAILED,
            )
        )  # fmt: skip
        to_nobody = a_notice(session, cluster.id, LONG)
        session.commit()
    assert forgetting(settings).run(service.session, SetClock())
    with committed.session() as session:
        left = session.scalars(select(Notice.id).order_by(Notice.id)).all()
        assert left == [half_read, waiting, undispatched, young]
        assert {read, unread, hooked, to_nobody}.isdisjoint(left)
        assert session.scalars(select(Delivery.account_id).where(Delivery.notice_id == half_read)).all() == [second.id]
        assert session.scalar(select(func.count()).select_from(Delivery)) == 3


def test_it_goes_in_parts(service: Database, committed: Database) -> None:
    """So many rows of a transaction, until nothing is left."""
    with committed.session() as session:
        cluster = a_cluster(session)
        for _ in range(7):
            a_notice(session, cluster.id, LONG)
        session.commit()
    with service.session() as session:
        session.execute(text("select set_config('enmusubi.role', 'service', false)"))
        assert forget_notices(session, datetime.timedelta(days=365), at_once=3) == 7
    with committed.session() as session:
        assert session.scalars(select(Notice.id)).all() == []


def test_nobody_else_forgets(service: Database, committed: Database) -> None:
    """A company, say, calls the function in vain."""
    with committed.session() as session:
        a_notice(session, a_cluster(session).id, LONG)
        session.commit()
    with service.session() as session:
        assert forget_notices(session, datetime.timedelta(days=365)) == 0
