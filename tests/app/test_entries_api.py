"""Create, read, revise and withdraw seeds, needs and organisations."""

from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.app.conftest import People
from tests.app.factories import Json, Person, a_need, a_seed, an_organisation, days_from_now

FULL_SEED: Json = {
    "external_id": "S-1",
    "reference": "Lab 7",
    "title": "Collagen concrete",
    "summary": "It does not freeze.",
    "translation_title": "コラーゲンコンクリート",
    "translation_summary": "凍らない。",
    "applications": "Bridges",
    "technology_keywords": ["collagen", "concrete"],
    "market_keywords": ["bridges"],
    "field_codes": ["IPC:C04B 24/14"],
    "sdgs": [9, 12],
    "regions": ["Hokkaido"],
    "language": "en",
    "open_for_interest": True,
    "description": "Peptides bind ice.",
    "advantages": "No air needed.",
    "open_challenges": "Cost",
    "expected_partner": "A plant",
    "trl": 4,
    "stage": "lab_tested",
    "ipr_status": "applied",
    "ipr_numbers": ["特願2024-012345"],
    "licensable": True,
    "transferable": False,
    "researchers": [{"name": "Hana", "orcid": "0000-0002-1825-0097", "erad_number": "12345678", "researchmap": "hana"}],
}
PUBLIC_NEED: Json = {
    **{name: FULL_SEED[name] for name in list(FULL_SEED)[:14]},
    "expertise_sought": "Ice physics",
    "wanted_trl": 5,
    "cooperation": ["joint_research", "licence"],
    "region_preference": ["Tohoku"],
    "anonymous": True,
}
JIRO = {"name": "Jiro", "orcid": None, "erad_number": None, "researchmap": None}
CONFIDENTIAL: Json = {
    "description": "Why",
    "requirements": "What",
    "constraints": "But",
    "budget_yen": 5,
    "excluded_organisations": ["Rival University"],
}


@dataclass(frozen=True)
class Kind:
    """One kind of thing: where it lives, who enters it, the least that is needed."""

    path: str
    owner: Person
    least: Json


@pytest.fixture(params=["seeds", "needs", "organisations"])
def kind(request: pytest.FixtureRequest, people: People) -> Kind:
    """Each kind in turn."""
    return {
        "seeds": Kind("/seeds", people.university, {"title": "T"}),
        "needs": Kind("/needs", people.company, {"title": "T"}),
        "organisations": Kind("/organisations", people.coordinator, {"name": "N", "kind": "company"}),
    }[request.param]


def test_seed_comes_back_as_it_was_registered(people: People) -> None:
    """Every field that is sent is read back the same, with its owner, status and last day."""
    made = people.university.create("/seeds", FULL_SEED)
    assert people.university.organisation is not None
    assert {name: made[name] for name in FULL_SEED} == FULL_SEED
    assert made["status"] == "published"
    assert made["source"] == f"api/{made['organisation']['id']}"
    assert made["organisation"]["name"] == people.university.organisation.name
    assert made["expires_on"] == days_from_now(365).isoformat()
    assert people.company.read(f"/seeds/{made['id']}") == made


def test_need_comes_back_in_two_tiers(people: People) -> None:
    """The public part is read by all who see the need, the confidential part by its owner."""
    made = people.company.create("/needs", {**PUBLIC_NEED, **CONFIDENTIAL, "deadline": "2099-01-31"})
    assert {name: made[name] for name in PUBLIC_NEED} == PUBLIC_NEED
    assert made["deadline"] == "2099-01-31"
    assert {name: made["confidential"][name] for name in CONFIDENTIAL} == CONFIDENTIAL
    del made["matches"], made["findings"]
    assert people.company.read(f"/needs/{made['id']}") == made
    hidden = {"confidential": None, "source": None, "external_id": None, "reference": None}
    today = {name: made[name][:10] + "T00:00:00Z" for name in ("created", "last_modified")}
    assert people.university.read(f"/needs/{made['id']}") == {**made, **hidden, **today}


def test_organisation_comes_back_as_it_was_added(people: People) -> None:
    """Numbers come back in their normal form."""
    body = {
        "name": "架空大学",
        "name_en": "Kakuu University",
        "kind": "university",
        "region": "北海道",
        "size_band": None,
        "ror": "https://ror.org/02e16g702",
        "corporate_number": "７００００１２０５０００２",
    }
    made = people.administrator.create("/organisations", body)
    expected = {**body, "ror": "02e16g702", "corporate_number": "7000012050002", "withdrawn": False}
    assert {name: made[name] for name in expected} == expected
    assert people.university.read(f"/organisations/{made['id']}") == made


def test_missing_title_is_stored_as_missing(people: People) -> None:
    """No title is made up from another field."""
    made = people.university.create("/seeds", {"summary": "It does not freeze."})
    assert made["title"] is None
    assert people.company.read(f"/seeds/{made['id']}")["title"] is None


def test_longest_texts_are_stored_whole(people: People) -> None:
    """20,000 characters go in and come out, Japanese ones too."""
    longest = "凍" * 20_000
    seed = people.university.create("/seeds", {"title": longest, "description": longest})
    assert people.company.read(f"/seeds/{seed['id']}")["description"] == longest
    need = people.company.create("/needs", {"title": "T", "requirements": longest})
    assert need["confidential"]["requirements"] == longest


def test_creation_says_where_the_new_thing_is(kind: Kind) -> None:
    """201 carries Location and ETag; reading gives the same ETag."""
    reply = kind.owner.post(kind.path, kind.least)
    assert reply.status_code == 201
    assert reply.headers["location"] == f"/api/v1{kind.path}/{reply.json()['id']}"
    read = kind.owner.get(f"{kind.path}/{reply.json()['id']}")
    assert read.headers["etag"] == reply.headers["etag"] == '"1"'


def _change(kind: Kind) -> Json:
    return {"name": "N2"} if kind.path == "/organisations" else {"title": "T2"}


def test_revision_needs_the_version_that_was_read(kind: Kind) -> None:
    """Without If-Match 428, with an old one 412 that names the present one, with the right one a new ETag."""
    path = f"{kind.path}/{kind.owner.create(kind.path, kind.least)['id']}"
    assert kind.owner.call("PATCH", path, _change(kind)).status_code == 428
    first = kind.owner.patch(path, _change(kind), '"1"')
    assert first.status_code == 200, first.text
    assert first.headers["etag"] == '"2"'
    stale = kind.owner.patch(path, _change(kind), '"1"')
    assert stale.status_code == 412
    assert stale.json()["present"] == '"2"'
    assert kind.owner.patch(path, _change(kind), "*").headers["etag"] == '"3"'
    assert kind.owner.get(path).headers["etag"] == '"3"'


@pytest.mark.parametrize("version", ["1", 'W/"1"', '"1", "2"', '"one"', "", '"-1"', '"1'])
def test_other_forms_of_if_match_are_refused(kind: Kind, version: str) -> None:
    """Only what we gave as ETag, or *, is understood."""
    path = f"{kind.path}/{kind.owner.create(kind.path, kind.least)['id']}"
    reply = kind.owner.patch(path, _change(kind), version)
    assert reply.status_code == 422
    assert "If-Match" in reply.json()["detail"]


def test_withdrawal_needs_the_version_that_was_read(kind: Kind) -> None:
    """Withdrawing follows the rules of revising."""
    path = f"{kind.path}/{kind.owner.create(kind.path, kind.least)['id']}"
    assert kind.owner.call("POST", f"{path}/withdraw").status_code == 428
    assert kind.owner.withdraw(path, '"7"').status_code == 412
    withdrawn = kind.owner.withdraw(path, '"1"')
    assert withdrawn.status_code == 200
    assert withdrawn.headers["etag"] == '"2"'
    state = withdrawn.json()
    assert state["withdrawn"] if "withdrawn" in state else state["status"] == "withdrawn"


def test_what_is_withdrawn_stays_so(kind: Kind) -> None:
    """It can be read by its owner and not revised."""
    path = f"{kind.path}/{kind.owner.create(kind.path, kind.least)['id']}"
    kind.owner.withdraw(path)
    assert kind.owner.get(path).status_code == 200
    assert kind.owner.patch(path, _change(kind)).status_code == 409


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"summary": "New"}, {"summary": "New", "title": "Collagen concrete", "trl": 4}),
        ({"summary": None}, {"summary": None, "title": "Collagen concrete"}),
        ({"trl": None, "sdgs": None}, {"trl": None, "sdgs": []}),
        ({"researchers": [{"name": "Jiro"}]}, {"researchers": [JIRO]}),
        ({"status": "on_hold"}, {"status": "on_hold"}),
        ({"status": None}, {"status": "published"}),
        ({"open_for_interest": False}, {"open_for_interest": False}),
        ({}, {"title": "Collagen concrete"}),
    ],
)  # fmt: skip
def test_revision_of_a_seed_is_a_merge_patch(people: People, changes: Json, expected: Json) -> None:
    """Only what is sent changes; null takes away."""
    made = people.university.create("/seeds", FULL_SEED)
    revised = people.university.patch(f"/seeds/{made['id']}", changes)
    assert revised.status_code == 200, revised.text
    same = {name: value for name, value in made.items() if name not in changes and name != "last_modified"}
    assert {name: revised.json()[name] for name in same} == same
    assert {name: revised.json()[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"budget_yen": None}, {"budget_yen": None, "requirements": "What"}),
        ({"excluded_organisations": None}, {"excluded_organisations": []}),
        ({"excluded_organisations": ["A", "B"]}, {"excluded_organisations": ["A", "B"]}),
        ({"title": "New"}, CONFIDENTIAL),
        ({"description": "Because"}, {**CONFIDENTIAL, "description": "Because"}),
    ],
)
def test_revision_of_the_confidential_part(people: People, changes: Json, expected: Json) -> None:
    """Confidential fields are revised like the others, and give the need a new version."""
    made = people.company.create("/needs", {"title": "T", **CONFIDENTIAL})
    revised = people.company.patch(f"/needs/{made['id']}", changes, '"1"')
    assert revised.status_code == 200, revised.text
    assert revised.headers["etag"] == '"2"'
    assert {name: revised.json()["confidential"][name] for name in expected} == expected


def test_taking_away_the_last_day_brings_back_the_usual_one(people: People) -> None:
    """Null for expires_on means 365 days from now, as for a new entry."""
    soon = days_from_now(3).isoformat()
    for person, path in ((people.university, "/seeds"), (people.company, "/needs")):
        made = person.create(path, {"title": "T", "expires_on": soon})
        assert person.patch(f"{path}/{made['id']}", {"title": "U"}).json()["expires_on"] == soon
        renewed = person.patch(f"{path}/{made['id']}", {"expires_on": None}).json()
        assert renewed["expires_on"] == days_from_now(365).isoformat()


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": None, "summary": None},
        {"titel": "T"},
        {"trl": 10},
        {"status": "withdrawn"},
        {"title": "x" * 20_001},
        {"technology_keywords": ["k"] * 201},
    ],
)
def test_revision_that_breaks_a_rule_changes_nothing(people: People, wrong: Json) -> None:
    """A patch is judged by its result, and refused as a whole."""
    made = people.university.create("/seeds", {"title": "T"})
    reply = people.university.patch(f"/seeds/{made['id']}", wrong)
    assert reply.status_code == 422
    assert people.university.read(f"/seeds/{made['id']}") == made


@pytest.mark.parametrize("path", ["/seeds", "/needs"])
def test_lifetimes(people: People, path: str) -> None:
    """An entry lives until today at least and two years at most."""
    owner = people.university if path == "/seeds" else people.company
    for days, status in ((-1, 422), (0, 201), (730, 201), (732, 422)):
        body = {"title": "T", "expires_on": days_from_now(days).isoformat()}
        assert owner.post(path, body).status_code == status, days
    made = owner.create(path, {"title": "T"})["id"]
    assert owner.patch(f"{path}/{made}", {"expires_on": days_from_now(-1).isoformat()}).status_code == 422


def test_past_deadline_is_refused(people: People) -> None:
    """A need whose deadline has passed could never be matched."""
    body = {"title": "T", "deadline": days_from_now(-1).isoformat()}
    assert people.company.post("/needs", body).status_code == 422
    made = people.company.create("/needs", {"title": "T"})["id"]
    assert people.company.patch(f"/needs/{made}", {"deadline": body["deadline"]}).status_code == 422


@pytest.mark.parametrize("path", ["/seeds", "/needs"])
def test_external_id_is_taken_once(people: People, path: str) -> None:
    """Entering or revising to an external id that is taken is a conflict; keeping one's own is not."""
    owner = people.university if path == "/seeds" else people.company
    first = owner.create(path, {"title": "T", "external_id": "X-1"})["id"]
    assert owner.post(path, {"title": "U", "external_id": "X-1"}).status_code == 409
    second = owner.create(path, {"title": "U", "external_id": "X-2"})["id"]
    assert owner.patch(f"{path}/{second}", {"external_id": "X-1"}).status_code == 409
    assert owner.patch(f"{path}/{first}", {"external_id": "X-1", "title": "V"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": " shiomi  UNIVERSITY ", "kind": "university"},
        {"name": "ＳＨＩＯＭＩ Ｕｎｉｖｅｒｓｉｔｙ", "kind": "company"},
        {"name": "Other", "kind": "university", "ror": "02e16g702"},
        {"name": "Other", "kind": "company", "corporate_number": "7000012050002"},
    ],
)
def test_organisation_is_known_by_its_names_and_numbers(people: People, body: Json) -> None:
    """Another spelling of a name, or the same number, is the same organisation."""
    known = {
        "name": "Shiomi University", "kind": "university", "ror": "02e16g702", "corporate_number": "7000012050002",
    }  # fmt: skip
    people.coordinator.create("/organisations", known)
    assert people.coordinator.post("/organisations", body).status_code == 409


def test_organisation_with_open_entries_is_not_withdrawn(people: People, session: Session) -> None:
    """Its seeds, and its needs though they are anonymous, come first."""
    owner = an_organisation(session, people.cluster)
    need = a_need(session, people.cluster, owner)
    seed = a_seed(session, people.cluster, owner)
    session.commit()
    path = f"/organisations/{owner.public_id}"
    people.coordinator.patch(f"/seeds/{seed.public_id}", {"status": "on_hold"})
    # An administrator may not read whose an anonymous need is.
    for person in (people.coordinator, people.administrator):
        assert person.withdraw(path).status_code == 409
    people.coordinator.withdraw(f"/needs/{need.public_id}")
    assert people.coordinator.withdraw(path).status_code == 409
    people.coordinator.withdraw(f"/seeds/{seed.public_id}")
    need = a_need(session, people.cluster, owner)
    session.commit()
    assert people.administrator.withdraw(path).status_code == 409
    people.coordinator.withdraw(f"/needs/{need.public_id}")
    assert people.coordinator.withdraw(path).status_code == 200
    listed = people.coordinator.read("/organisations", limit=200)["items"]
    assert str(owner.public_id) not in [item["id"] for item in listed]


def test_organisations_are_changed_by_coordinators_and_administrators(people: People) -> None:
    """Others may read them only."""
    made = people.coordinator.create("/organisations", {"name": "N", "kind": "university"})["id"]
    for person in (people.company, people.university):
        assert person.post("/organisations", {"name": "M", "kind": "university"}).status_code == 403
        assert person.patch(f"/organisations/{made}", {"name": "M"}).status_code == 403
        assert person.withdraw(f"/organisations/{made}").status_code == 403
    assert people.administrator.patch(f"/organisations/{made}", {"region": "Tohoku"}).status_code == 200


def test_ids_are_of_version_4_and_keys_stay_inside(kind: Kind, client: TestClient) -> None:
    """Public ids tell nothing, and no integer key is in a reply."""
    made: Any = kind.owner.create(kind.path, kind.least)
    assert made["id"][14] == "4"
    assert not {"cluster_id", "organisation_id", "owner_id", "key"} & set(made)
    assert kind.owner.get(f"{kind.path}/1").status_code == 422
