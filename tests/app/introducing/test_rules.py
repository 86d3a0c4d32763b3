"""What holds of single steps: who is told what, what is refused, and what stays readable."""

import datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app import recording
from enmusubi.app.models import ClusterSettings, Match, Need, NeedExclusion, Notice, Seed, SeedOpening
from enmusubi.app.stepping.calendar import is_working_day, working_days_after
from enmusubi.app.vocabulary import EntryStatus, Role
from tests.app.clocks import MovedClock, tick_of
from tests.app.conftest import People, people_of
from tests.app.factories import (
    EXPIRED,
    Person,
    a_match,
    a_need,
    a_person,
    a_seed,
    put_into,
)
from tests.app.introducing.conftest import SECRET, Pair, a_pair
from tests.conftest import RolledBackDatabase


def test_an_interest_tells_nothing_of_verdicts(people: People, session: Session) -> None:
    """Suggested, shortlisted, dismissed or reconsidered: the reply, its version and what is seen are the same."""
    told = []
    for verdicts in ([], ["shortlist"], ["dismiss"], ["dismiss", "shortlist"]):
        pair = a_pair(people, session)
        for verdict in verdicts:
            pair.take(pair.coordinator, "reviews", verdict=verdict, reason="out_of_scope")
        if len(verdicts) == 2:
            pair.take(pair.coordinator, "reconsider")
        before = pair.university.get(f"/matches/{pair.match}")
        reply = pair.ask(pair.university, "interest", {"message": "We could show it."}, before.headers["ETag"])
        seen = pair.steps(pair.company)
        told.append(
            (
                before.headers["ETag"],
                reply.status_code,
                reply.headers["ETag"],
                reply.json()["status"],
                reply.json()["step"]["before"],
                [wait["on"] for wait in reply.json()["waiting"]],
                [(step["step"], step["before"], step["by"]) for step in seen["steps"]],
                seen["legal_steps"],
            )
        )
    assert [*told[1:]] == [told[0]] * 3
    assert told[0][:5] == ('"1"', 201, '"2"', "introduced", "suggested")
    assert told[0][6] == [("express_interest", "suggested", "other_side")]


def test_no_more_interests_than_the_most(people: People, session: Session) -> None:
    """An organisation asks for so many open introductions of a cluster at once; one that ends makes place."""
    session.get_one(ClusterSettings, people.cluster.id).most_open_interests = 2
    first, second, third = (a_pair(people, session) for _ in range(3))
    for pair in (first, second):
        pair.take(people.company, "interest")
    refused = third.ask(people.company, "interest")
    assert (refused.status_code, "2 introductions" in refused.json()["detail"]) == (409, True)
    assert third.ask(people.university, "interest").status_code == 201
    fourth = a_pair(people, session)
    first.take(people.university, "decline", reason="capacity")
    fourth.take(people.company, "interest")


@pytest.mark.parametrize("state", [EntryStatus.ON_HOLD, EntryStatus.WITHDRAWN, EXPIRED])
def test_what_is_under_way_stays_readable(pair: Pair, session: Session, state: str) -> None:
    """Whatever becomes of the entries, both sides see the match and both entries, and go on."""
    pair.introduce()
    put_into(session.get_one(Need, pair.row.need_id), state)
    put_into(session.get_one(Seed, pair.row.seed_id), state)
    session.commit()
    for person in (pair.company, pair.university, pair.coordinator):
        for path in (f"/matches/{pair.match}", f"/needs/{pair.need}", f"/seeds/{pair.seed}"):
            assert person.get(path).status_code == 200, (person.role, path)
        assert pair.match in [match["id"] for match in person.read("/matches")["items"]]
    assert pair.need not in [need["id"] for need in people_needs(pair.people, session)]
    pair.take(pair.company, "accept")
    pair.take(pair.university, "decline", reason="capacity")
    assert pair.status(pair.company) == pair.status(pair.university) == "declined"


def people_needs(people: People, session: Session) -> list[dict[str, str]]:
    """The needs that another university of the cluster sees."""
    other = a_person(people.company.client, session, people.cluster, Role.UNIVERSITY)
    session.commit()
    items: list[dict[str, str]] = other.read("/needs")["items"]
    return items


def test_an_exclusion_does_not_undo_an_introduction(pair: Pair, session: Session) -> None:
    """Who was introduced before goes on seeing it; a further pair of the two is gone."""
    assert pair.university.organisation is not None
    need = session.get_one(Need, pair.row.need_id)
    further = a_match(session, need, a_seed(session, pair.people.cluster, pair.university.organisation))
    session.commit()
    pair.introduce()
    session.add(NeedExclusion(need_id=need.id, organisation_id=pair.university.organisation.id, name="x", name_key="x"))
    session.commit()
    assert pair.status(pair.university) == "introduced"
    assert pair.university.get(f"/matches/{further.public_id}").status_code == 404


def test_a_seed_of_another_cluster_stays_with_the_coordinator(
    people: People, client: TestClient, session: Session
) -> None:
    """The opening is taken back while it is under way: the match goes on."""
    far = people_of(client, session)
    need = a_need(session, people.cluster, people.company.organisation)
    seed = a_seed(session, far.cluster, far.university.organisation)
    session.add(SeedOpening(seed_id=seed.id, cluster_id=people.cluster.id))
    row = a_match(session, need, seed)
    session.commit()
    pair = Pair(people, str(row.public_id), str(need.public_id), str(seed.public_id), row)
    pair.take(people.company, "interest")
    session.execute(text("delete from seed_openings"))
    session.commit()
    for person in (people.coordinator, people.company):
        assert pair.status(person) == "introduced"
    assert far.coordinator.get(f"/matches/{pair.match}").status_code == 404
    # Not opened to the university's cluster: the need is seen by the introduction alone.
    pair.take(far.university, "accept")
    assert far.university.read(f"/needs/{pair.need}")["organisation"] is None
    pair.disclose()
    (told,) = people.company.read(f"/matches/{pair.match}/disclosed")["items"]
    assert told["content"]["contacts"][0]["name"] == "university person"


def test_what_is_shown_is_what_is_told(pair: Pair) -> None:
    """A change of the need between the look and the disclosure is noticed."""
    pair.introduce()
    pair.take(pair.university, "accept")
    pair.take(pair.company, "accept", discloses=["description"])
    path = f"/matches/{pair.match}/disclosure"
    tag = pair.coordinator.get(path).headers["ETag"]
    assert pair.company.patch(f"/needs/{pair.need}", {"description": "Other words"}).status_code == 200
    changed = pair.coordinator.post(path, {}, If_Match=tag)
    assert (changed.status_code, pair.status(pair.company)) == (412, "accepted")
    assert pair.coordinator.post(path, {}, If_Match="*").status_code == 422
    pair.disclose()
    (told,) = pair.university.read(f"/matches/{pair.match}/disclosed")["items"]
    assert told["content"]["confidential"] == {"description": "Other words"}
    views = pair.company.read(f"/needs/{pair.need}/views")["items"]
    assert {view["through"] for view in views} >= {"disclosure", "disclosed"}


def test_a_seed_discloses_no_unpublished_part(pair: Pair) -> None:
    """Only a need's fields may be named."""
    pair.introduce()
    assert pair.ask(pair.university, "accept", {"discloses": ["description"]}).status_code == 422
    assert pair.ask(pair.company, "accept", {"discloses": ["owner"]}).status_code == 422


def test_an_old_version_is_refused(pair: Pair) -> None:
    """Each side's version counts what it sees."""
    pair.introduce()
    version = pair.university.get(f"/matches/{pair.match}/steps").headers["ETag"]
    assert version == pair.university.get(f"/matches/{pair.match}").headers["ETag"] == '"2"'
    pair.take(pair.company, "accept")
    assert pair.ask(pair.university, "accept", {}, version).status_code == 412
    assert pair.ask(pair.university, "accept", {}, '"3"').status_code == 201


def test_a_coordinator_leaves(pair: Pair, session: Session, client: TestClient) -> None:
    """All that is under way goes to another one in one step; deactivating tells what is left."""
    other = a_person(client, session, pair.people.cluster, Role.COORDINATOR)
    session.commit()
    pair.introduce()
    further = a_pair(pair.people, session)
    further.shortlist()
    assert {item["match"] for item in pair.coordinator.read("/work")["items"]} == {further.match}
    assert other.read("/work")["items"] == []
    assert other.read("/work", everybody=True)["items"] != []
    path = f"/accounts/{pair.coordinator.caller.public_id}"
    left = pair.administrator.post(f"{path}/deactivate").json()
    assert left["open_matches"] == 2
    body = {"to": str(other.caller.public_id), "note": "Retired."}
    assert pair.administrator.post(f"{path}/hand-over", body).json() == {"matches": 2}
    assert {item["match"] for item in other.read("/work")["items"]} == {further.match}
    assert pair.steps(other)["steps"][-1]["note"] == "Retired."
    assert pair.names(pair.company)[-1] == "hand_over"
    assert "hand_over" not in further.names(further.company)
    listed = other.read("/matches", coordinator=str(other.caller.public_id))["items"]
    assert {match["id"] for match in listed} == {pair.match, further.match}
    assert pair.company.read("/matches", coordinator=str(other.caller.public_id))["items"] == []
    to_company = {"to": str(pair.company.caller.public_id)}
    assert pair.administrator.post(f"{path}/hand-over", to_company).status_code == 409
    told = session.scalars(select(Notice).where(Notice.account_id == other.caller.id)).one()
    assert told.facts == {"matches": 2, "taken_over": True}


def test_the_queue_is_filtered(pair: Pair, clock: MovedClock) -> None:
    """By who is waited for and by what is overdue, as each may see it."""

    def found(person: Person, **query: object) -> bool:
        return pair.match in [match["id"] for match in person.read("/matches", **query)["items"]]

    pair.shortlist()
    assert found(pair.coordinator, waiting_on="cluster")
    assert not found(pair.company, waiting_on="cluster"), "a verdict is not told"
    pair.take(pair.coordinator, "introduce")
    assert found(pair.company, waiting_on="seed")
    assert not found(pair.coordinator, waiting_on="cluster")
    assert not found(pair.coordinator, overdue=True)
    clock.pass_working_days(10)
    assert found(pair.coordinator, overdue=True)
    assert not found(pair.coordinator, overdue=False)


def test_where_is_my_need(pair: Pair, clock: MovedClock) -> None:
    """One call tells its owner what happened, who is waited for and until when; nobody else of its cluster's sides."""
    nothing = pair.company.read(f"/needs/{pair.need}/progress")
    assert (nothing["counts"], nothing["matches"], nothing["next_due_on"]) == ({"suggested": 1}, [], None)
    pair.introduce()
    shown = pair.company.read(f"/needs/{pair.need}/progress")
    due = working_days_after(clock.today(), 10).isoformat()
    (match,) = shown["matches"]
    waiting = [(wait["on"], wait["awaited"], wait["due_on"]) for wait in match["waiting"]]
    assert waiting == [("you", "answer", due), ("other_side", "answer", due)]
    assert (shown["waiting_on_you"], shown["next_due_on"], shown["overdue"]) == (1, due, 0)
    assert match["other"]["id"] == pair.seed
    assert pair.university.get(f"/needs/{pair.need}/progress").status_code == 403
    assert pair.company.get(f"/seeds/{pair.seed}/progress").status_code == 403
    assert pair.university.read(f"/seeds/{pair.seed}/progress")["matches"][0]["other"]["id"] == pair.need
    assert pair.administrator.read(f"/needs/{pair.need}/progress")["counts"] == {"introduced": 1}


def test_entries_of_nobody_are_answered_for_by_coordinators(people: People, session: Session) -> None:
    """A need and a seed without an organisation: the coordinator answers for both."""
    need, seed = a_need(session, people.cluster), a_seed(session, people.cluster)
    row = a_match(session, need, seed)
    session.commit()
    pair = Pair(people, str(row.public_id), str(need.public_id), str(seed.public_id), row)
    pair.introduce()
    assert sorted(item["side"] for item in people.coordinator.read("/work")["items"]) == ["need", "seed"]
    pair.take(people.coordinator, "accept")
    pair.take(people.coordinator, "accept")
    pair.disclose()
    told = people.coordinator.read(f"/matches/{pair.match}/disclosed")["items"]
    assert [item["content"]["organisation"] for item in told] == [None, None]


def test_who_oversees_learns_no_anonymous_company(pair: Pair, session: Session, database: RolledBackDatabase) -> None:
    """Administrators see that the need's side answered, not who; the record does not tell it either."""
    pair.introduce()
    pair.take(pair.company, "accept", note="Our board agreed.")
    pair.take(pair.university, "accept", note="Fine.")
    steps = pair.steps(pair.administrator)["steps"]
    assert [(step["step"], step["name"], step["note"]) for step in steps[-2:]] == [
        ("accept", None, None),
        ("accept", "university person", None),
    ]
    recording.chain(database)
    events = pair.administrator.read("/audit", kind="match", limit=200)["items"]
    assert "company" not in {event["by"]["role"] for event in events}
    assert "university" in {event["by"]["role"] for event in events}
    assert [step["name"] for step in pair.steps(pair.coordinator)["steps"]][-2:] == [
        "company person",
        "university person",
    ]


def test_pairing_by_hand(people: People, session: Session) -> None:
    """A new pair gets its score, however low; a dismissed one is taken up; excluded and own ones are refused."""
    need = a_need(session, people.cluster, people.company.organisation, title="frost")
    seed = a_seed(session, people.cluster, people.university.organisation, title="wine")
    excluding = a_need(
        session, people.cluster, people.company.organisation,
        excluded_organisations=[people.university.organisation.name if people.university.organisation else ""],
    )  # fmt: skip
    held = a_seed(session, people.cluster, people.university.organisation)
    held.status = EntryStatus.ON_HOLD
    bare = a_seed(session, people.cluster, people.university.organisation, encoder=None)
    session.commit()
    ids = {"need": str(need.public_id), "seed": str(seed.public_id)}
    made = people.coordinator.create("/matches", {**ids, "note": "They met at the fair."})
    match = people.coordinator.read(f"/matches/{made['match']}")
    assert (match["status"], match["score"] is not None) == ("shortlisted", True)
    assert session.scalars(select(Match.by_hand).where(Match.need_id == need.id)).one()
    again = people.coordinator.post("/matches", ids)
    assert (again.status_code, "introduce" in again.json()["legal_steps"]) == (409, True)
    people.coordinator.post(
        f"/matches/{made['match']}/reviews", {"verdict": "dismiss", "reason": "terms"}, If_Match="*"
    )
    assert people.coordinator.create("/matches", ids)["match"] == made["match"]
    for wrong in ({"need": str(excluding.public_id)}, {"seed": str(held.public_id)}, {"seed": str(bare.public_id)}):
        assert people.coordinator.post("/matches", {**ids, **wrong}).status_code == 409, wrong
    assert people.university.post("/matches", ids).status_code == 403
    assert people.company.post("/matches", ids).status_code == 403


def test_a_late_coordinator(pair: Pair, database: RolledBackDatabase, clock: MovedClock) -> None:
    """Is reminded, then the administrators are told, and nothing is closed; terms are the cluster's settings."""
    pair.shortlist()
    (wait,) = pair.steps(pair.coordinator)["waiting"]
    assert wait["due_on"] == working_days_after(clock.today(), 5).isoformat()
    steps = []
    for days in (10, 5, 5, 5, 20):
        clock.pass_working_days(days)
        steps.append([str(step) for step in tick_of(database.for_service, clock)])
    assert steps == [["remind"], ["raise"], [], [], []]
    assert pair.names(pair.company) == []
    assert [item["match"] for item in pair.administrator.read("/work")["items"]] == [pair.match]


def test_terms_are_settings_of_the_cluster(pair: Pair, session: Session, clock: MovedClock) -> None:
    """What a cluster has set counts from the next step on."""
    session.get_one(ClusterSettings, pair.people.cluster.id).answer_days = 3
    session.commit()
    pair.introduce()
    due = {wait["due_on"] for wait in pair.steps(pair.company)["waiting"]}
    assert due == {working_days_after(clock.today(), 3).isoformat()}


def test_work_in_pages(people: People, session: Session) -> None:
    """By what is due first, each once, whatever the size of the pages."""
    pairs = [a_pair(people, session) for _ in range(5)]
    for pair in pairs:
        pair.introduce()
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = people.company.read("/work", limit=2, **cursor)
        found += [item["match"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(found) == sorted(pair.match for pair in pairs)
    assert people.company.get("/work", cursor="x").status_code == 422
    assert people.company.read("/work", overdue=True)["items"] == []


def test_a_repeated_call_takes_one_step(pair: Pair) -> None:
    """The same Idempotency-Key gets the first reply."""
    pair.introduce()
    path = f"/matches/{pair.match}/accept"
    replies = [pair.company.post(path, {}, If_Match="*", Idempotency_Key="one") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json() == replies[1].json()
    assert pair.names(pair.company) == ["introduce", "accept"]


def test_nothing_confidential_is_in_the_record(pair: Pair, session: Session) -> None:
    """Neither messages, notes nor names; what was disclosed by the names of its fields."""
    pair.introduce()
    pair.take(pair.university, "accept", message="WORDS", note="WORDS")
    pair.take(pair.company, "accept", discloses=["requirements"], note="WORDS")
    pair.disclose(note="WORDS")
    said = " ".join(session.scalars(text("select content from record_events where kind = 'match'")))
    assert "WORDS" not in said
    assert SECRET not in said
    assert "requirements" in said


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"agreed_on": "0001-01-01"}, "agreed_on"),
        ({"agreed_on": "1989-12-31"}, "agreed_on"),
        ({"agreed_on": "9999-12-31"}, "agreed_on"),
        ({"starts_on": "2047-04-01"}, "starts_on"),
        ({"ends_on": "2067-04-01"}, "ends_on"),
        ({"starts_on": "1066-01-01", "ends_on": "9999-12-31"}, "starts_on"),
    ],
)
def test_an_outcome_s_days_can_be_meant(pair: Pair, clock: MovedClock, changes: dict[str, str], place: str) -> None:
    """A slip of the pen is told with its place, and nothing is stored."""
    clock.pass_seconds((datetime.datetime(2027, 1, 4, tzinfo=datetime.UTC) - clock.now()).total_seconds())
    talking(pair)
    pair.take(pair.coordinator, "agreement")
    outcome = {"kind": "licence", "agreed_on": "2026-12-01", "starts_on": "2027-01-01", "ends_on": "2050-01-01"}
    reply = pair.ask(pair.company, "outcomes", outcome | changes)
    assert reply.status_code == 422, reply.text
    assert [error["at"] for error in reply.json()["errors"]] == [f"/body/{name}" for name in changes]
    assert reply.json()["detail"].startswith(f"{place}: expected a day from 1990-01-01 to 20")
    assert pair.ask(pair.company, "outcomes", {**outcome, "ends_on": "2026-12-31"}).status_code == 422
    assert pair.company.read(f"/matches/{pair.match}/outcomes")["items"] == []
    pair.take(pair.company, "outcomes", **outcome)


def test_a_meeting_s_day_can_be_meant(pair: Pair) -> None:
    """Neither in another century nor in another life."""
    talking(pair)
    for day in ("9999-01-01", "0001-01-01"):
        assert pair.ask(pair.company, "meeting", {"on": day}).status_code == 422


def talking(pair: Pair) -> None:
    """Bring a pair to its first meeting."""
    pair.introduce()
    pair.take(pair.university, "accept")
    pair.take(pair.company, "accept")
    pair.disclose()
    pair.take(pair.coordinator, "meeting")


@pytest.mark.parametrize(
    ("day", "days", "after"),
    [
        ("2026-04-28", 1, "2026-04-30"),  # 昭和の日
        ("2026-05-01", 1, "2026-05-07"),  # Golden Week with its substitute holiday
        ("2026-12-28", 1, "2027-01-04"),  # public offices are closed
        ("2026-09-18", 1, "2026-09-24"),  # a day between two holidays is one
        ("2026-06-05", 10, "2026-06-19"),
        ("2026-06-06", 0, "2026-06-06"),
    ],
)
def test_working_days_of_japan(day: str, days: int, after: str) -> None:
    """Neither weekends nor national holidays nor the days over New Year."""
    assert working_days_after(datetime.date.fromisoformat(day), days).isoformat() == after
    assert is_working_day(datetime.date.fromisoformat(after)) or days == 0
