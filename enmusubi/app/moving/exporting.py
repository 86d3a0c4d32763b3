"""Write a whole cluster into a zip of JSON Lines, row by row, as the database shows it at one moment."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

import enmusubi
from enmusubi.app.clock import Clock
from enmusubi.app.database import Database
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import Cluster
from enmusubi.app.moving import manifest as manifests
from enmusubi.app.moving.manifest import ClusterNamed, FileListed, Manifest, file_of
from enmusubi.app.moving.tables import EXPORTED, columns_of, of_cluster, references_of, table_of
from enmusubi.app.moving.values import line_of
from enmusubi.app.recording import Operator, record
from enmusubi.app.vocabulary import Action, RecordedKind

AT_ONCE: Final = 1_000
"""Rows in memory."""
_DATED: Final = (1980, 1, 1, 0, 0, 0)  # the same rows are the same file, whenever it is written


def export_cluster(
    database: Database, cluster: Cluster, path: Path, clock: Clock, progress: Callable[[str, int], None] | None = None
) -> Manifest:
    """Write the cluster's export, readable by its owner alone; InvalidInputError where the file is there already.

    A file of that name is whole: it is written under another one, and renamed. That it was made is recorded.
    """
    with _whole(path) as out:
        with database.session() as session:
            # One view of the database, whatever is written meanwhile.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                files = {file_of(name): _table(session, archive, name, cluster.id, progress) for name in EXPORTED}
                made = Manifest(
                    made=clock.now(),
                    software=enmusubi.__version__,
                    cluster=ClusterNamed(id=cluster.public_id, name=cluster.name),
                    files=files,
                )
                archive.writestr(_entry(manifests.NAME), made.model_dump_json(indent=2) + "\n")
        with database.session() as session:
            rows = sum(file.rows for file in files.values())
            who = Operator(cluster.id)
            record(session, who, Action.EXPORTED, RecordedKind.CLUSTER, cluster.public_id, rows=rows)
            session.commit()
    return made


def selected(name: str, cluster_id: int) -> Select[Any]:
    """The rows of a table that are of a cluster, in the order in which they were made, with public ids for keys."""
    table = table_of(name)
    chosen: list[Any] = []
    referred = {reference.column: reference for reference in references_of(name)}
    source: Any = table
    named: dict[str, Any] = {}
    for column in columns_of(name):
        reference = referred.get(column.name)
        if reference is None:
            chosen.append(column)
            continue
        other = table_of(reference.table).alias(f"of_{column.name}")
        source = source.outerjoin(other, other.c.id == column)
        named[column.name] = other.c.public_id
        chosen.append(other.c.public_id.label(column.name))
    if "id" in table.columns:
        order = [table.c.id]
    else:
        # Parts of a row follow it; what stands beside each other, by the id that every database knows.
        first, *rest = table.primary_key.columns
        order = [first, *(named.get(column.name, column) for column in rest)]
    return select(*chosen).select_from(source).where(of_cluster(name, cluster_id)).order_by(*order)


def _table(
    session: Session,
    archive: zipfile.ZipFile,
    name: str,
    cluster_id: int,
    progress: Callable[[str, int], None] | None,
) -> FileListed:
    digest, rows = hashlib.sha256(), 0
    found = session.execute(selected(name, cluster_id), execution_options={"yield_per": AT_ONCE})
    with archive.open(_entry(file_of(name)), "w", force_zip64=True) as file:
        for part in found.mappings().partitions():
            for row in part:
                line = line_of(dict(row))
                digest.update(line)
                file.write(line)
            rows += len(part)
            if progress is not None:
                progress(name, rows)
    return FileListed(rows=rows, sha256=digest.hexdigest(), columns=[column.name for column in columns_of(name)])


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATED)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when all of it is on the disk; nothing is left of it otherwise."""
    part = path.with_name(path.name + ".part")
    if path.exists():
        raise InvalidInputError(f"{path.name} is there already; name another file")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInputError(f"{part.name} is there already: another export writes it, or was killed") from None
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
