"""Letters: sent by the configured SMTP server, or not at all and said so."""

import logging
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import localtime
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError

logger = logging.getLogger(__name__)

_SECONDS = 20.0  # until a server that does not answer is given up


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text to one person."""

    to: str
    subject: str
    body: str
    message_id: str | None = None
    """What tells a repeat from another letter, in angle brackets."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a letter was not taken."""

    reason: str
    """The kind of error; what the server said may quote the letter."""
    final: bool
    """Whether there is no use in trying again."""


class Post(Protocol):
    """Takes letters away."""

    @property
    def delivers(self) -> bool:
        """Whether letters are sent at all."""
        ...

    def send(self, letter: Letter) -> bool:
        """Whether the letter was taken."""
        ...

    def attempt(self, letter: Letter) -> Refusal | None:
        """Why the letter was not taken; None where it was."""
        ...


class NoPost:
    """No server is configured: links are handed over by people."""

    delivers = False

    def send(self, letter: Letter) -> bool:
        """Never."""
        return False

    def attempt(self, letter: Letter) -> Refusal | None:
        """There is nobody to take it."""
        return Refusal("NoPost", final=True)


class SmtpPost:
    """Sends each letter over a connection of its own, once: whoever has more patience asks again."""

    delivers = True

    def __init__(self, url: SplitResult, sender: str) -> None:
        self._url = url
        self._sender = sender

    def send(self, letter: Letter) -> bool:
        """Whether the server took it; the reason it did not is logged without the letter or its address."""
        refusal = self.attempt(letter)
        if refusal is not None:
            logger.error("a letter could not be sent: %s", refusal.reason)
        return refusal is None

    def attempt(self, letter: Letter) -> Refusal | None:
        """Why the server did not take it, None where it did."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = localtime()
        message["Auto-Submitted"] = "auto-generated"
        if letter.message_id is not None:
            message["Message-ID"] = letter.message_id
        for name, value in letter.headers.items():
            message[name] = value
        message.set_content(letter.body, cte="base64")
        try:
            server = self._connected()
            try:
                server.send_message(message)
            finally:
                # Once the letter is taken, a server that does not say goodbye has taken it all the same.
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            final = all(500 <= code < 600 for code, _ in error.recipients.values())
            return Refusal(type(error).__name__, final)
        except (OSError, smtplib.SMTPException) as error:
            return Refusal(type(error).__name__, final=False)
        return None

    def _connected(self) -> smtplib.SMTP:
        host, secure = self._url.hostname or "", ssl.create_default_context()
        if self._url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, self._url.port or 465, timeout=_SECONDS, context=secure)
        else:
            server = smtplib.SMTP(host, self._url.port or 587, timeout=_SECONDS)
        try:
            server.ehlo()
            if self._url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=secure)
                server.ehlo()
            if self._url.username:
                self._log_in(server)
        except BaseException:
            server.close()
            raise
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        if not isinstance(server.sock, ssl.SSLSocket):
            raise smtplib.SMTPNotSupportedError("no TLS: the password is not sent")
        server.login(unquote(self._url.username or ""), unquote(self._url.password or ""))


def post_office(settings: Settings) -> Post:
    """The configured post; ConfigurationError where the settings do not fit together."""
    if settings.smtp_url is None:
        return NoPost()
    try:
        url = urlsplit(settings.smtp_url.get_secret_value())
        known = url.scheme in ("smtp", "smtps") and url.hostname and (url.port or True)
    except ValueError:
        known = False
    if not known:
        raise ConfigurationError("ENMUSUBI_SMTP_URL: expected smtp://user:password@host:587 or smtps://…")
    if settings.mail_from is None:
        raise ConfigurationError("ENMUSUBI_MAIL_FROM: letters need a sender")
    return SmtpPost(url, settings.mail_from)
