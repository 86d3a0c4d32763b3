"""Organisations from a file: all or none, found by number or name, and a bad line located."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import Cluster, Organisation
from enmusubi.ingest.organisations import OrganisationsLoaded, load_organisations
from tests.app.factories import a_cluster
from tests.ingest.files import a_text
from tests.ingest.loads import Row, a_file

UNIVERSITY: Row = {"name": "北星湾大学", "kind": "university", "corporate_number": "7999900000002"}
COMPANY: Row = {"name": "凍沢製氷株式会社", "kind": "company", "size_band": None, "region": "遠牧地域"}

Load = Callable[[list[Row]], OrganisationsLoaded]


@pytest.fixture
def cluster(session: Session) -> Cluster:
    """An empty cluster."""
    return a_cluster(session)


@pytest.fixture
def load(session: Session, cluster: Cluster, tmp_path: Path) -> Load:
    """Loads rows into the cluster."""
    return lambda rows: load_organisations(session, cluster.id, a_file(tmp_path, rows, "organisations.jsonl"))


def _outcome(loaded: OrganisationsLoaded) -> tuple[int, int, int]:
    return loaded.new, loaded.changed, loaded.unchanged


def test_a_second_run_changes_nothing(load: Load) -> None:
    """New the first time, unchanged the second, changed where a value differs."""
    assert _outcome(load([UNIVERSITY, COMPANY])) == (2, 0, 0)
    assert _outcome(load([UNIVERSITY, COMPANY])) == (0, 0, 2)
    assert _outcome(load([UNIVERSITY, {**COMPANY, "region": "北星湾地域"}])) == (0, 1, 1)


def test_a_number_finds_a_renamed_organisation(load: Load, session: Session, cluster: Cluster) -> None:
    """An organisation that changed its name is still the one with that number."""
    load([UNIVERSITY])
    assert _outcome(load([{**UNIVERSITY, "name": "国立大学法人北星湾大学"}])) == (0, 1, 0)
    names = session.scalars(select(Organisation.name).where(Organisation.cluster_id == cluster.id)).all()
    assert names == ["国立大学法人北星湾大学"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"name": "a", "kind": "club"}', "line 2, kind"),
        ('{"name": "a", "kind": "company", "corporate_number": "1234567890123"}', "line 2, corporate_number"),
        ('{"kind": "company"}', "line 2, name"),
        ('{"name": "a", "kind": "company", "colour": "red"}', "line 2, colour"),
        ('["a"]', "line 2"),
        ("{", "line 2: not a JSON object"),
        ("[" * 100_000, "line 2: not a JSON object"),
    ],
)
def test_a_bad_line_is_located_and_nothing_is_loaded(
    session: Session, cluster: Cluster, tmp_path: Path, bad: str, reason: str
) -> None:
    """The message names file, line and column; the caller, who commits, commits nothing."""
    path = a_text(tmp_path, '{"name": "Good", "kind": "company"}\n' + bad + "\n", "organisations.jsonl")
    with pytest.raises(InvalidInputError) as caught, session.begin_nested():
        load_organisations(session, cluster.id, path)
    assert f"organisations.jsonl, {reason}" in caught.value.detail
    count = select(func.count()).select_from(Organisation).where(Organisation.cluster_id == cluster.id)
    assert session.scalar(count) == 0


def test_bytes_that_are_no_text_are_located(session: Session, cluster: Cluster, tmp_path: Path) -> None:
    """A line that is not UTF-8 is named."""
    path = a_text(tmp_path, b'{"name": "\x93\xfa", "kind": "company"}\n', "organisations.jsonl")
    with pytest.raises(InvalidInputError, match="line 1: not a JSON object in UTF-8"):
        load_organisations(session, cluster.id, path)


def test_a_byte_order_mark_is_no_error(session: Session, cluster: Cluster, tmp_path: Path) -> None:
    """A file that an editor saved with a BOM is read."""
    path = a_text(tmp_path, '{"name": "Good", "kind": "company"}\n', "organisations.jsonl", "utf-8-sig")
    assert load_organisations(session, cluster.id, path).new == 1


@pytest.mark.parametrize("name", [".", "missing.jsonl"])
def test_what_is_no_file_is_refused(session: Session, cluster: Cluster, tmp_path: Path, name: str) -> None:
    """A directory or a missing file is said to be one."""
    with pytest.raises(InvalidInputError, match="not a file"):
        load_organisations(session, cluster.id, tmp_path / name)
