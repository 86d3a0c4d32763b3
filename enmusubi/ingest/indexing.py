"""From stored embeddings to published snapshots, one of each cluster."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import BigInteger, and_, literal_column, or_, select, update

from enmusubi.app import freshness, visibility
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, identity
from enmusubi.app.embeddings import Kind, analysis, read_rows, role_of
from enmusubi.app.models import Cluster, Need, Seed
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.snapshot import Manifest, Snapshot, SnapshotError, build, remove_published
from enmusubi.matching.snapshot.manifest import read_current, read_manifest

KINDS: tuple[Kind, Kind] = (Seed, Need)


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot that was published, and whose."""

    cluster: Cluster
    manifest: Manifest


def publish(database: Database, settings: Settings, encoder: Encoder) -> list[Published]:
    """Publish, for each cluster that has changed, a snapshot of its published, embedded rows and those opened to it."""
    _mend_stamps(database)
    # Here, so that the folder of all clusters is for its owner alone, as that of each is.
    settings.snapshots.mkdir(mode=0o700, parents=True, exist_ok=True)
    with database.session() as session:
        clusters = session.scalars(select(Cluster).order_by(Cluster.id)).all()
    published = [
        Published(cluster, _build(database, settings, encoder, cluster))
        for cluster in clusters
        if not _is_current(database, settings, encoder, cluster)
    ]
    # What a version before had published of all clusters together: nothing reads it any more.
    remove_published(settings.snapshots)
    return published


def current(settings: Settings, cluster: uuid.UUID) -> Manifest | None:
    """What the published snapshot of a cluster says of itself; None where there is none or it cannot be read."""
    folder = settings.snapshots / str(cluster)
    try:
        name = read_current(folder)
        return read_manifest(folder / name) if name else None
    except SnapshotError:
        return None


def _build(database: Database, settings: Settings, encoder: Encoder, cluster: Cluster) -> Manifest:
    with database.session() as session:
        # One view of the database for the watermark and all rows.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return build(
            settings.snapshots / str(cluster.public_id),
            encoder=encoder,
            analysis=analysis(),
            seeds=read_rows(session, Seed, encoder, cluster.id),
            needs=read_rows(session, Need, encoder, cluster.id),
            watermark=freshness.watermark(session),
            database=identity(session),
            cluster=str(cluster.public_id),
            keep=settings.snapshots_kept,
        )


def _is_current(database: Database, settings: Settings, encoder: Encoder, cluster: Cluster) -> bool:
    manifest = current(settings, cluster.public_id)
    if manifest is None or manifest.fingerprint != encoder.fingerprint or manifest.analysis != analysis():
        return False
    gone: dict[Kind, Sequence[int]] = {}
    with database.session() as session:
        if manifest.database != identity(session) or manifest.watermark > freshness.next_transaction(session):
            return False
        for kind in KINDS:
            changed, here = kind.changed_xid >= manifest.watermark, visibility.in_cluster(kind, cluster.id)
            if session.scalar(select(kind.id).where(changed, here).limit(1)) is not None:
                return False
            # Nothing is written when the day of an entry is over.
            over = and_(here, kind.status == EntryStatus.PUBLISHED, ~visibility.published(kind))
            # One whose opening was taken back is the cluster's no more.
            gone[kind] = session.scalars(select(kind.id).where(or_(and_(changed, ~here), over))).all()
    try:
        snapshot = Snapshot.open(  # a damaged one is replaced
            settings.snapshots / str(cluster.public_id) / manifest.id, expect_cluster=str(cluster.public_id)
        )
    except SnapshotError:
        return False
    return not any(
        np.isin(snapshot.keys(role_of(kind)), np.array(keys, dtype=np.int64)).any() for kind, keys in gone.items()
    )


def _mend_stamps(database: Database) -> None:
    """Stamp rows anew whose stamp lies in the future: a dump restored on a server that counts lower."""
    newest = literal_column("pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger)
    with database.engine.begin() as connection:
        for kind in KINDS:
            connection.execute(
                update(kind)
                .where(kind.changed_xid >= newest)
                .values(status=kind.status, last_modified=kind.last_modified)
            )
