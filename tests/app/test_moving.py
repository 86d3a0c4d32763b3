"""A whole cluster into a file and out of it again: all of it, whole, or nothing."""

import datetime
import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import JSON, func, select, text, update

from enmusubi.app import indicators
from enmusubi.app.caller import acting_as_service
from enmusubi.app.config import Settings
from enmusubi.app.database import Base, Database, connect
from enmusubi.app.errors import ConflictError, EnmusubiError, InvalidInputError
from enmusubi.app.models import (
    Account,
    Alert,
    Cluster,
    ClusterSettings,
    Decline,
    IndicatorFigures,
    IndicatorState,
    Match,
    MatchStep,
    NeedDetail,
    RecordEvent,
    Review,
    Seed,
    SeedDetail,
    ToMatch,
)
from enmusubi.app.moving.exporting import export_cluster
from enmusubi.app.moving.importing import import_cluster
from enmusubi.app.moving.tables import (
    EXPORTED,
    LEFT_OUT,
    LEFT_OUT_COLUMNS,
    MADE_BY_TRIGGERS,
    ONE_OF,
    columns_of,
    references_of,
    table_of,
)
from enmusubi.app.vocabulary import Breakdown
from tests.app.factories import a_cluster
from tests.app.full_cluster import Made, a_full_cluster
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

    def elapsed(self) -> float:
        """Seconds up to it."""
        return NOW.timestamp()


@pytest.fixture
def elsewhere(server: Database, migrated: str, settings: Settings) -> Iterator[Database]:
    """An installation with nothing in it."""
    url = a_database(server, migrated)
    with connect(settings_for(server, url, settings)) as database:
        yield database
    drop(server, url)


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
        assert set(ONE_OF.get(name, ())) <= keys, name


def test_the_page_lists_every_file() -> None:
    """In its order, with the members that name other rows, and no member that there is not."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\.jsonl` \|.*? \|(.*)\|(.*)\|$", page, re.MULTILINE)
    assert [name for name, _, _ in rows] == list(EXPORTED)
    for name, named, others in rows:
        assert set(re.findall(r"`(\w+)`", named)) == {each.column for each in references_of(name)}, name
        members = {each.name for each in columns_of(name)}
        assert set(re.findall(r"`(\w+)(?: …)?`", others)) <= members, name
        if "…" not in others and name not in ("clusters", "organisations", "accounts", "need_exclusions"):
            told = set(re.findall(r"`(\w+)`", named + others)) | {"public_id", "version", "created"}
            assert members <= told, (name, members - told)


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
        assert session.scalar(select(Match.score).order_by(Match.id)) == 0.1 + 0.2
        assert session.scalar(select(SeedDetail.unpublished)) == "UNPUBLISHED"
        assert session.scalar(select(Account.password_hash).where(Account.email == "ken@example.org")) is None
        assert session.scalar(select(Review.note)) == "NOTE"
        assert session.scalar(select(ClusterSettings.review_before_publication)) == "needs"
        assert session.scalar(select(func.count()).select_from(Seed)) == 2
        said = session.scalars(select(RecordEvent.action).where(RecordEvent.kind == "cluster")).all()
        assert said == ["created", "exported"]


def test_what_refers_to_another_cluster_comes_with_it(committed: Database, elsewhere: Database, tmp_path: Path) -> None:
    """Both there and back are the same files, where the one that is referred to moves first."""
    with committed.session() as session:
        made = a_full_cluster(session, foreign=True)
    for number, cluster in enumerate((made.other, made.cluster)):
        first = exported(committed, cluster, tmp_path / f"first-{number}.zip")
        moved, imported = import_cluster(elsewhere, first)
        assert imported.is_whole
        second = exported(elsewhere, moved, tmp_path / f"second-{number}.zip")
        assert first.read_bytes() == second.read_bytes()


def test_every_exported_column_is_set_in_these_tests(committed: Database, tmp_path: Path) -> None:
    """What is moved above is all there is to move: every table has rows, every column a value."""
    with committed.session() as session:
        cluster = a_full_cluster(session, foreign=True).cluster
    path = exported(committed, cluster, tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        for name in EXPORTED:
            rows = [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]
            assert rows, name
            never = [each.name for each in columns_of(name) if all(row[each.name] is None for row in rows)]
            assert not never, (name, never)


def test_no_secret_is_exported() -> None:
    """A column that is named like one is left out, with the reason."""
    like = re.compile(r"secret|token|password|verifier|nonce|salt|(^|_)hash$")
    for name in EXPORTED:
        secret = {column for column in table_of(name).columns.keys() if like.search(column)}  # noqa: SIM118
        assert secret <= set(LEFT_OUT_COLUMNS.get(name, {})), name
    # The pattern finds those that there are.
    for name, column in (("accounts", "password_hash"), ("sessions", "token_hash"), ("webhook_endpoints", "secret")):
        assert like.search(table_of(name).columns[column].name)


def test_what_is_not_set_is_null_of_the_database() -> None:
    """A column of JSON would hold JSON's null instead, of which queries think that something is there."""
    for name in EXPORTED:
        for column in columns_of(name):
            if column.nullable and isinstance(column.type, JSON):
                assert column.type.none_as_null, column


def test_every_trigger_is_considered(committed: Database) -> None:
    """One that fires where rows are imported, and adds to another table, is named in MADE_BY_TRIGGERS."""
    query = text(
        "select tgrelid::regclass::text as of, tgname from pg_trigger where not tgisinternal and tgtype & 4 = 4"
    )
    with committed.engine.connect() as connection:
        found = {(row.of, row.tgname) for row in connection.execute(query) if row.of in EXPORTED}
    makes = {
        ("clusters", "new_cluster_settings"),
        ("match_steps", "keep_refusing_step"),
        ("needs", "queue_new"),
        ("seeds", "queue_new"),
    }
    # A name for the record, the writing transaction of this database, a check, and of an open wait who handles it, as
    # it was exported: these are wanted.
    others = {
        ("accounts", "accounts_name_actor"),
        ("needs", "needs_stamp_change"),
        ("origins", "origins_refuse_loop"),
        ("seeds", "seeds_stamp_change"),
        ("waits", "waits_handled"),
    }
    assert found == makes | others
    assert set(MADE_BY_TRIGGERS) == {"cluster_settings", "declines", "to_match"}


def test_nothing_is_new_to_anybody(committed: Database, elsewhere: Database, made: Made, tmp_path: Path) -> None:
    """Nothing waits to be matched, no "no" is kept twice; what is published or refused afterwards is noticed."""
    counted = {}
    for table in (ToMatch, Decline, Alert):
        with committed.session() as session:
            counted[table] = session.scalar(select(func.count()).select_from(table))
    assert counted == {ToMatch: 7, Decline: 2, Alert: 4}
    import_cluster(elsewhere, exported(committed, made.cluster, tmp_path / "x.zip"))
    with elsewhere.session() as session:
        assert session.scalar(select(func.count()).select_from(ToMatch)) == 0
        standing = select(Decline).where(Decline.ended.is_(None))
        assert session.scalars(standing).one().seed_then["trl"] == 4
        assert session.scalar(select(func.count()).select_from(Decline)) == 2
        assert session.scalar(select(func.count()).select_from(Match).where(Match.reopened_since.is_(None))) == 1
        session.execute(update(Seed).where(Seed.title == "Seed 0").values(search_text="Something else"))
        assert session.scalar(select(func.count()).select_from(ToMatch)) == 1
        match = session.scalars(select(Match).where(Match.status == "dismissed")).one()
        again = {
            "step": "dismiss",
            "before": "suggested",
            "after": "dismissed",
            "side": "cluster",
            "reason": "capacity",
        }
        session.add(MatchStep(match_id=match.id, cluster_id=match.cluster_id, **again))
        session.flush()
        assert session.scalars(standing).one().reason == "capacity"


def test_indicators_are_counted_anew(committed: Database, elsewhere: Database, made: Made, tmp_path: Path) -> None:
    """They are left behind, and come to the same as where the cluster came from."""

    def figures(database: Database, cluster: Cluster) -> list[list[dict[str, object]]]:
        with database.session() as session, acting_as_service(session):
            for breakdown in (Breakdown.CLUSTER, Breakdown.COORDINATOR):
                indicators.count(session, cluster.id, 2026, breakdown, 0.0)
            found = select(IndicatorFigures.figures).where(IndicatorFigures.cluster_id == cluster.id)
            rows = session.scalars(found.order_by(IndicatorFigures.breakdown, IndicatorFigures.counted)).all()
            session.commit()
            return list(rows)

    first = figures(committed, made.cluster)
    moved, _ = import_cluster(elsewhere, exported(committed, made.cluster, tmp_path / "x.zip"))
    with elsewhere.session() as session:
        assert session.scalar(select(func.count()).select_from(IndicatorState)) == 0
    assert "outcome" in json.dumps(first)
    assert figures(elsewhere, moved) == first


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
    assert imported.left_out == {
        "seed_openings": 1, "need_openings": 1, "matches": 1, "reviews": 2, "match_steps": 8, "step_actors": 5,
        "interests": 2, "waits": 2, "disclosures": 1, "outcomes": 1, "declines": 2, "origins": 2, "alerts": 2,
    }  # fmt: skip
    assert not imported.loosened
    assert (imported.rows["reviews"], imported.rows["alerts"], imported.rows["origins"]) == (2, 4, 4)


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
