"""The reasons of a match over HTTP: what they hold, and what each reader may see of them."""

import json

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.cli.matching import matchmaking
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.explaining import Explaining
from enmusubi.app.models import EntryPassages, Need, Seed
from enmusubi.app.passages import Filling
from enmusubi.ingest import indexing
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, Json, Person, a_need, a_seed
from tests.app.test_passages import Telling
from tests.app.test_statements import counted

WANTED = "We want a sealing that keeps meltwater out of kerbstones."
TOLD = "Our kerbstones crack."
OPEN = "It must be cheaper than granite pavement."
SAID = "The sealing keeps meltwater out of kerbstones for ten winters."
CANARY = "The supplier must not be Zwitscherwerke."
LIMIT = "Only three nights of closed road."


def _catalogue(people: People, session: Session) -> tuple[Need, Seed]:
    """A need and its seed, among seeds that speak of other things."""
    need = a_need(
        session, people.cluster, people.company.organisation,
        title="Kerbstones", summary=f"{TOLD} {WANTED} {OPEN}", technology_keywords=["frost"],
        wanted_trl=7, cooperation=["joint_research", "licence"], region_preference=["Hokuseiwan"],
        field_codes=["IPC:C04B 41/45"], requirements=CANARY, constraints=LIMIT, description="Hush-hush matter.",
    )  # fmt: skip
    seed = a_seed(
        session, people.cluster, people.university.organisation,
        title="Frost sealing", summary=SAID, advantages="No solvent is used.", trl=5, licensable=False,
        field_codes=["IPC:C04B 28/02"], regions=["Hokuseiwan region"], technology_keywords=["frost", "meltwater"],
        expected_partner="Joint research with a road builder.",
    )  # fmt: skip
    for number in range(20):
        words = [f"word{number}{letter}" for letter in "abcdef"]
        a_seed(session, people.cluster, title=" ".join(words), description=f"{' '.join(reversed(words))}. Other text.")
    session.commit()
    return need, seed


def _fill(database: Database) -> None:
    filling = Filling(database, ENCODER, entries=50)
    while filling.step():
        pass


def _match(person: Person, need: Need, seed: Seed) -> str:
    """The id of their stored match."""
    ranking = person.read(f"/needs/{need.public_id}/matches")["ranking"]
    return next(str(each["match"]) for each in ranking if each["entry"]["id"] == str(seed.public_id))


def _texts(listed: list[Json]) -> list[str]:
    return [str(each["text"]) for each in listed]


def test_a_match_says_why(people: People, session: Session, database: Database) -> None:
    """Requirements beside the sentences that support them, with places; what is shared, and what is against it."""
    need, seed = _catalogue(people, session)
    _fill(database)
    match = people.coordinator.read(f"/matches/{_match(people.coordinator, need, seed)}")
    reasons = match["reasons"]
    by_text = {each["text"]: each for each in reasons["requirements"]}
    assert list(by_text) == [TOLD, WANTED, OPEN, CANARY, LIMIT]
    assert [each["wanted"] for each in reasons["requirements"]] == [False, True, True, True, True]
    assert [each["confidential"] for each in reasons["requirements"]] == [False, False, False, True, True]
    support = by_text[WANTED]["support"][0]
    assert (support["text"], support["field"]) == (SAID, "summary")
    assert 0.5 <= support["strength"] <= 1
    shown = {"summary": need.summary, "requirements": CANARY, "constraints": LIMIT}
    for each in reasons["requirements"]:
        assert shown[each["field"]][each["start"] : each["end"]] == each["text"]  # type: ignore[index]
        for sentence in each["support"]:
            assert getattr(seed, sentence["field"])[sentence["start"] : sentence["end"]] == sentence["text"]
    assert OPEN in _texts(reasons["not_addressed"])
    assert WANTED not in _texts(reasons["not_addressed"])
    assert TOLD not in _texts(reasons["not_addressed"])
    terms = {each["term"]: each for each in reasons["shared_terms"]}
    assert terms["meltwat"]["weight"] > 0
    assert _texts(terms["meltwat"]["need"]) == _texts(terms["meltwat"]["seed"]) == ["meltwater"]
    assert terms["frost"]["need"] == []
    weights = [each["weight"] for each in reasons["shared_terms"]]
    assert weights == sorted(weights, reverse=True)
    assert reasons["keywords"] == ["frost", "meltwater"]
    assert reasons["field_codes"] == ["IPC:C04B"]
    assert reasons["trl"] == {"wanted": 7, "offered": 5, "fit": "below", "short_by": 2}
    assert (reasons["region"]["fit"], reasons["region"]["shared"]) == ("same", ["Hokuseiwan region"])
    assert reasons["cooperation"]["asked"] == [
        {"kind": "joint_research", "offer": "offered"},
        {"kind": "licence", "offer": "not_offered"},
    ]
    against = {each["what"]: each for each in reasons["against"]}
    assert against["not_addressed"]["count"] == len(reasons["not_addressed"])
    assert against["trl"]["count"] == 2
    assert "licence" in against
    taken = {part["name"]: part["value"] * part["weight"] for part in match["parts"]}
    assert {name: each["contribution"] for name, each in against.items() if name in taken} == pytest.approx(
        {name: contribution for name, contribution in taken.items() if contribution < 0}, abs=1e-4
    )
    assert reasons["missing"] == []


def test_without_stored_sentences_support_is_unknown(people: People, session: Session) -> None:
    """Nothing is called not addressed where there is nothing to stand out from."""
    need, seed = _catalogue(people, session)
    reasons = people.coordinator.read(f"/matches/{_match(people.coordinator, need, seed)}")["reasons"]
    assert reasons["missing"] == ["background"]
    assert reasons["not_addressed"] == []
    assert _texts(reasons["requirements"]) == [TOLD, WANTED, OPEN, CANARY, LIMIT]
    assert not any(each["support"] for each in reasons["requirements"])


@pytest.mark.parametrize("filled", [False, True])
def test_confidential_requirements_are_for_those_who_may_read_them(
    people: People, session: Session, database: Database, filled: bool
) -> None:
    """The need's company and coordinators see them explained; for anyone else it is as if they were not there."""
    need, seed = _catalogue(people, session)
    if filled:
        _fill(database)
    match = _match(people.coordinator, need, seed)
    readers = (people.company, people.coordinator)
    others = (people.university, people.administrator)
    for _ in range(2):  # what one reader is shown leaves nothing behind for the next
        for person in readers:
            reasons = person.read(f"/matches/{match}")["reasons"]
            assert {CANARY, LIMIT} <= set(_texts(reasons["requirements"]))
        for person in others:
            for path in (f"/matches/{match}", f"/seeds/{seed.public_id}/matches?reasons=true"):
                reply = person.get(path)
                assert reply.status_code == 200
                assert WANTED in reply.text
                assert not any(secret in reply.text for secret in ("Zwitscher", "three nights", "Hush-hush"))
            reasons = person.read(f"/matches/{match}")["reasons"]
            assert _texts(reasons["requirements"]) == [TOLD, WANTED, OPEN]


def test_reading_reasons_stores_nothing(people: People, session: Session, database: Database) -> None:
    """Vectors of confidential texts are computed for the one reply; the stored ones stay those of public texts."""
    need, seed = _catalogue(people, session)
    match = _match(people.coordinator, need, seed)
    people.coordinator.read(f"/matches/{match}")
    assert session.scalars(select(EntryPassages.id)).all() == []
    _fill(database)
    before = session.execute(select(EntryPassages.id, EntryPassages.content).order_by(EntryPassages.id)).all()
    people.coordinator.read(f"/matches/{match}")
    after = session.execute(select(EntryPassages.id, EntryPassages.content).order_by(EntryPassages.id)).all()
    assert after == before
    for _, content in after:
        assert not any(name in content for name in (b"requirements", b"constraints", b"Zwitscher"))


def test_an_anonymous_need_stays_anonymous(people: People, session: Session, database: Database) -> None:
    """The reasons name no owner to the university."""
    need, seed = _catalogue(people, session)
    _fill(database)
    match = _match(people.coordinator, need, seed)
    assert people.company.organisation is not None
    reply = people.university.get(f"/matches/{match}")
    assert people.company.organisation.name not in reply.text
    assert str(people.company.organisation.public_id) not in reply.text


def test_reasons_are_for_those_who_see_the_match(people: People, session: Session, database: Database) -> None:
    """Another company is told that there is no such match."""
    need, seed = _catalogue(people, session)
    match = _match(people.coordinator, need, seed)
    others = people_of(people.company.client, session, people.cluster)
    assert others.company.get(f"/matches/{match}").status_code == 404
    assert others.university.get(f"/matches/{match}").status_code == 404


def test_lists_stay_light(people: People, session: Session, database: Database) -> None:
    """Reasons come with one match, and with a ranking only when asked for, ten at most."""
    need, seed = _catalogue(people, session)
    _fill(database)
    _match(people.coordinator, need, seed)
    assert {each["reasons"] for each in people.coordinator.read("/matches")["items"]} == {None}
    for path in (f"/needs/{need.public_id}/matches", f"/seeds/{seed.public_id}/matches"):
        assert {each["reasons"] for each in people.coordinator.read(path)["ranking"]} == {None}
        explained = people.coordinator.read(path, reasons=True)["ranking"]
        assert 1 <= len(explained) <= 10
        assert all(TOLD in _texts(each["reasons"]["requirements"]) for each in explained)
        alone = people.coordinator.read(f"/matches/{explained[0]['match']}")["reasons"]
        assert explained[0]["reasons"] == alone
        refused = people.coordinator.get(path, reasons=True, limit=11)
        assert refused.status_code == 422
        assert "limit=10" in refused.json()["detail"]


def test_a_revised_text_is_explained_as_it_is_now(people: People, session: Session, database: Database) -> None:
    """Before the background work comes to it, and after."""
    need, seed = _catalogue(people, session)
    _fill(database)
    match = _match(people.coordinator, need, seed)
    assert people.coordinator.patch(f"/seeds/{seed.public_id}", {"summary": f"Lo! {SAID}"}).status_code == 200
    assert people.coordinator.patch(f"/needs/{need.public_id}", {"summary": WANTED}).status_code == 200
    now = people.coordinator.read(f"/matches/{match}")["reasons"]
    assert _texts(now["requirements"]) == [WANTED, CANARY, LIMIT]
    support = now["requirements"][0]["support"][0]
    assert (support["text"], support["start"]) == (SAID, 4)
    _fill(database)
    assert people.coordinator.read(f"/matches/{match}")["reasons"]["requirements"] == now["requirements"]


def test_damaged_vectors_are_computed_anew(people: People, session: Session, database: Database) -> None:
    """They are stored only to be quick."""
    need, seed = _catalogue(people, session)
    _fill(database)
    match = _match(people.coordinator, need, seed)
    before = people.coordinator.read(f"/matches/{match}")["reasons"]["requirements"]
    damaged = update(EntryPassages).where(EntryPassages.seed_id == seed.id)
    session.execute(damaged.values(content=EntryPassages.content.concat(b"x")))
    session.commit()
    assert people.coordinator.read(f"/matches/{match}")["reasons"]["requirements"] == before


@pytest.fixture
def crowd(committed: Database, serve: Serve) -> People:
    """People on a database where commits are real."""
    client = serve()
    with committed.session() as session:
        return people_of(client, session)


def test_stored_vectors_spare_the_encoder(crowd: People, committed: Database, settings: Settings) -> None:
    """With them only what is confidential is encoded, and nothing for who may not read it; in few statements."""
    with committed.session() as session:
        need, _ = _catalogue(crowd, session)
    _fill(committed)
    assert indexing.publish(committed, settings, ENCODER)
    encoder = Telling()

    def explained(caller: Caller, limit: int) -> int:
        encoder.calls.clear()
        with matchmaking(settings, committed, crowd.cluster, encoder) as matchmaker, committed.session() as session:
            entry = session.get_one(Need, need.id)
            proposals = matchmaker.for_need(session, caller, entry, limit)
            explaining = Explaining(matchmaker)
            explaining.of_need(session, caller, entry, proposals)  # the first one reads what others stand out from
            encoder.calls.clear()
            with counted(committed) as statements:
                reasons = explaining.of_need(session, caller, entry, proposals)
            assert len(reasons) == limit
        return len(statements)

    taken = {limit: explained(crowd.administrator.caller, limit) for limit in (1, 10)}
    assert encoder.calls == []
    assert taken[1] == taken[10] <= 6
    explained(crowd.coordinator.caller, 10)
    assert [sorted(call) for call in encoder.calls] == [sorted([CANARY, LIMIT])]


def test_a_text_is_explained_too(people: People, session: Session, database: Database, settings: Settings) -> None:
    """Its sentences are the requirements, at their places in the text."""
    _, seed = _catalogue(people, session)
    _fill(database)
    asked = f"{TOLD} {WANTED}"
    with matchmaking(settings, database, people.cluster, ENCODER) as matchmaker:
        proposals = matchmaker.for_text(session, people.coordinator.caller, asked, Seed, 3)
        reasons = Explaining(matchmaker).of_need(session, people.coordinator.caller, asked, proposals)[seed.id]
    aligned = {each.requirement.passage.text: each for each in reasons.aligned}
    assert list(aligned) == [TOLD, WANTED]
    passage = aligned[WANTED].requirement.passage
    assert (passage.field, asked[passage.start : passage.end]) == ("text", WANTED)
    assert aligned[WANTED].support[0].passage.text == SAID
    assert "wanted_trl" in reasons.missing


def test_texts_that_share_very_much_are_told_in_short(people: People, session: Session) -> None:
    """The heaviest shared terms, the first places of each, and how many more there are: no reply of megabytes."""
    words = " ".join(f"word{number}x" for number in range(40))
    text = f"{words}. " + "The kerb must not crack. " * 300
    need = a_need(session, people.cluster, people.company.organisation, title="Kerb", summary=text)
    seed = a_seed(session, people.cluster, people.university.organisation, title="Kerb", description=text)
    session.commit()
    reply = people.coordinator.get(f"/matches/{_match(people.coordinator, need, seed)}")
    reasons = reply.json()["reasons"]
    terms = {each["term"]: each for each in reasons["shared_terms"]}
    assert len(terms) == 50
    assert reasons["more_shared_terms"] > 20
    kerb = terms["kerb"]
    assert len(kerb["need"]) == len(kerb["seed"]) == 5
    assert kerb["more_in_need"] == kerb["more_in_seed"] == 296


def test_an_entry_withdrawn_since_it_was_ranked_is_left_out(
    people: People, session: Session, database: Database, settings: Settings
) -> None:
    """The others are explained all the same, of a need and of a seed."""
    need, seed = _catalogue(people, session)
    caller, other = people.company.caller, people.university.caller
    with matchmaking(settings, database, people.cluster, ENCODER) as matchmaker:
        seeds = matchmaker.for_need(session, caller, need, 3)
        needs = matchmaker.for_seed(session, other, seed, 3)
        gone = seeds.found[0].ranked.key
        session.execute(update(Seed).where(Seed.id == gone).values(status="withdrawn"))
        session.execute(update(Need).values(status="withdrawn"))
        explaining = Explaining(matchmaker)
        assert list(explaining.of_need(session, caller, need, seeds)) == [
            each.ranked.key for each in seeds.found if each.ranked.key != gone
        ]
        assert len(needs.found) == 1
        assert explaining.of_seed(session, other, seed, needs) == {}


def test_an_empty_ranking_has_no_reasons(people: People, session: Session) -> None:
    """Nothing proposed, nothing to explain."""
    need = a_need(session, people.cluster, people.company.organisation)
    session.commit()
    ranking = people.company.read(f"/needs/{need.public_id}/matches", reasons=True)
    assert ranking["ranking"] == []
    assert json.dumps(ranking["message"])
