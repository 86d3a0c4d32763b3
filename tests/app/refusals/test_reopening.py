"""Pairs that were turned down come back when what they were turned down for has changed, and never otherwise."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import Interest, Match, MatchStep, Need, RecordEvent, Seed
from enmusubi.app.vocabulary import Action, InterestAnswer, MatchStatus, ReasonCode, Side, Step
from tests.app.conftest import People
from tests.app.factories import Json, Person, a_match, a_need, a_person, a_seed, a_university, ranked_ids
from tests.app.matrix.world import ids


def _pair(people: People, session: Session, seed: Json | None = None, need: Json | None = None) -> Match:
    """A match of the company's need and the university's seed, committed."""
    of_need = a_need(session, people.cluster, people.company.organisation, title="frost", **(need or {}))
    of_seed = a_seed(session, people.cluster, people.university.organisation, title="frost", **(seed or {}))
    match = a_match(session, of_need, of_seed)
    session.commit()
    return match


def _dismiss(people: People, match: Match, reason: str) -> None:
    verdict = {"verdict": "dismiss", "reason": reason}
    assert people.coordinator.post(f"/matches/{match.public_id}/reviews", verdict, If_Match="*").status_code == 201


def _decline(session: Session, match: Match, by: Side, reason: ReasonCode) -> None:
    """Both sides were asked, and one has said no."""
    for side in (Side.NEED, Side.SEED):
        answer = InterestAnswer.NO if side is by else InterestAnswer.WAITING
        session.add(Interest(match_id=match.id, side=side, answer=answer, reason=reason if side is by else None))
    _step(session, match, by, reason)


def _step(session: Session, match: Match, by: Side, reason: ReasonCode) -> None:
    declined = {"step": Step.DECLINE, "before": MatchStatus.INTRODUCED, "after": MatchStatus.DECLINED}
    match.status = MatchStatus.DECLINED
    session.add(MatchStep(match_id=match.id, cluster_id=match.cluster_id, side=by, reason=reason, **declined))
    session.commit()


def _paths(session: Session, match: Match) -> tuple[str, str]:
    need, seed = session.get_one(Need, match.need_id), session.get_one(Seed, match.seed_id)
    return f"/needs/{need.public_id}", f"/seeds/{seed.public_id}"


def _status(session: Session, match: Match) -> str:
    session.expire_all()
    return session.get_one(Match, match.id).status


def test_a_dismissed_pair_is_back_when_the_trl_rises(people: People, session: Session) -> None:
    """Suggested again, marked with what has changed, in the coordinator's queue, with a step and an event."""
    match = _pair(people, session, {"trl": 3})
    _dismiss(people, match, "too_early")
    _, seed = _paths(session, match)
    assert people.university.patch(seed, {"trl": 5}).status_code == 200
    shown = people.coordinator.read(f"/matches/{match.public_id}")
    assert shown["status"] == "suggested"
    assert shown["reopened"]["reason"] == "too_early"
    assert (shown["reopened"]["change"], shown["reopened"]["before"], shown["reopened"]["after"]) == (
        "trl_raised",
        3,
        5,
    )
    assert shown["reopened"]["words"]["en"] == "back since TRL rose from 3 to 5"
    assert ids(people.coordinator.read("/matches", reopened=True)["items"]) == [str(match.public_id)]
    assert people.coordinator.read("/matches", reopened=False)["items"] == []
    reopened = select(MatchStep).where(MatchStep.match_id == match.id, MatchStep.step == Step.REOPEN)
    step = session.scalars(reopened).one()
    assert (step.step, step.before, step.after, step.reason) == (Step.REOPEN, "dismissed", "suggested", "too_early")
    event = session.scalars(select(RecordEvent).where(RecordEvent.action == Action.STEPPED)).one()
    assert (event.object, event.role) == (match.public_id, "service")


def test_sides_are_not_told_of_a_verdict(people: People, session: Session) -> None:
    """What a coordinator dismissed, and is back, looks to the sides as if nothing had happened."""
    match = _pair(people, session, {"trl": 3})
    _dismiss(people, match, "too_early")
    people.university.patch(_paths(session, match)[1], {"trl": 5})
    for person in (people.company, people.university):
        assert person.read(f"/matches/{match.public_id}")["reopened"] is None
        assert person.read("/matches", reopened=True)["items"] == []


def test_a_declined_pair_is_back_for_both_sides(people: People, session: Session) -> None:
    """Both were asked and know of the "no": they are told what has changed, not the reason that was given."""
    match = _pair(people, session, {"ipr_status": "applied"})
    _decline(session, match, Side.NEED, ReasonCode.IP_POSITION)
    people.university.patch(_paths(session, match)[1], {"ipr_status": "granted"})
    for person in (people.company, people.university):
        shown = person.read(f"/matches/{match.public_id}")
        assert shown["status"] == "suggested"
        assert shown["reopened"]["change"] == "ipr_advanced"
        assert shown["reopened"]["reason"] is None


@pytest.mark.parametrize(
    ("by", "reason", "changed", "body"),
    [
        (Side.SEED, ReasonCode.TOO_EARLY, "need", {"wanted_trl": 4}),
        (Side.SEED, ReasonCode.TERMS, "need", {"budget_yen": 9_000_000}),
        (Side.SEED, ReasonCode.DESCRIPTION_UNCLEAR, "need", {"summary": "In other words."}),
        (Side.NEED, ReasonCode.BENEFIT_UNCLEAR, "seed", {"advantages": "Half the price."}),
        (Side.NEED, ReasonCode.NO_ANSWER, "need", {"reference": "R"}),
        (Side.SEED, ReasonCode.NO_ANSWER, "seed", {"reference": "R"}),
    ],
)
def test_each_side_brings_pairs_back(
    people: People, session: Session, by: Side, reason: ReasonCode, changed: str, body: Json
) -> None:
    """By revising its entry as the reason asks for."""
    match = _pair(people, session, need={"wanted_trl": 6, "budget_yen": 1})
    _decline(session, match, by, reason)
    need, seed = _paths(session, match)
    person, path = (people.company, need) if changed == "need" else (people.university, seed)
    assert person.patch(path, body).status_code == 200
    assert _status(session, match) == MatchStatus.SUGGESTED


def test_only_once_for_each_change(people: People, session: Session) -> None:
    """Turned down again after it came back, it waits for a further change; a value that comes back is none."""
    match = _pair(people, session, {"trl": 3})
    _, seed = _paths(session, match)
    _dismiss(people, match, "too_early")
    people.university.patch(seed, {"trl": 5})
    _dismiss(people, match, "too_early")
    people.university.patch(seed, {"reference": "R"})
    people.university.patch(seed, {"trl": 2})
    people.university.patch(seed, {"trl": 5})
    assert _status(session, match) == MatchStatus.DISMISSED
    people.university.patch(seed, {"trl": 6})
    assert _status(session, match) == MatchStatus.SUGGESTED


def test_other_changes_bring_nothing_back(people: People, session: Session) -> None:
    """Neither another field nor punctuation, width and case of a text."""
    match = _pair(people, session, {"summary": "Frost, ice", "trl": 3})
    _, seed = _paths(session, match)
    _dismiss(people, match, "description_unclear")
    for body in ({"trl": 9}, {"summary": "ＦＲＯＳＴ ice."}, {"regions": ["Hokkaido"]}):
        people.university.patch(seed, body)
        assert _status(session, match) == MatchStatus.DISMISSED
    _dismiss(people, match, "already_in_contact")
    people.university.patch(seed, {"summary": "Quite another text."})
    assert _status(session, match) == MatchStatus.DISMISSED


def _proposed(people: People, session: Session, match: Match) -> bool:
    need, seed = _paths(session, match)
    return seed.split("/")[2] in ranked_ids(people.coordinator.read(f"{need}/matches")) or need.split("/")[2] in (
        ranked_ids(people.coordinator.read(f"{seed}/matches"))
    )


def test_rankings_propose_it_again_only_when_it_is_back(people: People, session: Session) -> None:
    """A pair that was turned down is in no ranking, from neither side, until then; the ranking marks it."""
    match = _pair(people, session, {"trl": 3})
    _dismiss(people, match, "too_early")
    assert not _proposed(people, session, match)
    need, seed = _paths(session, match)
    people.university.patch(seed, {"trl": 4})
    assert _proposed(people, session, match)
    ranked = people.coordinator.read(f"{need}/matches")["ranking"][0]
    assert ranked["match"] == str(match.public_id)
    assert ranked["reopened"]["change"] == "trl_raised"


def test_excluded_pairs_stay_away(people: People, session: Session) -> None:
    """What a need has come to exclude does not come back, whatever changes."""
    match = _pair(people, session, {"trl": 3})
    need, seed = _paths(session, match)
    _decline(session, match, Side.NEED, ReasonCode.TOO_EARLY)
    assert people.university.organisation is not None
    people.company.patch(need, {"excluded_organisations": [people.university.organisation.name]})
    people.university.patch(seed, {"trl": 9})
    assert _status(session, match) == MatchStatus.DECLINED
    assert not _proposed(people, session, match)


def test_a_change_while_the_other_entry_rests_counts_later(people: People, session: Session) -> None:
    """What is on hold is not proposed; when it is published again, the pair is back."""
    match = _pair(people, session, {"trl": 3})
    need, seed = _paths(session, match)
    _decline(session, match, Side.NEED, ReasonCode.TOO_EARLY)
    people.company.patch(need, {"status": "on_hold"})
    people.university.patch(seed, {"trl": 5})
    assert _status(session, match) == MatchStatus.DECLINED
    people.company.patch(need, {"status": "published"})
    assert _status(session, match) == MatchStatus.SUGGESTED


def test_silence_is_that_of_who_was_silent(people: People, session: Session) -> None:
    """Closed by the clock: the pair is back when that side is heard of again, not when the other is."""
    match = _pair(people, session)
    for side, answer in ((Side.NEED, InterestAnswer.YES), (Side.SEED, InterestAnswer.WAITING)):
        session.add(Interest(match_id=match.id, side=side, answer=answer))
    session.flush()
    _step(session, match, Side.CLUSTER, ReasonCode.NO_ANSWER)
    need, seed = _paths(session, match)
    people.company.patch(need, {"reference": "R"})
    assert _status(session, match) == MatchStatus.DECLINED
    people.university.patch(seed, {"reference": "R"})
    assert _status(session, match) == MatchStatus.SUGGESTED


def test_ready_again(people: People, session: Session) -> None:
    """Who had no capacity says so, and what it turned down for that is back; the other side cannot."""
    match = _pair(people, session)
    need, seed = _paths(session, match)
    _decline(session, match, Side.SEED, ReasonCode.CAPACITY)
    assert people.company.post(f"{need}/ready").json()["causes"][0]["pairs"] == 1
    assert _status(session, match) == MatchStatus.DECLINED
    assert people.university.post(f"{seed}/ready").json() == {"causes": []}
    assert _status(session, match) == MatchStatus.SUGGESTED


def test_open_for_interest_again(people: People, session: Session) -> None:
    """Closing it and opening it again is such a word too."""
    match = _pair(people, session)
    _, seed = _paths(session, match)
    _decline(session, match, Side.SEED, ReasonCode.INTERNAL_PROJECT)
    people.university.patch(seed, {"open_for_interest": False})
    assert _status(session, match) == MatchStatus.DECLINED
    people.university.patch(seed, {"open_for_interest": True})
    assert _status(session, match) == MatchStatus.SUGGESTED


def test_what_its_owner_learns(client: TestClient, people: People, session: Session) -> None:
    """Introductions exactly, as far as it was asked; coordinators' verdicts roughly, and not of fewer than three."""
    assert people.university.organisation is not None
    seed = a_seed(session, people.cluster, people.university.organisation, trl=3)

    def another(**fields: Any) -> Match:
        return a_match(session, a_need(session, people.cluster, people.company.organisation, **fields), seed)

    declined, unasked, *dismissed = (another() for _ in range(6))
    hidden = another(excluded_organisations=[people.university.organisation.name])
    session.commit()
    path = f"/seeds/{seed.public_id}"
    _decline(session, declined, Side.NEED, ReasonCode.TOO_EARLY)
    _step(session, unasked, Side.NEED, ReasonCode.TOO_EARLY)
    _dismiss(people, hidden, "out_of_scope")
    for number, match in enumerate(dismissed):
        if number < 3:
            causes = people.university.read(f"{path}/declines")["causes"]
            assert all(cause["refused_by"] != "cluster" for cause in causes)
        _dismiss(people, match, "out_of_scope")
    own = {cause["refused_by"]: cause for cause in people.university.read(f"{path}/declines")["causes"]}
    assert (own["need"]["pairs"], own["need"]["exact"], own["need"]["returning"]) == (1, True, 1)
    assert [change["change"] for change in own["need"]["changes"]] == ["trl_raised", "stage_raised"]
    assert (own["cluster"]["pairs"], own["cluster"]["exact"]) == (3, False)
    everything = people.coordinator.read(f"{path}/declines")["causes"]
    assert [(cause["reason"], cause["pairs"], cause["exact"]) for cause in everything] == [
        ("out_of_scope", 5, True),
        ("too_early", 2, True),
    ]


def test_colleagues_read_it_and_others_do_not(client: TestClient, people: People, session: Session) -> None:
    """Not even a university that reads the seed."""
    match = _pair(people, session)
    need, seed = _paths(session, match)
    stranger = a_person(client, session, people.cluster, people.university.role, a_university(session, people.cluster))
    session.commit()
    readers: list[tuple[Person, str, int]] = [
        (people.university, seed, 200), (people.company, need, 200), (people.administrator, seed, 200),
        (stranger, seed, 404), (people.company, seed, 404), (people.university, need, 404),
    ]  # fmt: skip
    for person, path, status in readers:
        assert person.get(f"{path}/declines").status_code == status, (person.role, path)
