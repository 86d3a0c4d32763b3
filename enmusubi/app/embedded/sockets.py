"""Where the server's socket is: in its data folder or, where that path is too long, in a short closed folder."""

import os
import stat
import tempfile
from pathlib import Path

from enmusubi.app import secret_files
from enmusubi.app.embedded import account

LONGEST = 93  # bytes of the folder's path: a socket's address has 107, and the file's name takes the rest


def folder_for(data: Path) -> Path:
    """The folder of the socket of a stopped server; the same at each start, as long as nobody has taken its name."""
    if len(os.fsencode(data)) <= LONGEST:
        return data
    kept = data.with_name(f"{data.name}.sockets")
    if kept.is_symlink():
        known = kept.readlink()
        if _is_ours(known) or _made(known):
            return known
        kept.unlink()
    short = Path(tempfile.gettempdir())
    if len(os.fsencode(short)) > LONGEST - 20:
        short = Path("/tmp")  # noqa: S108 mkdtemp makes a closed folder of a new name in it
    made = Path(tempfile.mkdtemp(prefix="enmusubi-", dir=short))
    account.give(made)
    kept.symlink_to(made)
    secret_files.sync(kept.parent)
    return made


def _is_ours(folder: Path) -> bool:
    """Whether a folder is the server's account's, and closed to all others."""
    user = account.of_server()
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    owner = os.geteuid() if user is None else user.pw_uid
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700


def _made(folder: Path) -> bool:
    """Make a folder that was tidied away again; False where somebody else has its name."""
    try:
        folder.mkdir(mode=0o700)
    except OSError:
        return False
    account.give(folder)
    return True
