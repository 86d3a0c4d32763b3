"""A file's report counts the anonymous needs whose text surely tells whose they are."""

from pathlib import Path

from enmusubi.app.models import Need
from enmusubi.ingest.loading import check
from enmusubi.ingest.sources import read

ROWS = """id,title,organisation,anonymous
N-1,株式会社夕凪水産の網,夕凪水産,true
N-2,網が破れる,夕凪水産,true
N-3,株式会社夕凪水産の餌,夕凪水産,false
"""


def test_rows_that_tell_their_owner_are_counted(tmp_path: Path) -> None:
    """With line and id; needs that name their owner anyway are not counted."""
    path = tmp_path / "needs.csv"
    path.write_text(ROWS, encoding="utf-8")
    loaded = check(read(path, "need"), Need, path.name)
    assert loaded.new == 3
    assert loaded.identifying == [(2, "N-1")]
