"""One's own notices: everything one was told, in one's language, whether or not letters went out."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.delivering.dispatching import dispatch
from enmusubi.app.delivering.outbound import outbound_for
from enmusubi.app.erasing import erase_account
from enmusubi.app.mail import post_office
from enmusubi.app.models import Account, Delivery, Match, Notice
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, NoticeKind
from tests.app.browsers import a_browser
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_seed
from tests.conftest import RolledBackDatabase


@pytest.fixture
def match(session: Session, people: People) -> Match:
    """A match of the company and the university."""
    need = a_need(session, people.cluster, people.company.organisation)
    made = a_match(session, need, a_seed(session, people.cluster, people.university.organisation))
    session.commit()
    return made


def _told(
    database: RolledBackDatabase, session: Session, settings: Settings, match: Match, audience: Audience,
    kind: NoticeKind = NoticeKind.STEP_DUE,
) -> Notice:  # fmt: skip
    """A notice that has been dispatched."""
    notice = notify(
        session, cluster_id=match.cluster_id, kind=kind, audience=audience, match=match, facts={"due_on": "2027-02-03"}
    )
    session.commit()
    dispatch(outbound_for(settings, database.for_service.session, post_office(settings)), notice.id)
    return notice


def test_a_notice_is_listed_for_its_readers_alone(
    database: RolledBackDatabase, session: Session, settings: Settings, people: People, match: Match
) -> None:
    """With what it is about, in the language of who reads it; no letter was sent, for want of a mail server."""
    session.get_one(Account, people.company.caller.id).language = "en"
    _told(database, session, settings, match, Audience.NEED_SIDE)
    (shown,) = people.company.read("/notices")["items"]
    assert (shown["kind"], shown["subject"]) == ("step_due", "A step is due")
    assert "Due: 2027-02-03" in shown["text"]
    assert (shown["match"], shown["need"], shown["seed"]) == (str(match.public_id), None, None)
    assert (shown["facts"], shown["read"], shown["letter"]) == ({"due_on": "2027-02-03"}, None, "stopped")
    for other in (people.university, people.coordinator, people.administrator):
        assert other.read("/notices")["items"] == []


def test_it_is_listed_in_japanese_too(
    database: RolledBackDatabase, session: Session, settings: Settings, people: People, match: Match
) -> None:
    """The language of the account."""
    _told(database, session, settings, match, Audience.COORDINATORS)
    (shown,) = people.coordinator.read("/notices")["items"]
    assert shown["subject"] == "期限が近づいています"
    assert "期限：2027-02-03" in shown["text"]


def test_the_list_has_pages(
    database: RolledBackDatabase, session: Session, settings: Settings, people: People, match: Match
) -> None:
    """Each notice on one of them."""
    kinds = (NoticeKind.INTEREST_ASKED, NoticeKind.STEP_DUE, NoticeKind.STEP_OVERDUE)
    for kind in kinds:
        _told(database, session, settings, match, Audience.SEED_SIDE, kind)
    found, cursor = [], None
    while True:
        page = people.university.read("/notices", limit=1, **({"cursor": cursor} if cursor else {}))
        found += [item["kind"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(found) == sorted(kinds)


def test_reading_is_noted_once(
    database: RolledBackDatabase, session: Session, settings: Settings, people: People, match: Match
) -> None:
    """The first time counts; others' notices are not there."""
    _told(database, session, settings, match, Audience.NEED_SIDE)
    (shown,) = people.company.read("/notices")["items"]
    first = people.company.post(f"/notices/{shown['id']}/read").json()["read"]
    assert first is not None
    assert people.company.post(f"/notices/{shown['id']}/read").json()["read"] == first
    assert people.company.read("/notices")["items"][0]["read"] == first
    for other in (people.university, people.coordinator, people.administrator):
        assert other.post(f"/notices/{shown['id']}/read").status_code == 404


def test_which_letters_come_is_ones_own_choice(session: Session, people: People) -> None:
    """All at first; only those that ask for an answer, if one likes."""
    browser = a_browser(session, people.company)
    assert browser.get("/account").json()["letters"] == "all"
    assert browser.must("PATCH", "/account", {"letters": "needed"})["letters"] == "needed"
    assert browser.call("PATCH", "/account", {"letters": "none"}).status_code == 422
    assert session.scalars(select(Account.letters).where(Account.id == people.company.caller.id)).one() == "needed"


def test_an_erased_account_leaves_no_notices(
    database: RolledBackDatabase, session: Session, settings: Settings, people: People, match: Match
) -> None:
    """What it was told is deleted with its name."""
    _told(database, session, settings, match, Audience.NEED_SIDE)
    account = session.get_one(Account, people.company.caller.id)
    erase_account(session, account)
    assert session.scalars(select(Delivery.id).where(Delivery.account_id == account.id)).all() == []
