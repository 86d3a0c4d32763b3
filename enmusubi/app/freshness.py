"""Rows newer than the snapshot in use: read once, kept in memory, topped up at every request."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Row, Select, Text, bindparam, column, func, literal_column, select
from sqlalchemy.orm import Session

from enmusubi.app.embeddings import Kind, analysis, role_of, rows_of
from enmusubi.app.models import Need, Seed
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.matching.encoder import Encoder, Role
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.snapshot import LiveSnapshot, Snapshot

logger = logging.getLogger(__name__)

_OLDEST_RUNNING = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
# A function of the database, because no caller may read the changes of everybody: it gives nothing but what the index
# holds. All in one statement, so that the oldest running transaction is that of the rows' own view.
_COLUMNS = (
    column("id", BigInteger),
    column("status", Text),
    column("embedding", LargeBinary),
    column("text_language", Text),
    column("terms", Text),
    column("embedding_encoder", Text),
    column("terms_analysis", Text),
    column("changed_xid", BigInteger),
    column("oldest_running", BigInteger),
)
_CHANGED: dict[Kind, Select[*tuple[Any, ...]]] = {
    kind: select(
        getattr(func, f"changed_{kind.__tablename__}")(bindparam("watermark", type_=BigInteger)).table_valued(*_COLUMNS)
    )
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
    fresh: FreshStore
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
        statistics = snapshot.statistics if snapshot else None
        return Index(snapshot, FreshStore(self._encoder.dimension, statistics), {Seed: low, Need: low})

    def current(self, session: Session, kind: Kind) -> Index:
        """The index, its fresh rows of `kind` brought up to what `session` sees now."""
        with self._lock:
            if self._live.current is not self._index.snapshot:
                self._index = self._new_index(self._live.current)
            index = self._index
        # With no snapshot the statistics come from the fresh rows of both sides.
        for each in (kind,) if index.snapshot else (Seed, Need):
            self._top_up(session, index, each)
        return index

    def _top_up(self, session: Session, index: Index, kind: Kind) -> None:
        # Read and applied by one request at a time, so that a later reading is never followed by an earlier one.
        with index.lock:
            rows = session.connection().execute(_CHANGED[kind], {"watermark": index.watermarks[kind]}).all()
            if rows:
                self._apply(index, kind, rows)

    def _apply(self, index: Index, kind: Kind, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
        role = role_of(kind)
        changed = []
        for row in rows:
            # Read again because a transaction is still running that is older than this change. Not `>=`: a
            # transaction may be older and yet the last to write the row.
            if index.seen.get((kind, row.id)) == row.changed_xid:
                continue
            index.seen[kind, row.id] = row.changed_xid
            if (
                row.status != EntryStatus.PUBLISHED  # may not be matched, and counts in no statistics
                or row.embedding is None
                or row.embedding_encoder != self._encoder.fingerprint
                or row.terms_analysis != analysis()
            ):
                index.fresh.put(role, row.id, None)
            else:
                changed.append((row.id, row.embedding, row.text_language, row.terms))
        if changed:
            self._put(index, role, changed)
        index.watermarks[kind] = max(index.watermarks[kind], rows[0].oldest_running)

    def _put(self, index: Index, role: Role, changed: Sequence[tuple[Any, ...]]) -> None:
        try:
            index.fresh.put_many(role, rows_of(changed, self._encoder.dimension))
        except ValueError:
            # One stored vector is damaged: it alone is left out, and named.
            for row in changed:
                try:
                    index.fresh.put_many(role, rows_of([row], self._encoder.dimension))
                except ValueError:
                    # Without the traceback, which would quote the vector.
                    logger.error("the stored vector of %s %d is damaged: left out", role, row[0])  # noqa: TRY400
                    index.fresh.put(role, row[0], None)
