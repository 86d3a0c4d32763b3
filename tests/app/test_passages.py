"""Vectors of passages are filled in beside the entries: in small steps, without a trace in the entries themselves."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enmusubi.app.database import Database
from enmusubi.app.models import EntryPassages, Need, Seed
from enmusubi.app.passages import BackgroundFilling, Filling, count_stale, made_with, public_texts, unpacked
from enmusubi.matching.encoder import HashEncoder, Role, Vectors
from enmusubi.matching.encoder.protocol import Progress
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, a_cluster, a_need, a_seed

SENTENCES = "Kerbs crack in winter. A coating keeps water out. It lasts ten years."


class Telling(HashEncoder):
    """Keeps what it is asked to encode, and does `before` each time."""

    def __init__(self, before: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self.calls: list[Sequence[str]] = []
        self._before = before

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """As the encoder of the tests does."""
        self.calls.append(list(texts))
        self._before(len(self.calls) - 1)
        return super().encode(texts, role, progress)


def _run(filling: Filling) -> int:
    looked_at = 0
    while step := filling.step():
        looked_at += step
    return looked_at


def _stored(session: Session) -> dict[tuple[int | None, int | None], bytes]:
    session.expire_all()
    return {(row.seed_id, row.need_id): row.content for row in session.scalars(select(EntryPassages))}


def test_every_published_entry_is_filled_in_once(database: Database, session: Session) -> None:
    """Seeds and needs; a second pass finds nothing to do, and drafts are left alone."""
    cluster = a_cluster(session)
    seeds = [a_seed(session, cluster, description=f"{SENTENCES} Number {number}.") for number in range(6)]
    need = a_need(session, cluster, summary=SENTENCES)
    a_seed(session, cluster, description=SENTENCES, status="draft")
    assert count_stale(session, ENCODER) == 7
    encoder = Telling()
    assert _run(Filling(database, encoder)) == 7
    assert count_stale(session, ENCODER) == 0
    assert all(len(call) <= 4 for call in encoder.calls)
    stored = _stored(session)
    assert set(stored) == {*((seed.id, None) for seed in seeds), (None, need.id)}
    vectors = unpacked(stored[seeds[0].id, None], seeds[0], ENCODER)
    assert vectors is not None
    assert [passage.text for passage in vectors.passages][1:] == [*_split(SENTENCES), "Number 0."]
    again = Telling()
    assert _run(Filling(database, again)) == 0
    assert again.calls == []


def _split(sentences: str) -> list[str]:
    return [f"{sentence.strip()}." for sentence in sentences.split(".") if sentence]


def test_filling_leaves_the_entries_as_they_are(committed: Database) -> None:
    """Version, time of change and the stamp that snapshots are compared with stay; so nothing becomes fresh again."""
    columns = (Seed.id, Seed.version, Seed.last_modified, Seed.changed_xid, Seed.embedding)
    with committed.session() as session:
        a_seed(session, a_cluster(session), description=SENTENCES)
        session.commit()
        before = session.execute(select(*columns)).all()
        session.commit()
        assert _run(Filling(committed, ENCODER)) == 1
        assert session.execute(select(*columns)).all() == before


def test_what_ends_a_pass_leaves_what_was_written(committed: Database) -> None:
    """The entries of earlier steps stay, and the next pass goes on with the others only."""

    def fail(call: int) -> None:
        if call == 2:
            raise KeyboardInterrupt

    with committed.session() as session:
        cluster = a_cluster(session)
        for number in range(5):
            a_seed(session, cluster, description=f"Number {number} is a seed. {SENTENCES}")
        session.commit()
    with pytest.raises(KeyboardInterrupt):
        _run(Filling(committed, Telling(fail), entries=1, texts=8))
    with committed.session() as session:
        assert len(_stored(session)) == 2
    encoder = Telling()
    assert _run(Filling(committed, encoder, entries=1)) == 3
    assert not any("Number 0 is a seed." in call or "Number 1 is a seed." in call for call in encoder.calls)
    with committed.session() as session:
        assert len(_stored(session)) == 5


def test_a_failing_entry_does_not_keep_others_from_their_turn(database: Database, session: Session) -> None:
    """The pass goes on behind it; it is found again by the next one."""

    def fail(call: int) -> None:
        if call == 0:
            raise RuntimeError("cannot be encoded")

    cluster = a_cluster(session)
    first, second = (a_seed(session, cluster, description=SENTENCES) for _ in range(2))
    filling = Filling(database, Telling(fail), entries=1)
    with pytest.raises(RuntimeError):
        filling.step()
    assert _run(filling) == 1
    assert set(_stored(session)) == {(second.id, None)}
    assert _run(Filling(database, ENCODER)) == 1
    assert (first.id, None) in _stored(session)


def test_a_revision_meanwhile_is_not_written_over(committed: Database, people_there: People) -> None:
    """What was computed of the old text is dropped, and the new text is found by the next pass."""
    with committed.session() as session:
        seed = a_seed(session, people_there.cluster, description=SENTENCES)
        session.commit()
    path = f"/seeds/{seed.public_id}"

    def revise(_call: int) -> None:
        assert people_there.coordinator.patch(path, {"description": "Nothing of the kind."}).status_code == 200

    assert _run(Filling(committed, Telling(revise))) == 1
    with committed.session() as session:
        assert _stored(session) == {}
        assert _run(Filling(committed, ENCODER)) == 1
        revised = session.get_one(Seed, seed.id)
        vectors = unpacked(_stored(session)[seed.id, None], revised, ENCODER)
        assert vectors is not None
        assert vectors.passages[-1].text == "Nothing of the kind."


@pytest.fixture
def people_there(committed: Database, serve: Serve) -> People:
    """People of every role on a database where commits are real."""
    client = serve()
    with committed.session() as session:
        return people_of(client, session)


def test_a_changed_text_drops_its_vectors_at_once(people: People, database: Database, session: Session) -> None:
    """Another text takes them away in the same transaction; another TRL leaves them, and is not encoded again."""
    seed = a_seed(session, people.cluster, description=SENTENCES)
    need = a_need(session, people.cluster, summary=SENTENCES)
    session.commit()
    _run(Filling(database, ENCODER))
    kept = _stored(session)
    assert people.coordinator.patch(f"/seeds/{seed.public_id}", {"trl": 5}).status_code == 200
    assert people.coordinator.patch(f"/needs/{need.public_id}", {"wanted_trl": 5}).status_code == 200
    assert _stored(session) == kept
    encoder = Telling()
    assert _run(Filling(database, encoder)) == 2
    assert encoder.calls == []
    assert count_stale(session, ENCODER) == 0
    assert people.coordinator.patch(f"/seeds/{seed.public_id}", {"description": "Other."}).status_code == 200
    assert people.coordinator.patch(f"/needs/{need.public_id}", {"summary": "Other."}).status_code == 200
    assert _stored(session) == {}


def test_text_moved_to_another_field_is_noticed(people: People, database: Database, session: Session) -> None:
    """The matched text stays the same, but the places do not: the old vectors are not taken, and filled in anew."""
    seed = a_seed(session, people.cluster, description="It sets fast.", advantages=None)
    session.commit()
    _run(Filling(database, ENCODER))
    changes = {"description": None, "advantages": "It sets fast."}
    assert people.coordinator.patch(f"/seeds/{seed.public_id}", changes).status_code == 200
    session.refresh(seed)
    assert unpacked(_stored(session)[seed.id, None], seed, ENCODER) is None
    assert _run(Filling(database, ENCODER)) == 1
    vectors = unpacked(_stored(session)[seed.id, None], seed, ENCODER)
    assert vectors is not None
    assert [passage.field for passage in vectors.passages] == ["title", "advantages"]


def test_another_encoder_fills_in_anew(database: Database, session: Session) -> None:
    """Vectors of another model are stale."""
    a_seed(session, a_cluster(session), description=SENTENCES)
    _run(Filling(database, ENCODER))
    other = HashEncoder(dimension=32)
    assert made_with(other) != made_with(ENCODER)
    assert count_stale(session, other) == 1
    assert _run(Filling(database, other)) == 1


def test_confidential_texts_have_no_stored_vector(database: Database, session: Session) -> None:
    """Requirements, constraints and the description of a need are neither encoded nor stored."""
    need = a_need(
        session, a_cluster(session), summary=SENTENCES,
        requirements="Canary one sings.", constraints="Canary two sings.", description="Canary three sings.",
    )  # fmt: skip
    encoder = Telling()
    _run(Filling(database, encoder))
    assert encoder.calls != []
    assert not any("Canary" in each for call in encoder.calls for each in call)
    vectors = unpacked(_stored(session)[None, need.id], need, ENCODER)
    assert vectors is not None
    assert {passage.field for passage in vectors.passages} <= set(public_texts(need))


def test_background_work_fills_in_and_ends_with_the_service(committed: Database) -> None:
    """While no requests come it works at once; closing waits for no more than a few sentences."""
    with committed.session() as session:
        a_seed(session, a_cluster(session), description=SENTENCES)
        session.commit()
    filling = BackgroundFilling(committed, ENCODER, quiet_for=lambda: 60.0)
    end = time.monotonic() + 5
    with committed.session() as session:
        while session.scalar(select(func.count()).select_from(EntryPassages)) == 0 and time.monotonic() < end:
            session.commit()
            time.sleep(0.01)
        assert count_stale(session, ENCODER) == 0
    began = time.monotonic()
    filling.close()
    assert time.monotonic() - began < 1
    assert not any(thread.name == "sentences" for thread in threading.enumerate())


def test_background_work_waits_while_requests_come(committed: Database) -> None:
    """Nothing is encoded for a while after a request, and closing ends the wait."""
    with committed.session() as session:
        a_seed(session, a_cluster(session), description=SENTENCES)
        session.commit()
    encoder = Telling()
    filling = BackgroundFilling(committed, encoder, quiet_for=lambda: 0.0)
    time.sleep(0.1)
    filling.close()
    assert encoder.calls == []


def test_deleting_an_entry_deletes_its_vectors(database: Database, session: Session) -> None:
    """The database sees to it."""
    seed = a_seed(session, a_cluster(session), description=SENTENCES)
    _run(Filling(database, ENCODER))
    session.execute(text("delete from seeds where id = :id"), {"id": seed.id})
    assert session.scalar(select(func.count()).select_from(EntryPassages)) == 0
    assert session.scalar(select(func.count()).select_from(Need)) == 0
