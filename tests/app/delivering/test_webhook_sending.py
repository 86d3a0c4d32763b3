"""Notices as webhooks: whose they are, how they are signed, and what happens to endpoints that do not answer."""

import datetime
import json

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from enmusubi.app.delivering.attempts import ATTEMPTS, FAILING_FOR
from enmusubi.app.models import Delivery, Notice, WebhookEndpoint
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, Channel, DeliveryState, NoticeKind
from tests.app.delivering.conftest import Office
from tests.app.factories import a_match, a_need, a_seed, a_university, an_organisation


def _webhooks(office: Office) -> list[Delivery]:
    return [one for one in office.deliveries() if one.channel == Channel.WEBHOOK]


def test_it_is_signed_after_the_specification(office: Office) -> None:
    """The specification's own library accepts it, and refuses it for another secret or a changed body."""
    endpoint = office.webhook()
    notice = office.notice(due_on="2027-02-03")
    office.work()
    (request,) = office.receiver.requests
    content = Webhook(endpoint.secret).verify(request.body, request.headers)
    assert content["type"] == "step_due"
    assert content["data"] == {
        "notice": str(notice.public_id), "audience": "coordinators", "facts": {"due_on": "2027-02-03"}
    }  # fmt: skip
    assert datetime.datetime.fromisoformat(content["timestamp"]).tzinfo is not None
    assert request.headers["webhook-id"] == str(_webhooks(office)[0].public_id)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_c29tZXRoaW5nIGVsc2U=").verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(request.body + b" ", request.headers)


def test_both_secrets_sign_for_a_day(office: Office) -> None:
    """After a change of the secret a receiver that knows the old one still follows; a day later it does not."""
    endpoint = office.webhook()
    former = endpoint.secret
    endpoint.former_secret, endpoint.secret = former, "whsec_YSBuZXcgc2VjcmV0"
    endpoint.rotated = office.clock.now()
    office.notice()
    office.work()
    office.clock.forward(hours=25)
    office.notice()
    office.work()
    first, second = office.receiver.requests
    for secret in (former, endpoint.secret):
        Webhook(secret).verify(first.body, first.headers)
    assert len(second.headers["webhook-signature"].split()) == 1


def test_each_side_has_its_own(office: Office) -> None:
    """A company's webhook gets what its side is told, a university's and the cluster's theirs; ids and facts alone."""
    session, cluster = office.session, office.cluster
    company, university = an_organisation(session, cluster), a_university(session, cluster)
    match = a_match(session, a_need(session, cluster, company), a_seed(session, cluster, university))
    owners = {
        Audience.NEED_SIDE: office.webhook(company.id).id,
        Audience.SEED_SIDE: office.webhook(university.id).id,
        Audience.COORDINATORS: office.webhook().id,
    }
    office.webhook(an_organisation(session, cluster).id)
    for audience, endpoint_id in owners.items():
        notify(session, cluster_id=cluster.id, kind=NoticeKind.DISCLOSED, audience=audience, match=match)
        session.commit()
        office.receiver.requests.clear()
        office.work()
        (request,) = office.receiver.requests
        data = json.loads(request.body)["data"]
        assert (data["match"], data["audience"]) == (str(match.public_id), audience)
        assert set(data) == {"notice", "audience", "match", "facts"}
        assert _webhooks(office)[-1].endpoint_id == endpoint_id


def test_only_kinds_that_were_named_are_sent(office: Office) -> None:
    """All where none was."""
    office.webhook(None, NoticeKind.HANDED_OVER)
    office.notice(NoticeKind.STEP_DUE)
    office.notice(NoticeKind.HANDED_OVER)
    office.work()
    assert [json.loads(request.body)["type"] for request in office.receiver.requests] == ["handed_over"]


@pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500])
def test_what_is_not_taken_is_tried_again_with_the_same_id(office: Office, status: int) -> None:
    """Whatever is no success; a redirect is not followed."""
    endpoint = office.webhook()
    office.receiver.status, office.receiver.location = status, "http://127.0.0.1/elsewhere"
    office.notice()
    office.work()
    assert _webhooks(office)[0].last_error == f"Status{status}"
    office.session.refresh(endpoint)
    assert endpoint.failing_since == office.clock.now()
    office.receiver.status = 200
    office.clock.forward(minutes=1)
    office.work()
    first, second = office.receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert _webhooks(office)[0].state == DeliveryState.SENT
    office.session.refresh(endpoint)
    assert endpoint.failing_since is None


def _fail_for_days(office: Office) -> None:
    office.receiver.status = 500
    begun = office.clock.now()
    while office.clock.now() - begun <= FAILING_FOR:
        office.notice()
        office.work()
        office.clock.forward(hours=20)
    office.notice()
    office.work()


def test_an_endpoint_that_fails_for_days_is_switched_off_and_its_owner_told(office: Office) -> None:
    """What it did not take is kept, also what comes while it is off."""
    endpoint = office.webhook()
    _fail_for_days(office)
    office.session.refresh(endpoint)
    assert not endpoint.active
    told = select(Notice).where(Notice.kind == NoticeKind.WEBHOOK_OFF)
    (notice,) = office.session.scalars(told)
    assert (notice.account_id, notice.facts) == (office.coordinator.id, {"webhook": str(endpoint.public_id)})
    before, known = len(office.receiver.requests), len(_webhooks(office))
    office.notice()
    office.clock.forward(days=1)
    office.work()
    assert len(office.receiver.requests) == before
    assert len(_webhooks(office)) == known + 1
    kept = [one for one in _webhooks(office) if one.state == DeliveryState.FAILED]
    assert len(kept) == len(_webhooks(office))
    assert {one.last_error for one in kept} >= {"EndpointOff"}
    assert "[Enmusubi] A webhook was switched off" in [letter["Subject"] for letter in office.mailbox.letters]


def test_gone_switches_it_off_at_once(office: Office) -> None:
    """As the specification asks, status 410 is an answer."""
    endpoint = office.webhook()
    office.receiver.status = 410
    office.notice()
    office.work()
    office.session.refresh(endpoint)
    assert not endpoint.active
    assert _webhooks(office)[0].state == DeliveryState.FAILED


def test_it_is_given_up_after_the_last_attempt(office: Office) -> None:
    """While others succeed, so that the endpoint stays on."""
    office.webhook()
    office.notice()
    office.work()
    first = _webhooks(office)[0]
    first.state, first.attempts, first.next_attempt = DeliveryState.WAITING, ATTEMPTS - 1, office.clock.now()
    office.session.commit()
    office.receiver.status = 500
    office.work()
    assert _webhooks(office)[0].state == DeliveryState.FAILED
    assert office.session.scalars(select(WebhookEndpoint.active)).one()
