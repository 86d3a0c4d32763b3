"""The table of settings in docs/operations.md is that of the code."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from enmusubi.app.config import Settings

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def _documented() -> dict[str, tuple[str, str]]:
    section = OPERATIONS.read_text(encoding="utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in section.splitlines()
        if line.lstrip().startswith("|")
    ]
    assert rows[0] == ["Variable", "Default", "Meaning"]
    assert all(re.fullmatch(r":?-+:?", cell) for cell in rows[1])
    return {variable.strip("`"): (default.strip("`"), meaning) for variable, default, meaning in rows[2:]}


def _in_code() -> dict[str, tuple[str, str]]:
    prefix = Settings.model_config["env_prefix"]
    settings = {}
    for name, field in Settings.model_fields.items():
        assert field.default is not PydanticUndefined, name
        default = "unset" if field.default is None else str(field.default)
        settings[prefix + name.upper()] = (default, field.description or "")
    return settings


def test_settings_are_documented() -> None:
    """Every variable, its default and its meaning, in the order of the code."""
    assert list(_documented().items()) == list(_in_code().items())
