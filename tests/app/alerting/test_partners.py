"""New entries find their partners: as the policies have it, once, and told to whom it concerns."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.alerting.chores import chores_for
from enmusubi.app.models import Match, Need, NeedOpening, RecordEvent, Seed, SeedOpening, ToMatch
from enmusubi.app.vocabulary import Action, EntryStatus, NoticeKind, Role
from tests.app.alerting.conftest import Work
from tests.app.clocks import MovedClock
from tests.app.conftest import People, people_of
from tests.app.factories import a_need, a_person, a_seed, a_university, days_from_now

WORDS = "frost resistant kerbstone"


def _waiting(session: Session) -> int:
    session.expire_all()
    return len(session.scalars(select(ToMatch)).all())


def _pairs(session: Session) -> set[tuple[int, int]]:
    session.expire_all()
    return {(match.need_id, match.seed_id) for match in session.scalars(select(Match))}


def test_a_new_seed_finds_needs(people: People, session: Session, work: Work) -> None:
    """Nobody has to ask: the pair is stored as the need ranks it, and its company and coordinator are told."""
    need = a_need(session, people.cluster, people.company.organisation, title=WORDS)
    session.commit()
    work.match()
    assert work.alerts() == []
    seed = people.university.create("/seeds", {"title": f"{WORDS} additive"})
    assert work.match() == 1
    match = session.scalars(select(Match)).one()
    assert (match.need_id, match.asking, match.status) == (need.id, "need", "suggested")
    assert {alert.account_id for alert in work.alerts()} == {people.company.caller.id, people.coordinator.caller.id}
    event = session.scalars(select(RecordEvent).where(RecordEvent.action == Action.PROPOSED)).one()
    assert (event.role, event.actor, event.object) == ("service", None, need.public_id)
    assert people.company.read(f"/matches/{match.public_id}")["seed"]["id"] == seed["id"]
    assert _waiting(session) == 0


def test_a_new_need_finds_seeds(people: People, session: Session, work: Work) -> None:
    """The university that owns one is told, and the coordinator; not the company that has just posted it."""
    a_seed(session, people.cluster, people.university.organisation, title=WORDS)
    session.commit()
    work.match()
    people.company.create("/needs", {"title": f"{WORDS} wanted"})
    work.match()
    assert {alert.account_id for alert in work.alerts()} == {people.university.caller.id, people.coordinator.caller.id}


def test_a_pair_is_told_of_once(people: People, session: Session, work: Work) -> None:
    """Also where both entries are new, and where they are revised afterwards."""
    need = a_need(session, people.cluster, people.company.organisation, title=WORDS)
    seed = a_seed(session, people.cluster, people.university.organisation, title=WORDS)
    session.commit()
    assert work.match() == 2
    told = sorted(alert.account_id for alert in work.alerts())
    assert len(told) == len(set(told))
    people.university.patch(f"/seeds/{seed.public_id}", {"summary": WORDS})
    people.company.patch(f"/needs/{need.public_id}", {"summary": WORDS})
    assert work.match() == 2
    assert sorted(alert.account_id for alert in work.alerts()) == told


@pytest.mark.parametrize("state", ["draft", "on_hold", "published"])
def test_what_is_not_open_waits_until_it_is(people: People, session: Session, work: Work, state: str) -> None:
    """Whatever brings it there: posted, revised, or taken from hold."""
    a_need(session, people.cluster, people.company.organisation, title=WORDS)
    session.commit()
    work.forget_what_waits()
    body = {"title": WORDS, "status": state, "open_for_interest": state != "published"}
    path = f"/seeds/{people.university.create('/seeds', body)['id']}"
    assert work.match() == 0
    assert _pairs(session) == set()
    people.university.patch(path, {"status": "published", "open_for_interest": True})
    assert work.match() == 1
    assert len(_pairs(session)) == 1


def test_what_has_no_vector_yet_waits_for_it(people: People, session: Session, work: Work) -> None:
    """As rows of a file do until they are embedded; others behind them are matched meanwhile."""
    a_need(session, people.cluster, people.company.organisation, title=WORDS)
    bare = a_seed(session, people.cluster, people.university.organisation, encoder=None, title=WORDS)
    ready = a_seed(session, people.cluster, people.university.organisation, title=WORDS)
    session.commit()
    assert work.match() == 2
    assert {seed for _, seed in _pairs(session)} == {ready.id}
    assert _waiting(session) == 1
    session.get_one(Seed, bare.id).embedding = None
    assert work.match() == 0


def test_excluded_own_and_dismissed_pairs_are_told_to_nobody(
    client: TestClient, people: People, session: Session, work: Work
) -> None:
    """Whom a need excludes is not proposed; a verdict between matching and digest drops the alert."""
    assert people.university.organisation is not None
    name = people.university.organisation.name
    a_need(session, people.cluster, people.company.organisation, title=WORDS, excluded_organisations=[name])
    session.commit()
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    assert _pairs(session) == set()
    assert work.alerts() == []
    people.company.create("/needs", {"title": f"{WORDS} once more"})
    work.match()
    match = session.scalars(select(Match)).one()
    verdict = {"verdict": "dismiss", "reason": "out_of_scope"}
    assert people.coordinator.post(f"/matches/{match.public_id}/reviews", verdict, If_Match="*").status_code == 201
    assert work.digest() == 0
    assert all(alert.dropped for alert in work.alerts())
    assert people.university.read("/alerts")["items"] == []
    people.university.patch(f"/seeds/{session.get_one(Seed, match.seed_id).public_id}", {"reference": "R"})
    work.match()
    work.pass_days(1)
    assert work.digest() == 0


def test_nobody_is_told_of_what_he_may_not_see(client: TestClient, session: Session, work: Work) -> None:
    """Another cluster's people hear nothing, unless the entry is opened to them."""
    here, there = people_of(client, session), people_of(client, session)
    a_need(session, here.cluster, here.company.organisation, title=WORDS)
    seed = a_seed(session, there.cluster, there.university.organisation, title=WORDS)
    session.commit()
    work.match()
    assert _pairs(session) == set()
    session.add(SeedOpening(seed_id=seed.id, cluster_id=here.cluster.id))
    session.get_one(Seed, seed.id).open_for_interest = False
    session.commit()
    session.get_one(Seed, seed.id).open_for_interest = True
    session.commit()
    work.match()
    assert len(_pairs(session)) == 1
    assert {alert.account_id for alert in work.alerts()} == {here.company.caller.id, here.coordinator.caller.id}


def test_a_need_that_is_opened_finds_seeds_there(client: TestClient, session: Session, work: Work) -> None:
    """A university of the other cluster is told of it, by its own seed, which its cluster's coordinators match not."""
    here, there = people_of(client, session), people_of(client, session)
    seed = a_seed(session, there.cluster, there.university.organisation, title=WORDS)
    other = a_person(client, session, there.cluster, Role.UNIVERSITY, a_university(session, there.cluster))
    session.commit()
    work.forget_what_waits()
    need = a_need(session, here.cluster, here.company.organisation, title=WORDS)
    session.add(NeedOpening(need_id=need.id, cluster_id=there.cluster.id))
    session.commit()
    work.match()
    assert _pairs(session) == {(need.id, seed.id)}
    told = {alert.account_id for alert in work.alerts()}
    assert told == {there.university.caller.id}
    assert other.caller.id not in told


def test_below_the_floor_nothing_is_proposed(people: People, session: Session, work: Work) -> None:
    """Neither stored nor told."""
    a_need(session, people.cluster, people.company.organisation, title=WORDS)
    a_seed(session, people.cluster, people.university.organisation, title=WORDS)
    session.commit()
    work.matchmaking.floor = 1.0
    assert work.match() == 2
    assert _pairs(session) == set()
    assert work.alerts() == []


def test_an_expired_entry_is_forgotten(people: People, session: Session, work: Work) -> None:
    """It waits no longer."""
    seed = a_seed(session, people.cluster, people.university.organisation, title=WORDS)
    session.commit()
    assert _waiting(session) == 1
    session.get_one(Seed, seed.id).expires_on = days_from_now(-1)
    session.commit()
    assert work.match() == 0
    assert _waiting(session) == 0


def test_at_once_or_never(people: People, session: Session, work: Work) -> None:
    """Who wants it at once gets a notice of each, up to the cap of a week; who wants none is not told."""
    for number in range(5):
        a_need(session, people.cluster, people.company.organisation, title=f"{WORDS} {number}")
    session.commit()
    work.forget_what_waits()
    assert people.company.patch("/alerts/settings", {"frequency": "at_once"}).json() == {"frequency": "at_once"}
    people.coordinator.patch("/alerts/settings", {"frequency": "never"})
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    assert {alert.account_id for alert in work.alerts()} == {people.company.caller.id}
    assert [notice.kind for notice in work.notices()] == [NoticeKind.ALERT] * 3
    assert {notice.account_id for notice in work.notices()} == {people.company.caller.id}
    assert len(people.company.read("/alerts")["items"]) == 3


def test_the_entry_is_matched_for_whoever_publishes_it(people: People, session: Session) -> None:
    """The queue is written by the database, with the entry itself."""
    need = a_need(session, people.cluster, people.company.organisation, title=WORDS, status=EntryStatus.DRAFT)
    session.commit()
    assert _waiting(session) == 0
    session.get_one(Need, need.id).status = EntryStatus.PUBLISHED
    session.commit()
    assert [row.need_id for row in session.scalars(select(ToMatch))] == [need.id]


def test_the_worker_does_it(client: TestClient, people: People, session: Session, work: Work) -> None:
    """As chores of its own, in the order of their urgency; each finds out by itself what is left to do."""
    chores = chores_for(work.settings, work.matchmaking)
    assert [(chore.name, chore.minutes) for chore in chores] == [
        ("match-new", 1),
        ("alert-digest", 15),
        ("declines-digest", 60),
    ]
    a_need(session, people.cluster, people.company.organisation, title=WORDS)
    session.commit()
    people.university.create("/seeds", {"title": WORDS})
    for chore in chores:
        assert chore.run(work.database.for_service.session, MovedClock(work.now))
    told = {notice.account_id for notice in work.notices()}
    assert told == {people.company.caller.id, people.coordinator.caller.id, people.university.caller.id}
