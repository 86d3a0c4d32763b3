"""The index of each cluster: a snapshot, and rows newer than it, kept in memory and topped up at every request."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, LargeBinary, Row, Select, Text, bindparam, column, func, literal_column, select
from sqlalchemy.orm import Session

from enmusubi.app.embeddings import Kind, analysis, role_of, rows_of
from enmusubi.app.models import Cluster, Need, Seed
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.matching.encoder import Encoder, Role
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.snapshot import LiveSnapshot, LiveSnapshots, Snapshot
from enmusubi.matching.stand_ins import stand_ins
from enmusubi.matching.statistics import Statistics

logger = logging.getLogger(__name__)

_OLDEST_RUNNING = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
# A function of the database, because no caller may read the changes of everybody: it gives nothing but what the index
# of a cluster holds. All in one statement, so that the oldest running transaction is that of the rows' own view.
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
        getattr(func, f"changed_{kind.__tablename__}")(
            bindparam("watermark", type_=BigInteger), bindparam("of_cluster", type_=BigInteger)
        ).table_valued(*_COLUMNS)
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
    """A snapshot of a cluster and the store of what is newer; the two are used, and replaced, together.

    With `needs_unknown` it holds seeds alone, and statistics that no need has changed: whoever is ranked by it learns
    nothing of needs.
    """

    cluster_id: int
    needs_unknown: bool
    published: Snapshot | None
    """The snapshot as it was published, which `snapshot` is, or is made of."""
    snapshot: Snapshot | None
    fresh: FreshStore
    watermarks: dict[Kind, int]
    seen: dict[tuple[Kind, int], int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def snapshot_id(self) -> str | None:
        """The id of the snapshot, None where all is scored as fresh."""
        return self.snapshot.id if self.snapshot else None

    @property
    def statistics(self) -> Statistics:
        """What ranks: the snapshot's statistics, or those of the rows."""
        return self.snapshot.statistics if self.snapshot else self.fresh.statistics()

    def known(self, role: Role, keys: Sequence[int]) -> set[int]:
        """Those of the keys that the snapshot holds a row of, or the store has a word on."""
        asked = np.array(keys, dtype=np.int64)
        found = np.isin(asked, self.fresh.keys(role))
        if self.snapshot is not None:
            found |= np.isin(asked, self.snapshot.keys(role))
        return set(asked[found].tolist())


class Freshness:
    """Hands out the index of a cluster with every committed change in it; safe for concurrent requests."""

    def __init__(self, live: LiveSnapshots, encoder: Encoder) -> None:
        self._live = live
        self._encoder = encoder
        self._lock = threading.Lock()
        self._followed: dict[int, LiveSnapshot] = {}
        self._indexes: dict[tuple[int, bool], Index] = {}
        self._stand_ins = stand_ins(encoder.model, encoder.revision, encoder.dimension)

    def follow_all(self, session: Session) -> list[LiveSnapshot]:
        """The snapshot of every cluster there is; that of a later one is opened when it is first asked for."""
        clusters = session.execute(select(Cluster.id, Cluster.public_id).order_by(Cluster.id)).all()
        for cluster_id, public_id in clusters:
            self._followed[cluster_id] = self._live.of(str(public_id))
        return [self._followed[cluster_id] for cluster_id, _ in clusters]

    def published(self, session: Session) -> dict[int, str]:
        """The id of the snapshot of each cluster that has one, by the cluster's key."""
        self.follow_all(session)
        snapshots = {key: live.current for key, live in list(self._followed.items())}
        return {key: snapshot.id for key, snapshot in snapshots.items() if snapshot is not None}

    def current(self, session: Session, kind: Kind, cluster_id: int, *, needs_unknown: bool = False) -> Index:
        """The index of a cluster, its fresh rows of `kind` brought up to what `session` sees now.

        One where needs are unknown is another index, into which none is ever put.
        """
        live = self._followed.get(cluster_id)
        if live is None:
            live = self._follow(session, cluster_id)
        with self._lock:
            index = self._indexes.get((cluster_id, needs_unknown))
            if index is None or live.current is not index.published:
                index = self._new_index(cluster_id, needs_unknown, live.current)
                self._indexes[cluster_id, needs_unknown] = index
        # With no snapshot the statistics come from the fresh rows of both sides.
        for each in (Seed,) if needs_unknown else (kind,) if index.snapshot else (Seed, Need):
            self._top_up(session, index, each)
        return index

    def _follow(self, session: Session, cluster_id: int) -> LiveSnapshot:
        public_id = session.execute(select(Cluster.public_id).where(Cluster.id == cluster_id)).scalar_one()
        live = self._followed[cluster_id] = self._live.of(str(public_id))
        return live

    def _new_index(self, cluster_id: int, needs_unknown: bool, published: Snapshot | None) -> Index:
        low = published.manifest.watermark if published else 0
        snapshot, invented = published, None
        if needs_unknown:
            invented = self._stand_ins
            snapshot = published.without_needs(invented) if published else None
        fresh = FreshStore(self._encoder.dimension, snapshot.statistics if snapshot else None, invented)
        return Index(cluster_id, needs_unknown, published, snapshot, fresh, {Seed: low, Need: low})

    def _top_up(self, session: Session, index: Index, kind: Kind) -> None:
        # Read and applied by one request at a time, so that a later reading is never followed by an earlier one.
        with index.lock:
            since = {"watermark": index.watermarks[kind], "of_cluster": index.cluster_id}
            rows = session.connection().execute(_CHANGED[kind], since).all()
            if rows:
                self._apply(index, kind, rows)

    def _apply(self, index: Index, kind: Kind, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
        role = role_of(kind)
        elsewhere = [row.id for row in rows if row.status is None]
        taken_back = index.known(role, elsewhere) if elsewhere else set()
        changed = []
        for row in rows:
            # Of another cluster, and not opened to this one: of what this index never held, it keeps not even the key.
            if row.status is None and row.id not in taken_back:
                continue
            # Read again because a transaction is still running that is older than this change. Not `>=`: a
            # transaction may be older and yet the last to write the row.
            if index.seen.get((kind, row.id)) == row.changed_xid:
                continue
            index.seen[kind, row.id] = row.changed_xid
            if (
                row.status != EntryStatus.PUBLISHED  # or expired: may not be matched, and counts in no statistics
                or row.embedding is None
                or row.embedding_encoder != self._encoder.fingerprint
                or row.terms_analysis != analysis()
            ):
                index.fresh.put(role, row.id, None)
            else:
                changed.append((row.id, row.embedding, row.text_language, row.terms))
        if changed:
            self._put(index.fresh, role, changed)
        index.watermarks[kind] = max(index.watermarks[kind], rows[0].oldest_running)

    def alone(self, index: Index, kind: Kind, rows: Sequence[Row[*tuple[Any, ...]]]) -> FreshStore:
        """A store of these rows (id, embedding, language, terms) alone, scored by the statistics of an index."""
        store = FreshStore(self._encoder.dimension, index.statistics)
        if rows:
            self._put(store, role_of(kind), rows)
        return store

    def _put(self, store: FreshStore, role: Role, changed: Sequence[Sequence[Any]]) -> None:
        try:
            store.put_many(role, rows_of(changed, self._encoder.dimension))
        except ValueError:
            # One stored vector is damaged: it alone is left out, and named.
            for row in changed:
                try:
                    store.put_many(role, rows_of([row], self._encoder.dimension))
                except ValueError:
                    # Without the traceback, which would quote the vector.
                    logger.error("the stored vector of %s %d is damaged: left out", role, row[0])  # noqa: TRY400
                    store.put(role, row[0], None)
