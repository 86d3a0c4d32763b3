"""Matching from published snapshots: exact, fresh at once, and never past what the database says."""

import datetime
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from enmusubi.app.cli.matching import matchmaking
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.embeddings import analysis, refresh
from enmusubi.app.models import Cluster, Need, Seed
from enmusubi.ingest import indexing
from enmusubi.matching.lexical import terms
from enmusubi.matching.snapshot import Manifest
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, Json, Person, a_need, a_seed, days_from_now, ranked_ids
from tests.databases import a_database, drop, settings_for

WORDS = "frost resistant kerbstone"


@pytest.fixture
def crowd(committed: Database, serve: Serve) -> People:
    """People of every role on a database where commits are real, and a running service."""
    client = serve()
    with committed.session() as session:
        return people_of(client, session)


def _publish(committed: Database, settings: Settings, people: People) -> Manifest:
    """Publish what has changed; the new snapshot of the cluster of these people."""
    published = {each.cluster.id: each.manifest for each in indexing.publish(committed, settings, ENCODER)}
    return published[people.cluster.id]


def within_a_second(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold in that time."""
    end = time.monotonic() + 1.0
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _rank(person: Person, against: str = "seeds", limit: int = 10) -> Json:
    reply = person.post("/match", {"text": WORDS, "against": against, "limit": limit})
    assert reply.status_code == 200, reply.text
    ranking: Json = reply.json()
    return ranking


def _snapshot_used(person: Person) -> str | None:
    used: str | None = _rank(person)["provenance"]["snapshot"]
    return used


def _serving(person: Person, manifest: Manifest) -> bool:
    return within_a_second(lambda: _snapshot_used(person) == manifest.id)


def test_new_snapshot_is_followed_within_a_second(crowd: People, committed: Database, settings: Settings) -> None:
    """A running service takes over each publication, says so, and every match names the snapshot it came from."""
    with committed.session() as session:
        a_seed(session, crowd.cluster, title=WORDS)
        session.commit()
    assert _snapshot_used(crowd.coordinator) is None
    first = _publish(committed, settings, crowd)
    assert _serving(crowd.coordinator, first)
    assert crowd.company.client.get("/health/ready").json()["snapshot"] == "ok"
    need = crowd.company.create("/needs", {"title": WORDS})
    assert need["matches"]["provenance"]["snapshot"] is None  # a company is not told
    match = need["matches"]["ranking"][0]["match"]
    assert crowd.coordinator.read(f"/matches/{match}")["provenance"]["snapshot"] == first.id
    second = _publish(committed, settings, crowd)
    assert second.id != first.id
    assert _serving(crowd.coordinator, second)
    assert indexing.publish(committed, settings, ENCODER) == []


def test_ranking_is_reproducible_from_its_snapshot(crowd: People, committed: Database, settings: Settings) -> None:
    """Another matchmaker on the same snapshot gives the same order and the same scores, to the last bit."""
    words = WORDS.split()
    with committed.session() as session:
        for number in range(40):
            a_seed(session, crowd.cluster, title=f"{words[number % 3]} {words[number % 2]} word{number}")
        session.commit()
    assert _serving(crowd.coordinator, _publish(committed, settings, crowd))
    before = _rank(crowd.coordinator, limit=30)["ranking"]
    assert len(before) == 30
    with matchmaking(settings, committed, crowd.cluster, ENCODER) as another, committed.session() as session:
        proposals = another.for_text(session, crowd.coordinator.caller, WORDS, Seed, 30)
    again = [(str(each.row.public_id), each.ranked.score) for each in proposals.found]
    assert again == [(one["entry"]["id"], one["score"]) for one in before]


CHANGES: dict[str, Callable[[People, Seed, Session], None]] = {
    "withdrawn": lambda people, seed, session: _ok(people.coordinator.withdraw(f"/seeds/{seed.public_id}")),
    "on hold": lambda people, seed, session: _revise(people, seed, {"status": "on_hold"}),
    "not open": lambda people, seed, session: _revise(people, seed, {"open_for_interest": False}),
    "draft": lambda people, seed, session: _set(session, seed, status="draft"),
    "expired": lambda people, seed, session: _set(session, seed, expires_on=days_from_now(-2)),
    "expired, unstamped": lambda people, seed, session: _unstamped(session, seed),
    "in another cluster": lambda people, seed, session: _move(session, seed),
}


def _ok(reply: object) -> None:
    assert getattr(reply, "status_code", None) == 200


def _revise(people: People, seed: Seed, changes: Json) -> None:
    _ok(people.coordinator.patch(f"/seeds/{seed.public_id}", changes))


def _set(session: Session, seed: Seed, **values: object) -> None:
    session.execute(update(Seed).where(Seed.id == seed.id).values(**values))
    session.commit()


def _unstamped(session: Session, seed: Seed) -> None:
    """As if the row's day had come without anybody writing to it."""
    session.execute(text("alter table seeds disable trigger seeds_stamp_change"))
    _set(session, seed, expires_on=days_from_now(-2))
    session.execute(text("alter table seeds enable trigger seeds_stamp_change"))
    session.commit()


def _move(session: Session, seed: Seed) -> None:
    from tests.app.factories import a_cluster

    _set(session, seed, cluster_id=a_cluster(session).id)


@pytest.mark.parametrize("change", CHANGES)
def test_what_may_not_be_seen_is_not_proposed_whatever_the_snapshot_says(
    crowd: People, committed: Database, settings: Settings, change: str
) -> None:
    """The snapshot still holds the row; the database has the last word."""
    with committed.session() as session:
        gone = a_seed(session, crowd.cluster, title=WORDS)
        stays = a_seed(session, crowd.cluster, title=f"{WORDS} too")
        need = a_need(session, crowd.cluster, crowd.company.organisation, title=WORDS)
        session.commit()
        assert _serving(crowd.coordinator, _publish(committed, settings, crowd))
        assert ranked_ids(_rank(crowd.coordinator)) == [str(gone.public_id), str(stays.public_id)]
        CHANGES[change](crowd, gone, session)
    assert ranked_ids(_rank(crowd.coordinator)) == [str(stays.public_id)]
    assert ranked_ids(crowd.company.read(f"/needs/{need.public_id}/matches")) == [str(stays.public_id)]


def test_exactly_n_where_one_in_a_hundred_is_visible(crowd: People, committed: Database, settings: Settings) -> None:
    """Thousands of nearer rows that may not be seen cost the asker none of the N that may."""
    rng = np.random.default_rng(20_26)
    query = ENCODER.encode([WORDS], "need")[0]
    total, visible = 3_000, 30
    matrix = rng.normal(size=(total, ENCODER.dimension)).astype(np.float32)
    matrix[visible:] += 12 * query  # those that may not be seen are by far the nearest
    matrix[:visible] += query
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    with committed.session() as session:
        elsewhere = people_of(crowd.company.client, session).cluster
        ids = [uuid.uuid4() for _ in range(total)]
        states = ("published", "on_hold", "withdrawn", "draft")
        session.execute(
            insert(Seed),
            [
                {
                    "public_id": ids[row],
                    "cluster_id": crowd.cluster.id if row < visible or row % 4 else elsewhere.id,
                    "source": "test",
                    "title": f"seed {row}",
                    "search_text": "",
                    "expires_on": days_from_now(300),
                    "status": "published" if row < visible or not row % 4 else states[row % 4],
                    "embedding": matrix[row].tobytes(),
                    "embedding_key": b"",
                    "embedding_encoder": ENCODER.fingerprint,
                    "terms": "",
                    "terms_analysis": analysis(),
                    "text_language": "en",
                }
                for row in range(total)
            ],
        )
        session.execute(update(Seed).where(Seed.status == "on_hold").values(status="published"))
        session.commit()
        published = _publish(committed, settings, crowd)
        assert published.counts["seeds"] > total // 4
        # After the snapshot was made, what was published is taken from sight, but for the thirty.
        session.execute(
            update(Seed)
            .where(Seed.cluster_id == crowd.cluster.id, Seed.public_id.not_in(ids[:visible]))
            .values(status="on_hold")
        )
        session.commit()
    assert _serving(crowd.coordinator, published)
    best = ranked_ids(_rank(crowd.coordinator, limit=100))
    assert sorted(best) == sorted(str(each) for each in ids[:visible])
    for limit in (5, 20):
        assert ranked_ids(_rank(crowd.coordinator, limit=limit)) == best[:limit]


def test_every_change_matches_at_once(crowd: People, committed: Database, settings: Settings) -> None:
    """New, revised, put on hold and published again after the snapshot: each is right at the next request."""
    with committed.session() as session:
        old = a_seed(session, crowd.cluster, crowd.university.organisation, title="wine from apples")
        held = a_seed(session, crowd.cluster, crowd.university.organisation, title=WORDS, status="on_hold")
        session.commit()
    assert _serving(crowd.coordinator, _publish(committed, settings, crowd))
    first = ranked_ids(_rank(crowd.coordinator))
    assert str(held.public_id) not in first

    new = crowd.university.create("/seeds", {"title": WORDS})["id"]
    assert _rank(crowd.coordinator)["ranking"][0]["entry"]["id"] == new
    most = _rank(crowd.coordinator)["ranking"][0]["score"]

    crowd.university.patch(f"/seeds/{new}", {"title": "beer from barley"})
    assert all(one["entry"]["id"] != new or one["score"] < 0.9 * most for one in _rank(crowd.coordinator)["ranking"])

    crowd.university.patch(f"/seeds/{old.public_id}", {"title": WORDS})
    assert _rank(crowd.coordinator)["ranking"][0]["entry"]["id"] == str(old.public_id)

    crowd.university.patch(f"/seeds/{held.public_id}", {"status": "published"})
    assert set(ranked_ids(_rank(crowd.coordinator))[:2]) == {str(old.public_id), str(held.public_id)}

    need = crowd.company.create("/needs", {"title": WORDS})["id"]
    assert ranked_ids(_rank(crowd.coordinator, "needs")) == [need]


def test_row_whose_vector_is_out_of_date_is_masked(crowd: People, committed: Database, settings: Settings) -> None:
    """Between an ingest's write and its embedding, a row's old vector proposes nothing; then the new one does."""
    with committed.session() as session:
        seed = a_seed(session, crowd.cluster, title=WORDS)
        session.commit()
        assert _serving(crowd.coordinator, _publish(committed, settings, crowd))
        assert len(_rank(crowd.coordinator)["ranking"]) == 1
        _set(session, seed, title="wine", embedding=None, embedding_key=None, embedding_encoder=None)
        assert _rank(crowd.coordinator)["ranking"] == []
        _set(session, seed, title=WORDS)
    assert refresh(committed, ENCODER, Seed) == 1
    assert len(_rank(crowd.coordinator)["ranking"]) == 1


def test_row_embedded_by_another_model_is_not_scored(crowd: People, committed: Database) -> None:
    """A vector of another model is not comparable, and counts as none until it is embedded anew."""
    with committed.session() as session:
        a_seed(session, crowd.cluster, title=WORDS, encoder=replace(ENCODER, revision="2"))
        session.commit()
    assert _rank(crowd.coordinator)["ranking"] == []
    refresh(committed, ENCODER, Seed)
    assert len(_rank(crowd.coordinator)["ranking"]) == 1


def test_commit_after_the_publication_of_a_write_before_it(
    crowd: People, committed: Database, settings: Settings
) -> None:
    """A transaction that began before a snapshot and ends after it is in neither at first, and found at once."""
    with committed.session() as session:
        early = a_seed(session, crowd.cluster, title=f"{WORDS} early")
        session.commit()
    with committed.session() as slow:
        late = a_seed(slow, crowd.cluster, title=WORDS)
        slow.flush()
        with committed.session() as session:  # later ids are written and committed meanwhile
            a_seed(session, crowd.cluster, title="later and unrelated wine")
            session.commit()
        manifest = _publish(committed, settings, crowd)
        assert manifest.counts["seeds"] == 2
        assert _serving(crowd.coordinator, manifest)
        assert str(late.public_id) not in ranked_ids(_rank(crowd.coordinator))
        slow.commit()
    assert ranked_ids(_rank(crowd.coordinator))[:2] == [str(late.public_id), str(early.public_id)]
    following = _publish(committed, settings, crowd)
    assert following.counts["seeds"] == 3
    assert _serving(crowd.coordinator, following)
    assert ranked_ids(_rank(crowd.coordinator))[:2] == [str(late.public_id), str(early.public_id)]


def test_last_writer_counts_though_its_transaction_is_the_older(crowd: People, committed: Database) -> None:
    """Transaction ids order beginnings: what an older transaction writes last is what is matched."""
    with committed.session() as session:
        seed = a_seed(session, crowd.cluster, title="wine")
        session.commit()
    with committed.session() as older:
        older.execute(text("select pg_current_xact_id()"))
        crowd.coordinator.patch(f"/seeds/{seed.public_id}", {"title": "beer from barley"})
        _rank(crowd.coordinator)  # has seen the younger transaction's vector
        row = older.get_one(Seed, seed.id, populate_existing=True)
        row.title = WORDS
        row.embedding = ENCODER.encode([WORDS], "seed")[0].tobytes()
        row.terms = " ".join(terms(WORDS))
        older.commit()
    ranked = _rank(crowd.coordinator)["ranking"]
    assert [(one["entry"]["title"], one["score"] > 1) for one in ranked] == [(WORDS, True)]


@pytest.mark.parametrize("fault", ["database", "encoder", "damaged"])
def test_unfit_snapshot_is_refused_and_said_so(
    crowd: People, committed: Database, server: Database, migrated: str, settings: Settings, fault: str
) -> None:
    """The service says why it does not use a snapshot, stays ready, and answers exactly."""
    with committed.session() as session:
        seed = a_seed(session, crowd.cluster, title=WORDS)
        session.commit()
    if fault == "database":
        url = a_database(server, migrated)
        with connect(settings_for(server, url, settings)) as other:
            with other.session() as session:
                session.add(Cluster(name="of another database", public_id=crowd.cluster.public_id))
                session.commit()
            assert indexing.publish(other, settings, ENCODER)
        drop(server, url)
    elif fault == "encoder":
        assert indexing.publish(committed, settings, replace(ENCODER, revision="2"))
    else:
        folder = settings.snapshots / str(crowd.cluster.public_id)
        folder.mkdir(parents=True)
        (folder / "CURRENT").write_text("nonsense\n")
    said = {"database": "another database", "encoder": "another encoder", "damaged": "does not name a snapshot"}[fault]
    client = crowd.company.client

    def state() -> Json:
        reply = client.get("/health/ready")
        assert reply.status_code == 200
        parts: Json = reply.json()
        return parts

    _rank(crowd.coordinator)  # the first of a cluster that was made after the start
    assert within_a_second(lambda: state()["snapshot"].startswith("refused"))
    assert said in state()["snapshot"]
    assert "enmusubi index" in state()["snapshot"]
    assert _rank(crowd.coordinator)["provenance"]["snapshot"] is None
    assert ranked_ids(_rank(crowd.coordinator)) == [str(seed.public_id)]
    manifest = _publish(committed, settings, crowd)
    assert _serving(crowd.coordinator, manifest)
    assert state()["snapshot"] == "ok"


def test_a_refused_snapshot_leaves_the_good_one_in_use(crowd: People, committed: Database, settings: Settings) -> None:
    """What was fine before stays in service while the fault is told."""
    with committed.session() as session:
        seed = a_seed(session, crowd.cluster, title=WORDS)
        session.commit()
    good = _publish(committed, settings, crowd)
    assert _serving(crowd.coordinator, good)
    assert indexing.publish(committed, settings, replace(ENCODER, revision="2"))
    ready = crowd.company.client
    assert within_a_second(lambda: ready.get("/health/ready").json()["snapshot"].startswith("refused"))
    assert _snapshot_used(crowd.coordinator) == good.id
    assert ranked_ids(_rank(crowd.coordinator)) == [str(seed.public_id)]


def test_restart_uses_the_published_snapshot(
    crowd: People, committed: Database, settings: Settings, serve: Serve
) -> None:
    """A service that starts finds the snapshot and ranks as the one before."""
    with committed.session() as session:
        for number in range(5):
            a_seed(session, crowd.cluster, title=f"{WORDS} {number}")
        session.commit()
    manifest = _publish(committed, settings, crowd)
    assert _serving(crowd.coordinator, manifest)
    again = replace(crowd.coordinator, client=serve())
    assert _rank(again) == _rank(crowd.coordinator)
    assert _snapshot_used(again) == manifest.id


def test_drafts_are_in_no_index(crowd: People, committed: Database, settings: Settings) -> None:
    """Nobody but its owner may know of a draft, so it has no vector."""
    draft = crowd.university.create("/seeds", {"title": WORDS, "status": "draft"})["id"]
    assert refresh(committed, ENCODER, Seed) == 0
    crowd.university.create("/seeds", {"title": "wine"})
    assert _publish(committed, settings, crowd).counts["seeds"] == 1
    crowd.university.patch(f"/seeds/{draft}", {"status": "published"})
    assert _rank(crowd.coordinator)["ranking"][0]["entry"]["id"] == draft


def test_needs_are_in_the_snapshot_too(crowd: People, committed: Database, settings: Settings) -> None:
    """The other direction is served from the same snapshot, by what the asker may see."""
    with committed.session() as session:
        need = a_need(session, crowd.cluster, crowd.company.organisation, title=WORDS)
        seed = a_seed(session, crowd.cluster, crowd.university.organisation, title=WORDS)
        session.commit()
    manifest = _publish(committed, settings, crowd)
    assert manifest.counts == {"seeds": 1, "needs": 1}
    assert _serving(crowd.coordinator, manifest)
    assert ranked_ids(crowd.university.read(f"/seeds/{seed.public_id}/matches")) == [str(need.public_id)]
    with committed.session() as session:
        session.execute(update(Need).values(deadline=datetime.date(2020, 1, 1)))
        session.commit()
    assert ranked_ids(crowd.university.read(f"/seeds/{seed.public_id}/matches")) == []


def test_concurrent_requests_while_rows_change(crowd: People, committed: Database, client: TestClient) -> None:
    """Readers that run beside a writer never fail, and afterwards all see the last state."""
    import threading

    with committed.session() as session:
        seed = a_seed(session, crowd.cluster, title="wine")
        session.commit()
    done = threading.Event()
    failures: list[object] = []

    def read() -> None:
        while not done.is_set():
            reply = crowd.coordinator.post("/match", {"text": WORDS})
            if reply.status_code != 200:
                failures.append(reply.text)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(15):
        title = WORDS if number % 2 == 0 else "beer from barley"
        crowd.coordinator.patch(f"/seeds/{seed.public_id}", {"title": title})
    done.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert _rank(crowd.coordinator)["ranking"][0]["score"] > 1


def test_a_damaged_vector_costs_nobody_else(crowd: People, committed: Database) -> None:
    """Of rows that came together, the one with a damaged vector is left out; the others match, now and later."""
    with committed.session() as session:
        good = [a_seed(session, crowd.cluster, title=f"{WORDS} {number}") for number in range(2)]
        damaged = a_seed(session, crowd.cluster, title=WORDS)
        session.flush()
        damaged.embedding = bytes(4 * ENCODER.dimension)
        session.commit()
    for _ in range(2):
        assert set(ranked_ids(_rank(crowd.coordinator))) == {str(seed.public_id) for seed in good}


def test_what_is_on_hold_counts_in_no_statistics(crowd: People, committed: Database) -> None:
    """The weight of a word tells nothing of entries that nobody may see."""
    with committed.session() as session:
        for number in range(5):
            a_seed(session, crowd.cluster, title=f"{WORDS} number{number}")
        session.commit()
    asked = {"text": f"{WORDS} codeword"}
    before = crowd.coordinator.post("/match", asked).json()["ranking"]
    with committed.session() as session:
        for _ in range(5):
            a_seed(session, crowd.cluster, title="codeword", status="on_hold")
        session.commit()
    assert crowd.coordinator.post("/match", asked).json()["ranking"] == before


def test_a_match_tells_what_was_ranked(crowd: People, committed: Database, settings: Settings) -> None:
    """Snapshot, versions of both entries, and whether the seed was newer than the snapshot: what it takes to repeat."""
    with committed.session() as session:
        a_seed(session, crowd.cluster, title=WORDS)
        session.commit()
    assert _serving(crowd.coordinator, _publish(committed, settings, crowd))
    new = crowd.university.create("/seeds", {"title": f"{WORDS} too"})["id"]
    crowd.university.patch(f"/seeds/{new}", {"title": f"{WORDS} as well"})
    ranking = crowd.company.create("/needs", {"title": WORDS})["matches"]["ranking"]
    assert [one["fresh"] for one in ranking] == [one["entry"]["id"] == new for one in ranking]
    matches = {one["entry"]["id"]: crowd.coordinator.read(f"/matches/{one['match']}") for one in ranking}
    assert len(matches) == 2
    for seed, match in matches.items():
        assert (match["fresh"], match["need_version"]) == (seed == new, 1)
        assert crowd.company.get(f"/seeds/{seed}").headers["etag"] == f'"{match["seed_version"]}"'
