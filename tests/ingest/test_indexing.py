"""Publishing: only when something changed, only what may be seen, never anything confidential."""

import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from enmusubi.app import embeddings
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.models import Cluster, Need, Seed
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.ingest import indexing
from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.snapshot import Manifest, Snapshot
from tests.databases import another
from tests.ingest.loads import Catalogue, Row, seeds

ENCODER = HashEncoder()


@pytest.fixture
def catalogue(own: Database, tmp_path: Path) -> Catalogue:
    """An empty cluster in a database of the test's own."""
    return Catalogue(own, tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of the test's own."""
    return Settings(home=tmp_path)


def _publish(catalogue: Catalogue, settings: Settings, encoder: HashEncoder = ENCODER) -> Manifest | None:
    for kind in indexing.KINDS:
        embeddings.refresh(catalogue.database, encoder, kind)
    return _one(indexing.publish(catalogue.database, settings, encoder))


def _one(published: list[indexing.Published]) -> Manifest | None:
    """The only snapshot that was published, if any was."""
    assert len(published) <= 1
    return published[0].manifest if published else None


def _folder(catalogue: Catalogue, settings: Settings) -> Path:
    """The folder of the snapshots of the catalogue's cluster."""
    with catalogue.database.session() as session:
        return settings.snapshots / str(catalogue.cluster(session).public_id)


def _keys(catalogue: Catalogue, settings: Settings) -> list[str]:
    """The external ids of the seeds in the published snapshot."""
    folder = _folder(catalogue, settings)
    manifest = indexing.current(settings, uuid.UUID(folder.name))
    assert manifest is not None
    keys = Snapshot.open(folder / manifest.id).keys("seed")
    names = {row.id: row.external_id or "" for row in catalogue.read(Seed)}
    return sorted(names[key] for key in keys.tolist())


def test_a_snapshot_is_published_once(catalogue: Catalogue, settings: Settings) -> None:
    """The same file again publishes nothing; a changed row, a new one or a withdrawn one does."""
    catalogue.load(seeds(3))
    first = _publish(catalogue, settings)
    assert first is not None
    assert first.counts == {"seeds": 3, "needs": 0}
    catalogue.load(seeds(3))
    assert _publish(catalogue, settings) is None
    catalogue.load([{"external_id": "S-1", "title": "Changed"}, *seeds(3)[1:]])
    assert _publish(catalogue, settings) is not None
    assert _publish(catalogue, settings) is None
    catalogue.load(seeds(2), complete=True)
    assert _publish(catalogue, settings) is not None
    assert _keys(catalogue, settings) == ["S-1", "S-2"]


def test_only_published_entries_are_in_a_snapshot(catalogue: Catalogue, settings: Settings) -> None:
    """Drafts and entries on hold are not in it; a draft is not even embedded."""
    rows = [{**row, "status": status} for row, status in zip(seeds(3), ("published", "draft", "on_hold"), strict=True)]
    catalogue.load(rows)
    _publish(catalogue, settings)
    assert _keys(catalogue, settings) == ["S-1"]
    embedded = {seed.external_id: seed.embedding is not None for seed in catalogue.read(Seed)}
    assert embedded == {"S-1": True, "S-2": False, "S-3": True}


def test_a_need_without_public_change_is_not_embedded_anew(catalogue: Catalogue, settings: Settings) -> None:
    """What is confidential may change as it likes: the stored vector stays the same."""
    row = {"external_id": "N-1", "title": "床が凍る", "description": "first"}
    catalogue.load([row], Need)
    _publish(catalogue, settings)
    catalogue.load([{**row, "description": "second", "budget_yen": 5_000}], Need)
    assert embeddings.refresh(catalogue.database, ENCODER, Need) == 0


def test_confidential_text_never_reaches_a_vector(catalogue: Catalogue, settings: Settings) -> None:
    """A need's vector is exactly that of its public text, and one with the same public text has the same."""
    public = {"title": "A floor that does not freeze", "summary": "For cold stores.", "expertise_sought": "Ice"}
    secret = {
        "description": "zebra ammonia line",
        "requirements": "zebra",
        "constraints": "zebra",
        "budget_yen": 42,
        "excluded_organisations": ["zebra"],
        "organisation": "zebra",
    }
    catalogue.load([{"external_id": "N-1", **public, **secret}, {"external_id": "N-2", **public}], Need)
    _publish(catalogue, settings)
    with_secrets, without = catalogue.read(Need)
    matched = embeddings.profile_of(with_secrets).matched_text()
    assert "zebra" not in matched
    expected = embeddings.to_bytes(ENCODER.encode([matched], "need")[0])
    assert with_secrets.embedding == expected == without.embedding


def test_another_encoder_publishes_anew(catalogue: Catalogue, settings: Settings) -> None:
    """A snapshot of another model is replaced, whatever the rows."""
    catalogue.load(seeds(2))
    _publish(catalogue, settings)
    assert _publish(catalogue, settings, HashEncoder(revision="2")) is not None


def test_a_damaged_snapshot_is_replaced(catalogue: Catalogue, settings: Settings) -> None:
    """Publishing notices a changed byte in the published snapshot, and one that is gone."""
    catalogue.load(seeds(2))
    first = _publish(catalogue, settings)
    assert first is not None
    damaged = _folder(catalogue, settings) / first.id / "seeds.faiss"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x55")
    second = _publish(catalogue, settings)
    assert second is not None
    Snapshot.open(_folder(catalogue, settings) / second.id)
    (_folder(catalogue, settings) / "CURRENT").write_text("nonsense\n")
    assert _publish(catalogue, settings) is not None


def test_another_database_publishes_anew(
    catalogue: Catalogue, settings: Settings, server: Database, template: str
) -> None:
    """A snapshot left from another database, of the same cluster, is not taken for this one's."""
    catalogue.load(seeds(2))
    first = _publish(catalogue, settings)
    assert first is not None
    with another(server, template) as other:
        with other.session() as session:
            public_id = uuid.UUID(_folder(catalogue, settings).name)
            session.add(Cluster(name="restored", public_id=public_id))
            session.commit()
        published = _one(indexing.publish(other, settings, ENCODER))
    assert published is not None
    assert published.database != first.database
    assert _publish(catalogue, settings) is not None


def test_stamps_of_a_restored_dump_are_mended(catalogue: Catalogue, settings: Settings) -> None:
    """Rows stamped by a server that counted higher would be new for ever; publishing stamps them anew."""
    catalogue.load(seeds(2))
    _publish(catalogue, settings)
    with catalogue.database.engine.begin() as connection:
        connection.execute(text("alter table seeds disable trigger user"))
        connection.execute(text("update seeds set changed_xid = 4000000000000"))
        connection.execute(text("alter table seeds enable trigger user"))
    versions = [seed.version for seed in catalogue.read(Seed)]
    manifest = _publish(catalogue, settings)
    assert manifest is not None
    with catalogue.database.engine.connect() as connection:
        stamps = connection.execute(text("select changed_xid from seeds")).scalars().all()
    assert max(stamps) < manifest.watermark
    assert [seed.version for seed in catalogue.read(Seed)] == versions
    assert _publish(catalogue, settings) is None


def test_entries_that_end_leave_the_snapshot(catalogue: Catalogue, settings: Settings) -> None:
    """A withdrawn entry is not in the next snapshot, and comes back with its file."""
    catalogue.load(seeds(2))
    _publish(catalogue, settings)
    catalogue.load(seeds(1), complete=True)
    assert catalogue.statuses()["S-2"] == EntryStatus.WITHDRAWN
    _publish(catalogue, settings)
    assert _keys(catalogue, settings) == ["S-1"]
    catalogue.load(seeds(2))
    assert _publish(catalogue, settings) is not None
    assert _keys(catalogue, settings) == ["S-1", "S-2"]


def test_entries_whose_last_day_is_over_leave_the_snapshot(catalogue: Catalogue, settings: Settings) -> None:
    """Nobody writes to them that day: a publication is due all the same, once; their vectors stay in their rows."""
    catalogue.load([*seeds(2), {"external_id": "S-3", "title": "Never in one", "status": "draft"}])
    assert _publish(catalogue, settings) is not None
    with catalogue.database.engine.begin() as connection:
        connection.execute(text("alter table seeds disable trigger seeds_stamp_change"))
        connection.execute(text("update seeds set expires_on = current_date - 1 where external_id <> 'S-1'"))
        connection.execute(text("alter table seeds enable trigger seeds_stamp_change"))
    assert _publish(catalogue, settings) is not None
    assert _keys(catalogue, settings) == ["S-1"]
    assert _publish(catalogue, settings) is None
    assert [seed.embedding is not None for seed in catalogue.read(Seed)] == [True, True, False]
    with catalogue.database.engine.begin() as connection:
        connection.execute(text("update seeds set expires_on = current_date"))  # the last day still counts
    assert _publish(catalogue, settings) is not None
    assert _keys(catalogue, settings) == ["S-1", "S-2"]


def _currents(settings: Settings) -> dict[str, str]:
    """What is published of each cluster, by its public id."""
    return {path.parent.name: path.read_text() for path in settings.snapshots.glob("*/CURRENT")}


def _opened(rows: list[Row], cluster: str) -> list[Row]:
    """The same rows, opened to this cluster."""
    return [{**row, "opened_to": cluster} for row in rows]


def test_a_cluster_is_published_when_something_in_it_changed(
    catalogue: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    """Other clusters' publications stay as they are, unless an entry is opened to them, or closed again."""
    other = Catalogue(catalogue.database, tmp_path)
    mine, theirs = (_folder(each, settings).name for each in (catalogue, other))

    def publish() -> set[str]:
        for kind in indexing.KINDS:
            embeddings.refresh(catalogue.database, ENCODER, kind)
        return {each.manifest.cluster for each in indexing.publish(catalogue.database, settings, ENCODER)}

    catalogue.load(seeds(3))
    assert publish() == {mine, theirs}
    before = _currents(settings)
    catalogue.load(seeds(4))
    assert publish() == {mine}
    assert _currents(settings)[theirs] == before[theirs]
    assert (_keys(catalogue, settings), _keys(other, settings)) == (["S-1", "S-2", "S-3", "S-4"], [])
    catalogue.load([*_opened(seeds(1), theirs), *seeds(4)[1:]])
    assert publish() == {mine, theirs}
    assert _held(other, settings) == 1
    with catalogue.database.engine.begin() as connection:  # an ingest takes no opening back
        connection.execute(text("delete from seed_openings"))
        connection.execute(text("update seeds set last_modified = now() where external_id = 'S-1'"))
    assert publish() == {mine, theirs}
    assert _held(other, settings) == 0
    assert publish() == set()


def _held(catalogue: Catalogue, settings: Settings) -> int:
    folder = _folder(catalogue, settings)
    manifest = indexing.current(settings, uuid.UUID(folder.name))
    assert manifest is not None
    return Snapshot.open(folder / manifest.id).count("seed")


def test_what_was_published_of_all_clusters_together_is_removed(
    catalogue: Catalogue, settings: Settings, tmp_path: Path
) -> None:
    """The snapshots of a version before go with the first publication, and are never read."""
    catalogue.load(seeds(2))
    first = _publish(catalogue, settings)
    assert first is not None
    folder = _folder(catalogue, settings)
    for path in (folder / first.id, folder / "CURRENT"):
        path.rename(settings.snapshots / path.name)
    assert _publish(catalogue, settings) is not None
    assert [path.name for path in settings.snapshots.iterdir() if not path.name.startswith(".")] == [folder.name]
    assert _keys(catalogue, settings) == ["S-1", "S-2"]
