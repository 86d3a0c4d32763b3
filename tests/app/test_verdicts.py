"""A match's two sides do not learn of a verdict, wherever they look, until one of them is asked."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import verdicts
from enmusubi.app.models import Match
from enmusubi.app.stepping.taking import seen_version
from enmusubi.app.vocabulary import MatchStatus, Role
from tests.app.conftest import People, people_of
from tests.app.factories import Json, Person, a_match, a_need, a_seed

WORDS = "Drying of granules"
VERDICTS: list[Json] = [{"verdict": "shortlist"}, {"verdict": "dismiss", "reason": "out_of_scope"}]
ASKED = [status for status in MatchStatus if status is not MatchStatus.SUGGESTED and status not in verdicts.UNTOLD]


@pytest.fixture
def match(people: People, session: Session) -> Match:
    """A stored match of the company's need and the university's seed, each with another beside it."""
    need = people.company.create("/needs", {"title": WORDS})["id"]
    seed = people.university.create("/seeds", {"title": WORDS})["id"]
    people.university.create("/seeds", {"title": f"{WORDS} in air"})
    people.company.create("/needs", {"title": f"{WORDS} in air"})
    people.coordinator.read(f"/needs/{need}/matches")
    for match in session.scalars(select(Match)):
        shown = people.coordinator.read(f"/matches/{match.public_id}")
        if (shown["need"]["id"], shown["seed"]["id"]) == (need, seed):
            return match
    raise AssertionError("the pair was not proposed")


def _everything(person: Person, match: Match) -> list[tuple[Any, str | None]]:
    """All that a person can read of a match, with its ETags."""
    shown = person.read(f"/matches/{match.public_id}")
    need, seed = shown["need"]["id"], shown["seed"]["id"]
    paths = ["/matches", f"/needs/{need}/matches", f"/seeds/{seed}/matches", f"/matches/{match.public_id}"]
    paths += [f"/matches?{name}={given}" for name, given in (("need", need), ("seed", seed))]
    paths += [f"/matches?status={status}" for status in MatchStatus]
    replies = [person.get(path) for path in paths]
    assert {reply.status_code for reply in replies} == {200}
    return [(reply.json(), reply.headers.get("etag")) for reply in replies]


@pytest.mark.parametrize("given", VERDICTS, ids=["shortlist", "dismiss"])
def test_nothing_that_a_side_reads_changes_with_a_verdict(people: People, match: Match, given: Json) -> None:
    """Nor with the next one: status, lists by status, rankings of both directions, ETags."""
    sides = (people.company, people.university)
    for side in sides:
        _everything(side, match)  # the first ranking stores what it shows
    before = [_everything(side, match) for side in sides]
    path = f"/matches/{match.public_id}"
    for verdict in (given, *VERDICTS):
        assert people.coordinator.post(f"{path}/reviews", verdict, If_Match="*").status_code == 201
        assert [_everything(side, match) for side in sides] == before
    assert people.coordinator.read(path)["status"] == "dismissed"
    assert people.coordinator.get(path).headers["etag"] != '"1"'
    assert [each["id"] for each in people.coordinator.read("/matches", status="dismissed")["items"]] == [
        str(match.public_id)
    ]


@pytest.mark.parametrize("status", ASKED)
def test_what_comes_after_a_verdict_is_told(
    people: People, session: Session, match: Match, status: MatchStatus
) -> None:
    """Who has been asked sees what became of it, and that it is proposed no longer."""
    match.status = status
    session.commit()
    for person in people:
        assert person.read(f"/matches/{match.public_id}")["status"] == status
        # The sides count the steps they see, of which there is none here.
        version = '"2"' if person.caller.oversees else '"1"'
        assert person.get(f"/matches/{match.public_id}").headers["etag"] == version
        assert [each["id"] for each in person.read("/matches", status=status)["items"]] == [str(match.public_id)]
        assert str(match.public_id) not in [each["id"] for each in person.read("/matches", status="suggested")["items"]]
    shown = people.company.read(f"/matches/{match.public_id}")
    for side in (people.company, people.university):
        ranked = side.read(f"/needs/{shown['need']['id']}/matches")["ranking"]
        assert shown["seed"]["id"] not in [each["entry"]["id"] for each in ranked]


def test_a_coordinator_of_another_cluster_learns_of_no_verdict(
    people: People, client: TestClient, session: Session
) -> None:
    """The verdicts are the need's cluster's; to the seed's side in another cluster the match is as it was."""
    there = people_of(client, session)
    seed = a_seed(session, there.cluster, there.university.organisation, title=WORDS)
    need = a_need(session, people.cluster, people.company.organisation, title=WORDS)
    match = a_match(session, need, seed)
    match.status = MatchStatus.DISMISSED
    session.commit()
    assert verdicts.seen_status(match, there.university.caller) is MatchStatus.SUGGESTED
    assert verdicts.seen_status(match, there.coordinator.caller) is MatchStatus.SUGGESTED
    assert verdicts.seen_status(match, people.coordinator.caller) is MatchStatus.DISMISSED
    for role in (Role.COMPANY, Role.UNIVERSITY):
        assert seen_version(session, people.of(role).caller, match) == 1
