"""Who sees what: every role, every owner, every status, through every way of asking."""

import uuid
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from enmusubi.app.models import Need, NeedOpening, Organisation, Seed, SeedOpening
from enmusubi.app.vocabulary import EntryStatus, OrganisationKind, Role
from tests.app.conftest import People, people_of
from tests.app.factories import (
    EXPIRED,
    STATES,
    Person,
    a_cluster,
    a_match,
    a_need,
    a_person,
    a_seed,
    an_organisation,
    put_into,
    ranked_ids,
)

PUBLISHED, DRAFT, ON_HOLD, WITHDRAWN = (
    EntryStatus.PUBLISHED,
    EntryStatus.DRAFT,
    EntryStatus.ON_HOLD,
    EntryStatus.WITHDRAWN,
)
FOLLOWED = {PUBLISHED, ON_HOLD, WITHDRAWN, EXPIRED}
WORDS = "frost resistant kerbstone"


@dataclass(frozen=True)
class Scene:
    """Two clusters with people of every role, and colleagues of the owners in the first one."""

    session: Session
    here: People
    there: People
    owner: Person
    entries: dict[tuple[str, bool], str]
    """Public ids by state and by whether the entry is opened to the other cluster."""


def _scene(client: TestClient, session: Session, kind: type[Seed] | type[Need]) -> Scene:
    here, there = people_of(client, session), people_of(client, session)
    owner = here.university if kind is Seed else here.company
    entries = {}
    for state in STATES:
        for opened in (False, True):
            make = a_seed if kind is Seed else a_need
            entry: Seed | Need = make(
                session, here.cluster, owner.organisation, title=f"{WORDS} {state}", language="en"
            )
            put_into(entry, state)
            if opened and isinstance(entry, Seed):
                session.add(SeedOpening(seed_id=entry.id, cluster_id=there.cluster.id))
            elif opened:
                session.add(NeedOpening(need_id=entry.id, cluster_id=there.cluster.id))
            entries[state, opened] = str(entry.public_id)
    session.commit()
    return Scene(session, here, there, owner, entries)


@pytest.fixture
def seeds(client: TestClient, session: Session) -> Scene:
    """A university's seeds in every state, each once opened to the other cluster and once not."""
    return _scene(client, session, Seed)


@pytest.fixture
def needs(client: TestClient, session: Session) -> Scene:
    """A company's needs in every state, each once opened to the other cluster and once not."""
    return _scene(client, session, Need)


def _seen(scene: Scene, states: set[str], *, opened_only: bool = False) -> set[str]:
    return {
        public_id
        for (state, opened), public_id in scene.entries.items()
        if state in states and (opened or not opened_only)
    }


def _check(person: Person, kind: str, scene: Scene, expected: set[str]) -> None:
    """The same entries are seen by id, in the list, by text search and by filter."""
    for public_id in scene.entries.values():
        status = person.get(f"/{kind}/{public_id}").status_code
        assert status == (200 if public_id in expected else 404), (person.role, public_id)
    for query in ({}, {"q": "kerbstone FROST"}, {"language": "en"}):
        listed = {item["id"] for item in person.read(f"/{kind}", limit=200, **query)["items"]}
        assert listed == expected, (person.role, query)
    for state in (PUBLISHED, DRAFT, ON_HOLD, WITHDRAWN):
        listed = {item["id"] for item in person.read(f"/{kind}", status=state)["items"]}
        assert listed <= expected


def test_seeds_by_every_way_of_reading(seeds: Scene, client: TestClient, session: Session) -> None:
    """Published seeds are seen in their cluster and where they are opened; owners see all of their own,
    coordinators all but drafts."""
    here, there = seeds.here, seeds.there
    other_university = a_person(client, session, here.cluster, Role.UNIVERSITY)
    colleague = a_person(client, session, here.cluster, Role.UNIVERSITY, seeds.owner.organisation)
    everything, published = set(seeds.entries.values()), _seen(seeds, {PUBLISHED})
    opened = _seen(seeds, {PUBLISHED}, opened_only=True)
    for person, expected in [
        (seeds.owner, everything),
        (colleague, everything),
        (other_university, published),
        (here.company, published),
        (here.coordinator, _seen(seeds, FOLLOWED)),
        (here.administrator, _seen(seeds, FOLLOWED)),
        *((person, opened) for person in there),
    ]:
        _check(person, "seeds", seeds, expected)


def test_needs_by_every_way_of_reading(needs: Scene, client: TestClient, session: Session) -> None:
    """Published needs are seen by universities and coordinators, never by other companies."""
    here, there = needs.here, needs.there
    competitor = a_person(client, session, here.cluster, Role.COMPANY)
    colleague = a_person(client, session, here.cluster, Role.COMPANY, needs.owner.organisation)
    everything, published = set(needs.entries.values()), _seen(needs, {PUBLISHED})
    opened = _seen(needs, {PUBLISHED}, opened_only=True)
    for person, expected in [
        (needs.owner, everything),
        (colleague, everything),
        (competitor, set[str]()),
        (here.university, published),
        (here.coordinator, _seen(needs, FOLLOWED)),
        (here.administrator, _seen(needs, FOLLOWED)),
        (there.company, set[str]()),
        (there.university, opened),
        (there.coordinator, opened),
        (there.administrator, opened),
    ]:
        _check(person, "needs", needs, expected)


def test_where_a_need_comes_from_may_name_its_owner(needs: Scene) -> None:
    """Source and external id select only where the owner may be known, which is recorded; a list shows them to none."""
    here = needs.here
    for person, knows in [(needs.owner, True), (here.coordinator, True), (here.university, False)]:
        listed = person.read("/needs", source="test")["items"]
        assert bool(listed) == knows, person.role
        shown = person.read("/needs", limit=200)["items"]
        assert all((item["source"] == "test") == (person is needs.owner) for item in shown), person.role
    one = needs.entries[PUBLISHED, False]
    assert [view["through"] for view in here.coordinator.read(f"/needs/{one}/views")["items"]] == ["list"]


def test_confidential_details(needs: Scene, client: TestClient, session: Session) -> None:
    """Details are read by the need's own organisation and the coordinators of its cluster, by no one else."""
    here, there = needs.here, needs.there
    colleague = a_person(client, session, here.cluster, Role.COMPANY, needs.owner.organisation)
    readers = (needs.owner, colleague, here.coordinator)
    others = (here.university, here.administrator, there.university, there.coordinator, there.administrator)
    for person in (*readers, *others):
        listed = person.read("/needs", limit=200)["items"]
        assert listed
        for item in listed:
            alone = person.read(f"/needs/{item['id']}")
            assert item["confidential"] is None  # a list shows nobody's: who looks, looks at one
            told = ("confidential", "source", "external_id", "reference", "created", "last_modified", "grown_from")
            assert {name: value for name, value in alone.items() if name not in told} == {
                name: value for name, value in item.items() if name not in told
            }
            assert (alone["confidential"] is not None) == (person in readers), person.role
            assert alone["organisation"] is None  # anonymous: only the confidential part names the owner
            if person in readers:
                assert needs.owner.organisation is not None
                assert alone["confidential"]["owner"]["name"] == needs.owner.organisation.name


def test_matching_proposes_what_is_open_and_seen(seeds: Scene, client: TestClient, session: Session) -> None:
    """POST /match and a need's matches hold the published seeds that the asker sees, and nothing else."""
    here, there = seeds.here, seeds.there
    published = _seen(seeds, {PUBLISHED})
    opened = _seen(seeds, {PUBLISHED}, opened_only=True)
    need_here = str(a_need(session, here.cluster, here.company.organisation, title=WORDS).public_id)
    need_there = str(a_need(session, there.cluster, there.company.organisation, title=WORDS).public_id)
    session.commit()
    for person in here:
        others = set() if person.role is Role.UNIVERSITY else published  # all of them are its own
        assert set(ranked_ids(person.post("/match", {"text": WORDS}).json())) == others, person.role
    for person in there:
        assert set(ranked_ids(person.post("/match", {"text": WORDS}).json())) == opened, person.role
    for person, need, expected in [
        (here.company, need_here, published),
        (here.coordinator, need_here, published),
        (here.administrator, need_here, published),
        (here.university, need_here, published),  # its own seeds
        (there.company, need_there, opened),
        (there.coordinator, need_there, opened),
    ]:
        assert set(ranked_ids(person.read(f"/needs/{need}/matches"))) == expected, person.role
    bystander = a_person(client, session, here.cluster, Role.UNIVERSITY)
    assert ranked_ids(bystander.read(f"/needs/{need_here}/matches")) == []
    assert seeds.owner.get(f"/needs/{need_there}/matches").status_code == 404


def test_matching_in_the_other_direction(needs: Scene, client: TestClient, session: Session) -> None:
    """A seed's matches and a match against needs hold the published needs that the asker sees."""
    here, there = needs.here, needs.there
    published = _seen(needs, {PUBLISHED})
    opened = _seen(needs, {PUBLISHED}, opened_only=True)
    seed_here = str(a_seed(session, here.cluster, here.university.organisation, title=WORDS).public_id)
    seed_there = a_seed(session, there.cluster, there.university.organisation, title=WORDS)
    session.add(SeedOpening(seed_id=seed_there.id, cluster_id=here.cluster.id))
    competitor = a_person(client, session, here.cluster, Role.COMPANY)
    bystander = a_person(client, session, here.cluster, Role.UNIVERSITY)
    session.commit()
    asked = {"text": WORDS, "against": "needs"}
    for person, expected in [
        (needs.owner, set[str]()),  # its own are not proposed to it
        (competitor, set[str]()),
        (here.university, published),
        (here.coordinator, published),
        (there.company, set[str]()),
        (there.university, opened),
        (there.coordinator, opened),
    ]:
        assert set(ranked_ids(person.post("/match", asked).json())) == expected, person.role
    for person, seed, expected in [
        (here.university, seed_here, published),
        (here.coordinator, seed_here, published),
        (here.administrator, seed_here, published),
        (needs.owner, seed_here, published),  # its own needs
        (competitor, seed_here, set[str]()),
        (bystander, seed_here, set[str]()),
        (there.university, str(seed_there.public_id), opened),
        (there.coordinator, str(seed_there.public_id), set[str]()),  # the need's cluster coordinates
        (here.coordinator, str(seed_there.public_id), published),
    ]:
        assert set(ranked_ids(person.read(f"/seeds/{seed}/matches"))) == expected, person.role


@pytest.mark.parametrize("side", ["need", "seed"])
@pytest.mark.parametrize("state", STATES)
def test_matches_by_state_of_their_sides(
    people: People, client: TestClient, session: Session, side: str, state: str
) -> None:
    """A match is seen by its two sides and the need's coordinators, each as long as both entries are seen."""
    elsewhere = people_of(client, session)
    bystanders = [
        a_person(client, session, people.cluster, Role.UNIVERSITY),
        a_person(client, session, people.cluster, Role.COMPANY),
    ]
    need = a_need(session, people.cluster, people.company.organisation)
    seed = a_seed(session, people.cluster, people.university.organisation)
    match = a_match(session, need, seed)
    put_into(need if side == "need" else seed, state)
    session.commit()
    owner = people.company if side == "need" else people.university
    other = people.university if side == "need" else people.company
    for person, sees in [
        (owner, True),
        (other, state == PUBLISHED),
        (people.coordinator, state in FOLLOWED),
        (people.administrator, state in FOLLOWED),
        *((person, False) for person in (*bystanders, *elsewhere)),
    ]:
        listed = [item["id"] for item in person.read("/matches")["items"]]
        assert listed == ([str(match.public_id)] if sees else []), person.role
        assert person.get(f"/matches/{match.public_id}").status_code == (200 if sees else 404), person.role
        for query in ({"need": need.public_id}, {"seed": seed.public_id}, {"status": "suggested"}):
            assert bool(person.read("/matches", **query)["items"]) == sees


def test_match_across_clusters(people: People, client: TestClient, session: Session) -> None:
    """An opened pair is seen by both owners and by the coordinators of the need's cluster alone."""
    there = people_of(client, session)
    need = a_need(session, people.cluster, people.company.organisation)
    seed = a_seed(session, there.cluster, there.university.organisation)
    session.add(NeedOpening(need_id=need.id, cluster_id=there.cluster.id))
    opening = SeedOpening(seed_id=seed.id, cluster_id=people.cluster.id)
    session.add(opening)
    match = a_match(session, need, seed)
    session.commit()
    path = f"/matches/{match.public_id}"
    assert [person.get(path).status_code for person in people] == [200, 404, 200, 200]
    assert [person.get(path).status_code for person in there] == [404, 200, 404, 404]
    session.delete(opening)
    session.commit()
    assert [person.get(path).status_code for person in people] == [404, 404, 404, 404]
    assert there.university.get(path).status_code == 200


def test_excluded_organisation_no_longer_sees_an_earlier_match(people: People, session: Session) -> None:
    """An exclusion made after a match was proposed takes it away from the excluded side."""
    assert people.university.organisation is not None
    need = a_need(session, people.cluster, people.company.organisation)
    seed = a_seed(session, people.cluster, people.university.organisation)
    match = a_match(session, need, seed)
    session.commit()
    path = f"/matches/{match.public_id}"
    assert people.university.get(path).status_code == 200
    excluded = {"excluded_organisations": [people.university.organisation.name]}
    assert people.company.patch(f"/needs/{need.public_id}", excluded).status_code == 200
    assert people.university.get(path).status_code == 404
    assert people.university.read("/matches")["items"] == []
    assert people.coordinator.get(path).status_code == 200


@pytest.fixture
def organisations(people: People, client: TestClient, session: Session) -> dict[str, Organisation]:
    """Organisations of every kind, among them a company that names itself in a need and one that does not."""
    made = {
        "university": an_organisation(session, people.cluster, OrganisationKind.UNIVERSITY),
        "institute": an_organisation(session, people.cluster, OrganisationKind.PUBLIC_RESEARCH),
        "core": an_organisation(session, people.cluster, OrganisationKind.CORE),
        "silent": an_organisation(session, people.cluster),
        "anonymous": an_organisation(session, people.cluster),
        "named": an_organisation(session, people.cluster),
        "named in a draft": an_organisation(session, people.cluster),
        "elsewhere": an_organisation(session, a_cluster(session), OrganisationKind.UNIVERSITY),
    }
    a_need(session, people.cluster, made["anonymous"])
    a_need(session, people.cluster, made["named"], anonymous=False)
    a_need(session, people.cluster, made["named in a draft"], anonymous=False, status="draft")
    session.commit()
    return made


PUBLIC = {"university", "institute", "core"}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.COMPANY, PUBLIC),
        (Role.UNIVERSITY, PUBLIC | {"named"}),
        (Role.COORDINATOR, PUBLIC | {"silent", "anonymous", "named", "named in a draft"}),
        (Role.CLUSTER_ADMINISTRATOR, PUBLIC | {"silent", "anonymous", "named", "named in a draft"}),
    ],
)
def test_organisations(people: People, organisations: dict[str, Organisation], role: Role, expected: set[str]) -> None:
    """Companies are seen by others only where they name themselves; nothing of another cluster is seen."""
    person = people.of(role)
    listed = {item["id"] for item in person.read("/organisations", limit=200)["items"]}
    for name, organisation in organisations.items():
        sees = name in expected
        assert person.get(f"/organisations/{organisation.public_id}").status_code == (200 if sees else 404), name
        assert (str(organisation.public_id) in listed) == sees, name
        found = person.read("/organisations", q=organisation.name)["items"]
        assert bool(found) == sees, name
    if person.organisation is not None:
        assert person.get(f"/organisations/{person.organisation.public_id}").status_code == 200


def test_what_may_be_written_by_whom(people: People, client: TestClient, session: Session) -> None:
    """Owners and their coordinators change an entry; to all others it is forbidden or not there at all."""
    there = people_of(client, session)
    seed = str(a_seed(session, people.cluster, people.university.organisation).public_id)
    need = str(a_need(session, people.cluster, people.company.organisation).public_id)
    competitor = a_person(client, session, people.cluster, Role.COMPANY)
    bystander = a_person(client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    for person, on_seed, on_need in [
        (people.university, 200, 403),
        (people.company, 403, 200),
        (people.coordinator, 200, 200),
        (people.administrator, 403, 403),
        (competitor, 403, 404),
        (bystander, 403, 403),
        (there.university, 404, 404),
        (there.company, 404, 404),
        (there.coordinator, 404, 404),
        (there.administrator, 404, 404),
    ]:
        assert person.patch(f"/seeds/{seed}", {"summary": "s"}).status_code == on_seed, person.role
        assert person.patch(f"/needs/{need}", {"summary": "s"}).status_code == on_need, person.role
    for person in (people.administrator, competitor, bystander, *there):
        assert person.withdraw(f"/seeds/{seed}").status_code in (403, 404)
        assert person.withdraw(f"/needs/{need}").status_code in (403, 404)
    assert people.company.post("/seeds", {"title": "T"}).status_code == 403
    assert people.university.post("/needs", {"title": "T"}).status_code == 403
    assert people.administrator.post("/seeds", {"title": "T"}).status_code == 403
    assert people.administrator.post("/needs", {"title": "T"}).status_code == 403


def test_nobody_enters_for_another_organisation(people: People, client: TestClient, session: Session) -> None:
    """Only coordinators name an owner, and only one of their cluster."""
    there = people_of(client, session)
    other = an_organisation(session, people.cluster, OrganisationKind.UNIVERSITY)
    session.commit()
    assert there.university.organisation is not None
    body = {"title": "T", "organisation": str(other.public_id)}
    assert people.university.post("/seeds", body).status_code == 403
    assert people.coordinator.create("/seeds", body)["organisation"]["id"] == body["organisation"]
    foreign = {"title": "T", "organisation": str(there.university.organisation.public_id)}
    assert people.coordinator.post("/seeds", foreign).status_code == 404
    assert people.coordinator.post("/seeds", {**foreign, "organisation": str(uuid.uuid4())}).status_code == 404


def test_opening_to_other_clusters(people: People, client: TestClient, session: Session) -> None:
    """An entry opened to another cluster is seen there until it is closed again."""
    there = people_of(client, session)
    body = {"title": "T", "opened_to": [str(there.cluster.public_id)]}
    seed = people.university.create("/seeds", body)["id"]
    need = people.company.create("/needs", body)["id"]
    assert there.company.get(f"/seeds/{seed}").status_code == 200
    assert there.university.get(f"/needs/{need}").status_code == 200
    assert there.company.get(f"/needs/{need}").status_code == 404
    people.university.patch(f"/seeds/{seed}", {"opened_to": []})
    people.company.patch(f"/needs/{need}", {"opened_to": None})
    assert there.company.get(f"/seeds/{seed}").status_code == 404
    assert there.university.get(f"/needs/{need}").status_code == 404
    for wrong in (str(uuid.uuid4()), str(people.cluster.public_id)):
        assert people.university.post("/seeds", {"title": "T", "opened_to": [wrong]}).status_code == 422


def test_a_coordinator_cannot_enter_a_draft_nobody_would_see(people: People) -> None:
    """A draft belongs to its owner, so a coordinator is told to publish it or put it on hold."""
    for path in ("/seeds", "/needs"):
        reply = people.coordinator.post(path, {"title": "T", "status": "draft"})
        assert reply.status_code == 422
        assert "draft" in reply.json()["detail"]
        held = people.coordinator.create(path, {"title": "T", "status": "on_hold"})
        assert people.coordinator.patch(f"{path}/{held['id']}", {"status": "draft"}).status_code == 422
