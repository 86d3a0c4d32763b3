"""Whose account the server runs as: this process's own, or one without rights where this process is root's.

PostgreSQL refuses to run as root. No folder above our own is opened to others: where one bars the way, the server's
account alone is let pass through it; where that cannot be, the start is refused, and the error names the folder.
"""

import os
import pwd
import shutil
import stat
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

from enmusubi.app.embedded.passage import let_pass
from enmusubi.app.errors import ConfigurationError

NAME = "pgserver"  # as the wheel's library names it: folders that it made belong to it


@cache
def of_server() -> pwd.struct_passwd | None:
    """The account of the server; None where it is that of this process. Made where root has none yet."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    maker = shutil.which("useradd")
    if maker is None:
        raise ConfigurationError(
            f"PostgreSQL does not run as root, and there is no account {NAME}; make one, or start as another account"
        )
    shell = shutil.which("nologin") or "/bin/false"
    making = [maker, "--system", "--no-create-home", "--shell", shell, NAME]
    subprocess.run(making, check=False, capture_output=True)  # noqa: S603 no word of it comes from outside
    try:
        return pwd.getpwnam(NAME)  # made by us, or by another process meanwhile
    except KeyError:
        raise ConfigurationError(
            f"PostgreSQL does not run as root, and the account {NAME} could not be made; start as another account"
        ) from None


def give(path: Path) -> None:
    """Give a file or folder to the server's account."""
    account = of_server()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def make_home(home: Path) -> None:
    """Make the installation's folder, closed to others; of one that is there, nobody's rights are taken away.

    The server's account may pass through it, no more. That is the one folder that is opened to it, and only where
    the folder's group has no rights yet that it would get.
    """
    with suppress(FileExistsError):
        home.mkdir(mode=0o700, parents=True)
    account = of_server()
    if account is None or not home.is_dir():
        return
    found = home.stat()
    if found.st_uid == 0 and not found.st_mode & 0o071:
        os.chown(home, -1, account.pw_gid)
        home.chmod(stat.S_IMODE(found.st_mode) | 0o010)


def make_passage(*paths: Path) -> None:
    """See that the server's account can reach these paths: it alone is let pass through a folder that bars the way.

    Raises ConfigurationError, with the folder and its fix, where it cannot be.
    """
    account = of_server()
    if account is None:
        return
    for path in paths:
        for _ in range(len(path.parents) + 1):
            if _reaches(account, path):
                break
            barring = next((folder for folder in _way_to(path) if not _reaches(account, folder)), path)
            try:
                let_pass(barring, account.pw_uid)
            except OSError:
                break
        if not _reaches(account, path):
            barring = next((folder for folder in _way_to(path) if not _reaches(account, folder)), path)
            raise ConfigurationError(
                f"started as root, the embedded PostgreSQL runs as the account {NAME}, which cannot pass through "
                f"{barring}; start as another account, or `chmod o+x {barring}`, or install elsewhere"
            )


def _reaches(account: pwd.struct_passwd, path: Path) -> bool:
    tried = subprocess.run(  # noqa: S603 the path is an argument, not a script
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return tried.returncode == 0


def _way_to(path: Path) -> list[Path]:
    return [*reversed(path.parents), path]
