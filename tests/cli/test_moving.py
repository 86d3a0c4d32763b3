"""`enmusubi export` and `enmusubi import`, as their user runs them."""

from pathlib import Path

from enmusubi.app.database import Database
from tests.cli.conftest import Command
from tests.databases import another, variables_for
from tests.running import Home


def test_a_cluster_moves_house(
    command: Command, home: Home, server: Database, template: str, model: Path, tmp_path: Path
) -> None:
    """Written by one installation, read by another; a second time it is there already."""
    command("cluster", "create", "架空クラスター")
    command("account", "create", "A", "--role", "company", "--organisation", "A company")
    path = tmp_path / "moved.zip"
    written = command("export", "架空クラスター", path)
    assert (written.status, "1  accounts.jsonl" in written.out) == (0, True)
    assert command("export", "架空クラスター", path).status != 0
    with another(server, template) as database:
        there = Home(tmp_path / "there", model).with_settings(**variables_for(server, database.url))
        read = command("import", path, home=there)
        assert read.status == 0, read.errors
        assert "enmusubi index" in read.out
        again = command("import", path, home=there)
        assert (again.status != 0, "is here already" in again.errors) == (True, True)
        assert "架空クラスター" in command("cluster", "list", home=there).out
