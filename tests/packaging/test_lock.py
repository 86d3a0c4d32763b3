"""The lock files hold what pyproject.toml asks for, all that this needs in turn, and nothing else."""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
DEVELOPMENT: list[str] = PROJECT["project"]["optional-dependencies"]["dev"]
(TORCH,) = PROJECT["tool"]["uv"]["dependency-metadata"]
_ENTRY = re.compile(r"(?P<requirement>[^\s\\#][^\\\n]*) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


def _locked(name: str) -> dict[str, Requirement]:
    """The pinned packages of a lock file, which holds comments besides and nothing else."""
    content = (ROOT / name).read_text(encoding="utf-8")
    left = _ENTRY.sub("", content)
    assert [line for line in left.splitlines() if line and not line.lstrip().startswith("#")] == []
    assert "://" not in content
    pinned = [Requirement(entry["requirement"]) for entry in _ENTRY.finditer(content)]
    found: dict[str, Requirement] = {canonicalize_name(requirement.name): requirement for requirement in pinned}
    assert len(found) == len(pinned)
    return found


@pytest.fixture(scope="module")
def runtime() -> dict[str, Requirement]:
    """What an installation gets."""
    return _locked("requirements.lock")


@pytest.fixture(scope="module")
def development() -> dict[str, Requirement]:
    """What a checkout gets."""
    return _locked("requirements-dev.lock")


def _version(requirement: Requirement) -> str:
    (pin,) = requirement.specifier
    assert pin.operator == "=="
    assert "*" not in pin.version
    return pin.version


def _unsatisfied(asked: Iterable[str], locked: dict[str, Requirement]) -> list[str]:
    missing = []
    for requirement in map(Requirement, asked):
        pin = locked.get(canonicalize_name(requirement.name))
        if requirement.name != "torch" and (pin is None or not requirement.specifier.contains(_version(pin))):
            missing.append(str(requirement))
    return missing


def _needed(asked: Iterable[str]) -> set[str]:
    """All packages that requirements bring to this machine, by what the installed ones say they need."""
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in asked]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in {"", *requirement.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, wanted))
            needs = TORCH["requires-dist"] if name == "torch" else distribution(name).requires or []
            waiting += [(Requirement(line), wanted) for line in needs]
    return {name for name, _ in seen}


def _applicable(locked: dict[str, Requirement]) -> set[str]:
    return {name for name, pin in locked.items() if pin.marker is None or pin.marker.evaluate()}


def test_what_is_asked_for_is_locked(runtime: dict[str, Requirement], development: dict[str, Requirement]) -> None:
    """In a version that is allowed; `make lock` mends it."""
    assert _unsatisfied([*RUNTIME, *PROJECT["build-system"]["requires"]], runtime) == []
    assert _unsatisfied(DEVELOPMENT, development) == []


def test_what_is_locked_is_asked_for(runtime: dict[str, Requirement], development: dict[str, Requirement]) -> None:
    """By pyproject.toml or by what it asks for, and all of that is there."""
    assert _needed(RUNTIME) - {"torch"} == _applicable(runtime)
    assert _needed([*RUNTIME, *DEVELOPMENT]) - {"torch"} == _applicable(development)


def test_a_checkout_has_what_an_installation_gets(
    runtime: dict[str, Requirement], development: dict[str, Requirement]
) -> None:
    """The same versions: what is tested is what is installed."""
    pins = {name: _version(pin) for name, pin in development.items()}
    assert {name: _version(pin) for name, pin in runtime.items()}.items() <= pins.items()


def test_torch_is_left_out_and_pinned(development: dict[str, Requirement]) -> None:
    """In one version everywhere, and its GPU libraries are left out with it."""
    pin = f"torch=={TORCH['version']}"
    assert pin in RUNTIME
    for file in ("Makefile", "Dockerfile", "docs/operations.md"):
        assert re.findall(r"torch==\S+", (ROOT / file).read_text(encoding="utf-8")) == [pin], file
    assert [name for name in development if re.match(r"torch|triton|nvidia|cuda", name)] == []
