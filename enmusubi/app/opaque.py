"""Secrets that are handed out once: random, recognisable by their beginning, and stored as a hash only."""

import hashlib
import secrets
from typing import Final

API_TOKEN: Final = "enm_"  # noqa: S105 a beginning, no secret
SESSION: Final = "ens_"
INVITATION: Final = "eni_"
RESET: Final = "enr_"
STATE: Final = "eno_"
STOP: Final = "enx_"


def new(prefix: str) -> str:
    """A new secret of 256 random bits; the prefix tells a scanner, and a person, what has leaked."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of a secret. It is random, so a plain hash cannot be reversed by guessing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
