"""Schemathesis over the whole description: nothing that can be sent ends in a 5xx or an undescribed reply."""

import uuid
from typing import Any

import pytest
import requests
import schemathesis
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from tests.app.conftest import People
from tests.app.factories import Person, a_match, a_need, a_seed

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6  # of each operation and mode; --full takes twenty-five times as many
DESCRIBED: list[Any] = list(schemathesis.openapi.from_dict(create_app(Settings()).openapi()).get_all_operations())
OPERATIONS = {
    result.ok().label: result.ok()
    for result in DESCRIBED
    if "/health/" not in result.ok().label  # takes no input
}


@pytest.fixture
def known(people: People, session: Session) -> dict[str, str]:
    """Something of every kind that path parameters can name."""
    seed = a_seed(session, people.cluster, people.university.organisation, title="frost", researchers=[{"name": "N"}])
    need = a_need(session, people.cluster, people.company.organisation, title="frost", description="d", anonymous=False)
    match = a_match(session, need, seed)
    assert people.university.organisation is not None
    session.commit()
    return {
        "seed_id": str(seed.public_id),
        "need_id": str(need.public_id),
        "organisation_id": str(people.university.organisation.public_id),
        "match_id": str(match.public_id),
        # These belong to nobody who asks here.
        **{name: str(uuid.uuid4()) for name in ("session_id", "token_id", "invitation_id", "account_id")},
    }


def _is_uuid(value: object) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True


def _send(person: Person, case: Any, known: dict[str, str]) -> Response:
    for name in case.path_parameters or {}:
        # An id made up at random names nothing; what lies behind a known one is tested too.
        if _is_uuid(case.path_parameters[name]):
            case.path_parameters[name] = known[name]
    request: Any = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    made_up = {name.lower(): value for name, value in request.headers.items()}
    headers = {"if-match": "*", **made_up, "authorization": f"Bearer {person.token}"}
    return person.client.request(request.method, request.url, headers=headers, content=request.body)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("label", OPERATIONS)
def test_operation(
    people: People, known: dict[str, str], label: str, mode: GenerationMode, request: pytest.FixtureRequest
) -> None:
    """Whatever fits the description, and whatever does not, is answered as described."""
    operation = OPERATIONS[label]
    full = request.config.getoption("--full")

    @hypothesis_settings(
        max_examples=EXAMPLES * (25 if full else 1),
        derandomize=not full,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if full else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        for person in (people.coordinator, people.company, people.university):
            case.validate_response(_send(person, case, known), checks=CHECKS)

    answered()
