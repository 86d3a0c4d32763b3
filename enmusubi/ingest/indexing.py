"""From stored embeddings to a published snapshot."""

from sqlalchemy import BigInteger, literal_column, select, update

from enmusubi.app import freshness
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, identity
from enmusubi.app.embeddings import Kind, analysis, read_rows
from enmusubi.app.models import Need, Seed
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.snapshot import Manifest, Snapshot, SnapshotError, build
from enmusubi.matching.snapshot.manifest import read_current, read_manifest

KINDS: tuple[Kind, Kind] = (Seed, Need)


def publish(database: Database, settings: Settings, encoder: Encoder) -> Manifest | None:
    """Build a snapshot of all published, embedded rows and publish it; None where nothing has changed."""
    _mend_stamps(database)
    if _is_current(database, settings, encoder):
        return None
    with database.session() as session:
        # One view of the database for the watermark and all rows.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        return build(
            settings.snapshots,
            encoder=encoder,
            analysis=analysis(),
            seeds=read_rows(session, Seed, encoder),
            needs=read_rows(session, Need, encoder),
            watermark=freshness.watermark(session),
            database=identity(session),
            keep=settings.snapshots_kept,
        )


def current(settings: Settings) -> Manifest | None:
    """What the published snapshot says of itself; None where there is none or it cannot be read."""
    try:
        name = read_current(settings.snapshots)
        return read_manifest(settings.snapshots / name) if name else None
    except SnapshotError:
        return None


def _is_current(database: Database, settings: Settings, encoder: Encoder) -> bool:
    manifest = current(settings)
    if manifest is None or manifest.fingerprint != encoder.fingerprint:
        return False
    if manifest.analysis != analysis():
        return False
    with database.session() as session:
        if manifest.database != identity(session) or manifest.watermark > freshness.next_transaction(session):
            return False
        for kind in KINDS:
            if session.scalar(select(kind.id).where(kind.changed_xid >= manifest.watermark).limit(1)) is not None:
                return False
    try:
        Snapshot.open(settings.snapshots / manifest.id)  # a damaged one is replaced
    except SnapshotError:
        return False
    return True


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
