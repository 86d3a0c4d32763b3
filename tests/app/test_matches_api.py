"""Ranked matches over HTTP: what is proposed, what never is, and what a match says of itself."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from enmusubi.app.models import Match, Seed, SeedOpening
from enmusubi.app.vocabulary import OrganisationKind, Role
from tests.app.conftest import People, people_of
from tests.app.factories import (
    ENCODER,
    Json,
    Person,
    a_match,
    a_need,
    a_person,
    a_seed,
    a_university,
    an_organisation,
    days_from_now,
    ranked_ids,
)

WORDS = "frost resistant kerbstone"
WITH_HUBS = {
    "similarity": {"value": 0.76543211, "weight": 1.0, "estimated": False},
    "hub_across": {"value": 0.12345678, "weight": -0.5, "estimated": False},
    "hub_alike": {"value": -0.01234567, "weight": -0.2, "estimated": False},
}


def _pair(people: People, session: Session) -> tuple[str, str]:
    """Public ids of a need and of a seed that match."""
    made = a_need(session, people.cluster, people.company.organisation, title=WORDS)
    seed = a_seed(session, people.cluster, people.university.organisation, title=f"{WORDS} additive")
    session.commit()
    return str(made.public_id), str(seed.public_id)


def _proposed(person: Person, need: str, seed: str) -> tuple[bool, bool]:
    """Whether the pair is proposed from the need, and from the seed."""
    return (
        seed in ranked_ids(person.read(f"/needs/{need}/matches")),
        need in ranked_ids(person.read(f"/seeds/{seed}/matches")),
    )


def test_posted_need_answers_with_ranked_seeds(people: People, session: Session) -> None:
    """201 with the seeds that score above the floor, best first, each a stored match."""
    far = a_seed(session, people.cluster, title="wine")
    best = a_seed(session, people.cluster, title=WORDS)
    good = a_seed(session, people.cluster, title=f"{WORDS} made of wood")
    session.commit()
    posted = people.company.create("/needs", {"title": WORDS})
    ranking = posted["matches"]["ranking"]
    ids = ranked_ids(posted["matches"])
    assert ids[:2] == [str(best.public_id), str(good.public_id)]
    assert str(far.public_id) not in ids[:2]
    assert [one["rank"] for one in ranking] == list(range(1, len(ranking) + 1))
    exact = people.coordinator.read(f"/needs/{posted['id']}/matches")["ranking"]
    scores = [one["score"] for one in exact]
    assert ranked_ids(posted["matches"]) == [one["entry"]["id"] for one in exact]
    assert scores == sorted(scores, reverse=True)
    assert posted["matches"]["message"] is None
    for one in ranking:
        stored = people.company.read(f"/matches/{one['match']}")
        assert (stored["seed"]["id"], stored["need"]["id"]) == (one["entry"]["id"], posted["id"])
        assert stored["score"] == one["score"] is None
        assert stored["status"] == one["status"] == "suggested"


def test_limits_of_a_ranking(people: People, session: Session) -> None:
    """As many as asked for, 1 to 100."""
    for _ in range(12):
        a_seed(session, people.cluster, title=WORDS)
    session.commit()
    assert len(people.company.create("/needs", {"title": WORDS})["matches"]["ranking"]) == 10
    for limit in (1, 12, 100):
        need = people.company.post(f"/needs?limit={limit}", {"title": WORDS}).json()
        assert len(need["matches"]["ranking"]) == min(limit, 12)
        assert len(people.company.read(f"/needs/{need['id']}/matches", limit=limit)["ranking"]) == min(limit, 12)
    for wrong in (0, 101):
        assert people.company.post(f"/needs?limit={wrong}", {"title": WORDS}).status_code == 422
        assert people.company.get(f"/needs/{need['id']}/matches", limit=wrong).status_code == 422
        assert people.company.post("/match", {"text": WORDS, "limit": wrong}).status_code == 422


def test_empty_ranking_says_why(people: People, session: Session) -> None:
    """Nothing open, or no good match yet: two different things to do about it; the nearest misses come on request."""
    nothing = people.company.create("/needs", {"title": WORDS})["matches"]
    assert nothing["ranking"] == []
    assert "nothing open" in nothing["message"]
    far = a_seed(session, people.cluster, title="beer from barley")
    session.commit()
    strict = people.company.client.app.state.runtime.matchmaking  # type: ignore[attr-defined]
    strict.floor = 1.0
    posted = people.company.create("/needs", {"title": WORDS})
    low = posted["matches"]
    assert low["ranking"] == []
    assert "No good match yet" in low["message"]
    assert f"Ask with GET /needs/{posted['id']}/matches?misses=true" in low["message"]
    assert "Ask with misses=true" in people.company.read(f"/needs/{posted['id']}/matches")["message"]
    assert "Ask with misses=true" in people.company.post("/match", {"text": WORDS}).json()["message"]
    missed = people.company.read(f"/needs/{posted['id']}/matches", misses="true")
    assert ranked_ids(missed) == [str(far.public_id)]
    assert missed["ranking"][0]["match"] is None
    assert "nearest misses" in missed["message"]
    assert ranked_ids(people.company.post("/match", {"text": WORDS, "misses": True}).json()) == [str(far.public_id)]
    assert people.coordinator.read("/matches")["items"] == []


def test_match_explains_itself(people: People, session: Session) -> None:
    """The parts sum to the score; model, revision, precision and policy are named; what is shared is shown."""
    a_seed(
        session, people.cluster, people.university.organisation, title="Kerbstone", language="ja",
        technology_keywords=["frost", "wood"], field_codes=["IPC:C04B 24/14"], summary="x" * 400,
        regions=["東北"], trl=4,
    )  # fmt: skip
    session.commit()
    need = people.company.create(
        "/needs", {"title": "kerbstone against frost", "language": "en", "field_codes": ["IPC:C04B 7/00"]}
    )
    ranked = need["matches"]["ranking"][0]
    assert ranked["shared"] == {"keywords": ["frost"], "field_codes": ["IPC:C04B"], "other_language": True}
    assert ranked["entry"]["excerpt"] == "x" * 300 + "…"
    assert (ranked["entry"]["kind"], ranked["entry"]["trl"], ranked["entry"]["regions"]) == ("seed", 4, ["東北"])
    source = {
        "snapshot": None,
        "model": ENCODER.model,
        "revision": ENCODER.revision,
        "precision": ENCODER.precision,
        "policy": "evidence-1",
        "calibration": "default-1",
    }
    assert need["matches"]["provenance"] == source
    match = people.university.read(f"/matches/{ranked['match']}")
    assert match["provenance"] == source
    exact = people.coordinator.read(f"/needs/{need['id']}/matches")["ranking"][0]
    assert (match["score"], ranked["score"]) == (round(exact["score"], 2), None)
    for shown in (exact, people.coordinator.read(f"/matches/{ranked['match']}")):
        assert [part["name"] for part in shown["parts"]] == ["similarity", "terms"]
        assert sum(part["value"] * part["weight"] for part in shown["parts"]) == pytest.approx(shown["score"], abs=2e-4)
        assert not any(part["estimated"] for part in shown["parts"])


def test_parts_are_shown_to_four_decimals(people: People, session: Session) -> None:
    """In rankings and stored matches, values of parts and what counts against alike; the score stays exact."""
    need, _ = _pair(people, session)
    (ranked,) = people.coordinator.read(f"/needs/{need}/matches", reasons="true")["ranking"]
    before = people.coordinator.read(f"/matches/{ranked['match']}")
    session.execute(update(Match).values(parts=WITH_HUBS))
    session.commit()
    after = people.coordinator.read(f"/matches/{ranked['match']}")
    assert [part["value"] for part in after["parts"]] == [0.7654, 0.1235, -0.0123]
    assert [each["contribution"] for each in after["reasons"]["against"] if each["contribution"]] == [-0.0617]
    assert before["score"] == ranked["score"] != round(ranked["score"], 4)
    for shown in (ranked, before, after):
        assert shown["reasons"]["shared_terms"]
        values = [part["value"] for part in shown["parts"]]
        values += [each["weight"] for each in shown["reasons"]["shared_terms"]]
        values += [each["contribution"] for each in shown["reasons"]["against"] if each["contribution"] is not None]
        assert values == [round(value, 4) for value in values]


def test_a_match_keeps_what_its_need_says_of_it(people: People, session: Session) -> None:
    """A seed's ranking does not score anew what a need's ranking proposed; a need's ranking takes over a seed's."""
    need, seed = _pair(people, session)
    first = people.coordinator.read(f"/seeds/{seed}/matches")["ranking"][0]
    stored = _stored(session, first["match"])
    assert stored.asking == "seed"
    a_need(session, people.cluster, title=f"{WORDS} {WORDS} additive")
    session.commit()
    people.coordinator.read(f"/seeds/{seed}/matches")
    again = _stored(session, first["match"])
    assert (again.asking, again.probability == stored.probability) == ("seed", False)
    by_need = people.coordinator.read(f"/needs/{need}/matches")["ranking"][0]
    assert by_need["match"] == first["match"]
    kept = _stored(session, first["match"])
    assert (kept.asking, kept.score) == ("need", by_need["score"])
    a_need(session, people.cluster, title=f"{WORDS} of granite additive")
    session.commit()
    people.university.read(f"/seeds/{seed}/matches")
    assert _stored(session, first["match"]) == kept


def _stored(session: Session, match: str) -> Row[Any]:
    query = select(Match.asking, Match.score, Match.probability, Match.parts).where(Match.public_id == uuid.UUID(match))
    return session.execute(query).one()


def test_the_sides_do_not_see_what_depends_on_entries_of_others(people: People, session: Session) -> None:
    """Neither side sees hubs, in lists and reasons too; a company no probability where a seed's ranking proposed."""
    need, seed = _pair(people, session)
    (ranked,) = people.university.read(f"/seeds/{seed}/matches")["ranking"]
    hubs = {"hub_across", "hub_alike"}

    def seen(person: Person) -> list[tuple[bool, set[str]]]:
        session.execute(update(Match).values(parts=WITH_HUBS))
        session.commit()
        one = person.read(f"/matches/{ranked['match']}")
        (listed,) = person.read("/matches")["items"]
        against = {each["what"] for each in one["reasons"]["against"]}
        return [
            (shown["probability"] is not None, ({part["name"] for part in shown["parts"]} | against) & hubs)
            for shown in (one, listed)
        ]

    for person in (people.coordinator, people.administrator):
        assert seen(person) == [(True, hubs), (True, hubs)], person.role
    assert seen(people.university) == [(True, set()), (True, set())]
    assert seen(people.company) == [(False, set()), (False, set())]
    assert [part["name"] for part in people.university.read(f"/matches/{ranked['match']}")["parts"]] == ["similarity"]
    assert people.company.read(f"/matches/{ranked['match']}")["parts"] == []
    people.company.read(f"/needs/{need}/matches")
    assert seen(people.company) == [(True, set()), (True, set())]


def test_the_sides_see_figures_too_coarse_to_reckon_with(people: People, session: Session) -> None:
    """Universities: the sum of parts to two decimals; companies no figures; probabilities in steps of five per cent."""
    need, seed = _pair(people, session)
    for person, path in ((people.company, f"/needs/{need}/matches"), (people.university, f"/seeds/{seed}/matches")):
        (ranked,) = person.read(path, reasons="true")["ranking"]
        (listed,) = person.read("/matches")["items"]
        for shown in (ranked, listed, person.read(f"/matches/{ranked['match']}")):
            figures = [part["value"] for part in shown["parts"]]
            assert figures == [round(figure, 2) for figure in figures]
            assert bool(figures) == (person is people.university)
            total = sum(part["value"] * part["weight"] for part in shown["parts"])
            assert shown["score"] == (pytest.approx(total, abs=0.006) if figures else None)
            assert shown["provenance"]["snapshot"] is None if "provenance" in shown else True
            for requirement in (shown["reasons"] or {"requirements": []})["requirements"] if figures == [] else []:
                told = [each[name] for each in requirement["support"] for name in ("strength", "similarity")]
                assert told == [round(figure, 1) for figure in told]
            steps = [20 * figure for figure in shown["probability"].values()] if shown["probability"] else []
            assert steps == pytest.approx([round(step) for step in steps])
    text = people.company.post("/match", {"text": WORDS}).json()["ranking"]
    assert [(one["score"], one["parts"]) for one in text] == [(None, [])] * len(text)


def test_entries_that_wait_to_be_indexed_are_not_nothing(people: People, session: Session) -> None:
    """Where no open entry can be ranked yet, the message tells what has to be done."""
    need, seed = _pair(people, session)
    session.execute(update(Seed).values(terms_analysis="another dictionary"))
    session.commit()
    for answer in (
        people.company.read(f"/needs/{need}/matches"),
        people.company.read(f"/needs/{need}/matches", misses="true"),
        people.company.post("/match", {"text": WORDS}).json(),
    ):
        assert answer["ranking"] == []
        assert "not ready to be matched yet" in answer["message"]
        assert "enmusubi index" in answer["message"]
    assert seed


def test_parts_that_an_older_process_stored_are_read(people: People, session: Session) -> None:
    """A plain number is a value that weighs 1; list, match and reasons are there."""
    need, seed = a_need(session, people.cluster, people.company.organisation), a_seed(session, people.cluster)
    match = a_match(session, need, seed)
    session.execute(update(Match).values(parts={"similarity": 0.83}))
    session.commit()
    expected = [{"name": "similarity", "value": 0.83, "weight": 1.0, "estimated": False}]
    assert people.coordinator.read("/matches")["items"][0]["parts"] == expected
    assert people.coordinator.read(f"/matches/{match.public_id}")["parts"] == expected


def test_text_is_ranked_and_not_stored(people: People, session: Session) -> None:
    """POST /match answers like a posted need and leaves nothing behind."""
    _, seed = _pair(people, session)
    reply = people.company.post("/match", {"text": WORDS}).json()
    assert ranked_ids(reply) == [seed]
    assert reply["ranking"][0]["match"] is None
    assert people.coordinator.read("/matches")["items"] == []
    assert len(people.coordinator.read("/needs")["items"]) == 1


def test_equal_scores_are_in_the_order_of_their_ids(people: People, session: Session) -> None:
    """A tie is broken by public id, whatever the order of registration."""
    ids = sorted(str(a_seed(session, people.cluster, title=WORDS).public_id) for _ in range(8))
    session.commit()
    assert ranked_ids(people.company.post("/match", {"text": WORDS, "limit": 8}).json()) == ids
    assert ranked_ids(people.company.post("/match", {"text": WORDS, "limit": 3}).json()) == ids[:3]


def test_own_organisation_is_never_proposed(people: People, session: Session) -> None:
    """An owner of both sides does not need us to find itself; entries without an owner are proposed."""
    owner = people.company.organisation
    need = a_need(session, people.cluster, owner, title=WORDS)
    own = a_seed(session, people.cluster, owner, title=WORDS)
    free = a_seed(session, people.cluster, None, title=WORDS)
    ownerless = a_need(session, people.cluster, None, title=WORDS)
    session.commit()
    assert ranked_ids(people.coordinator.read(f"/needs/{need.public_id}/matches")) == [str(free.public_id)]
    assert ranked_ids(people.coordinator.read(f"/seeds/{own.public_id}/matches")) == [str(ownerless.public_id)]
    assert len(ranked_ids(people.coordinator.read(f"/seeds/{free.public_id}/matches"))) == 2


@pytest.mark.parametrize("given", ["name", "other spelling", "english", "id", "id in capitals"])
def test_excluded_organisations_are_never_proposed(people: People, session: Session, given: str) -> None:
    """By name in any spelling, in either language, or by public id; in both directions."""
    university = an_organisation(
        session, people.cluster, OrganisationKind.UNIVERSITY, "Shiomi 工科大学", name_en="Shiomi Tech"
    )
    seed = str(a_seed(session, people.cluster, university, title=WORDS).public_id)
    other = str(a_seed(session, people.cluster, people.university.organisation, title=WORDS).public_id)
    session.commit()
    excluded = {
        "name": "Shiomi 工科大学",
        "other spelling": "ＳＨＩＯＭＩ工科　大学",
        "english": "SHIOMI tech",
        "id": str(university.public_id),
        "id in capitals": str(university.public_id).upper(),
    }[given]
    need = people.company.create("/needs", {"title": WORDS, "excluded_organisations": [excluded]})
    assert ranked_ids(need["matches"]) == [other]
    assert _proposed(people.coordinator, need["id"], seed) == (False, False)
    assert _proposed(people.coordinator, need["id"], other) == (True, True)
    people.company.patch(f"/needs/{need['id']}", {"excluded_organisations": []})
    assert _proposed(people.coordinator, need["id"], seed) == (True, True)


def test_excluded_name_holds_for_an_organisation_registered_later(people: People, session: Session) -> None:
    """A name that nobody has yet is kept, and counts when somebody takes it."""
    excluded = ["未来 大学", "Mirai Tech"]
    need = people.company.create("/needs", {"title": WORDS, "excluded_organisations": excluded})["id"]
    later = a_university(session, people.cluster, "未来大学")
    named = an_organisation(session, people.cluster, OrganisationKind.UNIVERSITY, "別の大学", name_en="MIRAI TECH")
    seeds = [str(a_seed(session, people.cluster, owner, title=WORDS).public_id) for owner in (later, named)]
    session.commit()
    for seed in seeds:
        assert _proposed(people.coordinator, need, seed) == (False, False)


def test_excluded_organisation_may_be_renamed(people: People, session: Session) -> None:
    """An exclusion is of the organisation, not of its name's spelling that day."""
    university = a_university(session, people.cluster, "Old Name")
    seed = str(a_seed(session, people.cluster, university, title=WORDS).public_id)
    session.commit()
    need = people.company.create("/needs", {"title": WORDS, "excluded_organisations": ["Old Name"]})["id"]
    people.coordinator.patch(f"/organisations/{university.public_id}", {"name": "New Name"})
    assert _proposed(people.coordinator, need, seed) == (False, False)


@pytest.mark.parametrize("by", ["id", "name"])
def test_excluded_organisation_of_another_cluster(
    people: People, client: TestClient, session: Session, by: str
) -> None:
    """Seeds opened to the cluster are excluded like its own, and the reply names nobody it should not."""
    there = people_of(client, session)
    owner = there.university.organisation
    assert owner is not None
    seed = a_seed(session, there.cluster, owner, title=WORDS)
    session.add(SeedOpening(seed_id=seed.id, cluster_id=people.cluster.id))
    session.commit()
    excluded = str(owner.public_id) if by == "id" else owner.name
    need = people.company.create("/needs", {"title": WORDS, "excluded_organisations": [excluded]})
    assert need["matches"]["ranking"] == []
    assert need["confidential"]["excluded_organisations"] == [excluded]
    revised = people.company.patch(f"/needs/{need['id']}", {"summary": "still excluded"}).json()
    assert revised["confidential"]["excluded_organisations"] == [excluded]
    assert ranked_ids(people.company.read(f"/needs/{need['id']}/matches")) == []


NOT_OPEN: list[tuple[str, Json]] = [
    ("need", {"open_for_interest": False}),
    ("seed", {"open_for_interest": False}),
    ("need", {"status": "on_hold"}),
    ("seed", {"status": "on_hold"}),
]


@pytest.mark.parametrize(("side", "change"), NOT_OPEN)
def test_what_is_not_open_is_never_proposed(people: People, session: Session, side: str, change: Json) -> None:
    """On hold, or closed for interest: gone at once, back at once."""
    need, seed = _pair(people, session)
    assert _proposed(people.coordinator, need, seed) == (True, True)
    owner, path = (people.company, f"/needs/{need}") if side == "need" else (people.university, f"/seeds/{seed}")
    assert owner.patch(path, change).status_code == 200
    assert _proposed(people.coordinator, need, seed) == (False, False)
    against = {"text": WORDS, "against": f"{side}s"}
    assert people.coordinator.post("/match", against).json()["ranking"] == []
    assert owner.patch(path, dict.fromkeys(change)).status_code == 200
    assert _proposed(people.coordinator, need, seed) == (True, True)


@pytest.mark.parametrize("side", ["need", "seed"])
def test_withdrawn_and_expired_are_never_proposed(people: People, session: Session, side: str) -> None:
    """Neither by withdrawal nor by date."""
    need, seed = _pair(people, session)
    old = (
        a_need(session, people.cluster, title=WORDS) if side == "need" else a_seed(session, people.cluster, title=WORDS)
    )
    old.expires_on = days_from_now(-2)
    session.commit()
    path = "/needs" if side == "need" else "/seeds"
    owner, own = (people.company, need) if side == "need" else (people.university, seed)
    assert owner.withdraw(f"{path}/{own}").status_code == 200
    assert _proposed(people.coordinator, need, seed) == (False, False)
    against = {"text": WORDS, "against": path.removeprefix("/")}
    assert people.coordinator.post("/match", against).json()["ranking"] == []


def test_need_whose_deadline_has_passed_is_never_proposed(people: People, session: Session) -> None:
    """The deadline's own day still counts."""
    seed = str(a_seed(session, people.cluster, people.university.organisation, title=WORDS).public_id)
    passed = a_need(session, people.cluster, people.company.organisation, title=WORDS)
    passed.deadline = days_from_now(-2)
    session.commit()
    today = people.company.create("/needs", {"title": WORDS, "deadline": days_from_now(1).isoformat()})["id"]
    assert ranked_ids(people.university.read(f"/seeds/{seed}/matches")) == [today]
    assert ranked_ids(people.company.read(f"/needs/{passed.public_id}/matches")) == []


@pytest.mark.parametrize("review", [{"verdict": "shortlist"}, {"verdict": "dismiss", "reason": "out_of_scope"}])
def test_reviewed_pair_is_no_longer_proposed(people: People, session: Session, review: Json) -> None:
    """In neither direction, to nobody who oversees the cluster; the match itself stays and says what became of it."""
    need, seed = _pair(people, session)
    match = people.company.read(f"/needs/{need}/matches")["ranking"][0]["match"]
    reply = people.coordinator.post(f"/matches/{match}/reviews", review, If_Match='"1"')
    assert reply.status_code == 201
    assert reply.headers["etag"] == '"2"'
    assert {**reply.json(), **review} == reply.json()
    expected = "shortlisted" if review["verdict"] == "shortlist" else "dismissed"
    for person in (people.coordinator, people.administrator):
        assert _proposed(person, need, seed) == (False, False), person.role
        assert person.read(f"/matches/{match}")["status"] == expected
        assert [one["id"] for one in person.read("/matches", status=expected)["items"]] == [match]
        assert person.read("/matches", status="suggested")["items"] == []


def test_verdict_can_be_changed(people: People, session: Session) -> None:
    """A later verdict counts, and both are kept."""
    need, _ = _pair(people, session)
    match = people.company.read(f"/needs/{need}/matches")["ranking"][0]["match"]
    path = f"/matches/{match}/reviews"
    people.coordinator.post(path, {"verdict": "shortlist", "note": "first"}, If_Match="*")
    assert people.coordinator.post(path, {"verdict": "shortlist"}, If_Match='"1"').status_code == 412
    second = people.coordinator.post(path, {"verdict": "dismiss", "reason": "terms"}, If_Match='"2"')
    assert second.status_code == 201
    shown = people.coordinator.read(f"/matches/{match}")
    assert shown["status"] == "dismissed"
    assert [review["verdict"] for review in shown["reviews"]] == ["shortlist", "dismiss"]


def test_only_the_clusters_coordinators_review(people: People, client: TestClient, session: Session) -> None:
    """Sides and administrators see a match and may not review it; strangers do not see it."""
    there = people_of(client, session)
    need, _ = _pair(people, session)
    match = people.company.read(f"/needs/{need}/matches")["ranking"][0]["match"]
    colleague = a_person(client, session, people.cluster, Role.COORDINATOR)
    session.commit()
    for person, status in [
        (people.company, 403),
        (people.university, 403),
        (people.administrator, 403),
        (there.coordinator, 404),
        (colleague, 201),
    ]:
        reply = person.post(f"/matches/{match}/reviews", {"verdict": "shortlist"}, If_Match="*")
        assert reply.status_code == status, person.role
    assert (
        people.coordinator.post(f"/matches/{uuid.uuid4()}/reviews", {"verdict": "shortlist"}, If_Match="*").status_code
        == 404
    )
    assert people.coordinator.post(f"/matches/{match}/reviews", {"verdict": "shortlist"}).status_code == 428
    for wrong in ({"verdict": "dismiss"}, {"verdict": "maybe"}, {"verdict": "dismiss", "reason": "rain"}, {}):
        assert people.coordinator.post(f"/matches/{match}/reviews", wrong, If_Match="*").status_code == 422


def test_scores_follow_the_texts_until_a_verdict(people: People, session: Session) -> None:
    """A suggested match is scored anew when it is proposed again; a reviewed one keeps the score it was judged by."""
    need, seed = _pair(people, session)
    first = people.coordinator.read(f"/needs/{need}/matches")["ranking"][0]
    people.company.patch(f"/needs/{need}", {"title": f"{WORDS} additive"})
    second = people.coordinator.read(f"/needs/{need}/matches")["ranking"][0]
    assert second["match"] == first["match"]
    assert second["score"] > first["score"]
    stored = people.coordinator.get(f"/matches/{first['match']}")
    assert stored.json()["score"] == second["score"]
    assert stored.headers["etag"] == '"1"'  # no decision was taken
    people.company.read(f"/needs/{need}/matches")
    assert people.coordinator.get(f"/matches/{first['match']}").headers["etag"] == '"1"'
    people.coordinator.post(f"/matches/{first['match']}/reviews", {"verdict": "shortlist"}, If_Match='"1"')
    people.company.patch(f"/needs/{need}", {"title": "something else entirely"})
    people.company.read(f"/needs/{need}/matches")
    people.university.read(f"/seeds/{seed}/matches")
    assert people.coordinator.read(f"/matches/{first['match']}")["score"] == second["score"]


def test_the_same_pair_is_one_match_from_both_sides(people: People, session: Session) -> None:
    """Need to seed and seed to need store one row."""
    need, seed = _pair(people, session)
    from_need = people.coordinator.read(f"/needs/{need}/matches")["ranking"][0]["match"]
    from_seed = people.coordinator.read(f"/seeds/{seed}/matches")["ranking"][0]["match"]
    assert from_need == from_seed


def test_need_that_is_no_longer_open_has_no_matches(people: People, session: Session) -> None:
    """Its owner is told so rather than shown seeds that could not be pursued."""
    need, _ = _pair(people, session)
    people.company.patch(f"/needs/{need}", {"status": "draft"})
    answer = people.company.read(f"/needs/{need}/matches")
    assert answer["ranking"] == []
    assert answer["message"]
