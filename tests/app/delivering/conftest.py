"""What notices are sent with here: a real mail server and a real receiver of webhooks, and a clock that is moved."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.config import Settings
from enmusubi.app.delivering import signing
from enmusubi.app.delivering.attempts import attempt
from enmusubi.app.delivering.dispatching import dispatch
from enmusubi.app.delivering.outbound import Outbound, outbound_for
from enmusubi.app.mail import post_office
from enmusubi.app.models import Account, Cluster, Delivery, Notice, WebhookEndpoint
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, DeliveryState, NoticeKind, Role
from tests.app.factories import a_caller, a_cluster
from tests.clocks import SetClock
from tests.conftest import RolledBackDatabase
from tests.mailbox import Mailbox, mailbox
from tests.receiving import Receiver, a_receiver

__all__ = ["mailbox"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes webhooks."""
    with a_receiver() as receiver:
        yield receiver


@dataclass
class Office:
    """A cluster with a coordinator, and everything that notices are sent with."""

    session: Session
    outbound: Outbound
    clock: SetClock
    mailbox: Mailbox
    receiver: Receiver
    cluster: Cluster
    coordinator: Caller

    @property
    def account(self) -> Account:
        """The coordinator's account."""
        return self.session.get_one(Account, self.coordinator.id)

    def notice(
        self, kind: NoticeKind = NoticeKind.STEP_DUE, audience: Audience = Audience.COORDINATORS, **facts: object
    ) -> Notice:
        """A notice, committed."""
        made = notify(self.session, cluster_id=self.cluster.id, kind=kind, audience=audience, facts=facts)
        self.session.commit()
        return made

    def webhook(self, owner: int | None = None, *events: NoticeKind) -> WebhookEndpoint:
        """A webhook that leads to the receiver."""
        made = WebhookEndpoint(
            cluster_id=self.cluster.id,
            organisation_id=owner,
            created_by_id=self.coordinator.id,
            url=self.receiver.url,
            events=list(events),
            secret=signing.new_secret(),
        )
        self.session.add(made)
        self.session.commit()
        return made

    def work(self) -> None:
        """What a worker does with everything that waits: dispatch it, and try what is due."""
        for notice_id in self.session.scalars(select(Notice.id).where(Notice.dispatched.is_(None))).all():
            dispatch(self.outbound, notice_id)
        waiting = select(Delivery.id).where(Delivery.state == DeliveryState.WAITING).order_by(Delivery.id)
        for delivery_id in self.session.scalars(waiting).all():
            attempt(self.outbound, delivery_id)
        self.session.expire_all()

    def deliveries(self) -> list[Delivery]:
        """All there are."""
        return list(self.session.scalars(select(Delivery).order_by(Delivery.id)))

    def delivery(self) -> Delivery:
        """The only one."""
        (found,) = self.deliveries()
        return found


@pytest.fixture
def office(
    database: RolledBackDatabase, session: Session, settings: Settings, mailbox: Mailbox, receiver: Receiver
) -> Office:
    """Ready to send."""
    settings = settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{mailbox.port}"),
            "mail_from": "Enmusubi <enmusubi@example.org>",
            "webhooks_may_reach": "127.0.0.0/8",
        }
    )
    cluster = a_cluster(session)
    coordinator = a_caller(session, cluster, Role.COORDINATOR)
    account = session.get_one(Account, coordinator.id)
    account.email, account.language = "sato@example.org", "en"
    session.commit()
    clock = SetClock()
    outbound = outbound_for(settings, database.for_service.session, post_office(settings), clock)
    return Office(session, outbound, clock, mailbox, receiver, cluster, coordinator)
