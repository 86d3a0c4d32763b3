"""What a company is told does not depend on others' needs: not to the last bit, whatever it asks."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.ingest import indexing
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, Json, Person, a_need, a_seed, an_organisation
from tests.app.test_cluster_indexes import fill

WORDS = "frost resistant kerbstone"
RARE = "zebrastripe"
ASKED = f"We want a {WORDS} with a {RARE} pattern. It must be cheap."
IN_JAPANESE = "凍結に強い縁石の材料を探している。安価であること。"
OTHERS = 200


@dataclass(frozen=True)
class Scene:
    """A cluster with seeds and a company that has two needs, and the service."""

    database: Database
    settings: Settings
    serve: Serve
    people: People
    needs: tuple[str, ...]
    seed: str

    def publish(self) -> None:
        """Publish the cluster's snapshot and take it into use."""
        assert indexing.publish(self.database, self.settings, ENCODER)
        self.people.company.client.app.state.runtime.live.check()  # type: ignore[attr-defined]

    def add_needs(self, count: int, offset: int = 0) -> None:
        """Needs of another company that would change every statistic: with the words, in a language of their own."""
        with self.database.session() as session:
            other = an_organisation(session, self.people.cluster)
            for number in range(offset, offset + count):
                words = (
                    f"{WORDS} {RARE} number{number}" if number % 3 else f"凍結 縁石 番号{number} の材料を探しています"
                )
                a_need(session, self.people.cluster, other, title=words, summary=f"{words}. {ASKED} {IN_JAPANESE}")
            session.commit()
        fill(self.database)

    def told(self, client: Any = None) -> list[bytes]:
        """Every reply of a ranking, byte by byte, but for ids of matches, which are drawn by chance."""
        company = self.people.company
        if client is not None:
            company = Person(client, company.caller, company.organisation, company.token)
        replies = [
            company.post("/match?reasons=true", {"text": text, "against": against, "limit": 10, "misses": misses})
            for text in (ASKED, IN_JAPANESE, WORDS, "wine")
            for against in ("seeds", "needs")
            for misses in (False, True)
        ]
        paths = [f"/needs/{need}/matches" for need in self.needs] + [f"/seeds/{self.seed}/matches"]
        for path in paths:
            replies += [company.get(path, limit=10, reasons=True, misses=misses) for misses in (False, True)]
            replies += [company.get(path, limit=50)]
        assert {reply.status_code for reply in replies} == {200}
        return [json.dumps(_without_matches(reply.json()), ensure_ascii=False).encode() for reply in replies]


def _without_matches(reply: Json) -> Json:
    return {**reply, "ranking": [{**each, "match": each["match"] is not None} for each in reply["ranking"]]}


@pytest.fixture
def scene(committed: Database, settings: Settings, serve: Serve) -> Scene:
    """Thirty seeds in two languages, sentences enough to compare with, two needs of the company's own."""
    client = serve()
    words = [*WORDS.split(), "sealing", "meltwater", "granite", "pavement"]
    japanese = ["凍結", "縁石", "安価", "材料", "融雪", "舗装"]
    with committed.session() as session:
        people = people_of(client, session)
        owner, organisation = people.university.organisation, people.company.organisation
        for number in range(30):
            chosen = [(words if number % 3 else japanese)[(number + step) % 6] for step in range(3)]
            a_seed(
                session, people.cluster, owner, title=" ".join(chosen),
                summary=f"It is a {chosen[0]} of {chosen[1]} number{number}. Other text.",
            )  # fmt: skip
        seed = a_seed(session, people.cluster, owner, title=WORDS, summary=f"A {WORDS}. Cheap.")
        needs = [
            a_need(session, people.cluster, organisation, title=WORDS, summary=ASKED),
            a_need(session, people.cluster, organisation, title="縁石の材料", summary=IN_JAPANESE),
        ]
        session.commit()
        ids = tuple(str(need.public_id) for need in needs)
        made = Scene(committed, settings, serve, people, ids, str(seed.public_id))
    fill(committed)
    return made


@pytest.mark.parametrize("how", ["no snapshot", "a snapshot", "fresh beside a snapshot"])
def test_others_needs_change_nothing_that_a_company_is_told(scene: Scene, how: str) -> None:
    """With 200 needs of another company, in a running service and anew, published or newer than what is published."""
    if how != "no snapshot":
        scene.publish()
    before = scene.told()
    assert max(len(json.loads(reply)["ranking"]) for reply in before) >= 10
    as_overseer = scene.people.coordinator.post("/match", {"text": ASKED}).json()

    scene.add_needs(OTHERS)
    if how == "a snapshot":
        scene.publish()
    assert scene.told() == before
    assert scene.told(scene.serve()) == before

    # Else nothing would be shown: they do change what those are told who may know of them.
    if how != "fresh beside a snapshot":
        assert scene.people.coordinator.post("/match", {"text": ASKED}).json()["ranking"] != as_overseer["ranking"]
    assert len(scene.people.coordinator.read("/needs", limit=200)["items"]) == 200


def test_what_others_look_at_changes_nothing_that_a_company_reads_of_a_match(scene: Scene) -> None:
    """A coordinator's ranking renews a match for who oversees it; its company still reads what its own look said."""
    scene.publish()
    company, coordinator = scene.people.company, scene.people.coordinator
    path = f"/needs/{scene.needs[0]}/matches"
    company.read(path, limit=20)
    told = {each["id"]: each["probability"] for each in company.read("/matches", limit=200)["items"]}
    assert all(told.values())
    assert {each["provenance"]["needs_unknown"] for each in _matches(coordinator)} == {True}

    scene.add_needs(OTHERS)
    scene.publish()
    coordinator.read(path, limit=100)
    overseen = _matches(coordinator)
    assert {each["provenance"]["needs_unknown"] for each in overseen if each["id"] in told} == {False}
    assert {each["id"]: each["probability"] for each in _matches(company) if each["id"] in told} == told
    assert {each["probability"] is None for each in _matches(company) if each["id"] not in told} <= {True}

    company.read(path, limit=20)
    assert _matches(coordinator) == overseen  # and a company's look takes nothing from them


def test_a_companys_look_renews_what_was_ranked_of_an_older_text(scene: Scene) -> None:
    """Figures of the text as it is now say more than those of one that is no more, though those knew needs."""
    scene.publish()
    company, coordinator = scene.people.company, scene.people.coordinator
    path = f"/needs/{scene.needs[0]}"
    coordinator.read(f"{path}/matches", limit=5)
    revised = company.patch(path, {"title": f"{WORDS} sealing"})
    assert revised.status_code == 200
    company.read(f"{path}/matches", limit=5)
    matches = [
        each for each in _matches(coordinator) if each["need_version"] == int(revised.headers["ETag"].strip('"'))
    ]
    assert len(matches) == 5
    assert {each["provenance"]["needs_unknown"] for each in matches} == {True}


def _matches(person: Person) -> list[Json]:
    found: list[Json] = person.read("/matches", limit=200)["items"]
    return found
