"""Webhooks over the API: made, changed, tried, and what they did not take sent again."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook

from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.models import Delivery, WebhookEndpoint
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, Channel, DeliveryState, NoticeKind, Role
from tests.app.conftest import People, people_of, started
from tests.app.factories import ENCODER, Json, Person, a_person
from tests.conftest import RolledBackDatabase
from tests.receiving import Receiver, a_receiver

URL = "https://hooks.example.org/enmusubi"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes webhooks."""
    with a_receiver() as receiver:
        yield receiver


@pytest.fixture
def near(database: RolledBackDatabase, settings: Settings) -> Iterator[TestClient]:
    """A service whose webhooks may reach this machine."""
    reaching = settings.model_copy(update={"webhooks_may_reach": "127.0.0.0/8"})
    with started(create_app(reaching, ENCODER, database.for_service)) as client:
        yield client


def _failed(session: Session, person: Person, webhook: Json, kind: NoticeKind = NoticeKind.STEP_DUE) -> Delivery:
    """A notice that the webhook did not take."""
    endpoint = session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.public_id == webhook["id"])).one()
    notice = notify(
        session, cluster_id=person.caller.cluster_id, kind=kind, audience=Audience.ACCOUNT, account=person.caller.id
    )
    delivery = Delivery(
        notice_id=notice.id, channel=Channel.WEBHOOK, endpoint_id=endpoint.id, state=DeliveryState.FAILED,
        attempts=12, last_error="Status500",
    )  # fmt: skip
    session.add(delivery)
    session.commit()
    return delivery


def test_the_secret_is_shown_once(people: People) -> None:
    """When it is made, and nowhere afterwards."""
    made = people.company.create("/webhooks", {"url": URL, "events": ["step_due"]})
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["events"], made["active"], made["failing_since"]) == (URL, ["step_due"], True, None)
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        reply = people.company.get(path)
        assert made["id"] in reply.text
        assert "secret" not in reply.text


def test_each_organisation_has_its_own(session: Session, client: TestClient, people: People) -> None:
    """Those who run the cluster share the cluster's, and do not see a company's."""
    colleague = a_person(client, session, people.cluster, Role.COMPANY, people.company.organisation)
    session.commit()
    own = people.company.create("/webhooks", {"url": URL})["id"]
    clusters = people.coordinator.create("/webhooks", {"url": URL})["id"]
    seen = {
        person.role: [item["id"] for item in person.read("/webhooks")["items"]]
        for person in (colleague, people.university, people.coordinator, people.administrator)
    }
    assert seen == {
        Role.COMPANY: [own], Role.UNIVERSITY: [], Role.COORDINATOR: [clusters], Role.CLUSTER_ADMINISTRATOR: [clusters]
    }  # fmt: skip
    for other in (people.university, people.coordinator, people.administrator):
        assert other.get(f"/webhooks/{own}").status_code == 404


@pytest.mark.parametrize("url", ["http://hooks.example.org/", "https://127.0.0.1/", "https://[::1]/", "nowhere"])
def test_an_address_that_is_not_public_is_refused(people: People, url: str) -> None:
    """With its place, and without quoting it."""
    reply = people.company.post("/webhooks", {"url": url})
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("url: ")


def test_it_is_changed_with_its_version(people: People) -> None:
    """Other kinds, off and on; an old version is refused."""
    made = people.company.create("/webhooks", {"url": URL})
    path = f"/webhooks/{made['id']}"
    version = people.company.get(path).headers["ETag"]
    changed = people.company.patch(path, {"events": ["disclosed"], "active": False}, version)
    assert (changed.json()["events"], changed.json()["active"]) == (["disclosed"], False)
    assert people.company.patch(path, {"active": True}, version).status_code == 412
    assert people.company.patch(path, {"active": None}).status_code == 422
    assert people.company.patch(path, {"active": True}, changed.headers["ETag"]).json()["active"] is True


def test_a_new_secret_replaces_the_old(session: Session, people: People) -> None:
    """Which is kept to sign along for a day."""
    made = people.company.create("/webhooks", {"url": URL})
    reply = people.company.post(f"/webhooks/{made['id']}/secret", None, If_Match="*")
    assert reply.json()["secret"] != made["secret"]
    stored = session.scalars(select(WebhookEndpoint.former_secret)).one()
    assert stored == made["secret"]


def test_a_deleted_one_is_gone(session: Session, people: People) -> None:
    """With its secret and what it did not take."""
    made = people.company.create("/webhooks", {"url": URL})
    _failed(session, people.company, made)
    assert people.company.call("DELETE", f"/webhooks/{made['id']}").status_code == 204
    assert people.company.get(f"/webhooks/{made['id']}").status_code == 404
    session.expire_all()
    assert session.scalars(select(WebhookEndpoint.id)).all() == []
    assert session.scalars(select(Delivery.id).where(Delivery.channel == Channel.WEBHOOK)).all() == []


def test_it_can_be_tried(near: TestClient, session: Session, receiver: Receiver) -> None:
    """A signed request of a type of its own; how it went is told by the kind of error."""
    person = people_of(near, session).company
    made = person.create("/webhooks", {"url": receiver.url})
    assert person.post(f"/webhooks/{made['id']}/test").json() == {"delivered": True, "error": None}
    (request,) = receiver.requests
    assert Webhook(made["secret"]).verify(request.body, request.headers)["type"] == "test"
    receiver.status = 500
    assert person.post(f"/webhooks/{made['id']}/test").json() == {"delivered": False, "error": "Status500"}


def test_tries_are_limited(near: TestClient, session: Session, receiver: Receiver) -> None:
    """So that nobody has us call somebody all day."""
    person = people_of(near, session).company
    made = person.create("/webhooks", {"url": receiver.url})
    statuses = [person.post(f"/webhooks/{made['id']}/test").status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]


def test_what_failed_is_listed_and_sent_again(session: Session, people: People) -> None:
    """One, or all; as the same deliveries, so with the ids of before."""
    made = people.company.create("/webhooks", {"url": URL})
    kinds = (NoticeKind.STEP_DUE, NoticeKind.DISCLOSED, NoticeKind.STEP_OVERDUE)
    ids = [str(_failed(session, people.company, made, kind).public_id) for kind in kinds]
    path = f"/webhooks/{made['id']}"
    listed = people.company.read(f"{path}/failures")["items"]
    assert {item["id"] for item in listed} == set(ids)
    assert {(item["attempts"], item["error"]) for item in listed} == {(12, "Status500")}
    assert people.company.post(f"{path}/replay", {"delivery": ids[0]}).json() == {"replayed": 1}
    assert people.company.post(f"{path}/replay", {"delivery": ids[0]}).status_code == 404
    assert people.company.post(f"{path}/replay", {}).json() == {"replayed": 2}
    session.expire_all()
    waiting = session.scalars(select(Delivery).where(Delivery.channel == Channel.WEBHOOK)).all()
    assert {(one.state, one.attempts) for one in waiting} == {(DeliveryState.WAITING, 0)}
    assert people.company.read(f"{path}/failures")["items"] == []


def test_one_that_is_off_sends_nothing_again(session: Session, people: People) -> None:
    """It has to be switched on first."""
    made = people.company.create("/webhooks", {"url": URL})
    _failed(session, people.company, made)
    people.company.patch(f"/webhooks/{made['id']}", {"active": False})
    assert people.company.post(f"/webhooks/{made['id']}/replay", {}).status_code == 409
