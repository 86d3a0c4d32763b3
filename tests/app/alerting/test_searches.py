"""Saved searches: each person's own, over what that person may see, with filters and a floor."""

import uuid

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app.alerting import searches
from enmusubi.app.caller import act_as, acting_as_service
from enmusubi.app.erasing import erase_account
from enmusubi.app.models import Account, RecordEvent, SavedSearch, Seed
from enmusubi.app.vocabulary import NoticeKind, RecordedKind
from tests.app.alerting.conftest import Work
from tests.app.conftest import People, people_of
from tests.app.factories import Json, a_person, a_seed, ranked_ids
from tests.conftest import RolledBackDatabase

WORDS = "frost resistant kerbstone"
SECRET = "NADESHIKO"


def _search(**fields: object) -> Json:
    return {"name": "Winter", "text": WORDS, "frequency": "at_once", **fields}


def test_what_is_new_and_fits_is_told_of_once(people: People, session: Session, work: Work) -> None:
    """What was there before is not new; the search shows it when it is run."""
    old = a_seed(session, people.cluster, people.university.organisation, title=WORDS)
    session.commit()
    work.match()
    saved = people.company.create("/saved-searches", _search())
    new = people.university.create("/seeds", {"title": f"{WORDS} of wood"})["id"]
    work.match()
    work.match()
    (alert,) = people.company.read("/alerts")["items"]
    assert (alert["seed"]["id"], alert["search"]) == (new, {"id": saved["id"], "name": "Winter"})
    assert [notice.kind for notice in work.notices()] == [NoticeKind.ALERT]
    found = ranked_ids(people.company.read(f"/saved-searches/{saved['id']}/matches"))
    assert {new, str(old.public_id)} == set(found)
    assert people.company.read(f"/saved-searches/{saved['id']}")["last_run"] is not None
    people.university.patch(f"/seeds/{new}", {"summary": WORDS})
    work.match()
    assert len(people.company.read("/alerts")["items"]) == 1


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"trl_min": 4}, {"trl": 4}),
        ({"trl_max": 3}, {"trl": 3}),
        ({"field": "ipc:a23l"}, {"field_codes": ["IPC:A23L 3/36"]}),
        ({"language": "ja"}, {"language": "ja"}),
        ({"region": "Hokkaido"}, {"regions": ["Hokkaido"]}),
    ],
)
def test_filters(people: People, work: Work, filters: Json, fits: Json) -> None:
    """What a filter does not let through is neither told of nor found."""
    saved = people.company.create("/saved-searches", _search(**filters))
    others = {"trl": 3 if "trl_min" in filters else 4, "language": "en", "regions": ["Tohoku"]}
    other = people.university.create("/seeds", {"title": WORDS, **others})["id"]
    seed = people.university.create("/seeds", {"title": WORDS, **fits})["id"]
    work.match()
    assert [alert["seed"]["id"] for alert in people.company.read("/alerts")["items"]] == [seed]
    found = ranked_ids(people.company.read(f"/saved-searches/{saved['id']}/matches"))
    assert found == [seed]
    assert other not in found


def test_a_floor_of_ones_own(people: People, work: Work) -> None:
    """In the steps in which probabilities are shown, so that none is learned more exactly."""
    assert people.company.post("/saved-searches", _search(floor=0.33)).status_code == 422
    people.company.create("/saved-searches", _search(floor=1.0))
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    assert work.alerts() == []


def test_only_what_its_person_may_see(client: TestClient, session: Session, work: Work) -> None:
    """Another cluster's seeds, needs that exclude one, and needs for a company: nothing of them."""
    here, there = people_of(client, session), people_of(client, session)
    here.company.create("/saved-searches", _search())
    here.university.create("/saved-searches", _search(against="needs"))
    assert here.company.post("/saved-searches", _search(against="needs")).status_code == 422
    assert here.university.organisation is not None
    there.university.create("/seeds", {"title": WORDS})
    name = here.university.organisation.name
    here.company.create("/needs", {"title": WORDS, "excluded_organisations": [name]})
    work.match()
    assert here.company.read("/alerts")["items"] == []
    assert here.university.read("/alerts")["items"] == []


def test_nobody_else_reads_it(
    client: TestClient, database: RolledBackDatabase, people: People, session: Session, work: Work
) -> None:
    """Neither a colleague, coordinators, the service's own work, the record, nor the log of an error."""
    saved = people.company.create("/saved-searches", _search(text=SECRET, name=SECRET))
    colleague = a_person(client, session, people.cluster, people.company.role, people.company.organisation)
    session.commit()
    for person in (colleague, people.coordinator, people.administrator, people.university):
        assert person.read("/saved-searches")["items"] == []
        for path in ("", "/matches"):
            nowhere = person.get(f"/saved-searches/{uuid.uuid4()}{path}")
            reply = person.get(f"/saved-searches/{saved['id']}{path}")
            assert (reply.status_code, reply.content) == (404, nowhere.content)
        assert person.patch(f"/saved-searches/{saved['id']}", {"name": "x"}).status_code == 404
        with database.for_service.session() as acting:
            act_as(acting, person.caller)
            assert acting.scalars(text("select text from saved_searches")).all() == []
    with database.for_service.session() as acting, acting_as_service(acting):
        assert acting.scalars(text("select text from saved_searches")).all() == []
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    events = session.scalars(select(RecordEvent).where(RecordEvent.kind == RecordedKind.SAVED_SEARCH)).all()
    assert [event.action for event in events] == ["created"]
    assert SECRET not in "".join(event.content or "" for event in events)
    wrong = people.company.post("/saved-searches", _search(text=SECRET, trl_min=SECRET))
    assert wrong.status_code == 422
    assert SECRET not in wrong.text


def test_revising_and_removing(people: People, session: Session, work: Work) -> None:
    """With the version that was read; null takes a filter away; removed, its alerts go with it."""
    saved = people.company.create("/saved-searches", _search(trl_min=5))
    path = f"/saved-searches/{saved['id']}"
    assert people.company.call("PATCH", path, {"name": "Ice"}).status_code == 428
    assert people.company.patch(path, {"name": "Ice"}, '"7"').status_code == 412
    changed = people.company.patch(path, {"name": "Ice", "trl_min": None}, '"1"')
    assert (changed.json()["name"], changed.json()["trl_min"], changed.headers["etag"]) == ("Ice", None, '"2"')
    assert people.company.patch(path, {"trl_min": 6, "trl_max": 5}).status_code == 422
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    assert len(people.company.read("/alerts")["items"]) == 1
    assert people.company.call("DELETE", path, None, {"If-Match": "*"}).status_code == 204
    assert people.company.read("/alerts")["items"] == []
    assert people.company.get(path).status_code == 404


def test_a_search_that_is_off_is_not_run(people: People, work: Work) -> None:
    """Nor is its text read."""
    saved = people.company.create("/saved-searches", _search())
    people.company.patch(f"/saved-searches/{saved['id']}", {"frequency": "never"})
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    assert people.company.read("/alerts")["items"] == []
    assert people.company.read(f"/saved-searches/{saved['id']}")["last_run"] is None


def test_so_many_and_no_more(people: People, session: Session) -> None:
    """The reply says what to do."""
    for number in range(searches.MOST):
        session.add(SavedSearch(account_id=people.company.caller.id, name=str(number), against="seeds", text=WORDS))
    session.commit()
    refused = people.company.post("/saved-searches", _search())
    assert refused.status_code == 409
    assert "remove one first" in refused.json()["detail"]


def test_a_repeat_saves_once(people: People) -> None:
    """With an Idempotency-Key, as everywhere."""
    first = people.company.post("/saved-searches", _search(), Idempotency_Key="k")
    again = people.company.post("/saved-searches", _search(), Idempotency_Key="k")
    assert first.json() == again.json()
    assert len(people.company.read("/saved-searches")["items"]) == 1


def test_erasing_an_account_forgets_them(people: People, session: Session, work: Work) -> None:
    """Searches, alerts and settings go with the person."""
    people.company.create("/saved-searches", _search())
    people.company.patch("/alerts/settings", {"frequency": "at_once"})
    people.university.create("/seeds", {"title": WORDS})
    work.match()
    erase_account(session, session.get_one(Account, people.company.caller.id))
    session.commit()
    assert session.scalars(select(SavedSearch)).all() == []
    assert [alert for alert in work.alerts() if alert.account_id == people.company.caller.id] == []
    assert session.scalars(select(Seed)).all() != []
