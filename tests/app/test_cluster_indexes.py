"""Every cluster has an index of its own: no figure of a ranking tells what another cluster holds."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import text

from enmusubi.app.caller import act_as
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.models import Need, Seed
from enmusubi.app.passages import Filling
from enmusubi.ingest import indexing
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, Json, Person, a_need, a_seed, ranked_ids
from tests.app.test_snapshots_in_service import within_a_second

WORDS = "frost resistant kerbstone"
RARE = "zebrastripe"
ASKED = f"We want a {WORDS} with a {RARE} pattern. It must be cheap."


@dataclass(frozen=True)
class Scene:
    """Two clusters of one installation with the same service, and what is ranked in the northern one."""

    database: Database
    settings: Settings
    serve: Serve
    north: People
    south: People
    need: str
    seed: str

    def publish(self) -> list[str]:
        """Publish what has changed; the public ids of the clusters that have a new snapshot."""
        published = indexing.publish(self.database, self.settings, ENCODER)
        self.north.company.client.app.state.runtime.live.check()  # type: ignore[attr-defined]
        return [str(each.cluster.public_id) for each in published]

    def publish_anew(self, people: People) -> None:
        """Publish a cluster's snapshot as if there had been none."""
        shutil.rmtree(self.settings.snapshots / str(people.cluster.public_id))
        assert str(people.cluster.public_id) in self.publish()

    def add_words(self, people: People, count: int) -> None:
        """Entries of both kinds with the very words, embedded, with their sentences stored."""
        with self.database.session() as session:
            for number in range(count):
                words = f"{WORDS} {RARE} number{number}"
                a_seed(
                    session, people.cluster, people.university.organisation, title=words, summary=f"{words}. {ASKED}"
                )
                a_need(session, people.cluster, people.company.organisation, title=words, summary=f"{words}. {ASKED}")
            session.commit()
        fill(self.database)

    def figures(self, client: Any = None) -> list[Json]:
        """Everything that whoever oversees the north reads of its rankings, and what others of it do."""
        coordinator, company = self.north.coordinator, self.north.company
        if client is not None:
            coordinator, company = replace(coordinator, client=client), replace(company, client=client)
        figures = [_ranked(coordinator, against) for against in ("seeds", "needs")]
        figures += [_ranked(company, "seeds")]
        for path in (f"/needs/{self.need}/matches", f"/seeds/{self.seed}/matches"):
            figures.append(coordinator.read(path, limit=10, reasons=True, misses=True))
        return figures


def fill(database: Database) -> None:
    """Store the sentences of every entry."""
    filling = Filling(database, ENCODER, entries=50)
    while filling.step():
        pass


def _ranked(person: Person, against: str, limit: int = 10) -> Json:
    path = "/match?reasons=true" if limit <= 10 else "/match"
    reply = person.post(path, {"text": ASKED, "against": against, "limit": limit})
    assert reply.status_code == 200, reply.text
    ranking: Json = reply.json()
    return ranking


def _without_snapshot(figures: Sequence[Json]) -> list[Json]:
    """The same, whichever snapshot it came from."""
    return [{**each, "provenance": {**each["provenance"], "snapshot": "one"}} for each in figures]


def _scores(ranking: Json) -> dict[str, float]:
    return {each["entry"]["id"]: each["score"] for each in ranking["ranking"]}


@pytest.fixture
def scene(committed: Database, settings: Settings, serve: Serve) -> Scene:
    """Twenty seeds, five needs and sentences enough to compare with, in the north; nothing in the south."""
    client = serve()
    with committed.session() as session:
        north, south = people_of(client, session), people_of(client, session)
        words = [*WORDS.split(), "sealing", "meltwater", "granite", "pavement"]
        for number in range(20):
            chosen = [words[(number + step) % len(words)] for step in range(3)]
            a_seed(
                session, north.cluster, north.university.organisation,
                title=" ".join(chosen), summary=f"It is a {chosen[0]} of {chosen[1]} number{number}. Other text.",
            )  # fmt: skip
        seed = a_seed(session, north.cluster, north.university.organisation, title=WORDS, summary=f"A {WORDS}. Cheap.")
        for number in range(4):
            a_need(session, north.cluster, north.company.organisation, title=f"{words[number]} {words[number + 2]}")
        need = a_need(session, north.cluster, north.company.organisation, title=WORDS, summary=ASKED)
        session.commit()
        made = Scene(committed, settings, serve, north, south, str(need.public_id), str(seed.public_id))
    fill(committed)
    return made


@pytest.mark.parametrize("how", ["no snapshot", "a snapshot", "fresh beside a snapshot"])
def test_no_figure_tells_what_another_cluster_holds(scene: Scene, how: str) -> None:
    """Scores, parts, probabilities and weights stay as they are to the last bit, in the service that runs and anew."""
    if how != "no snapshot":
        scene.publish()
    if how == "fresh beside a snapshot":
        with scene.database.session() as session:
            a_seed(session, scene.north.cluster, title=f"{WORDS} new", summary="Newer than the snapshot. A text.")
            session.commit()
        fill(scene.database)
    before = scene.figures()
    assert all(len(each["ranking"]) >= 5 for each in before)
    assert all("background" not in each["reasons"]["missing"] for each in before[3]["ranking"])
    assert (before[0]["provenance"]["snapshot"] is None) == (how == "no snapshot")

    scene.add_words(scene.south, 12)
    assert scene.figures() == before
    assert scene.figures(scene.serve()) == before
    if how == "a snapshot":
        assert scene.publish() == [str(scene.south.cluster.public_id)]
        assert scene.figures() == before
        assert scene.figures(scene.serve()) == before
        scene.publish_anew(scene.north)
        assert _without_snapshot(scene.figures()) == _without_snapshot(before)
        assert scene.figures()[0]["provenance"] != before[0]["provenance"]
    # They would tell, were they of this cluster.
    scene.add_words(scene.north, 12)
    assert scene.figures() != before


@contextmanager
def _opened(scene: Scene) -> Iterator[str]:
    """A seed of the south that is opened to the north; the opening is taken back in the end."""
    south, north = scene.south, scene.north
    body = {"title": f"{WORDS} {RARE}", "summary": ASKED, "opened_to": [str(north.cluster.public_id)]}
    seed = south.university.create("/seeds", body)["id"]
    yield seed
    assert south.university.patch(f"/seeds/{seed}", {"opened_to": []}).status_code == 200


def test_an_opened_entry_counts_in_both_until_it_is_taken_back(scene: Scene) -> None:
    """With no snapshot: proposed and weighed in both clusters, and in the other one not at all once it is closed."""
    before = _ranked(scene.north.coordinator, "seeds", 10)
    with _opened(scene) as seed:
        for people in (scene.north, scene.south):
            assert ranked_ids(_ranked(people.coordinator, "seeds"))[0] == seed
        meanwhile = _scores(_ranked(scene.north.coordinator, "seeds"))
        assert any(score != meanwhile.get(key, score) for key, score in _scores(before).items())
    assert _ranked(scene.north.coordinator, "seeds") == before
    assert ranked_ids(_ranked(scene.south.coordinator, "seeds")) == [seed]


def test_an_opening_taken_back_leaves_the_snapshot_with_the_next_publication(scene: Scene) -> None:
    """Shown to nobody at once, gone from the statistics then; a service that starts in between knows it too."""
    both = {str(people.cluster.public_id) for people in (scene.north, scene.south)}
    north = scene.settings.snapshots / str(scene.north.cluster.public_id)
    scene.publish()
    before = _ranked(scene.north.coordinator, "seeds")
    with _opened(scene) as seed:
        assert ranked_ids(_ranked(scene.north.coordinator, "seeds"))[0] == seed
        assert set(scene.publish()) == both
        assert ranked_ids(_ranked(scene.north.coordinator, "seeds"))[0] == seed
        assert _scores(_ranked(scene.north.coordinator, "seeds")) != _scores(before)
    cold = replace(scene.north.coordinator, client=scene.serve())
    for person in (scene.north.coordinator, cold):
        assert seed not in ranked_ids(_ranked(person, "seeds", 100))
    for client in (scene.north.coordinator.client, cold.client):
        freshness = client.app.state.runtime.matchmaking.freshness  # type: ignore[attr-defined]
        with scene.database.session() as session:
            index = freshness.current(session, Seed, scene.north.cluster.id)
            key = session.execute(text("select id from seeds where public_id = :id"), {"id": seed}).scalar_one()
        assert index.snapshot is not None
        assert key in index.snapshot.keys("seed")
        assert key in index.fresh.keys("seed")
        assert key not in index.fresh.view("seed").side.keys
    current = (north / "CURRENT").read_text()
    assert set(scene.publish()) == both
    assert (north / "CURRENT").read_text() != current
    assert _without_snapshot([_ranked(scene.north.coordinator, "seeds")]) == _without_snapshot([before])
    assert scene.publish() == []


@pytest.mark.parametrize("published", [False, True], ids=["fresh", "in a snapshot"])
def test_an_expired_entry_counts_in_no_statistics(scene: Scene, published: bool) -> None:
    """Of a row that is read after its last day: to the figures it is as if it had never been."""
    people = scene.north
    if published:
        scene.publish()
    before = scene.figures()
    body = {"title": f"{WORDS} {RARE}", "summary": ASKED}
    seed = people.university.create("/seeds", body)["id"]
    need = people.company.create("/needs", body)["id"]
    assert scene.figures() != before
    with scene.database.engine.begin() as connection:
        for table, entry in (("seeds", seed), ("needs", need)):
            expire = f"update {table} set expires_on = current_date - 1 where public_id = :id"
            connection.execute(text(expire), {"id": entry})
    assert scene.figures() == before
    assert scene.figures(scene.serve()) == before
    if published:
        scene.publish()
        assert _without_snapshot(scene.figures()) == _without_snapshot(before)


def test_opened_after_the_snapshot_and_closed_again(scene: Scene) -> None:
    """A fresh row of another cluster is masked as soon as it is closed, and comes back when it is opened again."""
    scene.publish()
    with _opened(scene) as seed:
        assert ranked_ids(_ranked(scene.north.coordinator, "seeds"))[0] == seed
    assert seed not in ranked_ids(_ranked(scene.north.coordinator, "seeds", 100))
    opened = {"opened_to": [str(scene.north.cluster.public_id)]}
    assert scene.south.university.patch(f"/seeds/{seed}", opened).status_code == 200
    assert ranked_ids(_ranked(scene.north.coordinator, "seeds"))[0] == seed


def test_a_need_opened_by_another_cluster_is_ranked_by_ones_own_index(scene: Scene) -> None:
    """The need's own cluster's snapshot ranks for its coordinator, the other's for whom it is opened to."""
    body = {"title": WORDS, "summary": ASKED, "opened_to": [str(scene.north.cluster.public_id)]}
    need = scene.south.company.create("/needs", body)["id"]
    scene.south.university.create("/seeds", {"title": WORDS})
    scene.publish()
    told = {}
    for people, person in ((scene.north, scene.north.coordinator), (scene.south, scene.south.coordinator)):
        told[people.cluster.id] = person.read(f"/needs/{need}/matches", misses=True)["provenance"]["snapshot"]
    expected = {}
    for people in (scene.north, scene.south):
        manifest = indexing.current(scene.settings, people.cluster.public_id)
        assert manifest is not None
        expected[people.cluster.id] = manifest.id
    assert told == expected


@pytest.mark.parametrize("asking", ["need", "seed"])
def test_a_match_ranked_by_another_cluster_is_told_roughly(scene: Scene, asking: str) -> None:
    """Two decimals and no hubs for whoever oversees the need's cluster, until its own index has ranked the pair."""
    north, south = scene.north, scene.south
    opened = {"opened_to": [str(south.cluster.public_id)]}
    assert north.university.patch(f"/seeds/{scene.seed}", opened).status_code == 200
    body = {"title": f"{WORDS} {RARE}", "summary": ASKED, "opened_to": [str(north.cluster.public_id)]}
    need = south.company.create("/needs", {**body, "status": "on_hold"})["id"]  # its own cluster has not ranked it
    assert south.company.patch(f"/needs/{need}", {"status": "published"}).status_code == 200
    scene.publish()
    asked = f"/needs/{need}/matches" if asking == "need" else f"/seeds/{scene.seed}/matches"
    proposed = scene.seed if asking == "need" else need
    ranking = north.university.read(asked, limit=100)["ranking"]
    (match,) = [each["match"] for each in ranking if each["entry"]["id"] == proposed]

    def stored() -> Any:
        query = text("select score, parts, asking, ranked_in from matches where public_id = :id")
        with scene.database.session() as session:
            return session.execute(query, {"id": match}).one()

    theirs = stored()
    assert (theirs.asking, theirs.ranked_in) == (asking, north.cluster.id)
    assert "hub_alike" in theirs.parts
    roughly = south.coordinator.read(f"/matches/{match}")
    seen = sum(part["value"] * part["weight"] for name, part in theirs.parts.items() if not name.startswith("hub_"))
    assert roughly["score"] == pytest.approx(seen, abs=0.011)
    assert roughly["score"] == round(roughly["score"], 2) != theirs.score
    assert {part["name"] for part in roughly["parts"]} == {"similarity", "terms"}

    south.coordinator.read(f"/needs/{need}/matches")
    own = stored()
    told = south.coordinator.read(f"/matches/{match}")
    assert (own.asking, own.ranked_in) == ("need", None)
    assert told["score"] == own.score != round(own.score, 2)
    assert {part["name"] for part in told["parts"]} == set(own.parts)
    north.university.read(asked, limit=100)
    assert stored() == own


def test_the_index_learns_nothing_of_another_cluster_but_keys_that_it_drops(scene: Scene) -> None:
    """The function gives no text, vector, term or status of what is not opened, and drafts of nobody at all."""
    scene.add_words(scene.south, 3)
    draft = scene.south.university.create("/seeds", {"title": WORDS, "status": "draft"})["id"]
    freshness = scene.north.company.client.app.state.runtime.matchmaking.freshness  # type: ignore[attr-defined]
    with scene.database.session() as session:
        of_south = {
            kind: set(session.scalars(text(f"select id from {kind.__tablename__} where cluster_id = :id"), key))
            for kind in (Seed, Need)
            for key in [{"id": scene.south.cluster.id}]
        }
        drafted = session.scalar(text("select id from seeds where public_id = :id"), {"id": draft})
        for kind, role in ((Seed, "seed"), (Need, "need")):
            told = session.execute(
                text(f"select * from changed_{kind.__tablename__}(0, :id)"), {"id": scene.north.cluster.id}
            ).mappings()
            elsewhere = [row for row in told if row["id"] in of_south[kind]]
            assert {row["id"] for row in elsewhere} == of_south[kind] - {drafted}
            said = {name for row in elsewhere for name, value in row.items() if value is not None}
            assert said == {"id", "changed_xid", "oldest_running"}
            index = freshness.current(session, kind, scene.north.cluster.id)
            with scene.database.session() as asked:
                act_as(asked, scene.north.coordinator.caller)
                of_others = text(f"select count(*) from changed_{kind.__tablename__}(0, :id)")
                assert asked.scalar(of_others, {"id": scene.south.cluster.id}) == 0
                assert asked.scalar(of_others, {"id": scene.north.cluster.id})
            assert not of_south[kind] & set(index.fresh.keys(role).tolist())
            assert not of_south[kind] & {key for each, key in index.seen if each is kind}


def test_a_cluster_made_while_the_service_runs_is_served(scene: Scene) -> None:
    """Scored exactly at once, from its snapshot within a second of its publication, and told of in readiness."""
    client = scene.north.company.client
    scene.publish()
    with scene.database.session() as session:
        new = people_of(client, session)
    seed = new.university.create("/seeds", {"title": WORDS})["id"]
    found = _ranked(new.coordinator, "seeds")
    assert (ranked_ids(found), found["provenance"]["snapshot"]) == ([seed], None)
    assert client.get("/health/ready").json()["snapshot"].startswith("none yet for 1 of 3 clusters")
    (published,) = indexing.publish(scene.database, scene.settings, ENCODER)
    assert published.cluster.id == new.cluster.id
    assert within_a_second(lambda: _ranked(new.coordinator, "seeds")["provenance"]["snapshot"] == published.manifest.id)
    assert client.get("/health/ready").json()["snapshot"] == "ok"
