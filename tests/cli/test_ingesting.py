"""`enmusubi ingest` and `enmusubi index`: reports, options, and what is written where."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from enmusubi.app.database import Database
from enmusubi.app.models import Need, Seed
from enmusubi.matching.snapshot import Snapshot
from enmusubi.matching.snapshot.manifest import read_current
from tests.cli.conftest import Command
from tests.ingest.files import a_text
from tests.ingest.loads import Row, a_file, seeds
from tests.running import Finished, Home

pytestmark = pytest.mark.usefixtures("cluster")


@pytest.fixture
def cluster(command: Command) -> None:
    """The only cluster."""
    assert command("cluster", "create", "北星湾").status == 0


def _count(own: Database, kind: type[Seed] | type[Need] = Seed) -> int:
    with own.session() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def _kept(finished: Finished) -> dict[str, Any]:
    (path,) = re.findall(r"report kept as (\S+)", finished.out)
    kept: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return kept


def test_a_file_becomes_a_snapshot_once(command: Command, home: Home, tmp_path: Path) -> None:
    """Rows are stored, embedded and published; a second run embeds and publishes nothing."""
    path = a_file(tmp_path, seeds(3))
    first = command("ingest", "seeds", path)
    assert first.status == 0
    assert re.search(r"3 embedded; snapshot \S+ published", first.out)
    current = read_current(home.published)
    assert current is not None
    assert Snapshot.open(home.published / current).count("seed") == 3
    second = command("ingest", "seeds", path)
    assert "0 embedded; nothing changed" in second.out
    assert read_current(home.published) == current
    report = _kept(second)
    assert (report["read"], report["unchanged"], report["embedded"], report["snapshot"]) == (3, 3, 0, None)


def test_a_report_is_kept_for_its_owner_alone(command: Command, tmp_path: Path) -> None:
    """The kept JSON quotes values, so no one else of the machine can read it."""
    finished = command("ingest", "seeds", a_file(tmp_path, seeds(2)), "--no-index")
    (path,) = re.findall(r"report kept as (\S+)", finished.out)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(Path(path).parent).st_mode) == 0o700
    report = _kept(finished)
    assert (report["file"], report["source"], report["read"], report["new"]) == ("seeds.jsonl", "seeds", 2, 2)


def test_bad_rows_are_reported_and_the_good_ones_go_in(command: Command, own: Database, tmp_path: Path) -> None:
    """Status 1; line, column, value and reason are printed and kept."""
    bad: Row = {"external_id": "S-9", "title": "Bad", "trl": 12}
    finished = command("ingest", "seeds", a_file(tmp_path, [*seeds(1), bad]), "--no-index")
    assert finished.status == 1
    (row,) = [line for line in finished.out.splitlines() if "trl" in line]
    assert row.split()[:3] == ["2", "trl", "12"]
    assert _count(own) == 1
    (problem,) = _kept(finished)["problems"]
    assert (problem["file"], problem["line"], problem["column"], problem["value"]) == ("seeds.jsonl", 2, "trl", "12")
    assert "between 1 and 9" in problem["reason"] or "9" in problem["reason"]


def test_strict_refuses_the_file(command: Command, own: Database, home: Home, tmp_path: Path) -> None:
    """Status 1, nothing written, and the report says so."""
    bad: Row = {"external_id": "S-9", "title": "Bad", "trl": 12}
    finished = command("ingest", "seeds", a_file(tmp_path, [*seeds(1), bad]), "--strict", "--no-index")
    assert finished.status == 1
    assert "refused" in finished.out
    assert _kept(finished)["refused"] is True
    assert _count(own) == 0


def test_a_dry_run_writes_nothing_and_needs_no_database(command: Command, home: Home, tmp_path: Path) -> None:
    """It shows headings and problems without reaching the database, and leaves the home empty."""
    path = a_text(tmp_path, "発明の名称,TRL,備考\n床板,4,x\n壁,12,y\n")
    nowhere = home.with_settings(
        database_url="postgresql://nobody@127.0.0.1:9/none", operator_database_url="", home=str(tmp_path / "new")
    )
    finished = command("ingest", "seeds", path, "--dry-run", home=nowhere)
    assert finished.status == 1
    assert "nothing was written" in finished.out
    for shown in ("発明の名称", "title", "備考", "ignored"):
        assert shown in finished.out
    assert not (tmp_path / "new").exists()
    good = a_text(tmp_path, "発明の名称\n床板\n", "good.csv")
    assert command("ingest", "seeds", good, "--dry-run", home=nowhere).status == 0


def test_columns_are_named_with_map(command: Command, own: Database, tmp_path: Path) -> None:
    """`--map column=field` fills a field from any heading; a wrong pair or field is an error."""
    path = a_text(tmp_path, "謎の列,符号\n床板,A-1\n")
    finished = command(
        "ingest", "seeds", path, "--map", "謎の列=title", "--map", "符号=external_id", "--no-index", "--source", "x"
    )
    assert finished.status == 0
    with own.session() as session:
        (seed,) = session.scalars(select(Seed)).all()
    assert (seed.title, seed.external_id, seed.source) == ("床板", "A-1", "x")
    wrong = command("ingest", "seeds", path, "--map", "謎の列")
    assert (wrong.status, "expected column=field" in wrong.errors) == (2, True)
    unknown = command("ingest", "seeds", path, "--map", "謎の列=colour")
    assert (unknown.status, "is not a field" in unknown.errors) == (2, True)


def test_complete_withdraws_what_is_gone(command: Command, own: Database, tmp_path: Path) -> None:
    """Without it gone rows are only named."""
    path = a_file(tmp_path, seeds(2))
    command("ingest", "seeds", path, "--no-index")
    a_file(tmp_path, seeds(1))
    assert "S-2" in command("ingest", "seeds", path, "--no-index").out
    with_it = command("ingest", "seeds", path, "--no-index", "--complete")
    assert _kept(with_it)["withdrawn"] == 1
    with own.session() as session:
        published = session.scalars(select(Seed.external_id).where(Seed.status == "published")).all()
    assert published == ["S-1"]


def test_several_files_of_one_source_follow_each_other(command: Command, own: Database, tmp_path: Path) -> None:
    """Two files given one source's name are loaded one after the other."""
    one, two = a_file(tmp_path, seeds(2), "one.jsonl"), a_file(tmp_path, seeds(4)[2:], "two.jsonl")
    finished = command("ingest", "seeds", one, two, "--source", "office", "--no-index")
    assert finished.status == 0, finished
    assert _count(own) == 4


def test_what_was_stored_is_reported_when_a_later_file_fails(command: Command, own: Database, tmp_path: Path) -> None:
    """The first file's report is printed and kept though the second cannot be read."""
    finished = command("ingest", "seeds", a_file(tmp_path, seeds(2)), tmp_path / "missing.csv", "--no-index")
    assert finished.status == 2
    assert "missing.csv" in finished.errors
    assert _kept(finished)["new"] == 2
    assert _count(own) == 2


def test_what_was_stored_is_reported_when_the_model_fails(
    command: Command, own: Database, home: Home, tmp_path: Path
) -> None:
    """A wrong model loses neither rows nor report; the error is one line."""
    wrong = home.with_settings(model=str(tmp_path / "no-model"))
    finished = command("ingest", "seeds", a_file(tmp_path, seeds(2)), home=wrong)
    assert finished.status == 2
    assert "no-model" in finished.errors
    assert finished.errors.count("\n") == 1
    assert _kept(finished)["new"] == 2


def test_nothing_confidential_is_printed_or_kept(command: Command, home: Home, tmp_path: Path) -> None:
    """Bad confidential cells of a need are located and withheld, on the terminal and in the report."""
    rows: list[Row] = [
        {"external_id": "N-1", "title": "A floor", "budget_yen": "Zebra yen", "description": "Zebra " * 5_000},
        {"external_id": "N-2", "title": "A wall", "budget_yen": 5, "requirements": "Zebra", "constraints": "Zebra"},
    ]
    finished = command("ingest", "needs", a_file(tmp_path, rows, "needs.jsonl"), "--no-index")
    assert finished.status == 1
    assert "(withheld)" in finished.out
    assert "Zebra" not in finished.out + finished.errors + json.dumps(_kept(finished))


def test_index_embeds_what_is_stale(command: Command, home: Home, tmp_path: Path) -> None:
    """What was stored without an index is embedded and published by `index`, once."""
    command("ingest", "seeds", a_file(tmp_path, seeds(2)), "--no-index")
    assert not home.snapshots.exists()
    assert re.search(r"2 embedded; snapshot \S+ published", command("index").out)
    assert "0 embedded; nothing changed" in command("index").out


def test_ingesting_seeds_refreshes_needs_too(command: Command, own: Database, tmp_path: Path) -> None:
    """What an upgrade has left to be analysed anew is in the snapshot that any ingest publishes."""
    command("ingest", "needs", a_file(tmp_path, [{"external_id": "N-1", "title": "A floor"}], "needs.jsonl"))
    with own.session() as session:
        session.execute(update(Need).values(terms_analysis=None))
        session.commit()
    migrated = command("migrate")
    assert migrated.status == 0
    assert "1 entries wait" in migrated.out
    assert "run `enmusubi index`" in migrated.out
    assert re.search(r"3 embedded; snapshot \S+ published", command("ingest", "seeds", a_file(tmp_path, seeds(2))).out)
    assert "1 needs" in command("doctor").out
    assert "wait" not in command("migrate").out


def test_organisations_are_ingested(command: Command, tmp_path: Path) -> None:
    """Their file is taken as a whole, or a dry run shows what would happen."""
    path = a_file(tmp_path, [{"name": "北星湾大学", "kind": "university"}], "organisations.jsonl")
    assert "1 organisations new" in command("ingest", "organisations", path, "--dry-run").out
    assert "1 organisations new" in command("ingest", "organisations", path).out
    assert "1 unchanged" in command("ingest", "organisations", path).out
    owned = command("ingest", "seeds", a_file(tmp_path, seeds(1)), "--no-index", "--organisation", "北星湾大学")
    assert owned.status == 0
    assert "without an organisation" not in owned.out


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.csv", "missing.csv"), (".", "is a folder"), ("empty.csv", "empty.csv")]
)
def test_an_unreadable_file_is_one_line(command: Command, tmp_path: Path, name: str, reason: str) -> None:
    """A missing file, a folder or an empty file ends with status 2, a sentence and no traceback."""
    a_text(tmp_path, "", "empty.csv")
    finished = command("ingest", "seeds", tmp_path / name, "--no-index")
    assert finished.status == 2
    assert finished.errors.startswith("error: ")
    assert finished.errors.count("\n") == 1
    assert reason in finished.errors


def test_snapshots_of_several_clusters_are_told_apart(command: Command, home: Home, tmp_path: Path) -> None:
    """What is printed names the cluster of each; the report has that of the cluster that was ingested into."""
    command("cluster", "create", "South")
    first = "北星湾"
    path = a_file(tmp_path, seeds(3))
    told = command("ingest", "seeds", path, "--cluster", "South")
    assert told.status == 0, told
    assert re.search(rf"3 embedded; snapshot \S+ of {first} published\nsnapshot (\S+) of South published\n", told.out)
    report = _kept(told)
    assert f"snapshot {report['snapshot']} of South published" in told.out
    again = command("ingest", "seeds", a_file(tmp_path, seeds(4), "seeds.jsonl"), "--cluster", "South")
    assert f"of {first}" not in again.out
    assert f"1 embedded; snapshot {_kept(again)['snapshot']} of South published" in again.out
    assert "0 embedded; nothing changed" in command("index").out
    found = command("doctor", home=home.with_settings(port="0"))
    assert found.status == 0, found
    assert re.search(r"South: \S+: 4 seeds, 0 needs", found.out)
    assert re.search(rf"{first}: \S+: 0 seeds, 0 needs", found.out)
    for folder in home.snapshots.iterdir():
        (folder / "CURRENT").unlink(missing_ok=True)
    (home.snapshots / "of-nobody").mkdir()
    found = command("doctor", home=home.with_settings(port="0"))
    assert found.status == 1
    for name in (first, "South"):
        assert f"{name}: none published" in found.out
    command("index")
    found = command("doctor", home=home.with_settings(port="0"))
    assert (found.status, "does not have" in found.out) == (1, True)
