"""A real server with every secret setting there is, whose log and environment are read afterwards."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from enmusubi.app.config import SECRETS
from enmusubi.app.database import Database
from tests import oidc_provider
from tests.app.signing_in.conftest import IdentityProvider, provider
from tests.databases import own, template, variables_for
from tests.running import Home, Server

__all__ = ["own", "provider", "template"]

pytestmark = pytest.mark.process

PASSWORD, CLIENT_SECRET = secrets.token_urlsafe(24), secrets.token_urlsafe(24)


@pytest.fixture
def values(own: Database, server: Database) -> dict[str, str]:
    """Right values of all secret settings, by name."""
    databases = variables_for(server, own.url)
    return {
        **databases,
        "session_keys": f"{secrets.token_urlsafe(32)},{secrets.token_urlsafe(32)}",
        "smtp_url": f"smtp://hana:{PASSWORD}@127.0.0.1:1",
        "oidc_client_secret": CLIENT_SECRET,
    }


@pytest.fixture(params=["in the environment", "in files"])
def served(
    request: pytest.FixtureRequest, home: Home, values: dict[str, str], provider: IdentityProvider, tmp_path: Path
) -> Iterator[Server]:
    """A server that logs all it can, with its secrets given either way."""
    if request.param == "in files":
        given = {}
        for name, value in values.items():
            given[f"{name}_file"] = str(tmp_path / name)
            (tmp_path / name).write_text(value + "\n", encoding="utf-8")
    else:
        given = values
    others = {
        "log_level": "debug",
        "mail_from": "enmusubi@example.org",
        "oidc_issuer": provider.issuer,
        "oidc_client_id": oidc_provider.CLIENT,
    }
    server = Server(home.with_settings(**given, **others))
    yield server
    server.kill()


def test_no_setting_reaches_the_log(served: Server, values: dict[str, str]) -> None:
    """Started, asked, failing to sign somebody in, and ended."""
    assert set(values) == set(SECRETS)
    served.ready()
    assert served.client.get("/api/v1/oidc/start").status_code == 303
    browser = {"email": "hana@example.org", "password": "wrong and long enough"}
    assert served.client.post("/api/v1/session", json=browser).status_code == 401
    assert served.terminate() == 0
    log = served.log.read_text(encoding="utf-8")
    assert "DEBUG" in log
    assert "serving on" in log
    passwords = [url.partition("://")[2].partition("@")[0].partition(":")[2] for url in values.values() if "://" in url]
    assert len(passwords) == 3
    for secret in [*values.values(), *passwords, *values["session_keys"].split(",")]:
        assert secret
        assert secret not in log
