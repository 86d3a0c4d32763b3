"""The API's description: valid, readable, and with examples that work."""

import re
from typing import Any

import jsonschema_rs
import pytest
from sqlalchemy.orm import Session

from enmusubi.app import examples
from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.problems import MEDIA_TYPE
from tests.app.conftest import People
from tests.app.factories import API, Json, a_need, a_seed

DESCRIPTION: Json = create_app(Settings()).openapi()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, item in DESCRIPTION["paths"].items()
    for method, operation in item.items()
]
# Whoever comes here is not known yet.
OPEN = {
    "POST /api/v1/session",
    "POST /api/v1/invitations/read",
    "POST /api/v1/invitations/accept",
    "POST /api/v1/password-resets",
    "POST /api/v1/password-resets/accept",
    "GET /api/v1/oidc/start",
    "GET /api/v1/oidc/callback",
    "GET /api/v1/alerts/stop",
    "POST /api/v1/alerts/stop",
}


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _references(value)]
    return [found for value in part for found in _references(value)] if isinstance(part, list) else []


def test_every_reference_leads_somewhere() -> None:
    """No schema is named that is not there."""
    for reference in _references(DESCRIPTION):
        part = DESCRIPTION
        for step in reference.removeprefix("#/").split("/"):
            assert step in part, reference
            part = part[step]


def test_every_schema_is_a_json_schema() -> None:
    """OpenAPI 3.1 schemas are JSON Schema 2020-12."""
    assert DESCRIPTION["openapi"].startswith("3.1")
    for schema in DESCRIPTION["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_operation_ids_are_unique_and_readable() -> None:
    """Client generators name functions after them."""
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) and len(name) <= 30 for name in names), names


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_every_operation_is_described(name: str, operation: Json) -> None:
    """A summary, a sentence, a success, and problems as application/problem+json."""
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert any(status.startswith(("2", "3")) for status in operation["responses"])
    for status in ("4XX", "5XX"):
        assert set(operation["responses"][status]["content"]) == {MEDIA_TYPE}
    assert "422" not in operation["responses"]
    assert bool(operation.get("security")) == (API in name and name not in OPEN)
    assert ("x-token-scope" in operation) == bool(operation.get("security"))


def test_description_is_open_to_all(people: People) -> None:
    """The description needs no token, and is the one tested here."""
    assert people.company.client.get(API + "/openapi.json").json() == DESCRIPTION


def _shown(schema: str) -> list[Json]:
    shown: list[Json] = DESCRIPTION["components"]["schemas"][schema]["examples"]
    return shown


def test_every_body_has_examples() -> None:
    """Each request body is shown at least once."""
    for name, operation in OPERATIONS:
        # A posted file is no JSON: what it may hold is the business of who reads it.
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert _shown(reference.rsplit("/", 1)[1]), name


@pytest.mark.parametrize("body", _shown("SeedDraft"))
def test_seed_examples(people: People, body: Json) -> None:
    """Each can be registered as it stands."""
    assert people.university.post("/seeds", body).status_code == 201


@pytest.mark.parametrize("body", _shown("NeedDraft"))
def test_need_examples(people: People, body: Json) -> None:
    """Each can be posted as it stands, and finds the seeds shown beside it."""
    for seed in examples.SEEDS:
        people.university.create("/seeds", seed)
    assert people.company.create("/needs", body)["matches"]["ranking"]


@pytest.mark.parametrize("body", _shown("OrganisationDraft"))
def test_organisation_examples(people: People, body: Json) -> None:
    """Each can be added as it stands."""
    assert people.coordinator.post("/organisations", body).status_code == 201


@pytest.mark.parametrize("body", _shown("SeedRevision"))
def test_seed_revision_examples(people: People, body: Json) -> None:
    """Each revises the example of a seed."""
    made = people.university.create("/seeds", examples.SEEDS[0])["id"]
    assert people.university.patch(f"/seeds/{made}", body).status_code == 200


@pytest.mark.parametrize("body", _shown("NeedRevision"))
def test_need_revision_examples(people: People, body: Json) -> None:
    """Each revises the example of a need."""
    made = people.company.create("/needs", examples.NEEDS[0])["id"]
    assert people.company.patch(f"/needs/{made}", body).status_code == 200


@pytest.mark.parametrize("body", _shown("OrganisationRevision"))
def test_organisation_revision_examples(people: People, body: Json) -> None:
    """Each revises the example of an organisation."""
    made = people.coordinator.create("/organisations", examples.ORGANISATIONS[1])["id"]
    assert people.coordinator.patch(f"/organisations/{made}", body).status_code == 200


@pytest.mark.parametrize("body", _shown("MatchQuery"))
def test_match_examples(people: People, body: Json) -> None:
    """Each ranks something of the other examples."""
    for seed in examples.SEEDS:
        people.university.create("/seeds", seed)
    for need in examples.NEEDS:
        people.company.create("/needs", need)
    reply = people.coordinator.post("/match", body)
    assert reply.status_code == 200
    assert reply.json()["ranking"]


@pytest.mark.parametrize("body", _shown("ReviewDraft"))
def test_review_examples(people: People, session: Session, body: Json) -> None:
    """Each is a verdict that is taken."""
    a_seed(session, people.cluster, people.university.organisation, title="Concrete that does not freeze")
    need = a_need(session, people.cluster, people.company.organisation)
    session.commit()
    match = people.company.read(f"/needs/{need.public_id}/matches")["ranking"][0]["match"]
    assert people.coordinator.post(f"/matches/{match}/reviews", body, If_Match="*").status_code == 201
