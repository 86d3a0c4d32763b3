"""A pair of a need and a seed, the people around it, and a clock that tests move."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.models import Match
from enmusubi.app.vocabulary import Role
from tests.app.clocks import MovedClock
from tests.app.conftest import People, people_of, started
from tests.app.factories import ENCODER, Json, Person, a_match, a_need, a_person, a_seed
from tests.conftest import RolledBackDatabase

SECRET = "TSUBAKI"
"""Stands in the need's confidential part."""


@pytest.fixture
def clock() -> MovedClock:
    """The clock of the service."""
    return MovedClock()


@pytest.fixture
def client(database: RolledBackDatabase, settings: Settings, clock: MovedClock) -> Iterator[TestClient]:
    """A client of the application whose clock is moved by the test."""
    with started(create_app(settings, ENCODER, database.for_service, clock=clock)) as client:
        yield client


@dataclass(frozen=True)
class Pair:
    """A suggested match, its two sides, and those who follow it."""

    people: People
    match: str
    need: str
    seed: str
    row: Match

    @property
    def company(self) -> Person:
        """Whose the need is."""
        return self.people.company

    @property
    def university(self) -> Person:
        """Whose the seed is."""
        return self.people.university

    @property
    def coordinator(self) -> Person:
        """Who handles it."""
        return self.people.coordinator

    @property
    def administrator(self) -> Person:
        """Who oversees the cluster."""
        return self.people.administrator

    def ask(self, person: Person, step: str, body: Any = None, version: str = "*") -> Response:
        """A step of the match by a person."""
        return person.post(f"/matches/{self.match}/{step}", body or {}, If_Match=version)

    def take(self, person: Person, step: str, **body: Any) -> Json:
        """A step that has to be taken."""
        reply = self.ask(person, step, body)
        assert reply.status_code == 201, reply.text
        taken: Json = reply.json()
        return taken

    def shortlist(self) -> None:
        """The coordinator's verdict."""
        self.take(self.coordinator, "reviews", verdict="shortlist")

    def introduce(self) -> None:
        """Both sides are asked."""
        self.shortlist()
        self.take(self.coordinator, "introduce")

    def disclose(self, **body: Any) -> None:
        """What the coordinator is shown is told."""
        path = f"/matches/{self.match}/disclosure"
        tag = self.coordinator.get(path).headers["ETag"]
        reply = self.coordinator.post(path, body, If_Match=tag)
        assert reply.status_code == 201, reply.text

    def steps(self, person: Person) -> Json:
        """Where the match is, as the person sees it."""
        shown: Json = person.read(f"/matches/{self.match}/steps")
        return shown

    def names(self, person: Person) -> list[str]:
        """The steps that the person sees."""
        return [step["step"] for step in self.steps(person)["steps"]]

    def status(self, person: Person) -> str:
        """The status that the person sees."""
        status: str = self.steps(person)["status"]
        return status


def a_pair(people: People, session: Session, **need: Any) -> Pair:
    """A new pair of the people's company and university."""
    confidential = {"description": SECRET, "requirements": f"{SECRET} at -30 °C", "budget_yen": 7_000_000}
    made = a_need(session, people.cluster, people.company.organisation, **{**confidential, **need})
    seed = a_seed(session, people.cluster, people.university.organisation, researchers=[{"name": "架空 花子"}])
    row = a_match(session, made, seed)
    session.commit()
    return Pair(people, str(row.public_id), str(made.public_id), str(seed.public_id), row)


@pytest.fixture
def pair(people: People, session: Session) -> Pair:
    """A suggested match."""
    return a_pair(people, session)


@pytest.fixture
def strangers(client: TestClient, session: Session, people: People) -> list[Person]:
    """Another company and university of the cluster, and a coordinator of another cluster."""
    near = [a_person(client, session, people.cluster, role) for role in (Role.COMPANY, Role.UNIVERSITY)]
    far = people_of(client, session)
    session.commit()
    return [*near, far.coordinator]
