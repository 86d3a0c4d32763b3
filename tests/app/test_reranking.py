"""Reranking in the service: set by name, shown in every match, and never a guess where it cannot be loaded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.freshness import Freshness
from enmusubi.app.main import create_app
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Cluster, Need, Seed
from enmusubi.app.proposals import Proposals
from enmusubi.app.runtime import reranker_for
from enmusubi.app.vocabulary import Role
from enmusubi.matching.reranking import Pair, Values
from enmusubi.matching.snapshot import LiveSnapshots
from tests.app.conftest import People, Serve, people_of, started
from tests.app.factories import ENCODER, a_caller, a_cluster, a_need, a_seed, an_organisation
from tests.tiny_cross_encoder import write_tiny_cross_encoder

WORDS = "frost resistant kerbstone"
SECRET = "for the tunnel at North Bay"


@dataclass
class Marked:
    """Finds a pair right where the mark is in one of its texts; keeps what it was shown."""

    mark: str = "granite"
    name: str = "marked"
    fingerprint: str = "feedfacefeedface"
    shown: list[Pair] = field(default_factory=list)

    def scores(self, pairs: Sequence[Pair]) -> Values:
        """1 with the mark, 0 without."""
        self.shown = list(pairs)
        return np.array([float(self.mark in " ".join(pair)) for pair in pairs])


@dataclass
class Region:
    """A cluster with its coordinator, its matchmaker and what reads the pairs."""

    cluster: Cluster
    coordinator: Caller
    reranker: Marked
    plain: Matchmaking
    reranking: Matchmaking


@pytest.fixture
def region(session: Session, settings: Settings) -> Iterator[Region]:
    """Two matchmakers on the same entries; one has the two best read again."""
    cluster, reranker = a_cluster(session), Marked()
    live = LiveSnapshots(settings.snapshots, expect_fingerprint=ENCODER.fingerprint)
    freshness = Freshness(live, ENCODER)
    yield Region(
        cluster,
        a_caller(session, cluster, Role.COORDINATOR),
        reranker,
        Matchmaking(ENCODER, freshness, 0.0),
        Matchmaking(ENCODER, freshness, 0.0, reranker, 2),
    )
    live.close()


def _titles(proposals: Proposals) -> list[str]:
    return [each.row.title for each in proposals.found]


def _seeds(session: Session, region: Region) -> list[str]:
    """Four seeds, the nearest to WORDS first."""
    titles = [WORDS, f"{WORDS} granite", f"{WORDS} granite of a quarry", "noodles"]
    for title in titles:
        a_seed(session, region.cluster, title=title)
    return titles


def test_the_best_are_read_again(session: Session, region: Region) -> None:
    """The order of the best changes, nobody joins or leaves them, and the part and the policy say why."""
    titles = _seeds(session, region)
    before = region.plain.for_text(session, region.coordinator, WORDS, Seed, 4)
    after = region.reranking.for_text(session, region.coordinator, WORDS, Seed, 4)
    assert _titles(before) == titles
    assert _titles(after) == [titles[1], titles[0], *titles[2:]]
    assert [pair.need for pair in region.reranker.shown] == [WORDS, WORDS]
    assert [pair.seed for pair in region.reranker.shown] == titles[:2]
    first = after.found[0].ranked
    assert first.score == pytest.approx(before.found[1].ranked.score + 1.0)
    assert first.parts[-1].name == "reranker"
    assert before.provenance.policy == "evidence-1"
    assert after.provenance.policy == "evidence-1+rerank:marked@feedface"


def test_the_order_does_not_depend_on_how_many_are_asked_for(session: Session, region: Region) -> None:
    """The best of one is the best of four."""
    _seeds(session, region)
    for limit in (1, 2, 3):
        found = region.reranking.for_text(session, region.coordinator, WORDS, Seed, limit)
        everything = region.reranking.for_text(session, region.coordinator, WORDS, Seed, 4)
        assert _titles(found) == _titles(everything)[:limit]


def test_the_probability_is_that_of_the_evidence(session: Session, region: Region) -> None:
    """The calibration was fitted to rankings that nobody had read again; it goes on to speak of these."""
    _seeds(session, region)
    before = region.plain.for_text(session, region.coordinator, WORDS, Seed, 4)
    after = region.reranking.for_text(session, region.coordinator, WORDS, Seed, 4)
    assert {each.ranked.key: each.probability for each in after.found} == {
        each.ranked.key: each.probability for each in before.found
    }


def test_only_public_texts_are_read(session: Session, region: Region) -> None:
    """A need's confidential part does not reach the reranker, whichever side asks."""
    owner = an_organisation(session, region.cluster)
    need = a_need(session, region.cluster, owner, title=WORDS, description=SECRET, requirements=SECRET)
    seed = a_seed(session, region.cluster, title=f"{WORDS} granite")
    region.reranking.for_need(session, region.coordinator, need, 4)
    assert region.reranker.shown == [Pair(WORDS, f"{WORDS} granite")]
    region.reranking.for_seed(session, region.coordinator, seed, 4)
    assert region.reranker.shown == [Pair(WORDS, f"{WORDS} granite")]
    region.reranking.for_text(session, region.coordinator, "granite", Need, 4)
    assert region.reranker.shown == [Pair(WORDS, "granite")]


def test_a_match_is_stored_with_what_ranked_it(session: Session, region: Region) -> None:
    """Score, part and policy."""
    need = a_need(session, region.cluster, an_organisation(session, region.cluster), title=WORDS)
    seed = a_seed(session, region.cluster, title=f"{WORDS} granite")
    proposals = region.reranking.for_need(session, region.coordinator, need, 4)
    match = region.reranking.keep_for_need(session, region.coordinator, need, proposals)[seed.id]
    assert match.policy == "evidence-1+rerank:marked@feedface"
    assert match.parts["reranker"] == {"value": 1.0, "weight": 1.0, "estimated": False}
    assert match.score == proposals.found[0].ranked.score


def test_nothing_is_read_where_there_is_no_good_match(session: Session, region: Region) -> None:
    """What is not shown is not worth the time."""
    _seeds(session, region)
    strict = Matchmaking(ENCODER, region.reranking.freshness, 1.0, region.reranker, 2)
    assert strict.for_text(session, region.coordinator, WORDS, Seed, 4).found == []
    assert region.reranker.shown == []
    assert len(strict.for_text(session, region.coordinator, WORDS, Seed, 4, misses=True).found) == 4
    assert len(region.reranker.shown) == 2


def test_a_service_with_a_cross_encoder(committed: Database, serve: Serve, settings: Settings, tmp_path: Path) -> None:
    """The whole of it: named in a setting, loaded at the start, in the parts of a ranking."""
    folder = write_tiny_cross_encoder(tmp_path / "tiny-reranker")
    client = serve(given=settings.model_copy(update={"reranker": str(folder), "precision": "float32"}))
    with committed.session() as session:
        people: People = people_of(client, session)
        for number in range(12):
            a_seed(session, people.cluster, title=f"{WORDS} {number}")
        session.commit()
    assert client.get("/health/ready").json()["model"] == "ok"
    need = people.company.create("/needs", {"title": WORDS})
    shown = people.coordinator.read(f"/needs/{need['id']}/matches")
    ranking, provenance = shown["ranking"], shown["provenance"]
    scores = [one["score"] for one in ranking]
    assert scores == sorted(scores, reverse=True)
    for one in ranking:
        assert one["parts"][-1]["name"] == "reranker"
        assert one["score"] == pytest.approx(sum(part["value"] * part["weight"] for part in one["parts"]), abs=2e-4)
    assert provenance["policy"].startswith("evidence-1+rerank:tiny-reranker@")
    assert people.coordinator.read(f"/matches/{ranking[0]['match']}")["parts"] == ranking[0]["parts"]
    assert str(tmp_path) not in str(need)


def test_not_ready_with_a_reranker_that_cannot_be_loaded(
    server: Database, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a model that cannot: nothing is ranked otherwise than was set, and the log says which folder."""
    nowhere = str(tmp_path / "nowhere")
    with started(create_app(settings.model_copy(update={"reranker": nowhere}), ENCODER, server)) as client:
        reply = client.get("/health/ready")
        assert reply.status_code == 503
        assert "ENMUSUBI_RERANKER" in reply.json()["model"]
        assert nowhere not in reply.text
    assert nowhere in caplog.text


def test_no_reranker_unless_set(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset and empty are the same."""
    monkeypatch.setenv("ENMUSUBI_RERANKER", "")
    assert Settings().reranker is None
    assert reranker_for(settings) is None
