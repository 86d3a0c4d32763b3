"""Schemathesis over the whole description: nothing that can be sent ends in a 5xx or an undescribed reply."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from fastapi.testclient import TestClient
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

from enmusubi.app.caller import Caller
from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.models import SavedSearch
from enmusubi.app.vocabulary import Role
from tests.app.conftest import People
from tests.app.factories import (
    Person,
    a_caller,
    a_cluster,
    a_delivery,
    a_match,
    a_need,
    a_person,
    a_seed,
    a_university,
    a_webhook,
    an_organisation,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 3  # of each operation and mode; --full takes fifty times as many
FULL = 50
PLANTED = "HIGANBANA"
"""Stands in things that none of those who ask may see."""
DESCRIBED: list[Any] = list(schemathesis.openapi.from_dict(create_app(Settings()).openapi()).get_all_operations())
OPERATIONS = {
    result.ok().label: result.ok()
    for result in DESCRIBED
    if "/health/" not in result.ok().label  # takes no input
}


@dataclass(frozen=True)
class Hidden:
    """What another cluster, and another company of this one, have: ids and a word that no reply may hold."""

    by_name: dict[str, list[str]]
    """By the name of the parameter in paths."""

    @property
    def ids(self) -> list[str]:
        """All of them."""
        return [public_id for ids in self.by_name.values() for public_id in ids]

    def refuse(self, reply: Response) -> None:
        """Fail where a reply tells of it."""
        told = reply.text + str(reply.headers)
        assert PLANTED not in told
        assert not [public_id for public_id in self.ids if public_id in told]


@pytest.fixture
def hidden(people: People, session: Session) -> Hidden:
    """Entries, a match, a company and an account that the people of the cluster may not see."""
    far = a_cluster(session)
    company, university = an_organisation(session, far, name=PLANTED), a_university(session, far, f"{PLANTED} 2")
    need, seed = (
        a_need(session, far, company, title=f"frost {PLANTED}", description=PLANTED),
        a_seed(session, far, university, title=f"frost {PLANTED}"),
    )
    near = an_organisation(session, people.cluster)
    draft = a_need(session, people.cluster, near, title=f"frost {PLANTED}", status="draft", anonymous=False)
    account, colleague = a_caller(session, far, Role.COORDINATOR), a_caller(session, people.cluster, Role.COORDINATOR)
    rival = a_caller(session, people.cluster, Role.COMPANY, near)
    things: dict[str, list[Any]] = {
        "organisation_id": [company, university],
        "need_id": [need, draft],
        "seed_id": [seed],
        "match_id": [a_match(session, need, seed)],
        "account_id": [account],
        "webhook_id": [a_webhook(session, account, PLANTED), a_webhook(session, rival, PLANTED)],
        "notice_id": [a_delivery(session, account)],
        "search_id": [_a_search(session, account, PLANTED), _a_search(session, colleague, PLANTED)],
    }
    session.commit()
    return Hidden({name: [str(thing.public_id) for thing in made] for name, made in things.items()})


def _a_search(session: Session, caller: Caller, text: str) -> SavedSearch:
    """A saved search of an account."""
    made = SavedSearch(account_id=caller.id, name=text, against="seeds", text=text)
    session.add(made)
    session.flush()
    return made


@pytest.fixture
def askers(people: People, client: TestClient, session: Session) -> list[Person]:
    """A person of every role."""
    auditor = a_person(client, session, people.cluster, Role.AUDITOR)
    session.commit()
    return [people.coordinator, people.company, people.university, people.administrator, auditor]


@pytest.fixture
def known(people: People, session: Session) -> dict[str, str]:
    """Something of every kind that path parameters can name."""
    seed = a_seed(session, people.cluster, people.university.organisation, title="frost", researchers=[{"name": "N"}])
    need = a_need(session, people.cluster, people.company.organisation, title="frost", description="d", anonymous=False)
    match = a_match(session, need, seed)
    search = _a_search(session, people.company.caller, "frost")
    assert people.university.organisation is not None
    known = {
        "seed_id": str(seed.public_id),
        "need_id": str(need.public_id),
        "organisation_id": str(people.university.organisation.public_id),
        "match_id": str(match.public_id),
        "webhook_id": str(a_webhook(session, people.coordinator.caller).public_id),
        "notice_id": str(a_delivery(session, people.coordinator.caller).public_id),
        "search_id": str(search.public_id),
        # These belong to nobody who asks here.
        **{name: str(uuid.uuid4()) for name in ("session_id", "token_id", "invitation_id", "account_id", "import_id")},
        "cluster_id": str(people.cluster.public_id),
    }
    session.commit()
    return known


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
    askers: list[Person],
    known: dict[str, str],
    hidden: Hidden,
    label: str,
    mode: GenerationMode,
    request: pytest.FixtureRequest,
) -> None:
    """Whatever fits the description, and whatever does not, is answered as described, and tells of nothing hidden."""
    operation = OPERATIONS[label]
    full = request.config.getoption("--full")

    @hypothesis_settings(
        max_examples=EXAMPLES * (FULL if full else 1),
        derandomize=not full,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if full else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        for person in askers:
            reply = _send(person, case, known)
            case.validate_response(reply, checks=CHECKS)
            hidden.refuse(reply)
        # The same of an id that is there, and not for them to know.
        for name in [name for name in case.path_parameters or {} if _is_uuid(case.path_parameters[name])]:
            for public_id in hidden.by_name.get(name, []):
                reply = _send(askers[0], case, {**known, name: public_id})
                assert reply.status_code >= 400
                assert PLANTED not in reply.text

    answered()
