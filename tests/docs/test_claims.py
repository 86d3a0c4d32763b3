"""What the pages say about commands, routes, errors and files is so."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from enmusubi.app import errors
from enmusubi.app.cli.commands import app as command_line
from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from tests.docs.pages import PAGES, ROOT, blocks, name_of, prose, statements

API_PAGE = ROOT / "docs" / "api.md"


def commands_of(page: Path) -> list[list[str]]:
    """The words of every `enmusubi …` and `make …` in the page's shell blocks and in its prose."""
    found = [statement for block in blocks(page, "sh") for statement in statements(block)]
    found += re.findall(r"`((?:enmusubi|make) [^`]+)`", prose(page))
    words = [shlex.split(statement.replace("\\\n", " "), comments=True) for statement in found]
    return [each for each in words if each and each[0] in ("enmusubi", "make")]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands(page: Path) -> None:
    """Every command that a page shows exists, with every option it is given."""
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for program, *words in commands_of(page):
        if program == "make":
            assert words[0] in targets, f"make {words[0]}"
            continue
        command: Any = typer.main.get_command(command_line)
        while words and hasattr(command, "commands"):
            name = words.pop(0)
            assert name in command.commands, f"enmusubi {name}"
            command = command.commands[name]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        unknown = [word for word in words if word.startswith("--") and word not in known]
        assert not unknown, f"{command.name}: {unknown}"


def test_routes() -> None:
    """The API's page names every route of the application, and every filter of its lists."""
    page = prose(API_PAGE)
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        shown = re.sub(r"\{\w+\}", "{id}", path.removeprefix("/api/v1"))
        for method, described in methods.items():
            assert f"`{method.upper()} {shown}`" in page or f"`{shown}`" in page, f"{method} {shown}"
            filters = [each["name"] for each in described.get("parameters", []) if each["in"] == "query"]
            assert not [name for name in filters if f"`{name}" not in page and f"?{name}=" not in page], filters


def test_problems() -> None:
    """The API's page lists every type of problem with its status."""
    listed = dict(re.findall(r"^\| `/problems/([a-z-]+)` \| (\d+) \|", prose(API_PAGE), re.MULTILINE))
    kinds: list[type[errors.EnmusubiError]] = [errors.EnmusubiError, *errors.EnmusubiError.__subclasses__()]
    raised = {kind.code: str(kind.status) for kind in kinds}
    assert listed == raised | {"method-not-allowed": "405", "too-large": "413", "internal": "500"}


def test_readme_is_short() -> None:
    """The README stays under 150 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=name_of)
def test_decision_records(record: Path) -> None:
    """A decision record has its number, context, decision and consequences, on a page of 20 to 40 lines."""
    lines = record.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(f"# {record.name[:4]} ")
    assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]
    assert 20 <= len(lines) <= 40


def test_container_uses_the_pinned_torch() -> None:
    """The Dockerfile, the Makefile and the operations page install the torch that pyproject.toml pins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (pinned,) = [each for each in project["dependencies"] if each.startswith("torch==")]
    for name in ("Dockerfile", "Makefile", "docs/operations.md"):
        assert pinned in (ROOT / name).read_text(encoding="utf-8"), name
