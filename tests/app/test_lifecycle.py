"""The life of entries: steps that are possible, those that are not, and the second pair of eyes."""

import datetime
import json
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enmusubi.app.caller import act_as, acting_as_service
from enmusubi.app.catalogue import expiring, lifecycle
from enmusubi.app.catalogue.lifecycle import By
from enmusubi.app.clock import SystemClock
from enmusubi.app.errors import ConflictError
from enmusubi.app.models import Need, Notice, RecordEvent, Seed
from enmusubi.app.vocabulary import Action, Audience, EntryStatus, EntryStep, NoticeKind, Role
from tests.app.conftest import People
from tests.app.factories import Json, Person, a_need, a_person, a_seed
from tests.conftest import RolledBackDatabase

TODAY = SystemClock().today()
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Kind:
    """Seeds or needs, with who owns them."""

    path: str
    model: type[Seed] | type[Need]
    owner: Person
    people: People

    def create(self, **fields: object) -> str:
        """The path of a new entry."""
        made = self.owner.create(self.path, {"title": "Frost", **fields})
        return f"{self.path}/{made['id']}"

    def put(self, session: Session, path: str, **values: object) -> None:
        """Bring an entry into a state, whatever the rules on the way there."""
        public_id = path.rpartition("/")[2]
        session.execute(update(self.model).where(self.model.public_id == public_id).values(**values))
        session.commit()


@pytest.fixture(params=["seeds", "needs"])
def kind(request: pytest.FixtureRequest, people: People) -> Kind:
    """Both kinds, one after the other."""
    if request.param == "seeds":
        return Kind("/seeds", Seed, people.university, people)
    return Kind("/needs", Need, people.company, people)


@pytest.fixture
def reviewed(kind: Kind) -> Kind:
    """The same in a cluster that has both looked at before they are published."""
    review(kind.people, "both")
    return kind


def review(people: People, what: str) -> None:
    """Have a cluster review these kinds."""
    reply = people.administrator.patch(
        f"/clusters/{people.cluster.public_id}/settings", {"review_before_publication": what}
    )
    assert reply.status_code == 200, reply.text


def take(person: Person, path: str, step: str, **body: object) -> Json:
    """Take a step that must be possible; where the entry stands then."""
    reply = person.call("POST", f"{path}/{step}", body or None, {"If-Match": "*"})
    assert reply.status_code == 200, reply.text
    stands: Json = reply.json()
    return stands


def refused(person: Person, path: str, step: str, **body: object) -> Json:
    """Take a step that is not possible now."""
    reply = person.call("POST", f"{path}/{step}", body or None, {"If-Match": "*"})
    assert reply.status_code == 409, reply.text
    said: Json = reply.json()
    return said


def notices(session: Session, kind: NoticeKind) -> list[str]:
    """The audiences of all notices of a kind."""
    return list(session.scalars(select(Notice.audience).where(Notice.kind == kind).order_by(Notice.id)))


@pytest.mark.parametrize("status", EntryStatus)
@pytest.mark.parametrize("step", EntryStep)
def test_a_step_leads_on_or_names_those_that_are_possible(step: EntryStep, status: EntryStatus) -> None:
    """The machine is closed: each step from each status is either possible, or refused with what is."""
    by = lifecycle.MACHINE[step].by
    if step in lifecycle.possible(status, by, review_due=True):
        assert lifecycle.after(step, status, review_due=True) in EntryStatus
    else:
        with pytest.raises(ConflictError) as error:
            lifecycle.after(step, status, review_due=True)
        assert error.value.extra["possible"] == lifecycle.possible(status, by, review_due=True)


def test_every_status_is_reached_and_only_withdrawal_is_final() -> None:
    """No status is a dead end but that one, and none is there for nothing."""
    ends = {end for rule in lifecycle.MACHINE.values() for end in rule.leads.values()}
    assert ends == set(EntryStatus)
    closed = {status for status in EntryStatus if not lifecycle.possible(status, By.OWNER)}
    assert closed == {EntryStatus.WITHDRAWN}


def test_a_whole_life(kind: Kind) -> None:
    """Draft, published, held, taken up again, archived, taken up again, withdrawn; no way back from there."""
    path = kind.create(status="draft")
    stands = [take(kind.owner, path, step) for step in ("submit", "hold", "resume", "archive", "resume")]
    assert [each["status"] for each in stands] == ["published", "on_hold", "published", "archived", "published"]
    assert [each["version"] for each in stands] == [2, 3, 4, 5, 6]
    assert stands[0]["published_on"] == TODAY.isoformat()
    assert stands[0]["steps"] == ["recall", "hold", "renew", "archive", "withdraw"]
    kind.owner.withdraw(path)
    assert kind.owner.read(f"{path}/lifecycle")["steps"] == []
    said = refused(kind.owner, path, "resume")
    assert (said["possible"], said["detail"].endswith("possible now: none")) == ([], True)
    assert kind.owner.withdraw(path).status_code == 409


def test_illegal_steps_name_the_legal_ones(kind: Kind) -> None:
    """409, and the entry stays as it was."""
    path = kind.create()
    for step in ("submit", "resume"):
        said = refused(kind.owner, path, step)
        assert said["possible"] == ["recall", "hold", "renew", "archive", "withdraw"]
        assert "archive" in said["detail"]
    assert kind.owner.read(f"{path}/lifecycle")["version"] == 1
    take(kind.owner, path, "archive")
    assert kind.owner.patch(path, {"status": "on_hold"}).status_code == 409


def test_steps_need_the_version_that_was_read(kind: Kind) -> None:
    """As every change."""
    path = kind.create()
    assert kind.owner.call("POST", f"{path}/hold").status_code == 428
    assert kind.owner.call("POST", f"{path}/hold", None, {"If-Match": '"7"'}).status_code == 412
    assert kind.owner.call("POST", f"{path}/hold", None, {"If-Match": '"1"'}).headers["etag"] == '"2"'


def test_steps_are_recorded(kind: Kind, session: Session) -> None:
    """What step, and the status it led to."""
    path = kind.create()
    take(kind.owner, path, "hold")
    found = session.scalars(select(RecordEvent.content).where(RecordEvent.action == Action.MOVED)).all()
    assert found == ['{"status":"on_hold","step":"hold","version":2}']


def test_a_change_of_status_is_a_step(kind: Kind, session: Session) -> None:
    """PATCH goes by the same machine, and an owner takes a published entry back to a draft by it."""
    path = kind.create()
    for asked in ("on_hold", "published", "draft", "published"):
        assert kind.owner.patch(path, {"status": asked}).json()["status"] == asked
    kind.put(session, path, status="expired", expires_on=TODAY - DAY)
    assert kind.owner.patch(path, {"summary": "Still to be read"}).json()["status"] == "expired"
    assert kind.owner.patch(path, {"status": "published"}).status_code == 409
    renewed = kind.owner.patch(path, {"expires_on": (TODAY + DAY).isoformat()}).json()
    assert renewed["status"] == "published"


def test_renewal(kind: Kind, session: Session) -> None:
    """365 days from today, or to the day named; also of what has expired, which comes back."""
    path = kind.create(expires_on=(TODAY + DAY).isoformat())
    assert take(kind.owner, path, "renew")["expires_on"] == (TODAY + 365 * DAY).isoformat()
    kind.put(session, path, status="expired", expires_on=TODAY - DAY, expiry_noticed_on=TODAY - 15 * DAY)
    back = take(kind.owner, path, f"renew?expires_on={TODAY + 30 * DAY}")
    assert (back["status"], back["expires_on"]) == ("published", (TODAY + 30 * DAY).isoformat())
    assert session.scalar(select(kind.model.expiry_noticed_on)) is None
    for wrong in (TODAY - DAY, TODAY + 732 * DAY):
        reply = kind.owner.call("POST", f"{path}/renew?expires_on={wrong}", None, {"If-Match": "*"})
        assert reply.status_code == 422


def test_what_is_past_its_day_is_not_taken_up_again(kind: Kind, session: Session) -> None:
    """It would be published and unseen; renewing it comes first."""
    path = kind.create(status="on_hold")
    kind.put(session, path, expires_on=TODAY - DAY)
    assert "renew" in refused(kind.owner, path, "resume")["possible"]
    take(kind.owner, path, "renew")
    assert take(kind.owner, path, "resume")["status"] == "published"


def test_a_second_pair_of_eyes(reviewed: Kind, session: Session) -> None:
    """What is posted waits, is seen by nobody else, is told to coordinators, and is published by their word."""
    people, path = reviewed.people, reviewed.create()
    assert reviewed.owner.read(path)["status"] == "under_review"
    other = people.company if reviewed.model is Seed else people.university
    assert other.get(path).status_code == 404
    assert notices(session, NoticeKind.ENTRY_SUBMITTED) == [Audience.COORDINATORS]
    waiting = people.coordinator.read("/waiting", kind=reviewed.path[1:])["items"]
    assert [each["id"] for each in waiting] == [path.rpartition("/")[2]]
    assert people.coordinator.read(f"{path}/lifecycle")["steps"][-2:] == ["approve", "reject"]
    stands = take(people.coordinator, path, "review", verdict="approve")
    assert (stands["status"], stands["published_on"]) == ("published", TODAY.isoformat())
    assert reviewed.owner.read(f"{path}/lifecycle")["reviews"][0]["verdict"] == "approve"
    side = Audience.SEED_SIDE if reviewed.model is Seed else Audience.NEED_SIDE
    assert notices(session, NoticeKind.ENTRY_REVIEWED) == [side]
    assert people.coordinator.read("/waiting", kind=reviewed.path[1:])["items"] == []


def test_what_is_published_by_a_step_is_matched_at_once(reviewed: Kind) -> None:
    """Approved, or taken out of a draft: found without an index being built."""
    people = reviewed.people
    path = reviewed.create(status="draft")
    take(reviewed.owner, path, "submit")
    asked = {"text": "frost", "against": reviewed.path[1:]}
    take(people.administrator, path, "review", verdict="approve")
    found = people.coordinator.call("POST", "/match", asked).json()["ranking"]
    assert [each["entry"]["id"] for each in found] == [path.rpartition("/")[2]]


def test_a_rejection_tells_its_owner_why(reviewed: Kind) -> None:
    """The owner mends and submits it again; the reason is not for those who only oversee."""
    people, path = reviewed.people, reviewed.create()
    assert people.administrator.post(f"{path}/review", {"verdict": "reject"}, If_Match="*").status_code == 422
    take(people.coordinator, path, "review", verdict="reject", reason="Name the material.")
    assert reviewed.owner.read(f"{path}/lifecycle")["reviews"][0]["reason"] == "Name the material."
    assert people.administrator.read(f"{path}/lifecycle")["reviews"][0]["reason"] is None
    assert reviewed.owner.patch(path, {"title": "Frost on steel"}).json()["status"] == "rejected"
    assert take(reviewed.owner, path, "submit")["status"] == "under_review"
    assert take(people.administrator, path, "review", verdict="approve")["status"] == "published"


def test_nobody_reviews_their_own_words(reviewed: Kind, client: TestClient, session: Session) -> None:
    """Neither the owner, nor the coordinator who entered or revised it; another one does."""
    people = reviewed.people
    path = f"{reviewed.path}/{people.coordinator.create(reviewed.path, {'title': 'Frost'})['id']}"
    assert people.coordinator.read(f"{path}/lifecycle")["status"] == "under_review"
    assert "approve" not in people.coordinator.read(f"{path}/lifecycle")["steps"]
    own = reviewed.create()
    for person, where in ((people.coordinator, path), (reviewed.owner, own)):
        reply = person.post(f"{where}/review", {"verdict": "approve"}, If_Match="*")
        assert reply.status_code == 403
    people.coordinator.patch(own, {"title": "Ice"})
    assert people.coordinator.post(f"{own}/review", {"verdict": "approve"}, If_Match="*").status_code == 403
    another = a_person(client, session, people.cluster, Role.COORDINATOR)
    session.commit()
    assert take(another, path, "review", verdict="approve")["status"] == "published"


def test_a_verdict_is_on_the_words_that_were_read(reviewed: Kind) -> None:
    """412 where they were revised since, and 409 where nothing waits."""
    people, path = reviewed.people, reviewed.create()
    reviewed.owner.patch(path, {"title": "Ice"})
    body = {"verdict": "approve"}
    assert people.coordinator.post(f"{path}/review", body, If_Match='"1"').status_code == 412
    assert people.coordinator.post(f"{path}/review", body, If_Match='"2"').status_code == 200
    assert people.coordinator.post(f"{path}/review", body, If_Match="*").status_code == 409


def test_a_revision_of_what_is_published_is_looked_at_afterwards(reviewed: Kind) -> None:
    """It stays published and is marked; a verdict takes the mark away, or the entry off the catalogue."""
    people, path = reviewed.people, reviewed.create()
    take(people.coordinator, path, "review", verdict="approve")
    reviewed.owner.patch(path, {"reference": "R-2"})
    assert not reviewed.owner.read(f"{path}/lifecycle")["review_due"]
    assert reviewed.owner.patch(path, {"title": "Ice"}).json()["status"] == "published"
    assert reviewed.owner.read(f"{path}/lifecycle")["review_due"]
    stands = take(people.coordinator, path, "review", verdict="approve")
    assert (stands["status"], stands["review_due"]) == ("published", False)
    reviewed.owner.patch(path, {"title": "Ice and snow"})
    assert take(people.coordinator, path, "review", verdict="reject", reason="No.")["status"] == "rejected"


def test_no_way_around_the_second_pair_of_eyes(reviewed: Kind) -> None:
    """Held, archived or taken back before anybody looked, it waits when it is to be published after all."""
    held = reviewed.create(status="on_hold")
    assert take(reviewed.owner, held, "resume")["status"] == "under_review"
    seen = reviewed.create()
    take(reviewed.people.coordinator, seen, "review", verdict="approve")
    take(reviewed.owner, seen, "hold")
    assert take(reviewed.owner, seen, "resume")["status"] == "published"
    reviewed.owner.patch(seen, {"status": "draft"})
    reviewed.owner.patch(seen, {"status": "on_hold"})
    assert take(reviewed.owner, seen, "resume")["status"] == "under_review"
    take(reviewed.people.coordinator, seen, "review", verdict="reject", reason="No.")
    take(reviewed.owner, seen, "archive")
    assert take(reviewed.owner, seen, "resume")["status"] == "under_review"


def test_only_the_kinds_that_a_cluster_names_are_reviewed(people: People) -> None:
    """Seeds alone, needs alone, or none."""
    found = {}
    for what in ("off", "seeds", "needs"):
        review(people, what)
        seed, need = people.university.create("/seeds", {"title": "S"}), people.company.create("/needs", {"title": "N"})
        found[what] = (seed["status"], need["status"])
    assert found == {
        "off": ("published", "published"),
        "seeds": ("under_review", "published"),
        "needs": ("published", "under_review"),
    }


def test_settings_of_a_cluster(people: People, session: Session) -> None:
    """Every cluster has some; administrators change them by version, and it is recorded."""
    path = f"/clusters/{people.cluster.public_id}/settings"
    reply = people.coordinator.get(path)
    assert (reply.json()["review_before_publication"], reply.headers["etag"]) == ("off", '"1"')
    assert people.administrator.patch(path, {"review_before_publication": "seeds"}, '"1"').status_code == 200
    assert people.administrator.patch(path, {"review_before_publication": "off"}, '"1"').status_code == 412
    assert people.administrator.patch(path, {"review_before_publication": None}).status_code == 422
    said = session.scalars(select(RecordEvent.content).where(RecordEvent.kind == "cluster")).all()
    assert said == ['{"review_before_publication":"seeds","version":2}']


def by_clock(database: RolledBackDatabase, today: datetime.date) -> tuple[int, int]:
    """What the clock does of a day, with the rights of the service: how many were told, and how many expired."""
    with database.for_service.session() as session, acting_as_service(session):
        done = expiring.expiring(session, today), expiring.expire(session, today)
        session.commit()
        return done


def test_expiry_by_the_clock(database: RolledBackDatabase, people: People, session: Session) -> None:
    """Owners are told once, two weeks before; after the last day entries expire, once, and the record says so."""
    last = TODAY + 30 * DAY
    seed = a_seed(session, people.cluster, people.university.organisation, expires_on=last)
    need = a_need(session, people.cluster, people.company.organisation, expires_on=last, status="on_hold")
    nobodys = a_seed(session, people.cluster, None, expires_on=last)
    draft = a_seed(session, people.cluster, people.university.organisation, expires_on=last, status="draft")
    session.commit()
    assert by_clock(database, last - 15 * DAY) == (0, 0)
    assert by_clock(database, last - 14 * DAY) == (3, 0)
    assert by_clock(database, last) == (0, 0)
    assert sorted(notices(session, NoticeKind.ENTRY_EXPIRING)) == ["coordinators", "need_side", "seed_side"]
    assert by_clock(database, last + DAY) == (0, 3)
    assert by_clock(database, last + DAY) == (0, 0)
    for entry in (seed, need, nobodys, draft):
        session.refresh(entry)
    assert [seed.status, need.status, nobodys.status, draft.status] == ["expired", "expired", "expired", "draft"]
    event = session.scalars(select(RecordEvent).where(RecordEvent.object == need.public_id)).one()
    said = {"before": "on_hold", "status": "expired", "step": "expire", "version": need.version}
    assert (event.role, event.actor, json.loads(event.content or "")) == ("service", None, said)
    assert len(notices(session, NoticeKind.ENTRY_EXPIRED)) == 3


def test_no_account_makes_the_clock_strike(database: RolledBackDatabase, people: People, session: Session) -> None:
    """The functions of the clock do nothing on an account's behalf."""
    a_seed(session, people.cluster, people.university.organisation, expires_on=TODAY + DAY)
    session.commit()
    with database.for_service.session() as asking:
        act_as(asking, people.university.caller)
        later = TODAY + 100 * DAY
        assert asking.execute(select(func.expire_seeds(later, 10))).all() == []
        assert asking.execute(select(func.notice_expiring_seeds(TODAY, later, 10))).all() == []
