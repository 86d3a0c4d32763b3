"""A whole cluster into a file and out of it again: all of it, whole, or nothing."""

import datetime
import hashlib
import json
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.config import Settings
from enmusubi.app.database import Base, Database, connect
from enmusubi.app.errors import ConflictError, EnmusubiError, InvalidInputError
from enmusubi.app.models import (
    Account,
    Cluster,
    ClusterSettings,
    Match,
    NeedDetail,
    NeedOpening,
    Organisation,
    PublicationReview,
    RecordEvent,
    Review,
    Seed,
    SeedDetail,
    SeedOpening,
)
from enmusubi.app.moving.exporting import export_cluster
from enmusubi.app.moving.importing import import_cluster
from enmusubi.app.moving.tables import EXPORTED, LEFT_OUT, LEFT_OUT_COLUMNS, columns_of, references_of, table_of
from enmusubi.app.vocabulary import OrganisationKind, PublicationVerdict, ReviewedKinds, Role, Verdict
from tests.app.factories import a_caller, a_cluster, a_match, a_need, a_seed, an_organisation
from tests.databases import a_database, drop, settings_for

NOW = datetime.datetime(2027, 4, 1, 3, 0, tzinfo=datetime.UTC)


class FixedClock:
    """It is always the same moment."""

    def now(self) -> datetime.datetime:
        """That moment."""
        return NOW

    def today(self) -> datetime.date:
        """Its day."""
        return NOW.date()


@pytest.fixture
def elsewhere(server: Database, migrated: str, settings: Settings) -> Iterator[Database]:
    """An installation with nothing in it."""
    url = a_database(server, migrated)
    with connect(settings_for(server, url, settings)) as database:
        yield database
    drop(server, url)


@dataclass(frozen=True)
class Made:
    """A cluster with something in every table, and another one beside it."""

    cluster: Cluster
    other: Cluster


def a_full_cluster(session: Session, *, foreign: bool = False) -> Made:
    """Everything that a cluster can have; with what refers to another cluster, if asked for."""
    # Others come first, so that no key is by chance the same elsewhere.
    other = a_cluster(session, "Another cluster")
    stranger = an_organisation(session, other, name="Stranger")
    for number in range(3):
        a_seed(session, other, stranger, title=f"Foreign {number}")
    cluster = a_cluster(session, "架空クラスター")
    session.get_one(ClusterSettings, cluster.id).review_before_publication = ReviewedKinds.NEEDS
    company: Caller = a_caller(session, cluster, Role.COMPANY)
    university, coordinator = (a_caller(session, cluster, role) for role in (Role.UNIVERSITY, Role.COORDINATOR))
    account = session.get_one(Account, company.id)
    account.email = account.email_key = "ken@example.org"
    account.password_hash = "SECRET-HASH"
    owner, maker = (session.get_one(Organisation, each.organisation_id) for each in (company, university))
    named = an_organisation(session, cluster, OrganisationKind.UNIVERSITY, name="Named", ror="02e16g702")
    seeds = [
        a_seed(
            session, cluster, maker, title=f"Seed {number}", sdgs=[9, 12], researchers=[{"name": "架空 太郎"}],
            unpublished="UNPUBLISHED" if number else None, external_id=f"S-{number}",
        )
        for number in range(2)
    ]  # fmt: skip
    seeds[0].submitted_by_id = university.id
    needs = [
        a_need(
            session, cluster, owner, title=f"需要 {number}\n", description="CONFIDENTIAL", budget_yen=10**13,
            excluded_organisations=["Zeta", named.name, "Alpha"],
        )
        for number in range(2)
    ]  # fmt: skip
    match = a_match(session, needs[0], seeds[0])
    match.score, match.probability = 0.1 + 0.2, 1 / 3
    session.add(Review(match_id=match.id, account_id=coordinator.id, verdict=Verdict.SHORTLIST, note="NOTE"))
    session.add(
        PublicationReview(
            need_id=needs[0].id, account_id=coordinator.id, verdict=PublicationVerdict.APPROVE, entry_version=1
        )
    )
    if foreign:
        session.add(SeedOpening(seed_id=seeds[0].id, cluster_id=other.id))
        session.add(NeedOpening(need_id=needs[0].id, cluster_id=other.id))
        theirs = a_seed(session, other, stranger)
        shared = a_match(session, needs[0], theirs)
        session.add(Review(match_id=shared.id, account_id=coordinator.id, verdict=Verdict.SHORTLIST))
    session.commit()
    return Made(cluster, other)


def exported(database: Database, cluster: Cluster, path: Path) -> Path:
    """The cluster's export."""
    export_cluster(database, cluster, path, FixedClock())
    return path


@pytest.fixture
def made(committed: Database) -> Made:
    """A full cluster that refers to no other."""
    with committed.session() as session:
        return a_full_cluster(session)


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    """A new one needs its line in one of the two, and what an exported row names is exported as well."""
    assert set(EXPORTED) | set(LEFT_OUT) == set(Base.metadata.tables)
    assert not set(EXPORTED) & set(LEFT_OUT)
    assert all(LEFT_OUT.values())
    for name in EXPORTED:
        assert set(LEFT_OUT_COLUMNS.get(name, {})) <= set(table_of(name).columns.keys())
        earlier = list(EXPORTED)[: list(EXPORTED).index(name)]
        referred = {reference.column: reference.table for reference in references_of(name)}
        assert set(referred.values()) <= set(earlier), name
        keys = {column.name for column in columns_of(name) if column.foreign_keys}
        assert keys == set(referred), name


def test_there_and_back_is_the_same_file(committed: Database, elsewhere: Database, made: Made, tmp_path: Path) -> None:
    """Exported, imported into an empty installation, exported again: byte by byte the same, whatever the keys are."""
    first = exported(committed, made.cluster, tmp_path / "first.zip")
    cluster, imported = import_cluster(elsewhere, first)
    assert imported.is_whole
    assert cluster.id != made.cluster.id
    second = exported(elsewhere, cluster, tmp_path / "second.zip")
    assert first.read_bytes() == second.read_bytes()
    with elsewhere.session() as session:
        assert session.scalars(select(NeedDetail.description)).all() == ["CONFIDENTIAL"] * 2
        assert session.scalar(select(Match.score)) == 0.1 + 0.2
        assert session.scalar(select(SeedDetail.unpublished)) == "UNPUBLISHED"
        assert session.scalar(select(Account.password_hash).where(Account.email == "ken@example.org")) is None
        assert session.scalar(select(Review.note)) == "NOTE"
        assert session.scalar(select(ClusterSettings.review_before_publication)) == "needs"
        assert session.scalar(select(func.count()).select_from(Seed)) == 2
        said = session.scalars(select(RecordEvent.action).where(RecordEvent.kind == "cluster")).all()
        assert said == ["created", "exported"]


def test_every_exported_table_has_rows_in_these_tests(committed: Database, tmp_path: Path) -> None:
    """What is moved above is all there is to move."""
    with committed.session() as session:
        cluster = a_full_cluster(session, foreign=True).cluster
    made = export_cluster(committed, cluster, tmp_path / "x.zip", FixedClock())
    assert [name for name, file in made.files.items() if not file.rows] == []


def test_the_file_is_its_owner_s_and_holds_no_secret(committed: Database, made: Made, tmp_path: Path) -> None:
    """Mode 600; no password, nothing of another cluster, no key of a row; nothing but JSON Lines and a manifest."""
    path = exported(committed, made.cluster, tmp_path / "x.zip")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        held = b"".join(archive.read(name) for name in archive.namelist())
        rows = [json.loads(line) for line in archive.read("matches.jsonl").splitlines()]
    assert (manifest["format"], manifest["version"], manifest["made"]) == (
        "enmusubi-cluster",
        1,
        "2027-04-01T03:00:00Z",
    )
    assert "架空クラスター".encode() in held
    assert b"SECRET-HASH" not in held
    assert b"Foreign" not in held
    assert "id" not in rows[0]
    assert len(rows[0]["need_id"]) == 36


def test_an_existing_file_is_kept(committed: Database, made: Made, tmp_path: Path) -> None:
    """Nothing is written over, and nothing half written is left."""
    path = tmp_path / "x.zip"
    path.write_text("mine")
    with pytest.raises(InvalidInputError, match="there already"):
        exported(committed, made.cluster, path)
    assert path.read_text() == "mine"
    assert list(tmp_path.glob("*.part")) == []


def test_a_cluster_that_is_here_is_not_imported(committed: Database, made: Made, tmp_path: Path) -> None:
    """By its id, or by its name."""
    path = exported(committed, made.cluster, tmp_path / "x.zip")
    with pytest.raises(ConflictError, match="is here already"):
        import_cluster(committed, path)


def test_what_refers_to_another_cluster(committed: Database, elsewhere: Database, tmp_path: Path) -> None:
    """Is refused where that is not here, with what it is; left out if asked for, and named."""
    with committed.session() as session:
        cluster = a_full_cluster(session, foreign=True).cluster
    path = exported(committed, cluster, tmp_path / "x.zip")
    with pytest.raises(ConflictError, match="--without-foreign") as error:
        import_cluster(elsewhere, path)
    assert "1 of matches" in error.value.detail
    with elsewhere.session() as session:
        assert session.scalar(select(func.count()).select_from(Cluster)) == 0
    _, imported = import_cluster(elsewhere, path, without_foreign=True)
    assert imported.left_out == {"seed_openings": 1, "need_openings": 1, "matches": 1, "reviews": 1}
    assert imported.rows["reviews"] == 1


def _changed(path: Path, name: str, old: bytes, new: bytes, *, sums: bool = False) -> Path:
    """A copy with some bytes of a file replaced; with the checksum mended where that is asked for."""
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as out:
        held = {each: archive.read(each) for each in archive.namelist()}
        assert old in held[name]
        held[name] = held[name].replace(old, new, 1)
        if sums:
            manifest = json.loads(held["manifest.json"])
            manifest["files"][name]["sha256"] = hashlib.sha256(held[name]).hexdigest()
            held["manifest.json"] = json.dumps(manifest).encode()
        for each, content in held.items():
            out.writestr(each, content)
    return changed


@pytest.mark.parametrize(
    ("name", "old", "new", "sums", "told"),
    [
        ("seeds.jsonl", b"Seed 0", b"Seed 9", False, "seeds.jsonl: is not as it was written"),
        ("manifest.json", b'"version": 1', b'"version": 2', False, "version 2 of the format"),
        ("manifest.json", b"enmusubi-cluster", b"something-else", False, "not an export"),
        ("manifest.json", b'"title"', b'"headline"', False, "headline: no column of this version"),
        ("seeds.jsonl", b'"trl":null', b'"trl":"x"', True, "seeds.jsonl, lines 1 to 2"),
        ("seeds.jsonl", b'"created":"2', b'"created":"x', True, "seeds.jsonl, line 1, created"),
        ("seeds.jsonl", b'"status":"published"', b'"status":"nonsense"', True, "ck_seeds_status"),
        ("seeds.jsonl", b'"trl":null', b'"level":null', True, "other members"),
        ("seeds.jsonl", b"{", b"[", True, "line 1: not a JSON object"),
    ],
)  # fmt: skip
def test_a_file_that_was_changed_is_refused(
    committed: Database, elsewhere: Database, made: Made, tmp_path: Path,
    name: str, old: bytes, new: bytes, sums: bool, told: str,
) -> None:  # fmt: skip
    """With its place, and nothing is in."""
    path = exported(committed, made.cluster, tmp_path / "x.zip")
    with pytest.raises(EnmusubiError, match=told):
        import_cluster(elsewhere, _changed(path, name, old, new, sums=sums))
    with elsewhere.session() as session:
        assert session.scalar(select(func.count()).select_from(Cluster)) == 0


def test_nothing_is_put_into_another_cluster(
    committed: Database, elsewhere: Database, made: Made, tmp_path: Path
) -> None:
    """An export that names one as its own is refused."""
    with elsewhere.session() as session:
        victim = a_cluster(session)
        session.commit()
    path = exported(committed, made.cluster, tmp_path / "x.zip")
    own = f'"cluster_id":"{made.cluster.public_id}"'.encode()
    theirs = f'"cluster_id":"{victim.public_id}"'.encode()
    with pytest.raises(ConflictError):
        import_cluster(elsewhere, _changed(path, "seeds.jsonl", own, theirs, sums=True))
    with elsewhere.session() as session:
        assert session.scalar(select(func.count()).select_from(Seed)) == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nothing", b"{}"])
def test_what_is_no_export(elsewhere: Database, tmp_path: Path, content: bytes) -> None:
    """Is told so."""
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError):
        import_cluster(elsewhere, path)
    with pytest.raises(InvalidInputError, match="does not exist"):
        import_cluster(elsewhere, tmp_path / "nowhere.zip")
