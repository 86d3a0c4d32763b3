"""What is confidential in a need is planted, and then looked for everywhere."""

import json
import logging
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import String, cast, func, select, text
from sqlalchemy.orm import Session

from enmusubi.app.embeddings import profile_of
from enmusubi.app.models import Need, NeedDetail
from enmusubi.app.vocabulary import OrganisationKind, Role
from tests.app.conftest import People, people_of
from tests.app.factories import API, ENCODER, Json, Person, a_person, a_seed, an_organisation

BUDGET = 48_151_623
PLANTED = {
    "description": "KINMOKUSEI-7 の増産計画",
    "requirements": "YAMABUKI-8 以下の含水率",
    "constraints": "TSUBAKI-9 の特許を避ける",
}
EXCLUDED = "AJISAI-10 研究所"
OWNER = "HIMAWARI-11 製作所"
SECRETS = ("KINMOKUSEI", "YAMABUKI", "TSUBAKI", "AJISAI", "HIMAWARI", str(BUDGET))


def _secrets_in(text: str) -> list[str]:
    unescaped = text.encode("utf-8", "replace").decode("unicode_escape", "replace")
    return [secret for secret in SECRETS if secret in text or secret in unescaped]


@pytest.fixture
def owner(people: People, client: TestClient, session: Session) -> Person:
    """A company with a telling name."""
    company = an_organisation(session, people.cluster, OrganisationKind.COMPANY, OWNER, name_en="Himawari-11")
    session.commit()
    return a_person(client, session, people.cluster, Role.COMPANY, company)


@pytest.fixture
def need(people: People, owner: Person, session: Session) -> Json:
    """An anonymous need with something confidential in every confidential field, and a match with a seed."""
    a_seed(session, people.cluster, people.university.organisation, title="Drying of wet granules")
    session.commit()
    return owner.create(
        "/needs",
        {
            "title": "Drying of granules",
            "summary": "Faster drying",
            "external_id": "HIMAWARI-11/2026/3",
            "reference": "HIMAWARI-11 R&D",
            **PLANTED,
            "budget_yen": BUDGET,
            "excluded_organisations": [EXCLUDED],
        },
    )


NOWHERE = "00000000-0000-4000-8000-000000000000"
"""The id of what a person has none of."""


def _readable_routes(client: TestClient) -> list[str]:
    app: Any = client.app
    return [
        path.removeprefix(API) for path, item in app.openapi()["paths"].items()
        if "get" in item and item["get"].get("x-token-scope") != "session"
    ]  # fmt: skip


def _ids(person: Person) -> dict[str, list[str]]:
    """Every public id that the person can learn, by the name that paths give it."""
    return {
        f"{noun[:-1]}_id" if noun != "matches" else "match_id": [
            item["id"] for item in person.read(f"/{noun}", limit=200)["items"]
        ]
        for noun in ("seeds", "needs", "organisations", "matches")
    }


def test_no_wrong_reader_finds_anything_confidential(
    people: People, owner: Person, need: Json, client: TestClient, session: Session
) -> None:
    """Every page that can be read by anybody but the owner and the coordinators is free of it."""
    elsewhere = people_of(client, session)
    owner.patch(f"/needs/{need['id']}", {"opened_to": [str(elsewhere.cluster.public_id)]})
    competitor = a_person(client, session, people.cluster, Role.COMPANY)
    session.commit()
    every_id = _ids(people.coordinator)
    assert all(every_id.values())
    routes = _readable_routes(client)
    assert len(routes) >= 12
    for person in (competitor, people.university, *elsewhere):
        for route in routes:
            names = re.findall(r"{(\w+)}", route)
            paths = (
                [route.replace(f"{{{names[0]}}}", one) for one in every_id.get(names[0], [NOWHERE])]
                if names
                else [route]
            )
            for path in paths:
                reply = person.get(path, **({"secret": "enx_wrong"} if path == "/alerts/stop" else {}))
                # Of some routes is told that there is something: the record, invitations, reviews, others' progress.
                known = (
                    path.startswith("/audit")
                    or path in ("/invitations", "/waiting")
                    or path.endswith(("/progress", "/disclosure"))
                )
                assert reply.status_code in (200, 404, *([403] if known else [])), path
                assert not _secrets_in(reply.text + str(reply.headers)), (person.role, path)
        for secret in SECRETS:
            for noun in ("seeds", "needs", "organisations"):
                assert person.read(f"/{noun}", q=secret)["items"] == [], (person.role, secret)
            for query in ({"external_id": need["external_id"]}, {"keyword": secret}, {"region": secret}):
                assert person.read("/needs", **query)["items"] == []
        for against in ("seeds", "needs"):
            ranked = person.post("/match", {"text": "Drying of granules", "against": against})
            assert not _secrets_in(ranked.text)


def test_administrators_learn_the_owner_but_no_text(people: People, need: Json) -> None:
    """A cluster administrator follows all entries and reads no confidential part of any."""
    shown = people.administrator.get(f"/needs/{need['id']}")
    assert not _secrets_in(shown.text)
    assert not _secrets_in(people.administrator.get(f"/needs/{need['id']}/matches").text)
    assert not _secrets_in(people.administrator.get("/matches").text)
    assert not _secrets_in(people.administrator.get("/audit").text)
    assert not _secrets_in(people.administrator.get("/audit/export").text)


def test_owner_and_coordinator_read_all_of_it(people: People, owner: Person, need: Json) -> None:
    """The planted texts are there for those they are meant for, so that their absence elsewhere says something."""
    for person in (owner, people.coordinator):
        reply = json.dumps(person.read(f"/needs/{need['id']}"), ensure_ascii=False)
        assert sorted(_secrets_in(reply)) == sorted(SECRETS)


def test_nothing_confidential_is_embedded_or_searched(need: Json, session: Session) -> None:
    """The public row, its vector and its search text are made of public fields alone."""
    row = session.scalars(select(Need).where(Need.title == need["title"])).one()
    matched = profile_of(row).matched_text()
    assert matched == "Drying of granules\nFaster drying"
    assert row.embedding == ENCODER.encode([matched], "need")[0].tobytes()
    stored = session.scalar(select(Need.search_text).where(Need.id == row.id))
    assert stored is not None
    assert not _secrets_in(stored.upper())


def test_confidential_texts_lie_in_their_own_tables(need: Json, session: Session) -> None:
    """No table but those of the details and of kept replies holds any of it; nor does a new vector."""
    tables = session.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
    for table in set(tables) - {"need_details", "need_exclusions", "organisations", "idempotent_replies"}:
        for row in session.scalars(text(f'select "{table}"::text from "{table}"')):
            found = [secret for secret in _secrets_in(row) if not (table == "needs" and secret == "HIMAWARI")]
            assert not found, table  # external_id and reference, which only those who know the owner are shown
    detail = session.scalars(select(cast(func.row_to_json(text("need_details")), String)).select_from(NeedDetail))
    assert _secrets_in("".join(str(row) for row in detail))


def test_revising_the_confidential_part_embeds_nothing(owner: Person, need: Json, session: Session) -> None:
    """A change of confidential texts leaves the vector as it is."""
    vectors = select(Need.embedding, Need.embedding_key).where(Need.title == need["title"])
    before = session.execute(vectors).one()
    assert owner.patch(f"/needs/{need['id']}", {"description": "KINMOKUSEI-12"}).status_code == 200
    assert session.execute(vectors).one() == before


def test_naming_oneself_and_becoming_anonymous_again(people: People, owner: Person, need: Json) -> None:
    """The owner is shown exactly as long as the need is not anonymous."""
    path = f"/needs/{need['id']}"
    assert people.university.read(path)["organisation"] is None
    owner.patch(path, {"anonymous": False})
    assert people.university.read(path)["organisation"]["name"] == OWNER
    assert people.university.read("/organisations", q="HIMAWARI")["items"]
    owner.patch(path, {"anonymous": True})
    assert people.university.read(path)["organisation"] is None
    assert not _secrets_in(people.university.get("/matches").text)
    assert people.university.read("/organisations", q="HIMAWARI")["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "KINMOKUSEI\x00"},
        {"requirements": "YAMABUKI" * 3_000},
        {"constraints": ["TSUBAKI"]},
        {"excluded_organisations": "AJISAI"},
        {"budget_yen": -BUDGET},
        {"budget_yen": f"{BUDGET} yen"},
        {"title": None, "description": "KINMOKUSEI"},
    ],
)
def test_problems_and_logs_repeat_nothing(
    owner: Person, need: Json, wrong: Json, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused post or revision is explained without the values that were sent."""
    caplog.set_level(logging.DEBUG)
    body = {name: value for name, value in {"title": "T", **PLANTED, **wrong}.items() if value is not None}
    replies = [owner.post("/needs", body), owner.patch(f"/needs/{need['id']}", {"summary": None, **wrong})]
    for reply in replies:
        assert reply.status_code == 422
        assert not _secrets_in(reply.text)
    assert not _secrets_in(caplog.text)


def test_whole_life_of_a_need_logs_nothing_confidential(
    people: People, owner: Person, need: Json, caplog: pytest.LogCaptureFixture
) -> None:
    """Posting, reading, matching, reviewing and withdrawing write no confidential text to the log."""
    caplog.set_level(logging.DEBUG)
    path = f"/needs/{need['id']}"
    match = people.coordinator.read(f"{path}/matches")["ranking"][0]["match"]
    people.coordinator.post(f"/matches/{match}/reviews", {"verdict": "shortlist", "note": "YAMABUKI"}, If_Match="*")
    owner.patch(path, {"description": "KINMOKUSEI-13"})
    owner.patch(path, {"description": "KINMOKUSEI-13"}, version='"99"')
    people.university.patch(path, {"description": "KINMOKUSEI-13"})
    owner.withdraw(path)
    assert not _secrets_in(caplog.text)


def test_notes_of_reviews_are_read_by_coordinators_alone(people: People, owner: Person, need: Json) -> None:
    """Verdicts are read by those who oversee the need's cluster, without the note by those who do not coordinate."""
    match = need["matches"]["ranking"][0]["match"]
    review = {"verdict": "dismiss", "reason": "capacity", "note": "SUMIRE-14"}
    assert people.coordinator.post(f"/matches/{match}/reviews", review, If_Match="*").status_code == 201
    assert "SUMIRE-14" in people.coordinator.get(f"/matches/{match}").text
    for person in (owner, people.university, people.administrator):
        shown = person.read(f"/matches/{match}")
        reviews = [(each["verdict"], each["reason"], each["note"]) for each in shown["reviews"] or []]
        assert reviews == ([("dismiss", "capacity", None)] if person is people.administrator else [])
        assert "SUMIRE-14" not in json.dumps(person.read("/matches"))


def test_a_withdrawn_draft_stays_its_owner_s(people: People) -> None:
    """What was never submitted is nobody else's to read, withdrawn or not."""
    made = people.company.create("/needs", {"title": "T", "description": "a secret", "status": "draft"})
    people.company.post(f"/needs/{made['id']}/withdraw", {}, If_Match="*")
    assert people.company.read(f"/needs/{made['id']}")["status"] == "withdrawn"
    for person in (people.coordinator, people.administrator, people.university):
        assert person.get(f"/needs/{made['id']}").status_code == 404
        assert "a secret" not in person.get("/needs").text
