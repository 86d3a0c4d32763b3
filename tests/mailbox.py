"""A real mail server on this machine, which keeps what it takes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.receiving import free_port


@dataclass
class Mailbox:
    """What the mail server has taken."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        """Keep a letter, or refuse it."""
        if self.refuses:
            return "550 not today"
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 taken"

    def link(self) -> str:
        """The only line of the last letter that is a link."""
        (link,) = [line for line in self.text().splitlines() if line.startswith("http")]
        return link

    def text(self) -> str:
        """The text of the last letter."""
        return str(self.letters[-1].get_content())

    def secret(self) -> str:
        """The token behind the link of the last letter."""
        return self.link().partition("#")[2]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on this machine."""
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()
