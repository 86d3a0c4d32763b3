"""Help: quick because nothing heavy is imported, and there for every command."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Command

COMMANDS = [
    ("serve",),
    ("migrate",),
    ("ingest",),
    ("index",),
    ("match",),
    ("evaluate",),
    ("openapi",),
    ("demo",),
    ("doctor",),
    ("account",),
    ("account", "create"),
    ("account", "list"),
    ("account", "token"),
    ("account", "invite"),
    ("account", "deactivate"),
    ("account", "reactivate"),
    ("account", "reset"),
    ("cluster",),
    ("cluster", "create"),
    ("cluster", "list"),
]
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "faiss",
    "numpy",
    "sqlalchemy",
    "fastapi",
    "pydantic",
    "rich",
}


def test_help_imports_nothing_heavy() -> None:
    """`enmusubi --help` answers at once: what takes long to import is left to the commands."""
    show = (
        "import sys\nfrom enmusubi.app.cli import main\nsys.argv = ['enmusubi', '--help']\n"
        "try:\n    main()\nfinally:\n    print('\\n' + ' '.join(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout
    assert "ingest" in shown
    assert (HEAVY - {"rich"}) & set(shown.splitlines()[-1].split()) == set()


def test_importing_the_command_imports_nothing_heavy() -> None:
    """The module that the console command starts with needs the standard library and typer."""
    show = "import sys, enmusubi.app.cli; print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(modules) == set()


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: Command, name: tuple[str, ...]) -> None:
    """Each has a help with a sentence on what it does and on each of its options."""
    finished = command(*name, "--help")
    assert finished.status == 0
    assert "Usage: enmusubi" in finished.out
    assert command(*name, "-h").out == finished.out


def test_the_commands_are_those_listed(command: Command) -> None:
    """No command is left out of these tests."""
    listed = command("--help").out
    for name, *_ in COMMANDS:
        assert name in listed


def test_a_wrong_option_is_a_usage_error(command: Command) -> None:
    """A misspelt option or argument ends with status 2 and says which."""
    finished = command("ingest", "seeds", "x.csv", "--colour")
    assert finished.status == 2
    assert "--colour" in finished.errors
    assert command("ingest", "organs", "x.csv").status == 2
    assert command("match", "--need", "a", "--text", "b").status == 2
    assert command("match").status == 2
