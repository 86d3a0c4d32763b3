"""Idempotency-Key: one write, however often the call is repeated."""

import threading
from typing import Any

import pytest
from sqlalchemy import func, select, update

from enmusubi.app.database import Database
from enmusubi.app.models import IdempotentReply, Need, Organisation, Review, Seed
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import a_need, a_seed

CREATING = {
    "/seeds": (Seed, {"title": "T"}, "university"),
    "/needs": (Need, {"title": "T"}, "company"),
    "/organisations": (Organisation, {"name": "N", "kind": "company"}, "coordinator"),
}


@pytest.mark.parametrize("path", CREATING)
def test_repeat_gets_the_first_reply(people: People, path: str) -> None:
    """Status, body, Location and ETag are those of the first call, and it says that it was replayed."""
    _, body, role = CREATING[path]
    person = getattr(people, role)
    first = person.post(path, body, Idempotency_Key="k-1")
    again = person.post(path, body, Idempotency_Key="k-1")
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert [again.headers[name] for name in ("location", "etag")] == [first.headers[n] for n in ("location", "etag")]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["content-type"] == first.headers["content-type"]


def test_key_is_for_one_request(people: People) -> None:
    """The same key with another body, query or path is refused; another key is another post."""
    posted = people.coordinator.post("/needs", {"title": "T"}, Idempotency_Key="k")
    for path, body in (("/needs", {"title": "U"}), ("/seeds", {"title": "T"}), ("/needs?limit=3", {"title": "T"})):
        reply = people.coordinator.post(path, body, Idempotency_Key="k")
        assert reply.status_code == 422, path
        assert "Idempotency-Key" in reply.json()["detail"]
    other = people.coordinator.post("/needs", {"title": "T"}, Idempotency_Key="k2")
    assert other.json()["id"] != posted.json()["id"]


def test_key_belongs_to_its_account(people: People) -> None:
    """Somebody else's key is not known."""
    first = people.coordinator.post("/needs", {"title": "T"}, Idempotency_Key="k")
    second = people.company.post("/needs", {"title": "T"}, Idempotency_Key="k")
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_key_has_a_length(people: People, key: str) -> None:
    """1 to 200 characters."""
    assert people.company.post("/needs", {"title": "T"}, Idempotency_Key=key).status_code == 422


def test_failed_call_leaves_the_key_free(people: People) -> None:
    """After a call that was refused, the key serves the corrected one."""
    people.coordinator.create("/seeds", {"title": "T", "external_id": "X"})
    refused = people.coordinator.post("/seeds", {"title": "T", "external_id": "X"}, Idempotency_Key="k")
    assert refused.status_code == 409
    taken = people.coordinator.post("/seeds", {"title": "T", "external_id": "Y"}, Idempotency_Key="k")
    assert taken.status_code == 201


def test_review_is_taken_once(people: People, session: Any) -> None:
    """A repeated verdict is one review."""
    need = a_need(session, people.cluster, people.company.organisation)
    a_seed(session, people.cluster, people.university.organisation, title="Concrete that does not freeze")
    session.commit()
    match = people.coordinator.read(f"/needs/{need.public_id}/matches")["ranking"][0]["match"]
    for _ in range(2):
        call = people.coordinator.call(
            "POST", f"/matches/{match}/reviews", {"verdict": "shortlist"}, {"If-Match": '"1"', "Idempotency-Key": "k"}
        )
        assert call.status_code == 201
    assert session.scalar(select(func.count()).select_from(Review)) == 1


def test_key_is_forgotten_after_a_day(people: People, session: Any) -> None:
    """The same key is new again 24 hours later."""
    first = people.company.post("/needs", {"title": "T"}, Idempotency_Key="k")
    session.execute(update(IdempotentReply).values(created=func.now() - func.make_interval(0, 0, 0, 0, 25)))
    session.commit()
    second = people.company.post("/needs", {"title": "T"}, Idempotency_Key="k")
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("path", CREATING)
def test_two_calls_at_once_make_one_row(committed: Database, serve: Serve, path: str) -> None:
    """Of calls that arrive together, one writes and the others get its reply."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
    table, body, role = CREATING[path]
    with committed.session() as session:
        before = session.scalar(select(func.count()).select_from(table)) or 0
    replies: list[Any] = []
    together = threading.Barrier(4)

    def call() -> None:
        together.wait()
        replies.append(getattr(people, role).post(path, body, Idempotency_Key="k"))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status_code for reply in replies] == [201] * 4
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert sum("idempotent-replayed" in reply.headers for reply in replies) == 3
    with committed.session() as session:
        assert session.scalar(select(func.count()).select_from(table)) == before + 1


def test_two_writes_of_one_name_at_once_are_a_conflict(committed: Database, serve: Serve) -> None:
    """Without a key, one of two equal organisations is made and the other call told of it."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
    statuses: list[int] = []
    together = threading.Barrier(4)

    def call(number: int) -> None:
        together.wait()
        body = {"name": "N", "kind": "company", "region": str(number)}
        statuses.append(people.coordinator.post("/organisations", body).status_code)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409]
