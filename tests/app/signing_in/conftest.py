"""Applications with a mail server and an identity provider, both real and started here."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from tests import oidc_provider
from tests.app.conftest import started
from tests.app.factories import ENCODER
from tests.conftest import RolledBackDatabase
from tests.mailbox import Mailbox, mailbox

__all__ = ["mailbox"]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def posting(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of an installation that sends letters."""
    return settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{mailbox.port}"), "mail_from": "enmusubi@example.org",
        }
    )  # fmt: skip


@dataclass(frozen=True)
class IdentityProvider:
    """A running provider."""

    issuer: str

    def signs_in(self, **person: Any) -> list[dict[str, str]]:
        """Whoever comes next is this person; returns what the provider was asked so far."""
        asked: list[dict[str, str]] = httpx.post(f"{self.issuer}/person", json=person).json()["requests"]
        return asked

    def visit(self, address: str) -> str:
        """Follow the browser there; the address it is sent back to."""
        assert address.startswith(self.issuer)
        reply = httpx.get(address, follow_redirects=False)
        assert reply.status_code == 302, reply.text
        return reply.headers["location"]


@pytest.fixture(scope="session")
def provider() -> Iterator[IdentityProvider]:
    """A provider as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.oidc_provider"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    yield IdentityProvider(f"http://127.0.0.1:{port}")
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def with_provider(posting: Settings, provider: IdentityProvider) -> Settings:
    """Settings of an installation whose people may sign in by the provider."""
    return posting.model_copy(
        update={
            "oidc_issuer": provider.issuer, "oidc_client_id": oidc_provider.CLIENT,
            "oidc_client_secret": SecretStr(oidc_provider.SECRET),
        }
    )  # fmt: skip


Application = Callable[[Settings], Any]


@pytest.fixture
def application(database: RolledBackDatabase) -> Application:
    """Start an application on the rolled-back database with these settings, with the rights of the service."""

    @contextmanager
    def start(settings: Settings) -> Iterator[TestClient]:
        with started(create_app(settings, ENCODER, database.for_service)) as client:
            yield client

    return start
