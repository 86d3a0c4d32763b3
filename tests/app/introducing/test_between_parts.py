"""What happens to entries, owners and other clusters in the middle of an introduction."""

import datetime
import uuid

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.models import NeedOpening, Notice
from enmusubi.app.vocabulary import NoticeKind, Role
from tests.app.conftest import People, people_of
from tests.app.factories import Person, a_match, a_need, a_person, a_seed
from tests.app.introducing.conftest import Pair, a_pair
from tests.app.records import link_all
from tests.conftest import RolledBackDatabase

KINDS = ("needs", "seeds")


def owner_and_path(pair: Pair, kind: str) -> tuple[Person, str]:
    """Whose an entry of the pair is, and where it is."""
    return (pair.company, f"/needs/{pair.need}") if kind == "needs" else (pair.university, f"/seeds/{pair.seed}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ended", [False, True])
def test_what_others_were_introduced_to_is_no_draft_any_more(pair: Pair, kind: str, ended: bool) -> None:
    """A draft is its owner's alone; the other side goes on reading the entry, and coordinators their lists."""
    owner, path = owner_and_path(pair, kind)
    assert "recall" in owner.read(f"{path}/lifecycle")["steps"]
    pair.introduce()
    if ended:
        pair.take(pair.university, "decline", reason="too_early")
    assert "recall" not in owner.read(f"{path}/lifecycle")["steps"]
    refused = owner.patch(path, {"status": "draft", "summary": "Half-written"})
    assert refused.status_code == 409
    assert "introduced" in refused.json()["detail"]
    for person in pair.people:
        assert person.get("/matches").status_code == 200
        assert "Half-written" not in person.get(f"/matches/{pair.match}").text


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_was_introduced_to_becomes_a_draft_again(pair: Pair, kind: str) -> None:
    """A verdict alone stands in no way, nor tells of itself."""
    pair.shortlist()
    owner, path = owner_and_path(pair, kind)
    assert "recall" in owner.read(f"{path}/lifecycle")["steps"]
    assert owner.patch(path, {"status": "draft"}).status_code == 200
    assert pair.coordinator.get("/matches").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("until", ["introduced", "accepted", "disclosed", "closed"])
def test_an_introduced_entry_moves_to_no_other_owner(
    pair: Pair, client: TestClient, session: Session, kind: str, until: str
) -> None:
    """Another owner has said no yes, and reads nothing of what the one before was told."""
    role = Role.COMPANY if kind == "needs" else Role.UNIVERSITY
    other = a_person(client, session, pair.people.cluster, role)
    assert other.organisation is not None
    session.commit()
    _, path = owner_and_path(pair, kind)
    move = {"organisation": str(other.organisation.public_id)}
    pair.introduce()
    if until != "introduced":
        pair.take(pair.university, "accept")
        pair.take(pair.company, "accept", discloses=["requirements"])
    if until in ("disclosed", "closed"):
        pair.disclose()
    if until == "closed":
        pair.take(pair.company, "close", reason="terms")
    assert pair.coordinator.patch(path, move).status_code == 409
    assert other.get(f"/matches/{pair.match}").status_code == 404
    assert other.get(f"/matches/{pair.match}/disclosed").status_code == 404
    assert pair.coordinator.patch(path, {"title": "Another title"}).status_code == 200


def test_who_has_come_to_be_excluded_is_told_nothing(pair: Pair) -> None:
    """A company that excludes the other side after its yes says no; without the exclusion its yes stands."""
    pair.introduce()
    pair.take(pair.university, "accept")
    pair.take(pair.company, "accept", discloses=["requirements"])
    tag = pair.coordinator.get(f"/matches/{pair.match}/disclosure").headers["ETag"]
    assert pair.university.organisation is not None
    excluded = {"excluded_organisations": [pair.university.organisation.name]}
    assert pair.company.patch(f"/needs/{pair.need}", excluded).status_code == 200
    shown = pair.coordinator.get(f"/matches/{pair.match}/disclosure")
    assert (shown.status_code, shown.json()["legal_steps"]) == (409, ["close"])
    assert pair.ask(pair.coordinator, "disclosure", {}, tag).status_code == 409
    assert pair.university.read(f"/matches/{pair.match}/disclosed")["items"] == []
    assert pair.company.patch(f"/needs/{pair.need}", {"excluded_organisations": []}).status_code == 200
    pair.disclose()


def test_a_step_from_another_cluster_is_read_without_its_person(
    people: People, client: TestClient, session: Session
) -> None:
    """People of another cluster are not the reader's to see; their steps are."""
    far = people_of(client, session)
    need = a_need(session, people.cluster, people.company.organisation)
    session.add(NeedOpening(need_id=need.id, cluster_id=far.cluster.id))
    seed = a_seed(session, far.cluster, far.university.organisation)
    row = a_match(session, need, seed)
    session.commit()
    pair = Pair(people, str(row.public_id), str(need.public_id), str(seed.public_id), row)
    pair.take(far.university, "interest", note="Ours")
    for person in (people.coordinator, people.administrator):
        (step,) = pair.steps(person)["steps"]
        assert (step["step"], step["name"]) == ("express_interest", None)
        assert person.get(f"/needs/{pair.need}/progress").status_code == 200
    (step,) = pair.steps(far.university)["steps"]
    assert step["name"] is not None


def test_no_wait_tells_a_side_the_moment_of_the_other_s_step(pair: Pair) -> None:
    """What was answered in one go is one owner's."""
    pair.take(pair.company, "interest")
    (work,) = pair.university.read("/work")["items"]
    assert _is_a_day(work["since"])
    pair.take(pair.university, "accept")
    (wait,) = pair.steps(pair.company)["waiting"]
    assert _is_a_day(wait["since"])
    (overseen,) = pair.steps(pair.coordinator)["waiting"]
    assert not _is_a_day(overseen["since"])


def _is_a_day(moment: str) -> bool:
    read = datetime.datetime.fromisoformat(moment)
    return (read.hour, read.minute, read.second, read.microsecond) == (0, 0, 0, 0)


def test_what_is_back_tells_a_side_the_day_alone(pair: Pair) -> None:
    """It is when the other side changed its entry."""
    pair.introduce()
    pair.take(pair.company, "decline", reason="too_early")
    assert pair.university.patch(f"/seeds/{pair.seed}", {"trl": 5}).status_code == 200
    assert _is_a_day(pair.company.read(f"/matches/{pair.match}")["reopened"]["on"])
    assert not _is_a_day(pair.coordinator.read(f"/matches/{pair.match}")["reopened"]["on"])


def test_a_side_is_asked_whatever_kind_its_organisation_is(
    people: People, client: TestClient, session: Session, database: RolledBackDatabase
) -> None:
    """A coordinator has entered a university's need and a company's seed: their people are told all the same."""
    seller = a_person(client, session, people.cluster, Role.COMPANY)
    need = a_need(session, people.cluster, people.university.organisation)
    seed = a_seed(session, people.cluster, seller.organisation)
    row = a_match(session, need, seed)
    session.commit()
    pair = Pair(people, str(row.public_id), str(need.public_id), str(seed.public_id), row)
    pair.introduce()
    told = {}
    with database.for_service.session() as working, acting_as_service(working):
        for notice in working.scalars(select(Notice).where(Notice.kind == NoticeKind.INTEREST_ASKED)):
            told[notice.audience] = set(working.scalars(select(func.recipients_of(notice.id))))
    assert told == {"need_side": {people.university.caller.id}, "seed_side": {seller.caller.id}}


def test_the_record_tells_no_administrator_what_a_company_ranked_or_imported(pair: Pair, session: Session) -> None:
    """Beside the needs that appear at the same moment, these would tell whose they are."""
    assert pair.company.get(f"/seeds/{a_seed_beside(pair, session)}/matches").json()["ranking"]
    headers = {**pair.company.headers, "Content-Type": "text/csv", "Idempotency-Key": str(uuid.uuid4())}
    content = b"title,summary\nA need,Ours\n"
    posted = pair.company.client.post("/api/v1/imports", params={"kind": "needs"}, content=content, headers=headers)
    assert posted.status_code == 201, posted.text
    pair.university.patch(f"/seeds/{pair.seed}", {"title": "Ours"})
    session.commit()
    assert link_all(session) > 0
    session.commit()
    shown = pair.administrator.read("/audit", limit=100)["items"]
    assert any(event["action"] == "revised" for event in shown)
    assert "company" not in {event["by"]["role"] for event in shown}


def test_a_need_that_becomes_anonymous_veils_its_company_s_earlier_steps(people: People, session: Session) -> None:
    """Its coordinators go on knowing who took them; nobody else does."""
    pair = a_pair(people, session, anonymous=False)
    pair.introduce()
    pair.take(pair.company, "accept")
    assert _names(pair, pair.administrator)[-1] == "company person"
    assert pair.company.patch(f"/needs/{pair.need}", {"anonymous": True}).status_code == 200
    assert _names(pair, pair.administrator)[-1] is None
    assert _names(pair, pair.coordinator)[-1] == _names(pair, pair.company)[-1] == "company person"


def _names(pair: Pair, person: Person) -> list[str | None]:
    return [step["name"] for step in pair.steps(person)["steps"]]


def a_seed_beside(pair: Pair, session: Session) -> str:
    """A seed that no need was ranked for."""
    seed = a_seed(session, pair.people.cluster, session.merge(pair.university.organisation), title="Frost concrete")
    session.commit()
    return str(seed.public_id)
