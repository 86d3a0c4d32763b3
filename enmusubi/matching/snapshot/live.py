"""Handles that follow the published snapshots, each of a cluster."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from enmusubi.matching.snapshot.manifest import CURRENT, SnapshotError, read_current
from enmusubi.matching.snapshot.opened import Snapshot


class LiveSnapshot:
    """The published snapshot of a directory, looked for at every `check`.

    `current` is replaced in one step; whoever holds the one before finishes on it, and its memory is freed
    with the last reference. A snapshot that fails its checks is refused: `problem` says why, and the last
    good one stays in use. The directory need not exist yet.
    """

    def __init__(
        self,
        directory: Path,
        expect_fingerprint: str | None = None,
        expect_analysis: str | None = None,
        expect_database: str | None = None,
        expect_cluster: str | None = None,
    ) -> None:
        self._directory = directory
        self._expect_fingerprint = expect_fingerprint
        self._expect_analysis = expect_analysis
        self._expect_database = expect_database
        self._expect_cluster = expect_cluster
        self._state: tuple[Snapshot | None, str | None] = (None, None)
        self._seen: tuple[int, ...] | None = None
        self._checking = threading.Lock()
        self.check()

    @property
    def current(self) -> Snapshot | None:
        """The last good snapshot; None when there was none yet."""
        return self._state[0]

    @property
    def problem(self) -> str | None:
        """Why the published snapshot is not in use; None when all is well."""
        return self._state[1]

    def check(self) -> None:
        """Look at once for another published snapshot; returns when it is in use or refused."""
        with self._checking:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            self._seen = stamp
            current = self.current
            try:
                self._state = (self._published(current), None)
            except SnapshotError as error:
                self._state = (current, str(error))
                if isinstance(error.__cause__, OSError):
                    # This may pass without another publication, and costs little to try again.
                    self._seen = ()
            except Exception as error:
                # Out of memory, say. The thread must live on to follow the next publication.
                self._state = (current, f"the published snapshot cannot be opened ({type(error).__name__})")

    def _published(self, current: Snapshot | None) -> Snapshot | None:
        identifier = read_current(self._directory)
        if identifier is None:
            raise SnapshotError(f"{CURRENT} was removed")
        if current is not None and current.id == identifier:
            return current
        return Snapshot.open(
            self._directory / identifier,
            expect_fingerprint=self._expect_fingerprint,
            expect_analysis=self._expect_analysis,
            expect_database=self._expect_database,
            expect_cluster=self._expect_cluster,
        )

    def _stamp(self) -> tuple[int, ...] | None:
        """Changes whenever CURRENT is replaced; None while there is none."""
        try:
            status = os.stat(self._directory / CURRENT)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            # Reading it will say what is wrong.
            return (-1,)
        return (status.st_ino, status.st_mtime_ns, status.st_size)


class LiveSnapshots:
    """The published snapshots of clusters, each in the folder of its name, all followed by one background thread.

    None of these folders need exist yet, nor the directory they are in.
    """

    def __init__(
        self,
        directory: Path,
        expect_fingerprint: str | None = None,
        expect_analysis: str | None = None,
        expect_database: str | None = None,
        poll_seconds: float = 0.25,
    ) -> None:
        self._directory = directory
        self._expectations = (expect_fingerprint, expect_analysis, expect_database)
        self._poll_seconds = poll_seconds
        self._followed: dict[str, LiveSnapshot] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="live-snapshots", daemon=True)
        self._thread.start()

    def of(self, cluster: str) -> LiveSnapshot:
        """The snapshot of a cluster, followed from now on; what is published is in use, or refused, on return."""
        with self._lock:
            live = self._followed.get(cluster)
            if live is None:
                live = LiveSnapshot(self._directory / cluster, *self._expectations, expect_cluster=cluster)
                self._followed[cluster] = live
            return live

    @property
    def followed(self) -> Sequence[LiveSnapshot]:
        """What is followed by now."""
        with self._lock:
            return list(self._followed.values())

    def check(self) -> None:
        """Look at once for other published snapshots; returns when each is in use or refused."""
        for live in self.followed:
            live.check()

    def close(self) -> None:
        """Stop following; what is in use stays as it is."""
        self._closed.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._closed.wait(self._poll_seconds):
            self.check()
