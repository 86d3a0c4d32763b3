"""Needs are checked before and when they are posted; what the check counts is what its reader may see."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from enmusubi.app.identifying import catalogue_statistics
from enmusubi.app.vocabulary import OrganisationKind, Role
from enmusubi.matching.identifying import Uses
from tests.app.conftest import People
from tests.app.factories import Json, Person, a_cluster, a_need, a_person, a_seed, a_university, an_organisation

LEAK: Json = {
    "title": "Pumps that wear out",
    "summary": "Minato wants bearings for sandy water; write to pumps@minato.example.jp.",
    "technology_keywords": ["wear", "MKP-300"],
    "regions": ["北海道"],
    "description": "SECRET-99 of Takao Hidden",
}


@pytest.fixture
def owner(people: People, client: TestClient, session: Session) -> Person:
    """A company whose name is told in the text."""
    company = an_organisation(
        session,
        people.cluster,
        OrganisationKind.COMPANY,
        "株式会社みなと架空製作所",
        name_en="Minato Imaginary Works",
        region="北星湾",
        size_band="101-300",
    )
    person = a_person(client, session, people.cluster, Role.COMPANY, company)
    session.commit()
    return person


def check(person: Person, body: Json) -> list[Json]:
    """What the check finds."""
    reply = person.post("/needs/check", body)
    assert reply.status_code == 200, reply.text
    findings: list[Json] = reply.json()["findings"]
    return findings


def test_a_draft_is_checked_and_not_stored(owner: Person) -> None:
    """Each finding has its place, kind and suggestion in both languages; nothing is kept of the text."""
    findings = check(owner, LEAK)
    assert [(each["field"], each["text"], each["kind"]) for each in findings] == [
        ("summary", "Minato", "own_name"),
        ("summary", "pumps@minato.example.jp", "email"),
        ("technology_keywords/1", "MKP-300", "model_number"),
    ]
    first = findings[0]
    assert LEAK["summary"][first["start"] : first["end"]] == "Minato"
    assert "北星湾" in first["suggestion"]["ja"]
    assert "101-300" in first["suggestion"]["en"]
    assert owner.read("/needs")["items"] == []


def test_confidential_fields_are_not_checked(owner: Person) -> None:
    """What nobody but the owner and coordinators reads identifies nobody to others."""
    assert "SECRET-99" not in str(check(owner, LEAK))


def test_posting_and_revising_tell_the_same(owner: Person) -> None:
    """A need is stored in any case; the reply says what may identify, also of a draft, until it is mended."""
    made = owner.create("/needs", {**LEAK, "status": "draft"})
    assert made["findings"] == check(owner, LEAK)
    mended = {"summary": "We want bearings for sandy water.", "technology_keywords": ["wear"], "status": "published"}
    revised = owner.patch(f"/needs/{made['id']}", mended)
    assert revised.status_code == 200
    assert revised.json()["findings"] == []
    assert revised.json()["status"] == "published"


def test_a_need_that_names_its_owner_has_no_findings(owner: Person) -> None:
    """Who does not hide is not warned: findings are null where the need is not anonymous."""
    made = owner.create("/needs", {**LEAK, "anonymous": False})
    assert made["findings"] is None
    hidden = owner.patch(f"/needs/{made['id']}", {"anonymous": True}).json()
    assert [each["kind"] for each in hidden["findings"]] == ["own_name", "email", "model_number"]


def test_reading_shows_no_findings(people: People, owner: Person) -> None:
    """They are for the one who posts; who reads the need is not told what it gives away."""
    made = owner.create("/needs", LEAK)
    for person in people:
        reply = person.get(f"/needs/{made['id']}")
        assert "findings" not in reply.text


def test_coordinators_check_for_the_company_they_name(people: People, owner: Person) -> None:
    """The owner's name is found only where the coordinator says whose need it is."""
    assert owner.organisation is not None
    named = {**LEAK, "organisation": str(owner.organisation.public_id)}
    assert "own_name" in [each["kind"] for each in check(people.coordinator, named)]
    assert "own_name" not in [each["kind"] for each in check(people.coordinator, LEAK)]


def test_who_posts_no_needs_checks_none(people: People) -> None:
    """Universities and administrators are refused."""
    for person in (people.university, people.administrator):
        assert person.post("/needs/check", LEAK).status_code == 403


def test_a_company_checks_for_itself_alone(people: People, owner: Person) -> None:
    """Naming another owner is refused, as it is in a post."""
    assert people.company.organisation is not None
    body = {**LEAK, "organisation": str(people.company.organisation.public_id)}
    assert owner.post("/needs/check", body).status_code == 403


def test_a_term_of_the_catalogue_is_no_finding(people: People, owner: Person, session: Session) -> None:
    """A published seed of another organisation makes a term the field's own."""
    a_seed(session, people.cluster, people.university.organisation, title="Wear of the MKP-300 benchmark pump")
    session.commit()
    assert "MKP-300" not in [each["text"] for each in check(owner, LEAK)]


def test_counts_hold_nothing_that_the_caller_may_not_see(people: People, owner: Person, session: Session) -> None:
    """Seeds not published, of other clusters, and needs of other companies are not counted; own needs are."""
    university = people.university.organisation
    assert owner.organisation is not None
    elsewhere = a_cluster(session)
    a_seed(session, people.cluster, university, title="Zymoplast", status="on_hold")
    a_seed(session, elsewhere, a_university(session, elsewhere), title="Zymoplast")
    a_need(session, people.cluster, people.company.organisation, title="Zymoplast")
    count = catalogue_statistics(session, owner.caller, owner.organisation.id)
    assert count(["zymoplast"]) == {}
    a_need(session, people.cluster, owner.organisation, title="Zymoplast of ours")
    a_seed(session, people.cluster, university, title="More Zymoplast")
    a_seed(session, people.cluster, university, summary="Zymoplast again")
    assert count(["zymoplast", "absent"]) == {"zymoplast": Uses(own=1, others=1)}


def test_terms_are_text_and_no_pattern(people: People, session: Session) -> None:
    """Signs that mean something to a search stand for themselves."""
    a_seed(session, people.cluster, people.university.organisation, title="100 percent")
    count = catalogue_statistics(session, people.company.caller, None)
    assert count(["100%", "1_0", "'; --", "\\"]) == {}
