"""One click stops exactly what a letter tells of: without signing in, recorded, and by a secret kept as a hash."""

from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.alerting.stopping import stop_link
from enmusubi.app.caller import acting_as_service
from enmusubi.app.delivering.attempts import attempt
from enmusubi.app.delivering.dispatching import dispatch
from enmusubi.app.delivering.outbound import outbound_for
from enmusubi.app.mail import post_office
from enmusubi.app.models import Account, AlertStop, Delivery, Notice, RecordEvent
from enmusubi.app.vocabulary import Action, Channel, NoticeKind
from tests.app.alerting.conftest import Work
from tests.app.conftest import People
from tests.app.factories import a_need
from tests.conftest import RolledBackDatabase
from tests.mailbox import Mailbox

WORDS = "frost resistant kerbstone"
ADDRESS = "https://enmusubi.example.org"


def _link(database: RolledBackDatabase, notice: Notice) -> str:
    """The link of the letter to a notice's reader."""
    with database.for_service.session() as session, acting_as_service(session):
        stored = session.get_one(Notice, notice.id)
        made = Delivery(notice=stored, channel=Channel.EMAIL, account_id=notice.account_id, state="waiting")
        link = stop_link(ADDRESS, session, made)
        session.commit()
    assert link is not None
    return link


def _path(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def _notices(people: People, session: Session, work: Work, **frequencies: str) -> list[Notice]:
    """A match and something found for a saved search, told to the company."""
    a_need(session, people.cluster, people.company.organisation, title=WORDS)
    session.commit()
    work.forget_what_waits()
    people.coordinator.patch("/alerts/settings", {"frequency": "never"})
    people.company.patch("/alerts/settings", {"frequency": frequencies["entries"]})
    people.company.create("/saved-searches", {"name": "Winter", "text": WORDS, "frequency": frequencies["search"]})
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    work.digest()
    return work.notices()


def _frequencies(people: People) -> tuple[str, str]:
    (search,) = people.company.read("/saved-searches")["items"]
    return people.company.read("/alerts/settings")["frequency"], search["frequency"]


def test_what_each_link_stops(
    client: TestClient, database: RolledBackDatabase, people: People, session: Session, work: Work
) -> None:
    """That of a match: alerts of entries; that of a search: this search; the other goes on."""
    of_match, of_search = _notices(people, session, work, entries="at_once", search="at_once")
    assert (of_match.kind, of_match.match_id is None) == (NoticeKind.ALERT, False)
    reply = client.post(_path(_link(database, of_search)), data={"List-Unsubscribe": "One-Click"})
    assert reply.status_code == 200
    assert (reply.json()["stops"], reply.json()["search"]) == ("search", "Winter")
    assert reply.json()["text"].startswith("この検索条件についての")
    assert _frequencies(people) == ("at_once", "never")
    assert client.get(_path(_link(database, of_match))).json()["stops"] == "entries"
    assert _frequencies(people) == ("never", "never")


def test_the_link_of_a_digest(
    client: TestClient, database: RolledBackDatabase, people: People, session: Session, work: Work
) -> None:
    """Stops all that comes daily, and not what comes at once; as often as it is opened; recorded once."""
    (digest,) = _notices(people, session, work, entries="daily", search="daily")
    people.company.create("/saved-searches", {"name": "Now", "text": WORDS, "frequency": "at_once"})
    link = _path(_link(database, digest))
    for _ in range(2):
        assert client.post(link).json()["stops"] == "daily"
    kept = {search["name"]: search["frequency"] for search in people.company.read("/saved-searches")["items"]}
    assert kept == {"Winter": "never", "Now": "at_once"}
    assert people.company.read("/alerts/settings")["frequency"] == "never"
    events = session.scalars(select(RecordEvent).where(RecordEvent.action == Action.ALERTS_STOPPED)).all()
    assert [(event.role, event.content) for event in events] == [("company", '{"stops":"daily"}')]
    assert events[0].actor is not None


def test_the_letter_of_a_search_that_is_gone_stops_nothing_else(
    database: RolledBackDatabase, people: People, session: Session, work: Work
) -> None:
    """It was written before its person removed the search, and is sent after: alerts of entries go on."""
    _, of_search = _notices(people, session, work, entries="at_once", search="at_once")
    (search,) = people.company.read("/saved-searches")["items"]
    gone = people.company.call("DELETE", f"/saved-searches/{search['id']}", None, {"If-Match": "*"})
    assert gone.status_code == 204
    with database.for_service.session() as working, acting_as_service(working):
        stored = working.get_one(Notice, of_search.id)
        letter = Delivery(notice=stored, channel=Channel.EMAIL, account_id=stored.account_id, state="waiting")
        assert stop_link(ADDRESS, working, letter) is None
    assert people.company.read("/alerts/settings")["frequency"] == "at_once"


def test_nothing_is_guessed_or_fetched_ahead(
    client: TestClient, database: RolledBackDatabase, people: People, session: Session, work: Work
) -> None:
    """An unknown secret is 404; a browser that prefetches stops nothing; the database holds a hash alone."""
    (digest,) = _notices(people, session, work, entries="daily", search="daily")
    link = _link(database, digest)
    (secret,) = parse_qs(urlsplit(link).query)["secret"]
    assert secret.startswith(opaque.STOP)
    assert client.post(f"/api/v1/alerts/stop?secret={opaque.new(opaque.STOP)}").status_code == 404
    assert client.get(_path(link), headers={"Sec-Purpose": "prefetch"}).status_code == 403
    assert _frequencies(people) == ("daily", "daily")
    (stored,) = session.scalars(select(AlertStop))
    assert stored.token_hash == opaque.digest(secret)
    assert _link(database, digest) != link


def test_the_letter(
    people: People, database: RolledBackDatabase, session: Session, work: Work, mailbox: Mailbox
) -> None:
    """It goes out with the headers of RFC 8058, in its reader's language."""
    account = session.get_one(Account, people.company.caller.id)
    account.email = account.email_key = "company@example.org"
    account.language = "en"
    session.commit()
    (digest,) = _notices(people, session, work, entries="daily", search="daily")
    settings = work.settings.model_copy(
        update={"smtp_url": f"smtp://127.0.0.1:{mailbox.port}", "mail_from": "e@example.org", "public_url": ADDRESS}
    )
    settings = type(settings).model_validate(settings.model_dump())
    outbound = outbound_for(
        settings, database.for_service.session, post_office(settings), stop_link=partial(stop_link, ADDRESS)
    )
    dispatch(outbound, digest.id)
    attempt(outbound, session.scalars(select(Delivery.id)).one())
    (letter,) = mailbox.letters
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = str(letter["List-Unsubscribe"]).replace("\n", "").replace(" ", "").strip("<>")
    assert stop.startswith(f"{ADDRESS}/api/v1/alerts/stop?secret={opaque.STOP}")
    assert "New candidates" in str(letter["Subject"])
    assert people.company.client.post(_path(stop)).status_code == 200
    assert _frequencies(people) == ("never", "never")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_without_its_secret(client: TestClient, method: str) -> None:
    """422, as any call that lacks something."""
    assert client.request(method, "/api/v1/alerts/stop").status_code == 422
