"""What is recorded, with what is said of it; that nobody changes it; and who reads it."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from enmusubi.app import chain_file, record_reading
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.chain import Head, Link, Verifier, read_head
from enmusubi.app.embedded import SERVICE
from enmusubi.app.recording import Operator, record
from enmusubi.app.vocabulary import Action, RecordedKind, Role
from tests.app.conftest import People, people_of
from tests.app.factories import Json, Person, a_caller, a_cluster, a_person, a_seed
from tests.app.records import fault_of, found_fault, link_all, said

SECRET = "TSUBAKI-15"
NEED = {"title": "Drying of granules", "description": SECRET, "budget_yen": 5}


@pytest.fixture
def need(people: People) -> Json:
    """A posted need with a confidential part."""
    return people.company.create("/needs", NEED)


def _view(number: int) -> tuple[str, str, Json]:
    return ("viewed", "need", {"version": number, "through": "need"})


def test_the_life_of_a_need_is_recorded(people: People, session: Session, need: Json) -> None:
    """Posting, revising, looking and withdrawing: what, by whom, never the text."""
    path = f"/needs/{need['id']}"
    people.company.patch(path, {"description": f"{SECRET}!", "title": "Drying"})
    people.coordinator.read(path)
    people.coordinator.withdraw(path)
    events = said(session, object=uuid.UUID(need["id"]))
    assert events == [
        ("created", "need", {"version": 1, "status": "published"}),
        ("revised", "need", {"version": 2, "status": "published", "fields": ["description", "title"]}),
        _view(2),
        _view(2),
        ("withdrawn", "need", {"version": 3}),
        _view(3),
    ]
    everything = session.scalars(text("select record_events::text from record_events")).all()
    assert SECRET not in "".join(everything)


def test_who_may_not_read_is_no_view(people: People, session: Session, need: Json) -> None:
    """The public part is everybody's; a list shows nobody's confidential part and is no view."""
    before = said(session)
    for person in (people.university, people.administrator):
        assert person.read(f"/needs/{need['id']}")["confidential"] is None
    for person in people:
        assert all(item["confidential"] is None for item in person.read("/needs")["items"])
    assert said(session) == before


def test_reasons_that_quote_a_need_are_views_of_it(people: People, session: Session) -> None:
    """Where a match, a ranking of the need or of a seed is explained to those who read its confidential sentences."""
    seed = a_seed(session, people.cluster, people.university.organisation, title="Drying of granules")
    session.commit()
    need = people.company.create("/needs", {**NEED, "requirements": "Dries in an hour."})
    match = need["matches"]["ranking"][0]["match"]
    of_need = {"object": uuid.UUID(need["id"]), "action": "viewed"}
    for person, views in ((people.university, 0), (people.coordinator, 3)):
        before = len(said(session, **of_need))
        person.read(f"/matches/{match}")
        person.read(f"/needs/{need['id']}/matches", reasons=True)
        person.read(f"/seeds/{seed.public_id}/matches", reasons=True)
        assert len(said(session, **of_need)) - before == views, person.role
    assert said(session, **of_need)[-1][2] == {"version": 1, "through": "reasons"}


def test_seeds_organisations_matches_and_reviews_are_recorded(people: People, session: Session) -> None:
    """Each change and decision, by the account that made it."""
    seed = people.university.create("/seeds", {"title": "Drying of granules"})["id"]
    need = people.company.create("/needs", NEED)
    match = need["matches"]["ranking"][0]["match"]
    people.company.read(f"/needs/{need['id']}/matches")  # proposes nothing new
    review = {"verdict": "dismiss", "reason": "capacity", "note": SECRET}
    people.coordinator.post(f"/matches/{match}/reviews", review, If_Match="*")
    people.university.patch(f"/seeds/{seed}", {"trl": 4, "status": "on_hold"})
    people.university.withdraw(f"/seeds/{seed}")
    made = people.administrator.create("/organisations", {"name": "架空", "kind": "company"})["id"]
    people.administrator.patch(f"/organisations/{made}", {"region": "R"})
    people.administrator.withdraw(f"/organisations/{made}")
    assert [each[0] for each in said(session, object=uuid.UUID(seed))] == ["created", "revised", "withdrawn"]
    assert said(session, object=uuid.UUID(seed))[1][2] == {
        "version": 2,
        "status": "on_hold",
        "fields": ["status", "trl"],
    }
    proposed = said(session, object=uuid.UUID(need["id"]), action="proposed")
    assert proposed == [("proposed", "need", {"version": 1, "matches": 1, "policy": "evidence-1"})]
    verdict = {"version": 2, "verdict": "dismiss", "reason": "capacity", "status": "dismissed"}
    assert said(session, object=uuid.UUID(match)) == [("reviewed", "match", verdict)]
    organisation = said(session, object=uuid.UUID(made))
    assert organisation == [
        ("created", "organisation", {"version": 1}),
        ("revised", "organisation", {"version": 2, "fields": ["region"]}),
        ("withdrawn", "organisation", {"version": 3}),
    ]


def test_what_is_refused_is_not_recorded(people: People, session: Session, need: Json) -> None:
    """An event is committed with what it is about, or not at all."""
    before = said(session)
    assert people.company.post("/needs", {"title": " "}).status_code == 422
    assert people.university.patch(f"/needs/{need['id']}", {"title": "T"}).status_code == 403
    assert people.company.patch(f"/needs/{need['id']}", {"title": "T"}, version='"9"').status_code == 412
    assert said(session) == before


def test_the_owner_sees_who_looked(people: People, client: TestClient, session: Session, need: Json) -> None:
    """Its own organisation and the coordinators of its cluster, page by page, newest first; nobody else."""
    path = f"/needs/{need['id']}"
    colleague = a_person(client, session, people.cluster, Role.COMPANY, people.company.organisation)
    auditor = a_person(client, session, people.cluster, Role.AUDITOR)
    competitor = a_person(client, session, people.cluster, Role.COMPANY)
    session.commit()
    people.coordinator.read(path)
    colleague.read(path)
    people.university.read(path)
    for reader in (people.company, colleague, people.coordinator):
        views = reader.read(f"{path}/views", limit=1)
        assert [view["by"]["role"] for view in views["items"]] == ["company"]
        company = people.company.organisation
        assert company is not None
        assert views["items"][0]["by"]["organisation"]["name"] == company.name
        rest = reader.read(f"{path}/views", limit=1, cursor=views["next"])
        assert rest["next"] is None
        assert rest["items"][0]["by"] == {
            "role": "coordinator",
            "account": str(people.coordinator.caller.public_id),
            "name": "coordinator person",
            "organisation": None,
        }
        assert (rest["items"][0]["version"], rest["items"][0]["through"]) == (1, "need")
    for reader in (people.university, people.administrator, auditor, competitor, *people_of(client, session)):
        assert reader.get(f"{path}/views").status_code == 404, reader.role
    assert people.company.get(f"{path}/views", cursor="x").status_code == 422


@pytest.mark.parametrize("kind", ["needs", "seeds"])
def test_people_of_a_former_owner_are_not_named_to_the_present_one(
    people: People, client: TestClient, session: Session, kind: str
) -> None:
    """That somebody of an owner before looked, in which version, but not who; overseers and own colleagues by name."""
    role = Role.COMPANY if kind == "needs" else Role.UNIVERSITY
    former, present = people.of(role), a_person(client, session, people.cluster, role)
    colleague = a_person(client, session, people.cluster, role, present.organisation)
    auditor = a_person(client, session, people.cluster, Role.AUDITOR)
    assert former.organisation is not None
    assert present.organisation is not None
    session.commit()
    body = NEED if kind == "needs" else {"title": "Drying", "unpublished": SECRET}
    path = f"/{kind}/{former.create(f'/{kind}', body)['id']}"
    former.read(path)
    owner = str(present.organisation.public_id)
    assert people.coordinator.patch(path, {"organisation": owner}).status_code == 200
    colleague.read(path)
    nobody = {"account": None, "name": None}

    def seen_by(reader: Person) -> list[Json]:
        return [view["by"] for view in reader.read(f"{path}/views")["items"]]

    theirs, corrected, earlier = seen_by(present)
    assert theirs["account"] == str(colleague.caller.public_id)
    assert (corrected["role"], corrected["name"]) == ("coordinator", "coordinator person")
    assert {**earlier, **nobody} == earlier
    assert earlier["role"] == role
    known = earlier["organisation"]  # universities are known to all of the cluster, companies are not
    assert known is None if kind == "needs" else known["id"] == str(former.organisation.public_id)
    named = [view["name"] for view in seen_by(people.coordinator)]
    assert named == [f"{role} person", "coordinator person", f"{role} person"]
    assert former.get(f"{path}/views").status_code == 404
    link_all(session)
    recorded = auditor.read("/audit", action="viewed", object=path.split("/")[-1])["items"]
    assert all(each["by"]["name"] for each in recorded)


def test_operators_are_seen_as_such(people: People, session: Session, need: Json) -> None:
    """A command on the server that reads as coordinators do leaves a view without an account."""
    operator = Operator(people.cluster.id)
    record(session, operator, Action.VIEWED, RecordedKind.NEED, uuid.UUID(need["id"]), version=1, through="reasons")
    session.commit()
    (view,) = people.company.read(f"/needs/{need['id']}/views")["items"]
    assert view["by"] == {"role": "operator", "account": None, "name": None, "organisation": None}


@pytest.fixture
def auditor(people: People, client: TestClient, session: Session) -> Person:
    """An auditor of the cluster."""
    person = a_person(client, session, people.cluster, Role.AUDITOR)
    session.commit()
    return person


def test_auditors_and_administrators_read_their_cluster_s_events(
    people: People, auditor: Person, client: TestClient, session: Session, need: Json
) -> None:
    """Filtered and paged, newest first; another cluster's events are not among them."""
    people.coordinator.read(f"/needs/{need['id']}")
    elsewhere = people_of(client, session)
    elsewhere.company.create("/needs", NEED)
    record(session, Operator(), Action.FITTED, RecordedKind.FITTING, None, adopted=False)
    session.commit()
    link_all(session)
    for reader in (auditor, people.administrator):
        items = reader.read("/audit", limit=200)["items"]
        assert [each["sequence"] for each in items] == sorted((each["sequence"] for each in items), reverse=True)
        assert items[0]["action"] == "fitted"  # of the whole installation
        assert items[1]["action"] == "viewed"
        assert items[1]["by"]["name"] == "coordinator person"
        assert items[1]["object"] == need["id"]
        # What a company did to an anonymous need would tell whose it is.
        assert not any(each["action"] == "created" and each["kind"] == "need" for each in items)
        paged = reader.read("/audit", limit=2)
        assert paged["items"] == items[:2]
        assert reader.read("/audit", limit=200, cursor=paged["next"])["items"] == items[2:]
        found = reader.read("/audit", action="viewed", kind="need", object=need["id"])["items"]
        assert found == [items[1]]
        moment = items[1]["recorded"]
        assert items[1] in reader.read("/audit", since=moment)["items"]
        assert items[1] not in reader.read("/audit", until=moment)["items"]
        assert SECRET not in json.dumps(items)
    for reader in (people.company, people.university, people.coordinator):
        for path in ("/audit", "/audit/export"):
            assert reader.get(path).status_code == 403


def test_an_auditor_s_export_can_be_verified(
    people: People, auditor: Person, client: TestClient, session: Session, need: Json
) -> None:
    """Another cluster's events are links without what they say; part by part it is still one chain."""
    people_of(client, session).company.create("/needs", NEED)
    session.commit()
    link_all(session)
    total = record_reading.waiting(session)
    assert total == 0
    lines: list[str] = []
    heads: list[Head] = []
    after = 0
    while True:
        reply = auditor.get("/audit/export", after=after, limit=3)
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "application/jsonl"
        *part, head = reply.text.splitlines()
        if not part:
            assert json.loads(head) == {"head": str(heads[-1])}
            break
        lines += part
        heads.append(read_head(json.loads(head)["head"]))
        after = heads[-1].sequence
    links = [chain_file.parse(line) for line in lines]
    verifier = Verifier({head.sequence: head.hash for head in heads})
    assert fault_of([link for link in links if isinstance(link, Link)], verifier) is None
    assert verifier.withheld > 0
    mine = [link.event for link in links if isinstance(link, Link) and link.event]
    assert {event.cluster for event in mine} == {str(people.cluster.public_id), None} - ({None} if mine else set())
    assert said(session, action="exported", kind="record")[0][2] == {"after": 0, "through": 3}


@contextmanager
def _as_service(session: Session) -> Iterator[Connection]:
    """With the rights that the running service has."""
    connection = session.connection()
    connection.execute(text(f"set local role {SERVICE}"))
    yield connection
    connection.execute(text("reset role"))


def _refused(connection: Connection, statement: str, why: str) -> None:
    point = connection.begin_nested()
    with pytest.raises(ProgrammingError, match=why):
        connection.execute(text(statement))
    point.rollback()


CHANGES = [
    "update record_events set action = 'revised'",
    "update record_events set sequence = sequence + 1",
    "update record_events set salt = null, recorded = null, role = null, action = null, content = null",
    "delete from record_events",
    "truncate record_events",
    "update record_actors set actor = gen_random_uuid()",
    "delete from record_actors",
    "truncate record_actors",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_nobody_changes_the_record(people: People, need: Json, session: Session, statement: str) -> None:
    """Neither the service's role, which has no right to, nor the owner of the tables, linked or not."""
    for _ in range(2):
        with _as_service(session) as connection:
            _refused(connection, statement, "permission denied")
        _refused(session.connection(), statement, "the record is kept")
        link_all(session)
    # The server's own way around triggers is a superuser's, and the triggers are there for it too.
    _refused(session.connection(), "set local session_replication_role = replica", "permission denied")
    always = text("select bool_and(tgenabled = 'A') from pg_trigger where tgname ~ '^record_.*_refuse_'")
    assert session.scalar(always)


def test_the_service_records_links_and_reads_and_no_more(people: People, session: Session, need: Json) -> None:
    """With SELECT and INSERT it can do all that the service does; what empties and erases is not for it."""
    caller = Caller(*(people.company.caller.id, people.company.caller.public_id, people.cluster.id), None, Role.COMPANY)
    with _as_service(session) as connection:
        act_as(session, people.company.caller)
        record(session, caller, Action.VIEWED, RecordedKind.NEED, None)
        assert connection.scalar(text("select record_chain(1000)"))
        assert connection.execute(text("select * from record_links(0, 10)")).all()
        _refused(connection, "select record_retain(now())", "permission denied")
        _refused(connection, "select record_erase(gen_random_uuid())", "permission denied")
        _refused(connection, "insert into record_actors values (1, '', gen_random_uuid())", "permission denied")
    assert found_fault(session) is None


def test_links_and_times_are_the_database_s_to_say(people: People, session: Session) -> None:
    """Whoever inserts an event with a link or a time of its own gets neither."""
    session.execute(
        text(
            "insert into record_events "
            "(sequence, chained, previous, digest, hash, salt, recorded, role, action, content) "
            "values (1, now(), '', '', '', '', '2001-01-01', 'company', 'viewed', '{}')"
        )
    )
    row = session.execute(
        text(
            "select sequence, hash, length(salt) as salt, recorded > now() - interval '1 day' as recent "
            "from record_events order by id desc limit 1"
        )
    ).one()
    assert (row.sequence, row.hash, row.salt, row.recent) == (None, None, 32, True)


@pytest.mark.parametrize("wrong", [{"action": "a\nb"}, {"role": "-"}, {"kind": ""}])
def test_words_are_words(session: Session, wrong: Json) -> None:
    """A part with a line break could be read as two."""
    values = {"role": "company", "action": "viewed", "kind": "need", **wrong}
    with pytest.raises(Exception, match="ck_record_events_words"):
        session.execute(
            text("insert into record_events (role, action, kind, content) values (:role, :action, :kind, '{}')"), values
        )


def test_every_new_account_has_a_pseudonym_of_its_own(session: Session) -> None:
    """Random, and bound to the account by a hash that nobody can compute without its salt."""
    cluster = a_cluster(session)
    callers = [a_caller(session, cluster, Role.COORDINATOR) for _ in range(2)]
    rows = session.execute(
        text(
            "select actor, actor = record_actor_of(public_id, salt) as bound, actor = public_id as told "
            "from record_actors join accounts on accounts.id = account_id where account_id = any(:keys)"
        ),
        {"keys": [caller.id for caller in callers]},
    ).all()
    assert len({row.actor for row in rows}) == 2
    assert all(row.bound and not row.told for row in rows)
