"""What is secret is shown by no command, whether it is right or wrong, given in the environment or in a file."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from enmusubi.app.config import SECRETS, Settings
from tests.cli.conftest import Command
from tests.running import Home

MARK = "Zebra7Quagga7Okapi"
RIGHT = {
    "database_url": f"postgresql://{MARK}:{MARK}@127.0.0.1:1/{MARK}",
    "operator_database_url": f"postgresql://{MARK}:{MARK}@127.0.0.1:1/{MARK}",
    "session_keys": f"{MARK}{MARK},{MARK}{MARK}{MARK}",
    "smtp_url": f"smtp://{MARK}:{MARK}@127.0.0.1:1",
    "oidc_client_secret": MARK,
}
OTHERS = {
    "mail_from": "enmusubi@example.org",
    "oidc_issuer": "https://id.example.org",
    "oidc_client_id": "enmusubi",
    "port": "0",
}
WRONG = {
    "database_url": [MARK, f"mysql://{MARK}:{MARK}@127.0.0.1/x", f"postgresql://{MARK}@h:{MARK}/x"],
    "operator_database_url": [MARK, f"sqlite:///{MARK}", f"postgresql://[{MARK}/x", f"postgresql://u:a@{MARK}@h/x"],
    "session_keys": [MARK, f"{MARK},{MARK}"],
    "smtp_url": [MARK, f"http://{MARK}@127.0.0.1", f"smtp://{MARK}@h:{MARK}", f"smtp://[{MARK}"],
    "oidc_client_secret": [f"{MARK}\n{MARK}"],
}
COMMANDS = [("doctor",), ("--help",), ("serve", "--help"), ("migrate",), ("cluster", "list")]


def test_all_secrets_are_known() -> None:
    """Every setting of that type may lie in a file, and is tried here."""
    typed = {name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)}
    assert typed == set(SECRETS) == set(RIGHT) == set(WRONG)


def test_settings_show_no_secret() -> None:
    """Neither printed nor dumped."""
    settings = Settings.model_validate(RIGHT)
    for shown in (repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()):
        assert MARK not in shown
        assert "session_keys" in shown


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", SECRETS)
def test_no_command_shows_a_secret(command: Command, home: Home, name: str, arguments: tuple[str, ...]) -> None:
    """Where all is set, and a database does not answer."""
    finished = command(*arguments, home=home.with_settings(**OTHERS, **{name: RIGHT[name]}))
    assert finished.out + finished.errors
    assert MARK not in finished.out + finished.errors


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
@pytest.mark.parametrize("arguments", [("doctor",), ("migrate",), ("serve", "--port", "-1")], ids=" ".join)
def test_no_error_shows_a_wrong_secret(
    command: Command, home: Home, name: str, value: str, arguments: tuple[str, ...]
) -> None:
    """What is wrong is said by the variable's name."""
    finished = command(*arguments, home=home.with_settings(**OTHERS, **{name: value}))
    assert MARK not in finished.out + finished.errors
    assert "Traceback" not in finished.errors


@pytest.mark.parametrize("name", SECRETS)
def test_no_error_shows_a_file_of_a_secret(command: Command, home: Home, tmp_path: Path, name: str) -> None:
    """A missing file, one that is no text, one beside the variable: one line, which names the variable."""
    variable = f"ENMUSUBI_{name.upper()}"
    broken = tmp_path / "broken"
    broken.write_bytes(MARK.encode() + b"\xff\n")
    right = tmp_path / "right"
    right.write_text(RIGHT[name] + "\n")
    unset = home.with_settings(**{name: ""})
    for tried in (
        unset.with_settings(**{f"{name}_file": str(tmp_path / "missing")}),
        unset.with_settings(**{f"{name}_file": str(broken)}),
        home.with_settings(**{f"{name}_file": str(right), name: RIGHT[name]}),
    ):
        finished = command("doctor", home=tried)
        assert (finished.status, finished.errors.count("\n")) == (2, 1), finished
        assert f"{variable}_FILE" in finished.errors
        assert MARK not in finished.out + finished.errors
