"""Immutable indexes: build and publish, open verified, follow the current one."""

from enmusubi.matching.snapshot.building import EncoderIdentity, build, remove_published
from enmusubi.matching.snapshot.live import LiveSnapshot, LiveSnapshots
from enmusubi.matching.snapshot.manifest import Manifest, SnapshotError
from enmusubi.matching.snapshot.opened import Snapshot

__all__ = [
    "EncoderIdentity",
    "LiveSnapshot",
    "LiveSnapshots",
    "Manifest",
    "Snapshot",
    "SnapshotError",
    "build",
    "remove_published",
]
