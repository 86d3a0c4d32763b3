"""Rows newer than the snapshot in use: read once, kept in memory, topped up at every request."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import BigInteger, Row, Select, bindparam, literal_column, select
from sqlalchemy.orm import Session

from enmusubi.app.embeddings import Kind, role_of, to_vector
from enmusubi.app.models import Need, Seed
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.fresh import FreshVectors
from enmusubi.matching.snapshot import LiveSnapshot, Snapshot

# Both read in one statement, so that the oldest running transaction is that of the rows' own view.
_OLDEST_RUNNING = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
_Change = Row[int, bytes | None, str | None, int, int]
_CHANGED: dict[Kind, Select[int, bytes | None, str | None, int, int]] = {
    kind: select(
        kind.id,
        kind.embedding,
        kind.embedding_encoder,
        kind.changed_xid,
        _OLDEST_RUNNING.label("oldest_running"),
    ).where(kind.changed_xid >= bindparam("watermark"))
    for kind in (Seed, Need)
}


def watermark(session: Session) -> int:
    """The oldest running transaction: rows changed by older ones are all visible now or gone for good.

    Read it in the transaction (repeatable read) that reads the rows of a snapshot.
    """
    return int(session.execute(select(_OLDEST_RUNNING)).scalar_one())


def next_transaction(session: Session) -> int:
    """The first transaction id not yet given out. A snapshot from beyond it was built before the database's files
    were put back to an earlier day, and does not belong to it."""
    newest = literal_column("pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger)
    return int(session.execute(select(newest)).scalar_one())


@dataclass(slots=True)
class Index:
    """A snapshot and the store of what is newer; the two are used, and replaced, together."""

    snapshot: Snapshot | None
    fresh: FreshVectors
    watermarks: dict[Kind, int]
    seen: dict[tuple[Kind, int], int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def snapshot_id(self) -> str | None:
        """The id of the snapshot, None where all is scored as fresh."""
        return self.snapshot.id if self.snapshot else None


class Freshness:
    """Hands out the index in use with every committed change in it; safe for concurrent requests."""

    def __init__(self, live: LiveSnapshot, encoder: Encoder) -> None:
        self._live = live
        self._encoder = encoder
        self._lock = threading.Lock()
        self._index = self._new_index(live.current)

    def _new_index(self, snapshot: Snapshot | None) -> Index:
        low = snapshot.manifest.watermark if snapshot else 0
        return Index(snapshot, FreshVectors(self._encoder.dimension), {Seed: low, Need: low})

    def current(self, session: Session, kind: Kind) -> Index:
        """The index, its fresh rows of `kind` brought up to what `session` sees now."""
        with self._lock:
            if self._live.current is not self._index.snapshot:
                self._index = self._new_index(self._live.current)
            index = self._index
        # Read and applied by one request at a time, so that a later reading is never followed by an earlier one.
        with index.lock:
            rows = session.connection().execute(_CHANGED[kind], {"watermark": index.watermarks[kind]}).all()
            if rows:
                self._apply(index, kind, rows)
        return index

    def _apply(self, index: Index, kind: Kind, rows: Sequence[_Change]) -> None:
        role = role_of(kind)
        keys: list[int] = []
        vectors: list[bytes] = []
        for key, embedding, encoder, changed, _ in rows:
            # Read again because a transaction is still running that is older than this change. Not `>=`: a
            # transaction may be older and yet the last to write the row.
            if index.seen.get((kind, key)) == changed:
                continue
            index.seen[kind, key] = changed
            if embedding is None or encoder != self._encoder.fingerprint:
                index.fresh.put(role, key, None)
            else:
                keys.append(key)
                vectors.append(embedding)
        if keys:
            matrix = to_vector(b"".join(vectors)).reshape(len(keys), self._encoder.dimension)
            index.fresh.put_many(role, np.array(keys, dtype=np.int64), matrix)
        index.watermarks[kind] = max(index.watermarks[kind], rows[0][4])
