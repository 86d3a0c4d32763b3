"""What the office of a cluster does by its pages: people, settings, organisations, webhooks, the record."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enmusubi.app.models import Account, ClusterSettings, Delivery, Match, Organisation, WebhookEndpoint
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, Channel, DeliveryState, MatchStatus, NoticeKind, Role
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_person, a_seed, a_webhook
from tests.app.records import link_all
from tests.web.conftest import Enter


def _handled(session: Session, people: People, count: int) -> list[Match]:
    made = []
    for _ in range(count):
        match = a_match(session, a_need(session, people.cluster), a_seed(session, people.cluster))
        match.status, match.coordinator_id = MatchStatus.SHORTLISTED, people.coordinator.caller.id
        made.append(match)
    session.commit()
    return made


def test_a_coordinator_leaves(people: People, client: TestClient, session: Session, enter: Enter) -> None:
    """The page says how many matches are open, and gives them to another one in the same step."""
    matches = _handled(session, people, 2)
    follower = a_person(client, session, people.cluster, Role.COORDINATOR)
    session.commit()
    leaving = people.coordinator
    gone = enter(leaving)
    browser = enter(people.administrator, "en")
    path = f"/people/{leaving.caller.public_id}/deactivate"
    page = browser.open(path)
    assert "handles 2 matches" in page
    wrong = browser.send(path, to=str(people.company.caller.public_id))
    assert wrong.status_code == 422
    assert session.get_one(Account, leaving.caller.id).active, "both or neither"
    assert browser.send(path, to=str(follower.caller.public_id)).headers["location"] == "/people?done=deactivated"
    session.expire_all()
    assert not session.get_one(Account, leaving.caller.id).active
    assert {session.get_one(Match, match.id).coordinator_id for match in matches} == {follower.caller.id}
    assert gone.get("/account").status_code == 303
    back = f"/people/{leaving.caller.public_id}/reactivate"
    assert back in browser.open("/people")
    assert "Let in again" in browser.open(back)
    assert browser.send(back).status_code == 303
    session.expire_all()
    assert session.get_one(Account, leaving.caller.id).active


def test_nobody_deactivates_themselves(people: People, enter: Enter) -> None:
    """Said in words, with the page again."""
    browser = enter(people.administrator)
    reply = browser.send(f"/people/{people.administrator.caller.public_id}/deactivate")
    assert reply.status_code == 422
    assert "自分のアカウントは停止できません" in reply.text


def test_sides_see_their_own_people_alone(people: People, enter: Enter) -> None:
    """A company lists its own accounts, and nobody else's."""
    page = enter(people.company).open("/people")
    assert "company person" in page
    assert "university person" not in page
    assert "/deactivate" not in page


def test_settings_of_the_cluster(people: People, session: Session, enter: Enter) -> None:
    """Changed by an administrator, by version; a coordinator reads them."""
    browser = enter(people.administrator)
    page = browser.open("/settings")
    fields = dict(re.findall(r'name="(\w+)" type="number" value="(\d+)"', page))
    assert len(fields) == 12
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    sent = {**fields, "review_before_publication": "both", "answer_days": "7", "version": version}
    assert browser.send("/settings", **{**sent, "answer_days": ""}).status_code == 422
    assert browser.send("/settings", **{**sent, "answer_days": "0"}).status_code == 422
    assert browser.send("/settings", **sent).status_code == 303
    row = session.scalars(
        select(ClusterSettings).where(ClusterSettings.cluster_id == people.cluster.id).execution_options(
            populate_existing=True
        )
    ).one()  # fmt: skip
    assert (row.answer_days, row.review_before_publication) == (7, "both")
    assert browser.send("/settings", **{**sent, "answer_days": "9"}).status_code == 412
    coordinator = enter(people.coordinator)
    shown = coordinator.open("/settings")
    assert "7日" in shown
    assert 'action="/settings"' not in shown
    assert coordinator.send("/settings", **sent).status_code == 403


def test_organisations(people: People, session: Session, enter: Enter) -> None:
    """Added once, found, revised by version, withdrawn; a name that is taken is said so with the form again."""
    browser = enter(people.coordinator, "en")
    once = re.findall(r'name="once" value="([^"]+)"', browser.open("/organisations/new"))[0]
    fields = {"once": once, "name": "氷川精機", "name_en": "Hikawa Precision", "kind": "company", "size_band": "21-100"}
    for _ in range(2):
        assert browser.send("/organisations/new", **fields).status_code == 303
    made = session.scalars(select(Organisation).where(Organisation.name == "氷川精機")).one()
    assert "Hikawa Precision" in browser.open("/organisations?q=hikawa&kind=company")
    taken = browser.send("/organisations/new", **{**fields, "once": "another"})
    assert taken.status_code == 409
    assert "another organisation of the cluster has this name" in taken.text
    path = f"/organisations/{made.public_id}"
    assert browser.send(path, name="氷川精機", kind="company", region="北海道", version="1").status_code == 303
    assert browser.send(path, name="x", kind="company", version="1").status_code == 412
    session.refresh(made)
    assert (made.region, made.name_en, made.size_band) == ("北海道", None, None)
    reader = enter(people.university)
    assert reader.send(path, name="x", kind="company", version="2").status_code in (403, 404)
    assert browser.send(f"{path}/withdraw", version=str(made.version)).status_code == 303
    assert "氷川精機" not in browser.open("/organisations")


def test_webhooks(people: People, session: Session, enter: Enter) -> None:
    """Refused where they may not reach, shown with their state, switched off, given a secret once, removed."""
    browser = enter(people.company, "en")
    once = re.findall(r'name="once" value="([^"]+)"', browser.open("/webhooks/new"))[0]
    refused = browser.send("/webhooks/new", once=once, url="http://10.0.0.1/hook")
    assert refused.status_code == 422
    made = browser.send("/webhooks/new", once=once, url="https://hooks.example.org/e", events=["alert"])
    assert made.status_code == 200
    (secret,) = re.findall(r"whsec_[\w+/=]+", made.text)
    endpoint = session.scalars(select(WebhookEndpoint)).one()
    path = f"/webhooks/{endpoint.public_id}"
    page = browser.open(path)
    assert secret not in page + browser.open("/webhooks")
    assert 'value="alert" checked' in page
    assert browser.send(path, version="1").status_code == 303  # neither ticked: off, all kinds
    session.refresh(endpoint)
    assert (endpoint.active, endpoint.events) == (False, [])
    rotated = browser.send(f"{path}/secret", version=str(endpoint.version))
    (second,) = re.findall(r"whsec_[\w+/=]+", rotated.text)
    assert second != secret
    assert enter(people.university).get(path).status_code == 404
    assert browser.send(f"{path}/remove").status_code == 303
    assert session.scalars(select(WebhookEndpoint)).all() == []


def test_what_a_webhook_did_not_take(people: People, session: Session, enter: Enter) -> None:
    """It is listed, and sent again when the webhook is on; a try tells how it went."""
    endpoint = a_webhook(session, people.administrator.caller)
    notice = notify(session, cluster_id=people.cluster.id, kind=NoticeKind.STEP_DUE, audience=Audience.COORDINATORS)
    session.add(
        Delivery(notice_id=notice.id, channel=Channel.WEBHOOK, endpoint_id=endpoint.id, state=DeliveryState.FAILED,
                 attempts=12, last_error="ConnectError")
    )  # fmt: skip
    endpoint.active = False
    session.commit()
    browser = enter(people.administrator, "en")
    path = f"/webhooks/{endpoint.public_id}"
    page = browser.open(path)
    assert "a step is due" in page
    assert "12 attempts" in page
    off = browser.send(f"{path}/replay")
    assert (off.status_code, "switch it on first" in off.text) == (409, True)
    session.execute(update(WebhookEndpoint).values(active=True))
    session.commit()
    assert browser.send(f"{path}/replay").headers["location"] == f"{path}?done=replayed"
    assert "It has taken everything." in browser.open(path)
    tried = browser.send(f"{path}/try")
    assert (tried.status_code, "The try was not taken" in tried.text) == (200, True)


@pytest.mark.parametrize("role", [Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR])
def test_the_record(people: People, client: TestClient, session: Session, enter: Enter, role: Role) -> None:
    """Filtered, in words, and as a file; wrong filters are said so."""
    reader = a_person(client, session, people.cluster, role)
    session.commit()
    browser = enter(reader, "en")
    link_all(session)
    session.commit()
    page = browser.open("/record?action=signed_in&kind=account")
    assert "<td>signed in</td>" in page
    assert "No event fits." in browser.open("/record?action=exported&since=2026-01-01&until=2026-01-02")
    wrong = browser.get("/record?object=x&since=yesterday")
    assert wrong.status_code == 422
    assert "is not an id" in wrong.text
    assert "is not a date" in wrong.text
    file = browser.get("/record/export?after=0")
    assert "attachment" in file.headers["content-disposition"]
    assert all(json.loads(line) for line in file.text.splitlines())
    assert browser.get("/record/export?after=x").status_code == 422
