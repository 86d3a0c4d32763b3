"""The daily digest: at the set hour in Japan, once a day, up to so many a week, and how many more wait."""

import datetime

from sqlalchemy.orm import Session

from enmusubi.app.delivering.texts import said
from enmusubi.app.models import Notice
from enmusubi.app.vocabulary import EntryStatus, Language, NoticeKind
from tests.app.alerting.conftest import Work
from tests.app.conftest import People
from tests.app.factories import a_need

WORDS = "frost resistant kerbstone"


def _five_alerts(people: People, session: Session, work: Work) -> None:
    """Five needs of the company, and a new seed that fits them all; the coordinator wants to hear of none."""
    for number in range(5):
        a_need(session, people.cluster, people.company.organisation, title=f"{WORDS} {number}")
    session.commit()
    work.forget_what_waits()
    people.coordinator.patch("/alerts/settings", {"frequency": "never"})
    people.university.create("/seeds", {"title": WORDS})
    work.match()


def _facts(notice: Notice) -> tuple[int, int | None]:
    return notice.facts["count"], notice.facts.get("more")


def test_the_digest_comes_once_a_day_at_its_hour(people: People, session: Session, work: Work) -> None:
    """Not before eight in Japan; after that, whenever the worker comes, and no second time that day."""
    _five_alerts(people, session, work)
    assert [alert.sent for alert in work.alerts()] == [None] * 5
    work.now = datetime.datetime(2027, 1, 11, 22, 59, tzinfo=datetime.UTC)
    assert work.digest() == 0
    work.now = datetime.datetime(2027, 1, 11, 23, 0, tzinfo=datetime.UTC)
    assert work.digest() == 1
    work.now += datetime.timedelta(hours=3)
    assert work.digest() == 0
    (notice,) = work.notices()
    assert (notice.kind, notice.account_id) == (NoticeKind.ALERT_DIGEST, people.company.caller.id)


def test_the_cap_of_a_week(people: People, session: Session, work: Work) -> None:
    """Three of five are told, and that two wait; these come when the week is over."""
    _five_alerts(people, session, work)
    work.digest()
    assert len(people.company.read("/alerts")["items"]) == 3
    work.pass_days(3)
    assert work.digest() == 0
    work.pass_days(4)
    assert work.digest() == 1
    assert [_facts(notice) for notice in work.notices()] == [(3, 2), (2, None)]
    assert len(people.company.read("/alerts")["items"]) == 5
    work.pass_days(9)
    assert work.digest() == 0


def test_in_the_readers_language(people: People, session: Session, work: Work) -> None:
    """How many more wait is said too."""
    _five_alerts(people, session, work)
    work.digest()
    (notice,) = work.notices()
    lines = {Language.EN: "More of them wait for a later digest: 2", Language.JA: "次回以降にお知らせする件数：2"}
    for language, line in lines.items():
        assert line in said(NoticeKind(notice.kind), notice.facts, language).text.splitlines()
    assert all(str(alert.public_id) in notice.facts["alerts"] for alert in work.alerts() if alert.sent)


def test_what_closed_before_its_turn_is_not_told(people: People, session: Session, work: Work) -> None:
    """Withdrawn, on hold or hidden since: nobody hears of it."""
    _five_alerts(people, session, work)
    (seed,) = people.university.read("/seeds")["items"]
    people.university.patch(f"/seeds/{seed['id']}", {"status": EntryStatus.ON_HOLD})
    assert work.digest() == 0
    assert all(alert.dropped for alert in work.alerts())
    assert work.notices() == []


def test_who_stops_it_meanwhile_gets_none(people: People, session: Session, work: Work) -> None:
    """Also of what was found before."""
    _five_alerts(people, session, work)
    people.company.patch("/alerts/settings", {"frequency": "never"})
    assert work.digest() == 0
    people.company.patch("/alerts/settings", {"frequency": "daily"})
    assert work.digest() == 0
