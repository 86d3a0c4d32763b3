"""The way to its files for the account that the server runs as: by name, where a folder is closed to others.

Written as the kernel keeps access control lists (`acl(5)`): there is no package for it that brings no compiler, and
the command that does it is not on every machine.
"""

import os
import stat
import struct
import sys
from pathlib import Path
from typing import Final

_NAME: Final = "system.posix_acl_access"
_HEADER: Final = struct.Struct("<I")
_ENTRY: Final = struct.Struct("<HHI")
_VERSION: Final = 2
_OWNER, _USER, _GROUP_OWNER, _MASK, _OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID: Final = 0xFFFFFFFF
_PASS: Final = 1  # execute, for a folder: go through, not look in

Entry = tuple[int, int, int]


def let_pass(folder: Path, uid: int) -> None:
    """Let one account pass through a folder, and change nothing for any other.

    Raises OSError where the file system keeps no such lists, or the folder is not ours to change.
    """
    if sys.platform != "linux":
        raise OSError(f"no access control lists on {sys.platform}")
    entries = _read(folder)
    rights = next((rights for tag, rights, key in entries if (tag, key) == (_USER, uid)), 0) | _PASS
    entries = [entry for entry in entries if (entry[0], entry[2]) != (_USER, uid)]
    # A list with names has a mask, which bounds what they and the group get: it was the group's rights so far.
    bound = next(rights for tag, rights, _ in sorted(entries, reverse=True) if tag in (_MASK, _GROUP_OWNER))
    entries = [entry for entry in entries if entry[0] != _MASK]
    entries += [(_USER, rights, uid), (_MASK, bound | _PASS, _NO_ID)]
    entries.sort(key=lambda entry: (entry[0], entry[2]))
    packed = _HEADER.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in entries)
    os.setxattr(folder, _NAME, packed)


def _read(folder: Path) -> list[Entry]:
    try:
        packed = os.getxattr(folder, _NAME)
    except OSError:
        mode = stat.S_IMODE(folder.stat().st_mode)
        return [
            (_OWNER, mode >> 6 & 7, _NO_ID),
            (_GROUP_OWNER, mode >> 3 & 7, _NO_ID),
            (_OTHERS, mode & 7, _NO_ID),
        ]
    return [_ENTRY.unpack_from(packed, place) for place in range(_HEADER.size, len(packed), _ENTRY.size)]
