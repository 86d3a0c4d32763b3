"""Entering what is taken where one may not look is answered as entering what is taken nowhere."""

import uuid

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.permissions import Relation
from enmusubi.app.vocabulary import OrganisationKind, Role
from tests.app.factories import Json, Person, a_need, a_person, a_seed
from tests.app.matrix.world import World, as_sent

WRITERS = {"seeds": Role.UNIVERSITY, "needs": Role.COMPANY}


def _taken(world: World, kind: str, owner: Person, **fields: str) -> Json:
    return owner.create(f"/{kind}", {"title": "Taken", "external_id": f"E-{uuid.uuid4()}", **fields})


@pytest.mark.parametrize("kind", WRITERS)
def test_external_ids_of_others(world: World, kind: str) -> None:
    """Of another organisation, of another cluster, on hold: nobody meets them."""
    role = WRITERS[kind]
    with world.database.session() as session:
        here = a_person(world.client, session, session.merge(world.here), role, session.merge(world.others[role]))
        there = a_person(world.client, session, session.merge(world.there), role, session.merge(world.far[role]))
        session.commit()
    for owner in (here, there):
        taken = _taken(world, kind, owner, status="on_hold")["external_id"]
        for writer in (role, Role.COORDINATOR):
            made = world.ask(writer, "POST", f"/{kind}", {"title": "New", "external_id": taken})
            assert made.status_code == 201
            other = world.ask(writer, "POST", f"/{kind}", {"title": "New"}).json()["id"]
            other_id = f"E-{uuid.uuid4()}"
            assert world.ask(writer, "PATCH", f"/{kind}/{other}", {"external_id": other_id}).status_code == 200


@pytest.mark.parametrize("kind", WRITERS)
def test_external_ids_of_drafts(world: World, kind: str) -> None:
    """A coordinator who enters or revises for an owner does not meet the owner's drafts; the owner does, later."""
    role = WRITERS[kind]
    owner = world.people[role]
    assert owner.organisation is not None
    named = str(owner.organisation.public_id)
    entered, revised = _taken(world, kind, owner, status="draft"), _taken(world, kind, owner, status="draft")
    body = {"title": "New", "organisation": named, "external_id": entered["external_id"]}
    made = world.ask(Role.COORDINATOR, "POST", f"/{kind}", body)
    assert made.status_code == 201
    change = {"external_id": revised["external_id"]}
    path = f"/{kind}/{made.json()['id']}"
    assert world.ask(Role.COORDINATOR, "PATCH", path, change).status_code == 200
    refused = world.ask(role, "PATCH", f"/{kind}/{revised['id']}", {"status": "published"})
    assert refused.status_code == 409
    assert "external_id" in refused.json()["detail"]
    again = world.ask(Role.COORDINATOR, "POST", f"/{kind}", {**body, **change})
    assert again.status_code == 409  # of what it sees, it is told


@pytest.mark.parametrize("kind", WRITERS)
def test_external_ids_of_what_went_to_another_owner(world: World, kind: str) -> None:
    """An entry that a coordinator gives to another organisation takes its id along."""
    role = WRITERS[kind]
    made = _taken(world, kind, world.people[role])
    given = {"organisation": str(world.others[role].public_id), "status": "on_hold"}
    assert world.ask(Role.COORDINATOR, "PATCH", f"/{kind}/{made['id']}", given).status_code == 200
    again = world.ask(role, "POST", f"/{kind}", {"title": "New", "external_id": made["external_id"]})
    assert again.status_code == 201


@pytest.mark.parametrize("kind", WRITERS)
def test_external_ids_of_a_file(world: World, kind: str) -> None:
    """One file may hold many owners' entries: none of them tries out the ids of the others."""
    role = WRITERS[kind]
    with world.database.session() as session:
        mine = _from_file(session, world, kind, world.people[role])
        hidden = _from_file(session, world, kind, None)
        session.commit()
    replies = [
        as_sent(world.ask(role, "PATCH", f"/{kind}/{mine}", {"external_id": one})) for one in (hidden, "nowhere")
    ]
    assert replies[0] == replies[1]
    assert replies[0][0] == 409


def _from_file(session: Session, world: World, kind: str, owner: Person | None) -> str:
    make = a_seed if kind == "seeds" else a_need
    of = session.merge(owner.organisation) if owner and owner.organisation else None
    made = make(session, session.merge(world.here), of, external_id=f"E-{uuid.uuid4()}")
    return str(made.public_id) if owner else str(made.external_id)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR])
def test_names_and_numbers_of_organisations(world: World, role: Role) -> None:
    """Those of another cluster are free here."""
    foreign = world.far[Role.COMPANY]
    body = {"name": foreign.name, "kind": "company"}
    made = world.ask(role, "POST", "/organisations", body)
    assert made.status_code == 201
    body = {"name": f"Organisation {uuid.uuid4()}"}
    assert world.ask(role, "PATCH", f"/organisations/{made.json()['id']}", body).status_code == 200


def test_organisations_that_are_named(world: World) -> None:
    """An owner, an exclusion and an invitation's organisation of elsewhere are as one of nowhere."""
    foreign = str(world.far[Role.COMPANY].public_id)
    for path, body in (
        ("/seeds", {"title": "T"}),
        ("/needs", {"title": "T"}),
        ("/needs/check", {"title": "T"}),
        ("/invitations", {"email": f"{uuid.uuid4()}@example.org", "role": "company"}),
    ):
        replies = [
            as_sent(world.ask(Role.COORDINATOR, "POST", path, {**body, "organisation": named}))
            for named in (foreign, str(uuid.uuid4()))
        ]
        assert replies[0] == replies[1]
        assert replies[0][0] == 404
    hidden = world.new_organisation(Role.COMPANY, Relation.HERE, OrganisationKind.COMPANY)
    with world.database.session() as session:
        name = session.merge(world.others[Role.COMPANY]).name
    for excluded in (hidden, foreign, name, world.far[Role.COMPANY].name):
        made = world.ask(Role.COMPANY, "POST", "/needs", {"title": "T", "excluded_organisations": [excluded]})
        # Said back as it was given: neither its name for its id, nor another spelling of its name.
        assert made.json()["confidential"]["excluded_organisations"] == [excluded]
