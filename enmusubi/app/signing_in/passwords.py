"""Passwords: what is taken, how it is stored, and checking that takes as long for nobody as for somebody."""

import secrets
import unicodedata
from collections.abc import Iterable
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from enmusubi.app.errors import InvalidInputError

LEAST = 12  # characters
MOST = 1_000
_ESTIMATED = 72  # characters that zxcvbn looks at; more only make a password stronger
_LEAST_GUESSES = 8.0  # as a power of ten
_TELLING = 4  # a shorter part of a name says nothing

# Above the least that OWASP asks of Argon2id (19 MiB, 2 passes, 1 lane), and twenty at once still fit a small machine.
HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


def _normal(password: str) -> str:
    # The same characters, whichever keyboard or input method composed them (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Stores and checks passwords with one set of Argon2id's parameters."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """What is stored of a password."""
        return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; without one, the same work is done and the answer is no."""
        nobodys = self._nobodys
        try:
            right = self._hasher.verify(stored or nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the password should be stored anew, since parameters have changed."""
        return self._hasher.check_needs_rehash(stored)


def fits(password: str) -> bool:
    """Whether a new password is neither too short nor too long."""
    return LEAST <= len(_normal(password)) <= MOST


def check_choice(password: str, about: Iterable[str | None]) -> None:
    """InvalidInputError where a new password is too short, common, or made of what is known of its person."""
    chosen = _normal(password)
    if not fits(password):
        raise _refused(f"has {len(chosen):,} characters; at least {LEAST} and at most {MOST:,} are taken")
    told = [part for text in about if text for part in _parts(text)]
    if any(part in chosen.casefold() for part in told):
        raise _refused("holds a part of your name or e-mail address; take another")
    # Its word lists take some megabytes and a moment: only whoever chooses a password pays for them.
    from zxcvbn import zxcvbn

    if zxcvbn(chosen[:_ESTIMATED], user_inputs=told)["guesses_log10"] < _LEAST_GUESSES:
        raise _refused("is common or easy to guess; several words that have nothing to do with each other are better")


def _parts(text: str) -> list[str]:
    words = _normal(text).casefold().replace("@", " ").replace(".", " ").split()
    return [word for word in words if len(word) >= _TELLING]


def _refused(reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"password: {reason}", errors=[{"at": "/body/password", "reason": reason, "kind": "password"}]
    )
