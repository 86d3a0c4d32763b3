"""Lists of matches: narrowed by what their entries and scores are, and need by need."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from enmusubi.app.models import Cluster, Match, Need, NeedOpening
from enmusubi.app.vocabulary import MatchStatus, Role
from tests.app.conftest import People, people_of
from tests.app.factories import Person, a_match, a_need, a_person, a_seed, put_match_into


def _match(session: Session, people: People, need: Need, score: float, **seed: Any) -> Match:
    made = a_match(session, need, a_seed(session, people.cluster, people.university.organisation, **seed))
    made.score = score
    session.commit()
    return made


def _ids(person: Person, **query: Any) -> list[str]:
    return [item["id"] for item in person.read("/matches", **query)["items"]]


def _walked(person: Person, **query: Any) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = person.read("/matches", limit=1, **query, **cursor)
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


@pytest.fixture
def need(people: People, session: Session) -> Need:
    """A need in one field, region and language."""
    return a_need(
        session, people.cluster, people.company.organisation, field_codes=["IPC:C04B 28/02"], regions=["東北"],
        language="ja",
    )  # fmt: skip


SIDES = [Role.COMPANY, Role.UNIVERSITY, Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR]


@pytest.mark.parametrize("role", SIDES)
def test_narrowed_by_the_entries(people: People, session: Session, need: Need, role: Role) -> None:
    """By the beginning of a field code, a region and a language of either entry, and the seed's TRL: whoever asks."""
    plain = _match(session, people, need, 0.1)
    told = _match(
        session, people, need, 0.2, field_codes=["IPC:A23L 3/36"], regions=["北海道"], language="en", trl=5
    )  # fmt: skip
    person = people.of(role)
    both = sorted(str(each.public_id) for each in (plain, told))
    for query, found in (
        ({"field": "IPC:C04B"}, both),
        ({"field": "ipc:a23l"}, [str(told.public_id)]),
        ({"field": "04B"}, []),
        ({"region": "東北"}, both),
        ({"region": "北海道"}, [str(told.public_id)]),
        ({"region": "北海"}, []),
        ({"language": "ja"}, both),
        ({"language": "en"}, [str(told.public_id)]),
        ({"trl_min": 5}, [str(told.public_id)]),
        ({"trl_min": 6}, []),
        ({"field": "IPC:C04B", "region": "北海道", "trl_min": 1}, [str(told.public_id)]),
    ):
        assert sorted(_ids(person, **query)) == found, query


def test_narrowed_by_the_score(people: People, session: Session, need: Need) -> None:
    """Both ends are included; for who may not see scores it is refused."""
    low, middle, high = (_match(session, people, need, score) for score in (0.25, 0.5, 0.75))
    for person in (people.coordinator, people.administrator):
        assert set(_ids(person, score_min=0.5)) == {str(middle.public_id), str(high.public_id)}
        assert set(_ids(person, score_max=0.5)) == {str(low.public_id), str(middle.public_id)}
        assert _ids(person, score_min=0.5, score_max=0.5) == [str(middle.public_id)]
        for wrong in ("nan", "inf", "x"):
            assert person.get("/matches", score_min=wrong).status_code == 422
    for person in (people.company, people.university):
        for asked in ({"score_min": 0.5}, {"score_max": 0.5}, {"order": "need"}):
            assert person.get("/matches", **asked).status_code == 403, asked


def test_exact_scores_of_another_index_are_not_asked_for(
    people: People, client: TestClient, session: Session, need: Need
) -> None:
    """What the index of another cluster ranked is in no band of scores: its figures are shown rounded."""
    there = people_of(client, session)
    session.add(NeedOpening(need_id=need.id, cluster_id=there.cluster.id))
    match = _match(session, people, need, 0.5)
    match.ranked_in = people.cluster.id
    session.commit()
    assert _ids(people.coordinator, score_min=0.5) == [str(match.public_id)]
    match.ranked_in = there.cluster.id
    session.commit()
    assert _ids(people.coordinator) == [str(match.public_id)]
    assert _ids(people.coordinator, score_min=0.5) == _ids(people.coordinator, score_max=0.5) == []


def test_need_by_need(people: People, session: Session, need: Need) -> None:
    """The need that was entered last first, of each its best match first, ties by id; in pages as at once."""
    later = a_need(session, people.cluster, people.company.organisation)
    made = [_match(session, people, each, score) for score in (0.5, 0.9, 0.1, 0.5) for each in (later, need)]
    made.sort(key=lambda match: (match.need_id, match.score, match.public_id), reverse=True)
    expected = [str(match.public_id) for match in made]
    for person in (people.coordinator, people.administrator):
        assert _ids(person, order="need") == _walked(person, order="need") == expected
        assert _walked(person, order="need", score_min=0.5) == [
            str(match.public_id) for match in made if match.score >= 0.5
        ]
    assert [match.need_id for match in made] == [later.id] * 4 + [need.id] * 4


def test_a_cursor_of_a_match_that_is_not_seen(people: People, client: TestClient, session: Session) -> None:
    """It is answered like one of a match that is not there."""
    there = people_of(client, session)
    for _ in range(2):
        far = a_need(session, there.cluster, there.company.organisation)
        a_match(session, far, a_seed(session, there.cluster))
    session.commit()
    foreign = there.coordinator.read("/matches", order="need", limit=1)["next"]
    assert foreign is not None
    refused = people.coordinator.get("/matches", order="need", cursor=foreign)
    assert refused.status_code == 422
    assert "cursor" in refused.text
    assert people.coordinator.get("/matches", order="need", cursor="x").status_code == 422


def test_what_is_waited_for_with_the_rest(people: People, session: Session, need: Need) -> None:
    """Who is waited for, and whether it is late, go with every other filter."""
    asked, talking, quiet = (_match(session, people, need, score, trl=4) for score in (0.3, 0.2, 0.1))
    put_match_into(session, asked, MatchStatus.INTRODUCED)
    put_match_into(session, talking, MatchStatus.MEETING)
    session.commit()
    for person in people:
        assert _ids(person, waiting_on="need") == _ids(person, waiting_on="seed", trl_min=4) == [str(asked.public_id)]
        assert _ids(person, waiting_on="cluster", trl_min=4) == [str(talking.public_id)]
        assert _ids(person, waiting_on="cluster", trl_min=5) == _ids(person, overdue=True) == []
        assert len(_ids(person, overdue=False)) == 3
    assert _ids(people.coordinator, order="need", waiting_on="cluster") == [str(talking.public_id)]
    assert str(quiet.public_id) in _ids(people.coordinator, overdue=False)


@pytest.mark.parametrize("status", [MatchStatus.SUGGESTED, MatchStatus.ACCEPTED, MatchStatus.OUTCOME])
def test_a_coordinator_of_an_organisation(
    people: People, client: TestClient, session: Session, need: Need, status: MatchStatus
) -> None:
    """He lists those of his cluster and of his organisation, of which only the first by their scores."""
    own = people.university.organisation
    person = a_person(client, session, people.cluster, Role.COORDINATOR, own)
    there: Cluster = people_of(client, session).cluster
    far = a_need(session, there)
    session.add(NeedOpening(need_id=far.id, cluster_id=people.cluster.id))
    here, opened = _match(session, people, need, 0.4), _match(session, people, far, 0.4)
    for match in (here, opened):
        put_match_into(session, match, status)
    session.commit()
    assert set(_ids(person, status=status)) == {str(here.public_id), str(opened.public_id)}
    assert _ids(person, order="need") == _ids(person, score_min=0.4) == [str(here.public_id)]
