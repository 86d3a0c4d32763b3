"""Below folders that are closed to others, the server's account alone is let through."""

import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from enmusubi.app.config import Settings
from enmusubi.app.database import connect
from enmusubi.app.embedded.passage import let_pass

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder of root's that nobody else may enter."""
    with tempfile.TemporaryDirectory(prefix="enmusubi-", ignore_cleanup_errors=True) as folder:
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        yield Path(folder)


def _may(account: str, command: str, path: Path) -> bool:
    who = pwd.getpwnam(account)
    tried = subprocess.run(
        [command, str(path)], user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd="/", capture_output=True
    )
    return tried.returncode == 0


def test_a_server_starts_below_a_closed_folder(closed: Path) -> None:
    """As in a clone below root's own home; others still pass neither that folder nor the home."""
    home = closed / "clone" / "var"
    home.parent.mkdir()
    with connect(Settings(home=home)) as database, database.engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1
        assert connection.execute(text("select system_identifier from pg_control_system()")).scalar_one()
    for folder in (home.parent, home, home / "postgres"):
        assert not _may("nobody", "stat", folder)
    assert not _may("pgserver", "ls", closed)
    assert stat.S_IMODE(closed.stat().st_mode) & 0o007 == 0


def test_one_account_is_added_to_a_list(closed: Path) -> None:
    """Two accounts, one after the other and once more: each passes, neither looks in, and nobody else does."""
    inner = closed / "inner"
    inner.mkdir(mode=0o755)
    users = [entry for entry in pwd.getpwall() if entry.pw_uid != 0][:3]
    for user in (users[0], users[1], users[0]):
        let_pass(closed, user.pw_uid)
    for user in users[:2]:
        assert _may(user.pw_name, "ls", inner)
        assert not _may(user.pw_name, "ls", closed)
    assert not _may(users[2].pw_name, "ls", inner)
