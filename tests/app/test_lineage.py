"""The chain of innovation: what grew from what, without loops, and as far as its reader may know of both ends."""

import datetime
import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enmusubi.app.caller import act_as
from enmusubi.app.database import Database
from enmusubi.app.models import Match, Need, Origin, Outcome, Seed
from enmusubi.app.vocabulary import OutcomeKind, Role
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import Json, Person, a_match, a_need, a_person, a_seed
from tests.conftest import RolledBackDatabase


def of(kind: str, public_id: object) -> Json:
    """One origin, as it is named in a draft."""
    return {"kind": kind, "id": str(public_id)}


def register(person: Person, *origins: Json, **fields: Any) -> str:
    """Register a seed that grew from these; its id."""
    made: str = person.create("/seeds", {"title": "A seed", "grown_from": list(origins), **fields})["id"]
    return made


def post(person: Person, *origins: Json, **fields: Any) -> str:
    """Post a need that grew from these; its id."""
    made: str = person.create("/needs", {"title": "A need", "grown_from": list(origins), **fields})["id"]
    return made


def chain_of(person: Person, **query: Any) -> Json:
    """The chain of the person's cluster."""
    (cluster,) = person.read("/clusters")["items"]
    chain: Json = person.read(f"/clusters/{cluster['id']}/chain", **query)
    return chain


def generations(chain: Json) -> dict[str, int]:
    """Of each node, by its id."""
    return {node["id"]: node["generation"] for node in chain["nodes"]}


def edges(chain: Json) -> set[tuple[str, str]]:
    """From what was first to what came of it."""
    return {(edge["source"], edge["target"]) for edge in chain["edges"]}


def a_pair(session: Session, people: People, **fields: Any) -> tuple[Need, Seed, Match, Outcome]:
    """A need of the company, a seed of the university, their match, and what came of it."""
    company, university = (session.merge(person.organisation) for person in (people.company, people.university))
    need = a_need(session, people.cluster, company, title="First need", **fields)
    seed = a_seed(session, people.cluster, university, title="First seed")
    match = a_match(session, need, seed)
    by = people.coordinator.caller.id
    day = datetime.date(2026, 5, 1)
    outcome = Outcome(match_id=match.id, kind=OutcomeKind.JOINT_RESEARCH, agreed_on=day, account_id=by)
    session.add(outcome)
    session.commit()
    return need, seed, match, outcome


def test_a_seed_that_grew_from_an_outcome_is_of_the_second_generation(people: People, session: Session) -> None:
    """Its match and both sides belong to the chain, and the longest line leads through all of them."""
    need, seed, match, outcome = a_pair(session, people)
    second = register(people.university, of("outcome", outcome.public_id))
    third = register(people.university, of("seed", second), of("match", match.public_id))
    chain = chain_of(people.coordinator)
    ids = [str(each.public_id) for each in (need, seed, match, outcome)]
    assert generations(chain) == {**dict.fromkeys(ids, 0), second: 1, third: 2}
    assert chain["generations"] == 3
    assert edges(chain) == {
        (ids[0], ids[2]), (ids[1], ids[2]), (ids[2], ids[3]), (ids[3], second), (second, third), (ids[2], third),
    }  # fmt: skip
    assert chain["longest"] in ([ids[place], ids[2], ids[3], second, third] for place in (0, 1))
    told = {node["id"]: (node["kind"], node["title"], node["what"], node["date"]) for node in chain["nodes"]}
    assert told[ids[3]] == ("outcome", None, "joint_research", "2026-05-01")
    assert told[ids[0]][:3] == ("need", "First need", None)
    assert told[ids[2]][:3] == ("match", None, "suggested")


def test_a_cluster_without_origins_has_no_chain(people: People, session: Session) -> None:
    """Entries and matches alone are none."""
    a_pair(session, people)
    assert {**chain_of(people.coordinator), "cluster": None} == {
        "cluster": None,
        "generations": 0,
        "nodes": [],
        "edges": [],
        "longest": [],
    }


def test_origins_are_shown_with_one_entry_and_replaced_by_a_revision(people: People, session: Session) -> None:
    """In their order; a list shows none, and a revision that does not name them leaves them."""
    need, seed, match, outcome = a_pair(session, people)
    origins = [of("match", match.public_id), of("need", need.public_id), of("seed", seed.public_id)]
    made = register(people.university, *origins)
    path = f"/seeds/{made}"
    assert people.university.read(path)["grown_from"] == sorted(origins, key=origins.index)
    assert people.university.read("/seeds")["items"][0]["grown_from"] is None
    revised = people.university.patch(path, {"title": "Another"})
    assert revised.json()["grown_from"] == origins
    revised = people.university.patch(path, {"grown_from": [of("outcome", outcome.public_id), origins[1]]})
    assert revised.json()["grown_from"] == [origins[1], of("outcome", outcome.public_id)]
    assert people.university.patch(path, {"grown_from": None}).json()["grown_from"] == []


def test_an_origin_that_is_not_open_is_as_one_that_is_nowhere(people: People, session: Session) -> None:
    """It is refused by its place, and nothing is stored."""
    elsewhere = people_of(people.company.client, session)
    *_, match, outcome = a_pair(session, elsewhere)
    for kind, hidden in (("match", match.public_id), ("outcome", outcome.public_id), ("seed", match.public_id)):
        replies = [
            people.university.post("/seeds", {"title": "T", "grown_from": [of(kind, named)]})
            for named in (hidden, uuid.uuid4())
        ]
        assert [reply.status_code for reply in replies] == [422, 422]
        assert replies[0].json() == replies[1].json()
        assert replies[0].json()["errors"][0]["at"] == "/body/grown_from/0"
    assert people.university.read("/seeds")["items"] == []


def test_a_loop_is_refused_and_named(people: People) -> None:
    """Over entries, and over itself; the way is told from the entry to the entry."""
    first = register(people.university)
    second = register(people.university, of("seed", first))
    third = register(people.university, of("seed", second))
    reply = people.university.patch(f"/seeds/{first}", {"grown_from": [of("seed", third)]})
    assert reply.status_code == 422
    (error,) = reply.json()["errors"]
    assert error["at"] == "/body/grown_from"
    assert error["reason"] == (
        f"the entry would grow from itself: {first} ← seed {third} ← seed {third} ← seed {second} ← seed {first}"
    )
    assert people.university.read(f"/seeds/{first}")["grown_from"] == []
    assert people.university.patch(f"/seeds/{first}", {"grown_from": [of("seed", first)]}).status_code == 422


def test_a_match_of_the_entry_itself_makes_a_loop(people: People, session: Session) -> None:
    """What came of a match grew from both of its sides."""
    need, seed, match, outcome = a_pair(session, people)
    for kind, origin in (("match", match.public_id), ("outcome", outcome.public_id)):
        change = {"grown_from": [of(kind, origin)]}
        assert people.university.patch(f"/seeds/{seed.public_id}", change).status_code == 422
        assert people.company.patch(f"/needs/{need.public_id}", change).status_code == 422


def test_a_loop_over_what_is_hidden_names_only_what_is_seen(people: People, session: Session) -> None:
    """It is refused all the same."""
    other = a_person(people.company.client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    first = register(people.university)
    hidden = register(other, of("seed", first), title="Hidden")
    third = register(people.university, of("seed", hidden))
    other.patch(f"/seeds/{hidden}", {"status": "on_hold"})
    reply = people.university.patch(f"/seeds/{first}", {"grown_from": [of("seed", third)]})
    assert reply.status_code == 422
    assert hidden not in reply.text
    assert "← …" in reply.json()["errors"][0]["reason"]


def test_the_database_refuses_a_loop_by_itself(people: People, session: Session) -> None:
    """Whoever writes the rows."""
    seeds = [a_seed(session, people.cluster, None, encoder=None) for _ in range(2)]
    session.add(Origin(seed_id=seeds[0].id, from_seed_id=seeds[1].id))
    session.flush()
    session.add(Origin(seed_id=seeds[1].id, from_seed_id=seeds[0].id))
    with pytest.raises(IntegrityError, match="would grow from itself"):
        session.flush()


def test_two_at_once_do_not_close_a_loop(serve: Serve, committed: Database) -> None:
    """Of two revisions that would make one together, one is refused; none of them fails otherwise."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
    statuses: list[list[int]] = []
    for _ in range(5):
        seeds = [register(people.university) for _ in range(2)]
        together = threading.Barrier(2)
        found: dict[int, int] = {}

        def revise(place: int, seeds: list[str] = seeds, together: threading.Barrier = together,
                   found: dict[int, int] = found) -> None:  # fmt: skip
            together.wait()
            change = {"grown_from": [of("seed", seeds[1 - place])]}
            found[place] = people.university.patch(f"/seeds/{seeds[place]}", change).status_code

        threads = [threading.Thread(target=revise, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses.append(sorted(found.values()))
    assert statuses == [[200, 422]] * 5


def test_what_a_reader_does_not_see_is_not_there(people: People, session: Session) -> None:
    """Neither nodes nor edges, and generations count what is seen."""
    need, seed, match, outcome = a_pair(session, people)
    other = a_person(people.company.client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    second = register(people.university, of("outcome", outcome.public_id))
    third = register(people.university, of("seed", second))
    chain = chain_of(other)
    # The match is its sides': for others the line begins with what came of it.
    assert generations(chain) == {second: 0, third: 1}
    assert chain["longest"] == [second, third]
    for hidden in (match, outcome):
        assert str(hidden.public_id) not in str(chain)
    assert other.read(f"/seeds/{second}")["grown_from"] == []
    assert generations(chain_of(people.university))[third] == 2
    people.university.patch(f"/seeds/{second}", {"status": "on_hold"})
    assert chain_of(other)["nodes"] == []
    assert generations(chain_of(people.coordinator))[third] == 2
    assert str(need.public_id) in generations(chain_of(people.coordinator))
    assert str(seed.public_id) in generations(chain_of(people.university))


def told_of(people: People, person: Person, path: str, entry: str) -> tuple[bool, bool]:
    """Whether the person is told of the entry's origin with the entry, and in the chain."""
    reply = person.get(f"{path}/{entry}")
    shown = reply.status_code == 200 and bool(reply.json()["grown_from"])
    return shown, any(target == entry for _, target in edges(chain_of(person)))


def test_what_an_anonymous_need_grew_from_may_say_whose_it_is(people: People, session: Session) -> None:
    """So its company and the coordinators alone are told, though others see both ends."""
    _, seed, match, outcome = a_pair(session, people)
    auditor = a_person(people.company.client, session, people.cluster, Role.AUDITOR)
    session.commit()
    for origin in (of("match", match.public_id), of("outcome", outcome.public_id), of("seed", seed.public_id)):
        entry = post(people.company, origin)
        for person in (people.company, people.coordinator):
            assert told_of(people, person, "/needs", entry) == (True, True)
        for person in (people.university, people.administrator, auditor):
            assert told_of(people, person, "/needs", entry) == (False, False)


def test_a_named_need_that_grew_from_an_anonymous_one_does_not_name_its_owner(people: People, session: Session) -> None:
    """Nor does a company's seed; what a university made of it is told."""
    need, _, match, _ = a_pair(session, people)
    auditor = a_person(people.company.client, session, people.cluster, Role.AUDITOR)
    session.commit()
    company = people.company.organisation
    assert company is not None
    for origin in (of("need", need.public_id), of("match", match.public_id)):
        named = post(people.company, origin, anonymous=False)
        owned = register(people.coordinator, origin, organisation=str(company.public_id))
        researched = register(people.university, origin)
        for person in (people.administrator, auditor):
            assert told_of(people, person, "/needs", named) == (False, False)
            assert told_of(people, person, "/seeds", owned) == (False, False)
            assert told_of(people, person, "/seeds", researched) == (True, True)
        assert told_of(people, people.coordinator, "/needs", named) == (True, True)
        assert told_of(people, people.coordinator, "/seeds", owned) == (True, True)
        assert (
            company.name
            not in people.company.client.get(
                f"/api/v1/clusters/{people.cluster.public_id}/chain", headers=auditor.headers
            ).text
        )


def test_a_revision_leaves_origins_that_its_author_does_not_see(people: People, session: Session) -> None:
    """They are not his to take away without knowing."""
    other = a_person(people.company.client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    hidden = register(other)
    made = register(people.university, of("seed", hidden))
    other.patch(f"/seeds/{hidden}", {"status": "on_hold"})
    assert people.university.patch(f"/seeds/{made}", {"grown_from": []}).json()["grown_from"] == []
    assert people.coordinator.read(f"/seeds/{made}")["grown_from"] == [of("seed", hidden)]


def test_raw_statements_find_what_the_chain_tells(
    people: People, session: Session, database: RolledBackDatabase
) -> None:
    """The policies of the database say the same as the application, for everybody."""
    need, seed, match, outcome = a_pair(session, people)
    company = people.company.organisation
    assert company is not None
    origins = [
        of("need", need.public_id), of("seed", seed.public_id), of("match", match.public_id),
        of("outcome", outcome.public_id),
    ]  # fmt: skip
    for origin in origins:
        post(people.company, origin)
        post(people.company, origin, anonymous=False)
        register(people.university, origin)
        register(people.coordinator, origin, organisation=str(company.public_id))
        register(people.coordinator, origin)
    auditor = a_person(people.company.client, session, people.cluster, Role.AUDITOR)
    other = a_person(people.company.client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    elsewhere = people_of(people.company.client, session)
    rows = text(
        "select coalesce(seed.public_id, need.public_id)::text from origins "
        "left join seeds as seed on seed.id = seed_id left join needs as need on need.id = need_id"
    )
    entries = {*session.scalars(select(Seed.public_id)), *session.scalars(select(Need.public_id))}
    counts = set()
    for person in (*people, auditor, other, *elsewhere):
        chain = chain_of(person)
        told = {target for _, target in edges(chain) if uuid.UUID(target) in entries}
        with database.for_service.session() as reading:
            act_as(reading, person.caller)
            found = list(reading.scalars(rows))
        assert set(found) == told, person.role
        assert len(found) == len(told)
        counts.add(len(found))
    assert {0, 20} <= counts


def test_one_entry_alone(people: People) -> None:
    """What it grew from and what grew from it; not what else grew from the same."""
    first = register(people.university)
    second = register(people.university, of("seed", first))
    third = register(people.university, of("seed", second))
    sibling = register(people.university, of("seed", first))
    chain = chain_of(people.coordinator, entry=second)
    assert set(generations(chain)) == {first, second, third}
    assert set(generations(chain_of(people.coordinator, entry=first))) == {first, second, third, sibling}
    cluster = people.cluster.public_id
    assert people.coordinator.get(f"/clusters/{cluster}/chain", entry=uuid.uuid4()).status_code == 422


def test_a_long_chain(people: People, session: Session) -> None:
    """Hundreds of generations take no recursion."""
    seeds = [a_seed(session, people.cluster, None, encoder=None) for _ in range(300)]
    # Written from the end, so that each row's way back is short.
    for before, after in zip(seeds[-2::-1], seeds[:0:-1], strict=True):
        session.add(Origin(seed_id=after.id, from_seed_id=before.id))
    session.commit()
    chain = chain_of(people.coordinator)
    assert chain["generations"] == 300
    assert chain["longest"] == [str(seed.public_id) for seed in seeds]


def test_another_clusters_chain_is_not_there(people: People, session: Session) -> None:
    """As one that is nowhere."""
    elsewhere = people_of(people.company.client, session)
    for person in people:
        replies = [person.get(f"/clusters/{one}/chain") for one in (elsewhere.cluster.public_id, uuid.uuid4())]
        assert [reply.status_code for reply in replies] == [404, 404]
        assert replies[0].json() == replies[1].json()
