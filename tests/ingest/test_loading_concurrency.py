"""Loading while others work: locks, revisions, two runs at once, and embedding beside a revision."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from enmusubi.app import embeddings
from enmusubi.app.catalogue import organisations
from enmusubi.app.database import Database
from enmusubi.app.errors import ConflictError
from enmusubi.app.models import Need, Organisation, Seed
from enmusubi.app.schemas import OrganisationDraft, SeedDraft
from enmusubi.app.vocabulary import OrganisationKind
from enmusubi.ingest.loading import Destination, load
from enmusubi.ingest.owners import Owners
from enmusubi.ingest.sources import Entry, OrganisationNamed, read
from enmusubi.matching.encoder import HashEncoder, Progress, Role, Vectors, embedding_key
from tests.ingest.loads import Catalogue, a_file, counts, seeds

ENCODER = HashEncoder()


@pytest.fixture
def catalogue(own: Database, tmp_path: Path) -> Catalogue:
    """An empty cluster in a database of the test's own."""
    return Catalogue(own, tmp_path)


def test_two_runs_of_one_source_at_once_are_a_conflict(catalogue: Catalogue) -> None:
    """The second run is refused with a sentence; other sources, and a later run, are not."""
    refused: list[str] = []
    path = a_file(catalogue.folder, seeds(3), "others.jsonl")

    def meanwhile(count: int) -> None:
        source = read(path, "seed")
        try:
            load(catalogue.database, source, Seed, Destination(catalogue.cluster_id, "office"), file="others")
        except ConflictError as error:
            refused.append(error.detail)
        load(catalogue.database, source, Seed, Destination(catalogue.cluster_id, "other office"), file="others")

    catalogue.load(seeds(2), progress=meanwhile)
    (message,) = refused
    assert "another ingest of the source 'office' is running" in message
    assert len(catalogue.read(Seed)) == 5


def test_one_source_can_be_loaded_again_and_again(catalogue: Catalogue) -> None:
    """The lock of a run ends with it, also within one process and its pool of connections."""
    for _ in range(4):
        catalogue.load(seeds(2))
        catalogue.read(Seed)
    with pytest.raises(ZeroDivisionError):
        catalogue.load(seeds(3), progress=lambda count: count // 0)
    assert counts(catalogue.load(seeds(3))) == (0, 0, 3, 0)


def test_a_run_waits_for_a_revision_of_a_row_that_it_changes(catalogue: Catalogue) -> None:
    """A person who is saving a row while its file changes it makes the run wait, not fail."""
    catalogue.load(seeds(1))
    changed = [{"external_id": "S-1", "title": "From the file"}]
    loading = threading.Thread(target=catalogue.load, args=(changed,))
    with catalogue.database.session() as session:
        seed = session.scalars(select(Seed).with_for_update()).one()
        loading.start()
        _wait_for_a_blocked_session(catalogue.database)
        seed.title = "By hand"
        session.commit()
    loading.join()
    (seed,) = catalogue.read(Seed)
    assert (seed.title, seed.version) == ("From the file", 3)


def _wait_for_a_blocked_session(database: Database) -> None:
    asked = text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )
    pause = threading.Event()
    for _ in range(400):
        with database.engine.connect() as connection:
            if connection.execute(asked).scalar_one():
                return
        pause.wait(0.02)
    raise AssertionError("no session waits for a lock")


def test_two_runs_may_add_the_same_organisation(catalogue: Catalogue) -> None:
    """Two sources that name one new organisation at once share it."""
    finished: list[int] = []

    def other() -> None:
        rows = [{"external_id": "T-1", "title": "t", "organisation": "新設大学"}]
        finished.append(catalogue.load(rows, source="other").new)

    with catalogue.database.session() as session:
        # What the first run does until its batch is committed.
        entry = Entry(1, "1", OrganisationNamed("新設大学"), SeedDraft(title="t"), b"")
        first = Owners(catalogue.cluster_id, Seed).of(session, entry)
        thread = threading.Thread(target=other)
        thread.start()
        _wait_for_a_blocked_session(catalogue.database)
        session.commit()
    thread.join()
    assert finished == [1]
    assert [seed.organisation_id for seed in catalogue.read(Seed)] == [first]


class MeanwhileEncoder(HashEncoder):
    """The word-hash encoder; `happens` runs while it encodes for the first time."""

    def __init__(self, *happens: Callable[[], None]) -> None:
        super().__init__()
        self.__dict__["happens"] = list(happens)  # the encoder is frozen

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """As the word-hash encoder, after what happens meanwhile."""
        while self.__dict__["happens"]:
            self.__dict__["happens"].pop()()
        return super().encode(texts, role, progress)


def test_a_row_revised_while_it_is_embedded_keeps_no_stale_vector(catalogue: Catalogue) -> None:
    """The vector of the old text is not stored; the next run embeds the new text."""
    catalogue.load(seeds(2))

    def revise() -> None:
        with catalogue.database.session() as session:
            seed = session.scalars(select(Seed).where(Seed.external_id == "S-1")).one()
            seed.title = "Revised meanwhile"
            session.commit()

    embeddings.refresh(catalogue.database, MeanwhileEncoder(revise), Seed)
    first, second = catalogue.read(Seed)
    assert first.embedding is None
    assert second.embedding is not None
    assert embeddings.refresh(catalogue.database, ENCODER, Seed) == 1
    assert_all_vectors_fit(catalogue)


def test_only_stale_rows_are_embedded(catalogue: Catalogue) -> None:
    """A second run embeds nothing, a changed row is embedded alone, and another encoder embeds all anew."""
    catalogue.load(seeds(3))
    assert embeddings.refresh(catalogue.database, ENCODER, Seed, batch=2) == 3
    catalogue.load(seeds(3))
    assert embeddings.refresh(catalogue.database, ENCODER, Seed) == 0
    versions = [seed.version for seed in catalogue.read(Seed)]
    catalogue.load([{"external_id": "S-1", "title": "Changed"}, *seeds(3)[1:]])
    assert embeddings.refresh(catalogue.database, ENCODER, Seed) == 1
    assert [seed.version for seed in catalogue.read(Seed)] == [versions[0] + 1, *versions[1:]]
    assert_all_vectors_fit(catalogue)
    assert embeddings.refresh(catalogue.database, HashEncoder(revision="2"), Seed) == 3


def assert_all_vectors_fit(catalogue: Catalogue) -> None:
    """Every stored vector is that of the row's present public text, under its key."""
    for seed in catalogue.read(Seed):
        text = embeddings.profile_of(seed).matched_text()
        assert seed.embedding == embeddings.to_bytes(ENCODER.encode([text], "seed")[0])
        with catalogue.database.session() as session:
            stored = session.scalars(select(Seed.embedding_key).where(Seed.id == seed.id)).one()
        assert stored == embedding_key(ENCODER, "seed", text)


def test_a_very_long_list_of_gone_rows_is_withdrawn(catalogue: Catalogue) -> None:
    """More rows than one statement takes parameters are withdrawn in one run."""
    with catalogue.database.engine.begin() as connection:
        connection.execute(
            text(
                "insert into seeds (public_id, cluster_id, source, external_id, title, search_text, status, version, "
                "expires_on) select gen_random_uuid(), :cluster, 'office', 'G-' || n, 't', 't', 'published', 1, "
                "current_date + 10 from generate_series(1, 70000) n"
            ),
            {"cluster": catalogue.cluster_id},
        )
    report = catalogue.load(seeds(1), complete=True)
    assert (len(report.gone), report.withdrawn) == (70_000, 70_000)
    with catalogue.database.session() as session:
        published = session.scalars(select(Seed.external_id).where(Seed.status == "published")).all()
    assert published == ["S-1"]


def test_an_organisation_entered_meanwhile_is_found(catalogue: Catalogue) -> None:
    """An organisation that the API adds during a run is used by the run's later batches."""
    rows = [{**row, "organisation": "新設大学"} for row in seeds(501)][500:]

    def add(count: int) -> None:
        with catalogue.database.session() as session:
            draft = OrganisationDraft(name="新設大学", kind=OrganisationKind.UNIVERSITY)
            if organisations.find_organisation(session, catalogue.cluster_id, name="新設大学") is None:
                organisations.create_organisation(session, catalogue.cluster_id, draft)
            session.commit()

    assert counts(catalogue.load([*seeds(500), *rows], progress=add)) == (501, 0, 0, 0)
    with catalogue.database.session() as session:
        assert session.scalar(select(func.count()).select_from(Organisation)) == 1


def test_progress_counts_rows(catalogue: Catalogue) -> None:
    """A need's parts are embedded too, and yet the bar ends where it is to end."""
    summary = "We want a quiet pump that saves energy. It must not leak oil into the river. " * 20
    rows = [{"external_id": f"N-{number}", "title": f"Pump {number}", "summary": summary} for number in range(3)]
    catalogue.load(rows, Need)
    counts: list[int] = []
    assert embeddings.refresh(catalogue.database, ENCODER, Need, counts.append) == 3
    assert sum(counts) == 3
    assert min(counts) >= 0
