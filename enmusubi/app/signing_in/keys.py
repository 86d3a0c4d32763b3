"""The keys that sign session cookies: from the settings, or made once in the home folder."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from itsdangerous import BadSignature, Signer

from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError

_LEAST = 32  # characters of a key
_FILE = "session-key"


def session_keys(settings: Settings) -> list[str]:
    """The keys, the one that signs first; ConfigurationError where one is too short to be a secret."""
    if settings.session_keys is None:
        return [_made_in(settings.home)]
    keys = [key.strip() for key in settings.session_keys.get_secret_value().split(",") if key.strip()]
    if not keys or any(len(key) < _LEAST for key in keys):
        raise ConfigurationError(
            f"ENMUSUBI_SESSION_KEYS: each key needs {_LEAST} characters or more; `openssl rand -base64 48` makes one"
        )
    return keys


def _made_in(home: Path) -> str:
    path = home / _FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        aside = home / f".{_FILE}-{secrets.token_hex(8)}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link is made whole or not at all, and never over another: two processes end with the same key.
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text(encoding="ascii").strip()


class Signatures:
    """Signs what is put into a browser; any of the keys is taken, so that a new one can come before the old goes."""

    def __init__(self, keys: Sequence[str]) -> None:
        newest_last = list(reversed(keys))
        self._cookies = Signer(newest_last, salt="enmusubi.session", sep=".", digest_method=hashlib.sha256)
        self._forms = Signer(newest_last, salt="enmusubi.csrf", sep=".", digest_method=hashlib.sha256)

    def cookie(self, secret: str) -> str:
        """The cookie of a session's secret."""
        return self._cookies.sign(secret).decode()

    def secret(self, cookie: str) -> str | None:
        """The secret in a cookie; None where we have not signed it."""
        try:
            return self._cookies.unsign(cookie.encode("utf-8", "surrogateescape")).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def csrf_token(self, secret: str) -> str:
        """What a page of the session sends with each change, as a header or a field of a form."""
        return self._forms.get_signature(secret).decode()

    def is_csrf_token(self, token: str | None, secret: str) -> bool:
        """Whether the token belongs to the session of that secret."""
        return token is not None and self._forms.verify_signature(secret, token.encode("utf-8", "surrogatepass"))
