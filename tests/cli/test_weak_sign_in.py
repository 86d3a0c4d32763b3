"""`enmusubi doctor` tells what is weak in how people sign in, each with its fix, and shows no secret."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from enmusubi.app.cli import weak_sign_in, weaknesses
from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError
from tests.cli.conftest import Command
from tests.running import Home

RANDOM = secrets.token_urlsafe(48)


def _told(**settings: Any) -> str:
    found = weak_sign_in.of_sign_in(Settings(**settings))
    assert all(what and fix for what, fix in found)
    return "\n".join(f"{what} -> {fix}" for what, fix in found)


def test_nothing_is_weak_by_default(tmp_path: Path) -> None:
    """And a check makes no key."""
    assert _told(home=tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "told", "fix"),
    [
        ({"public_url": "http://enmusubi.example.org"}, "ENMUSUBI_PUBLIC_URL", "https://"),
        ({"public_url": "http://192.0.2.7:8000"}, "ENMUSUBI_PUBLIC_URL", "https://"),
        ({"session_keys": f"{RANDOM},{'zebra' * 8}"}, "ENMUSUBI_SESSION_KEYS", "openssl rand"),
        ({"smtp_url": "smtp://mail.example.org", "mail_from": "a@example.org"}, "ENMUSUBI_SMTP_URL", "smtps://"),
        ({"trusted_proxies": "127.0.0.1, 0.0.0.0/0"}, "ENMUSUBI_TRUSTED_PROXIES", "own addresses"),
        ({"trusted_proxies": "::/0"}, "ENMUSUBI_TRUSTED_PROXIES", "own addresses"),
        ({"trusted_proxies": "10.0.0.0/8"}, "ENMUSUBI_TRUSTED_PROXIES", "own addresses"),
        ({"trusted_proxies": "*"}, "ENMUSUBI_TRUSTED_PROXIES", "own addresses"),
        ({"session_hours": 169}, "ENMUSUBI_SESSION_HOURS=169", "at most 168"),
        ({"session_idle_minutes": 1441}, "ENMUSUBI_SESSION_IDLE_MINUTES=1441", "at most 1440"),
        ({"session_confirm_minutes": 61}, "ENMUSUBI_SESSION_CONFIRM_MINUTES=61", "at most 60"),
        (
            {"calls_per_minute": 0, "public_url": "https://enmusubi.example.org"},
            "ENMUSUBI_CALLS_PER_MINUTE=0",
            "unset it",
        ),
        ({"calls_per_minute": 0, "host": "192.0.2.7"}, "ENMUSUBI_CALLS_PER_MINUTE=0", "unset it"),
    ],
)
def test_what_is_weak(settings: dict[str, Any], told: str, fix: str) -> None:
    """One line each, which names the variable; of a key nothing is shown."""
    found = _told(**settings)
    assert found.count("\n") == 0
    assert told in found.partition(" -> ")[0]
    assert fix in found.partition(" -> ")[2]
    assert RANDOM not in found
    assert "zebra" not in found


@pytest.mark.parametrize(
    "settings",
    [
        {"public_url": "https://enmusubi.example.org"},
        {"public_url": "http://localhost:8000"},
        {"public_url": "http://[::1]:8000"},
        {"session_keys": f"{RANDOM},{secrets.token_hex(32)}"},
        {"smtp_url": "smtps://mail.example.org", "mail_from": "a@example.org"},
        {"smtp_url": "smtp://me:secret@mail.example.org:587", "mail_from": "a@example.org"},
        {"smtp_url": "smtp://127.0.0.1:25", "mail_from": "a@example.org"},
        {"trusted_proxies": "127.0.0.1,172.18.0.0/16,2001:db8::/64,unix:"},
        {"oidc_issuer": "https://id.example.org", "oidc_client_id": "enmusubi"},
        {"oidc_issuer": "http://localhost:8080/realms/a", "oidc_client_id": "enmusubi"},
        {"calls_per_minute": 0},
        {"calls_per_minute": 1, "public_url": "https://enmusubi.example.org"},
        {"session_hours": 168, "session_idle_minutes": 1440, "session_confirm_minutes": 60},
    ],
)
def test_what_is_not_weak(settings: dict[str, Any]) -> None:
    """Nothing is said of it."""
    assert _told(**settings) == ""


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"session_keys": "zebra"}, "openssl rand"),
        ({"smtp_url": "zebra"}, "ENMUSUBI_SMTP_URL"),
        ({"smtp_url": "smtps://zebra@mail.example.org"}, "ENMUSUBI_MAIL_FROM"),
        ({"oidc_issuer": "http://id.example.org", "oidc_client_id": "enmusubi"}, "give its https:// address"),
        ({"oidc_issuer": "http://localhost.example.org", "oidc_client_id": "enmusubi"}, "give its https:// address"),
        ({"oidc_issuer": "http://127.0.0.1.example.org", "oidc_client_id": "enmusubi"}, "give its https:// address"),
        ({"oidc_issuer": "http://[zebra", "oidc_client_id": "enmusubi"}, "give its https:// address"),
    ],
)
def test_what_the_service_would_refuse(settings: dict[str, Any], told: str) -> None:
    """The same sentence as from `serve`, without the value."""
    with pytest.raises(ConfigurationError, match=told) as caught:
        _told(**settings)
    assert "zebra" not in str(caught.value)


@pytest.mark.parametrize(("public_url", "weak"), [(None, True), ("https://enmusubi.example.org", False)])
def test_a_service_behind_a_proxy_may_listen_beyond_this_machine(public_url: str | None, weak: bool) -> None:
    """Where people reach it over TLS, the proxy may stand on another machine."""
    assert bool(weaknesses.of_addresses(Settings(host="0.0.0.0", public_url=public_url))) is weak


@pytest.mark.parametrize(("mode", "weak"), [(0o644, True), (0o602, True), (0o640, False), (0o600, False)])
def test_files_of_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, weak: bool) -> None:
    """Those that the environment names, too; a group may share them."""
    home, file = tmp_path / "home", tmp_path / "keys"
    file.write_text(RANDOM)
    file.chmod(mode)
    monkeypatch.setenv("ENMUSUBI_SESSION_KEYS_FILE", str(file))
    found = weaknesses.of_files(Settings(home=home))
    assert [what for what, _ in found if "ENMUSUBI_SESSION_KEYS_FILE" in what] == [what for what, _ in found]
    assert bool(found) is weak
    assert RANDOM not in str(found)


def test_the_key_in_the_home(tmp_path: Path) -> None:
    """It signs cookies just as a configured one."""
    tmp_path.chmod(0o700)
    (tmp_path / "session-key").write_text(RANDOM)
    (tmp_path / "session-key").chmod(0o640)
    ((what, fix),) = weaknesses.of_files(Settings(home=tmp_path))
    assert "session-key" in what
    assert fix.startswith("chmod 600")


def test_doctor_tells_what_is_weak_and_what_is_refused(command: Command, home: Home) -> None:
    """Weak settings leave its status alone; what `serve` refuses is a fault."""
    weak = home.with_settings(port="0", public_url="http://enmusubi.example.org", allow_owner_service="1")
    rows = [[cell.strip() for cell in line.split("│")] for line in command("doctor", home=weak).out.splitlines()]
    states = {row[1]: row[2] for row in rows if len(row) > 2}
    assert (states["sign-in"], states["trials"]) == ("weak", "weak")
    refused = command("doctor", home=home.with_settings(port="0", session_keys="zebra"))
    (row,) = [line for line in refused.out.splitlines() if "sign-in" in line]
    assert "fault" in row
    assert "zebra" not in refused.out + refused.errors
    assert refused.status == 1
