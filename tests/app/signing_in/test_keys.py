"""Session keys: from the settings or the home folder, changed without signing anybody out; secrets from files."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.orm import Session

from enmusubi.app.cli.opening import read_settings
from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.signing_in.keys import Signatures, session_keys
from tests.app.browsers import Browser, with_password
from tests.app.conftest import People
from tests.app.signing_in.conftest import Application

OLD, NEW = "old key " * 5, "new key " * 5


def test_a_new_key_signs_nobody_out(
    people: People, session: Session, application: Application, settings: Settings
) -> None:
    """The first key signs, every key is taken; without the old one, its cookies are worth nothing."""
    email = with_password(session, people.company)

    def keyed(*keys: str) -> Settings:
        return settings.model_copy(update={"session_keys": SecretStr(",".join(keys))})

    with application(keyed(OLD)) as client:
        before = Browser(client)
        before.sign_in(email)
    with application(keyed(NEW, OLD)) as client:
        kept = Browser(client, cookies=before.cookies, csrf_token=before.csrf_token)
        assert kept.post("/needs", {"title": "T"}).status_code == 201
        after = Browser(client)
        after.sign_in(email)
    with application(keyed(NEW)) as client:
        assert not Browser(client, cookies=before.cookies).is_signed_in()
        assert Browser(client, cookies=after.cookies).is_signed_in()


def test_cookies_and_forms_are_signed_apart() -> None:
    """A token of a form is no cookie's signature."""
    signatures = Signatures([NEW])
    cookie = signatures.cookie("ens_x")
    assert signatures.secret(cookie) == "ens_x"
    assert signatures.secret(f"ens_x.{signatures.csrf_token('ens_x')}") is None
    assert signatures.is_csrf_token(signatures.csrf_token("ens_x"), "ens_x")
    assert not signatures.is_csrf_token(signatures.csrf_token("ens_x"), "ens_y")
    assert not signatures.is_csrf_token(None, "ens_x")


def test_a_key_is_made_once_for_all_processes(tmp_path: Path) -> None:
    """Those that start at the same moment end with the same one, which nobody else can read."""
    program = (
        "from enmusubi.app.config import Settings; from enmusubi.app.signing_in.keys import session_keys; "
        "print(session_keys(Settings()))"
    )
    home = tmp_path / "home"
    environment = {**os.environ, "ENMUSUBI_HOME": str(home)}
    processes = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = {process.communicate(timeout=60)[0] for process in processes}
    assert len(printed) == 1
    assert printed == {f"{session_keys(Settings(home=home))}\n"}
    assert [path.name for path in home.iterdir()] == ["session-key"]
    assert stat.S_IMODE((home / "session-key").stat().st_mode) == 0o600
    assert len((home / "session-key").read_text()) == 64


@pytest.mark.parametrize("keys", ["short", f"{NEW},short", ","])
def test_a_key_that_can_be_guessed_is_refused(keys: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(ConfigurationError, match="32 characters") as refused:
        session_keys(Settings(session_keys=SecretStr(keys)))
    assert "short" not in str(refused.value)


def test_secrets_may_lie_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every secret setting, without the line's end; no error repeats what a file holds."""
    file = tmp_path / "secret"
    file.write_text("hush-hush\n")
    for name in ("DATABASE_URL", "OPERATOR_DATABASE_URL", "SESSION_KEYS", "SMTP_URL", "OIDC_CLIENT_SECRET"):
        monkeypatch.setenv(f"ENMUSUBI_{name}_FILE", str(file))
        given = getattr(read_settings(), name.lower())
        assert given.get_secret_value() == "hush-hush"
        assert "hush" not in repr(read_settings())
        monkeypatch.setenv(f"ENMUSUBI_{name}", "also")
        with pytest.raises(ConfigurationError, match=f"ENMUSUBI_{name} and ENMUSUBI_{name}_FILE"):
            read_settings()
        monkeypatch.delenv(f"ENMUSUBI_{name}")
        monkeypatch.setenv(f"ENMUSUBI_{name}_FILE", str(tmp_path / "missing"))
        with pytest.raises(ConfigurationError, match="cannot be read"):
            read_settings()
        monkeypatch.delenv(f"ENMUSUBI_{name}_FILE")
    monkeypatch.setenv("ENMUSUBI_PORT_FILE", str(file))
    assert read_settings().port == 8000


def test_every_secret_setting_may_be_a_file() -> None:
    """None is forgotten when a setting is added."""
    from enmusubi.app import config

    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret == set(config.SECRETS)
