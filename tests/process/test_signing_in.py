"""The ways in, through a real server whose log is read afterwards, down to its debugging lines."""

import base64
import re
from collections.abc import Iterator

import pytest

from enmusubi.app.database import Database
from tests import oidc_provider
from tests.app.signing_in.conftest import IdentityProvider, provider
from tests.databases import own, template, variables_for
from tests.mailbox import Mailbox, mailbox
from tests.running import Home, Server, wait_for

__all__ = ["mailbox", "own", "provider", "template"]

pytestmark = pytest.mark.process

CHOSEN, AGAIN = "three unrelated words, 41", "kelp and kerbstone, Tuesday"


@pytest.fixture
def served(
    server: Database, home: Home, own: Database, mailbox: Mailbox, provider: IdentityProvider
) -> Iterator[Server]:
    """A server with a mail server and an identity provider, which logs all it can."""
    home = home.with_settings(
        **variables_for(server, own.url),
        log_level="debug",
        smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
        mail_from="enmusubi@example.org",
        oidc_issuer=provider.issuer,
        oidc_client_id=oidc_provider.CLIENT,
        oidc_client_secret=oidc_provider.SECRET,
    )
    home.must("cluster", "create", "北星湾")
    running = Server(home)
    yield running
    running.kill()


def test_no_secret_reaches_the_log(served: Server, mailbox: Mailbox, provider: IdentityProvider) -> None:
    """An invitation by command, joining, signing in both ways, a token, a reset, and what goes wrong on the way."""
    served.ready()
    browser, secrets = served.client, [CHOSEN, AGAIN, oidc_provider.SECRET]
    served.home.must("account", "invite", "hana@example.org", "--role", "cluster_administrator", "--language", "en")
    assert mailbox.text().startswith("Dear hana@example.org")
    secrets.append(mailbox.secret())
    joined = browser.post("/api/v1/invitations/accept", json={"token": secrets[-1], "password": CHOSEN})
    assert joined.status_code == 201, joined.text
    csrf = {"X-CSRF-Token": joined.json()["csrf_token"]}
    secrets += [csrf["X-CSRF-Token"], browser.cookies["enmusubi"]]
    made = browser.post("/api/v1/tokens", json={"name": "T", "scopes": ["read"]}, headers=csrf)
    secrets.append(made.json()["token"])
    assert served.call("GET", "/seeds", secrets[-1]).status_code == 200
    assert served.call("GET", "/seeds", secrets[-1] + "x").status_code == 401
    assert browser.delete("/api/v1/session", headers=csrf).status_code == 204
    wrong = {"email": "hana@example.org", "password": "wrong " + AGAIN}
    assert browser.post("/api/v1/session", json=wrong).status_code == 401
    assert browser.post("/api/v1/password-resets", json={"email": "hana@example.org"}).status_code == 202
    wait_for(lambda: len(mailbox.letters) == 2, "the letter that goes after the reply")
    secrets.append(mailbox.secret())
    changed = browser.post("/api/v1/password-resets/accept", json={"token": secrets[-1], "password": AGAIN})
    assert changed.status_code == 201
    provider.signs_in(sub="7", email="hana@example.org", email_verified=True)
    gone = browser.get("/api/v1/oidc/start").headers["location"]
    secrets += [browser.cookies["enmusubi-oidc"], *re.findall(r"(?:state|nonce|code_challenge)=([^&]+)", gone)]
    back = provider.visit(gone)
    assert back.startswith(f"{served.client.base_url}/api/v1/oidc/callback?".replace("//api", "/api"))
    secrets += re.findall(r"code=([^&]+)", back)
    assert browser.get(back).status_code == 303
    secrets.append(browser.cookies["enmusubi"])
    assert browser.get("/api/v1/session").json()["method"] == "oidc"
    basic = base64.b64encode(f"{oidc_provider.CLIENT}:{oidc_provider.SECRET}".encode()).decode()
    assert served.terminate() == 0
    log = served.log.read_text(encoding="utf-8")
    assert "serving on" in log
    assert "DEBUG" in log
    assert len(secrets) == 14
    for secret in [*secrets, basic]:
        assert secret
        assert secret not in log
    for inside in (secret.partition(".")[0] for secret in secrets if "ens_" in secret):
        assert inside not in log
