"""What stands in the way of a step: who is told of it, and that the step is refused with what to do."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import act_as, acting_as_service
from enmusubi.app.catalogue.organisations import name_key
from enmusubi.app.erasing import erase_account
from enmusubi.app.models import Account, ClusterSettings, Match, Need, NeedExclusion, Notice, Organisation, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, EntryStatus, NoticeKind, OrganisationKind, Role
from tests.app.conftest import People, people_of
from tests.app.factories import (
    EXPIRED,
    Json,
    Person,
    a_match,
    a_need,
    a_person,
    a_seed,
    a_webhook,
    an_organisation,
    put_into,
)
from tests.app.introducing.conftest import Pair, a_pair
from tests.conftest import RolledBackDatabase

KINDS = ("needs", "seeds")


def accepted(pair: Pair) -> str:
    """Have both sides say yes; the tag of what would be disclosed."""
    pair.introduce()
    pair.take(pair.university, "accept")
    pair.take(pair.company, "accept", discloses=["requirements"])
    tag: str = pair.coordinator.get(f"/matches/{pair.match}/disclosure").headers["ETag"]
    return tag


def entry_of(pair: Pair, session: Session, kind: str) -> Need | Seed:
    """One of the two entries."""
    return session.get_one(Need, pair.row.need_id) if kind == "needs" else session.get_one(Seed, pair.row.seed_id)


def hindered(pair: Pair, person: Person) -> list[list[str]]:
    """What the person sees to stand in the way of each wait of the match."""
    return [wait["hindered_by"] for wait in pair.steps(person)["waiting"]]


def told_nobody(session: Session) -> list[tuple[str, Json]]:
    """Who was told that nobody answers, and of which side."""
    session.expire_all()
    query = select(Notice).where(Notice.kind == NoticeKind.NOBODY_ANSWERS).order_by(Notice.id)
    return [(notice.audience, notice.facts) for notice in session.scalars(query)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "state", [EntryStatus.WITHDRAWN, EntryStatus.ARCHIVED, EntryStatus.REJECTED, EntryStatus.UNDER_REVIEW]
)
def test_what_has_ended_is_not_disclosed(pair: Pair, session: Session, kind: str, state: str) -> None:
    """The yes was to an entry that stands; the coordinator reads why and what to do, and the match can be closed."""
    tag = accepted(pair)
    put_into(entry_of(pair, session, kind), state)
    session.commit()
    word = "need" if kind == "needs" else "seed"
    shown = pair.coordinator.get(f"/matches/{pair.match}/disclosure")
    assert (shown.status_code, shown.json()["legal_steps"]) == (409, ["close"])
    assert f"the {word} is {state.replace('_', ' ')}" in shown.json()["detail"]
    assert "close the introduction" in shown.json()["detail"]
    assert pair.ask(pair.coordinator, "disclosure", {}, tag).status_code == 409
    assert hindered(pair, pair.coordinator) == [[f"{word}_not_open"]]
    assert "disclose" not in pair.steps(pair.coordinator)["legal_steps"]
    (work,) = pair.coordinator.read("/work")["items"]
    assert work["hindered_by"] == [f"{word}_not_open"]
    for person in (pair.company, pair.university, pair.administrator):
        assert hindered(pair, person) == [[]]
    assert pair.university.read(f"/matches/{pair.match}/disclosed")["items"] == []
    pair.take(pair.coordinator, "close", reason="out_of_scope")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", [EntryStatus.ON_HOLD, EntryStatus.EXPIRED, EXPIRED])
def test_what_is_only_proposed_no_more_is_disclosed(pair: Pair, session: Session, kind: str, state: str) -> None:
    """Both have said yes to it."""
    accepted(pair)
    put_into(entry_of(pair, session, kind), state)
    session.commit()
    assert hindered(pair, pair.coordinator) == [[]]
    assert "disclose" in pair.steps(pair.coordinator)["legal_steps"]
    pair.disclose()


def test_an_archived_entry_that_is_resumed_is_disclosed(pair: Pair) -> None:
    """As the refusal says."""
    accepted(pair)
    path = f"/seeds/{pair.seed}"
    assert pair.university.post(f"{path}/archive", If_Match="*").status_code == 200
    assert pair.coordinator.get(f"/matches/{pair.match}/disclosure").status_code == 409
    assert pair.university.post(f"{path}/resume", If_Match="*").status_code == 200
    pair.disclose()


def test_an_exclusion_is_told_to_coordinators_alone(pair: Pair) -> None:
    """Whom a need excludes is confidential."""
    accepted(pair)
    assert pair.university.organisation is not None
    excluded = {"excluded_organisations": [pair.university.organisation.name]}
    assert pair.company.patch(f"/needs/{pair.need}", excluded).status_code == 200
    assert hindered(pair, pair.coordinator) == [["excluded"]]
    assert "disclose" not in pair.steps(pair.coordinator)["legal_steps"]
    shown = pair.coordinator.read(f"/needs/{pair.need}/progress")["matches"][0]["waiting"]
    assert [wait["hindered_by"] for wait in shown] == [["excluded"]]
    for person in (pair.company, pair.university, pair.administrator):
        assert hindered(pair, person) == [[]]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_introduced_where_nobody_answers(
    people: People, session: Session, client: TestClient, kind: str
) -> None:
    """The coordinator is told whom to invite; once somebody has an account, the sides are asked."""
    deserted = an_organisation(
        session, people.cluster, OrganisationKind.COMPANY if kind == "needs" else OrganisationKind.UNIVERSITY
    )
    pair = pair_of(people, session, *(deserted if kind == each else None for each in KINDS))
    side = "need" if kind == "needs" else "seed"
    pair.shortlist()
    assert hindered(pair, people.coordinator) == [[f"nobody_for_{side}"]]
    assert "introduce" not in pair.steps(people.coordinator)["legal_steps"]
    refused = pair.ask(people.coordinator, "introduce")
    assert refused.status_code == 409
    assert f"the {side}'s organisation: invite somebody" in refused.json()["detail"]
    role = Role.COMPANY if kind == "needs" else Role.UNIVERSITY
    gone = a_person(client, session, people.cluster, role, session.merge(deserted))
    session.get_one(Account, gone.caller.id).active = False
    session.commit()
    assert pair.ask(people.coordinator, "introduce").status_code == 409
    session.get_one(Account, gone.caller.id).active = True
    session.commit()
    pair.take(people.coordinator, "introduce")
    assert hindered(pair, people.coordinator) == [[], []]


def pair_of(
    people: People, session: Session, company: Organisation | None = None, university: Organisation | None = None
) -> Pair:
    """A pair of other organisations than the people's, where given."""
    need = a_need(session, people.cluster, company or people.company.organisation)
    seed = a_seed(session, people.cluster, university or people.university.organisation)
    row = a_match(session, need, seed)
    session.commit()
    return Pair(people, str(row.public_id), str(need.public_id), str(seed.public_id), row)


def test_a_side_that_asks_learns_nothing_of_who_answers(people: People, session: Session) -> None:
    """The reply is the same; the coordinators are told at once, and see it with what is waited for."""
    deserted = an_organisation(session, people.cluster, OrganisationKind.UNIVERSITY)
    lively, lonely = a_pair(people, session), pair_of(people, session, university=deserted)
    replies = [pair.take(people.company, "interest") for pair in (lively, lonely)]
    shapes = [
        (reply["status"], reply["legal_steps"], [(wait["on"], wait["hindered_by"]) for wait in reply["waiting"]])
        for reply in replies
    ]
    assert shapes[0] == shapes[1]
    assert told_nobody(session) == [("coordinators", {"side": "seed"})]
    assert hindered(lonely, people.coordinator) == [["nobody_for_seed"]]
    assert hindered(lively, people.coordinator) == [[]]
    assert hindered(lonely, people.company) == hindered(lonely, people.administrator) == [[]]


@pytest.mark.parametrize("by", ["administrator", "operator"])
def test_the_last_one_leaves(pair: Pair, session: Session, client: TestClient, by: str) -> None:
    """Whoever coordinates is told of each answer that nobody is left to give, once; others of the side answer on."""
    company = session.merge(pair.company.organisation)
    assert company is not None
    colleague = a_person(client, session, pair.people.cluster, Role.COMPANY, company)
    session.commit()
    pair.introduce()
    further = a_pair(pair.people, session)
    further.introduce()
    further.take(pair.company, "accept")

    def leave(person: Person) -> None:
        if by == "administrator":
            path = f"/accounts/{person.caller.public_id}/deactivate"
            reply = pair.administrator.post(path)
            assert reply.status_code == 200, reply.text
            assert "nobody" not in reply.text
        else:
            session.expire_all()
            erase_account(session, session.get_one(Account, person.caller.id))
            session.commit()

    leave(colleague)
    assert told_nobody(session) == []
    leave(pair.company)
    assert told_nobody(session) == [("coordinators", {"side": "need"})]
    assert hindered(pair, pair.coordinator) == [["nobody_for_need"], []]
    assert hindered(pair, pair.university) == [[], []]
    assert hindered(further, pair.coordinator) == [[]]


def test_an_administrator_who_closes_the_last_account_learns_nothing(
    pair: Pair, session: Session, database: RolledBackDatabase
) -> None:
    """Neither by the cluster's webhooks, which are his too, nor by his list: it would tell whose the need is."""
    endpoint = a_webhook(session, pair.administrator.caller)
    session.commit()
    pair.introduce()
    reply = pair.administrator.post(f"/accounts/{pair.company.caller.public_id}/deactivate")
    assert reply.status_code == 200
    with database.for_service.session() as working, acting_as_service(working):
        for kind, hooks in ((NoticeKind.NOBODY_ANSWERS, []), (NoticeKind.INTEREST_ANSWERED, [endpoint.id])):
            notice = notify(
                working, cluster_id=pair.row.cluster_id, kind=kind, audience=Audience.COORDINATORS, match=pair.row.id
            )
            assert working.scalars(select(func.endpoints_of(notice.id))).all() == hooks
        told = working.scalars(
            select(Notice).where(Notice.kind == NoticeKind.NOBODY_ANSWERS).order_by(Notice.id)
        ).first()
        assert told is not None
        assert set(working.scalars(select(func.recipients_of(told.id)))) == {pair.coordinator.caller.id}


def test_an_excluded_university_is_told_nothing(pair: Pair, session: Session, database: RolledBackDatabase) -> None:
    """Whatever is tried with the pair: neither its people nor its webhook."""
    a_webhook(session, pair.university.caller)
    session.commit()
    assert pair.university.organisation is not None
    excluded = {"excluded_organisations": [pair.university.organisation.name]}
    assert pair.company.patch(f"/needs/{pair.need}", excluded).status_code == 200
    pair.shortlist()
    assert pair.ask(pair.coordinator, "introduce").status_code == 409
    assert pair.ask(pair.company, "interest").status_code == 409
    assert pair.ask(pair.university, "interest").status_code == 404
    assert pair.coordinator.post("/matches", {"need": pair.need, "seed": pair.seed}).status_code == 409
    assert pair.university.get(f"/matches/{pair.match}").status_code == 404
    with database.for_service.session() as working, acting_as_service(working):
        for notice in working.scalars(select(Notice)).all():
            assert working.scalars(select(func.endpoints_of(notice.id))).all() == []
            people = set(working.scalars(select(func.recipients_of(notice.id))))
            assert pair.university.caller.id not in people


def test_a_core_organisation_is_answered_for_by_its_coordinators(
    people: People, session: Session, client: TestClient, database: RolledBackDatabase
) -> None:
    """It has no other people: they are asked, and told."""
    core = an_organisation(session, people.cluster, OrganisationKind.CORE)
    member = a_person(client, session, people.cluster, Role.COORDINATOR, core)
    pair = pair_of(people, session, university=core)
    pair.introduce()
    with database.for_service.session() as working, acting_as_service(working):
        asked = select(Notice).where(Notice.kind == NoticeKind.INTEREST_ASKED, Notice.audience == "seed_side")
        notice = working.scalars(asked).one()
        assert set(working.scalars(select(func.recipients_of(notice.id)))) == {member.caller.id}
    pair.take(member, "accept")


def test_the_function_tells_nobody_else(
    pair: Pair, session: Session, client: TestClient, database: RolledBackDatabase
) -> None:
    """Neither sides nor administrators nor coordinators of other clusters learn who has people."""
    far = people_of(client, session)
    session.commit()
    assert far.coordinator.get(f"/matches/{pair.match}/steps").status_code == 404
    session.get_one(Account, pair.company.caller.id).active = False
    session.commit()
    pair.shortlist()
    for person in (pair.university, pair.administrator, far.coordinator):
        with database.for_service.session() as asked:
            act_as(asked, person.caller)
            assert asked.scalars(select(func.sides_without_people(pair.row.id, False))).all() == []
            assert asked.execute(select(func.left_alone(pair.company.caller.organisation_id))).all() == []


def test_coordinators_ask_as_many_as_they_like(people: People, session: Session) -> None:
    """Entries of no organisation are not one side together; a company's own are counted as before."""
    session.get_one(ClusterSettings, people.cluster.id).most_open_interests = 1
    for _ in range(3):
        need = a_need(session, people.cluster)
        row = a_match(session, need, a_seed(session, people.cluster, people.university.organisation))
        session.commit()
        pair = Pair(people, str(row.public_id), str(need.public_id), "", row)
        pair.take(people.coordinator, "interest")
    first, second = a_pair(people, session), a_pair(people, session)
    first.take(people.company, "interest")
    assert second.ask(people.company, "interest").status_code == 409


def test_exclusions_by_name_hinder_an_introduction(pair: Pair, session: Session) -> None:
    """Also before anybody was asked."""
    pair.shortlist()
    assert pair.university.organisation is not None
    named = pair.university.organisation
    session.add(
        NeedExclusion(
            need_id=pair.row.need_id, organisation_id=named.id, name=named.name, name_key=name_key(named.name)
        )
    )
    session.commit()
    assert session.scalars(select(Match.status).where(Match.id == pair.row.id)).one() == "shortlisted"
    assert hindered(pair, pair.coordinator) == [["excluded"]]
    assert pair.ask(pair.coordinator, "introduce").status_code == 409
