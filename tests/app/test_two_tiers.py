"""The unpublished part of a seed, and what is told of the company behind an anonymous need."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import Seed, SeedDetail
from enmusubi.app.vocabulary import Role
from tests.app.conftest import People
from tests.app.factories import a_need, a_person, an_organisation

SECRET = "the enzyme is taken from a deep-water sponge"
SEED = {"title": "Enzyme that thaws gently", "unpublished": SECRET, "filing_expected_on": "2027-03-31"}


def test_the_unpublished_part_is_its_own_universitys_and_the_coordinators(people: People, session: Session) -> None:
    """Others read the seed without it; lists, rankings and text search never hold it."""
    seed = people.university.create("/seeds", SEED)
    hidden = {"unpublished": SECRET, "filing_expected_on": "2027-03-31"}
    assert seed["confidential"] == hidden
    path = f"/seeds/{seed['id']}"
    colleague = a_person(
        people.university.client, session, people.cluster, Role.UNIVERSITY, people.university.organisation
    )
    stranger = a_person(people.university.client, session, people.cluster, Role.UNIVERSITY)
    auditor = a_person(people.university.client, session, people.cluster, Role.AUDITOR)
    session.commit()
    for person in (people.university, colleague, people.coordinator):
        assert person.read(path)["confidential"] == hidden
    for person in (stranger, people.company, people.administrator, auditor):
        assert person.read(path)["confidential"] is None
    for person in (*people, colleague, stranger, auditor):
        assert SECRET not in person.get("/seeds").text
        assert person.read("/seeds", q="sponge")["items"] == []
        assert SECRET not in person.post("/match", {"text": SECRET}).text
    row = session.scalars(select(Seed)).one()
    assert "sponge" not in f"{row.search_text} {row.terms}"


def test_the_unpublished_part_is_changed_and_taken_away(people: People, session: Session) -> None:
    """A revision of something else keeps it; null takes it away, and nothing of it stays."""
    seed = people.university.create("/seeds", SEED)
    path = f"/seeds/{seed['id']}"
    assert people.coordinator.patch(path, {"trl": 4}).json()["confidential"]["unpublished"] == SECRET
    assert people.university.patch(path, {"unpublished": "other"}).json()["confidential"]["unpublished"] == "other"
    assert people.university.patch(path, {"filing_expected_on": None}).json()["confidential"] == {
        "unpublished": "other",
        "filing_expected_on": None,
    }
    assert people.university.patch(path, {"unpublished": None}).json()["confidential"] is None
    assert session.scalars(select(SeedDetail)).all() == []


def test_an_anonymous_need_tells_kind_size_and_region_of_its_company(people: People, session: Session) -> None:
    """Nothing else of it, to whoever sees the need; one that names its owner needs no outline."""
    company = an_organisation(
        session,
        people.cluster,
        name="Tundra Foods",
        region="Aomori",
        size_band="101-300",
        corporate_number="7000012050002",
    )
    anonymous = a_need(session, people.cluster, company)
    named = a_need(session, people.cluster, company, anonymous=False)
    nobodys = a_need(session, people.cluster, None)
    session.commit()
    outline = {"kind": "company", "size_band": "101-300", "region": "Aomori"}
    for person in (people.university, people.coordinator, people.administrator):
        listed = {item["id"]: item["owner_outline"] for item in person.read("/needs")["items"]}
        assert listed == {str(anonymous.public_id): outline, str(named.public_id): None, str(nobodys.public_id): None}
        assert person.read(f"/needs/{anonymous.public_id}")["owner_outline"] == outline
    reply = people.university.get(f"/needs/{anonymous.public_id}")
    for telling in ("Tundra", str(company.public_id), "7000012050002"):
        assert telling not in reply.text
        assert telling not in str(reply.headers)
