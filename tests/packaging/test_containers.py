"""The image and compose.yaml: settings that exist, secrets in files alone, and none in the image."""

import re
from pathlib import Path

import pytest

from enmusubi.app.config import SECRETS, Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
DATABASES = {"database_url", "operator_database_url"}  # composed of passwords of the environment


def _variables(content: str) -> set[str]:
    return {name.lower() for name in re.findall(r"ENMUSUBI_(\w+)[:=]", content)}


def test_compose_passes_settings_that_exist() -> None:
    """Every secret of sign-in as a file, and no secret but the databases' in the environment."""
    files = {name.removesuffix("_file") for name in _variables(COMPOSE) if name.endswith("_file")}
    plain = {name for name in _variables(COMPOSE) if not name.endswith("_file")}
    assert files == set(SECRETS) - DATABASES
    assert plain <= Settings.model_fields.keys()
    assert plain & set(SECRETS) == DATABASES
    assert {"public_url", "trusted_proxies", "mail_from", "oidc_issuer", "oidc_client_id"} <= plain


def test_files_of_compose_are_its_secrets() -> None:
    """Each under the name by which it is mounted."""
    mounted = re.findall(r"_FILE: /run/secrets/(\S+)", COMPOSE)
    declared = COMPOSE.partition("\nsecrets:\n")[2].partition("\nvolumes:\n")[0]
    assert sorted(mounted) == sorted(re.findall(r"^  ([\w-]+):$", declared, re.MULTILINE))


def test_an_empty_file_leaves_a_setting_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """So compose.yaml can mount one where nothing is given."""
    for name in SECRETS:
        monkeypatch.setenv(f"ENMUSUBI_{name.upper()}_FILE", "/dev/null")
    settings = Settings()
    assert [name for name in SECRETS if getattr(settings, name) is not None] == []


def test_the_image_holds_no_secret() -> None:
    """It is given no setting but its home, runs as a user without rights, and is asked whether it is ready."""
    assert _variables(DOCKERFILE) == {"home"}
    assert re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE) == ["TORCH_INDEX"]
    assert re.search(r"^USER enmusubi$", DOCKERFILE, re.MULTILINE)
    assert "/health/ready" in DOCKERFILE
    assert re.search(r"pip install --no-deps --require-hashes -r requirements\.lock$", DOCKERFILE, re.MULTILINE)
