"""Secrets of this installation, each in a file that only its owner reads: made once, at random, and never shown."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from enmusubi.app.errors import ConfigurationError

BYTES = 32  # of randomness in a made secret


def folder_of(home: Path) -> Path:
    """The folder of an installation's secrets."""
    return home / "secrets"


def read(path: Path) -> str | None:
    """The secret in a file; None where there is no file, ConfigurationError where it holds none."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        secret = ""
    if not secret or not secret.isprintable():
        raise ConfigurationError(f"{path} holds no secret; delete it, and the next command makes another")
    return secret


def read_or_make(path: Path) -> str:
    """The secret in a file, made at the first call; of several processes that make it at once, one wins."""
    known = read(path)
    if known is not None:
        return known
    make_private(path.parent)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)  # unlike a rename it never replaces what another process has begun to use
    finally:
        aside.unlink(missing_ok=True)
    sync(path.parent)
    made = read(path)
    assert made is not None
    return made


def make_private(folder: Path) -> None:
    """Make a folder that only its owner enters; one that is there is left as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync(folder: Path) -> None:
    """Have a folder's new names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_to_others(path: Path) -> bool:
    """Whether other accounts of the machine may read, write or enter a file or folder."""
    return bool(path.stat().st_mode & 0o077)
