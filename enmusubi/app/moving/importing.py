"""Read an export into an installation that does not have its cluster: all of it, in one transaction, or nothing."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from enmusubi.app.database import Database
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.models import Cluster
from enmusubi.app.moving.manifest import file_of
from enmusubi.app.moving.opening import Export, opened_export
from enmusubi.app.moving.tables import (
    CLUSTERS,
    EXPORTED,
    MADE_BY_TRIGGERS,
    Reference,
    columns_of,
    of_cluster,
    references_of,
    table_of,
)
from enmusubi.app.moving.values import JsonObject, reader_of
from enmusubi.app.recording import Operator, record
from enmusubi.app.vocabulary import Action, RecordedKind

AT_ONCE: Final = 1_000
"""Rows in memory."""


class Imported:
    """What became of an export's rows: how many are in, and how many were left out or lost a reference, by table."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.loosened: Counter[str] = Counter()

    @property
    def is_whole(self) -> bool:
        """Whether all of the export is in."""
        return not self.left_out and not self.loosened


def import_cluster(
    database: Database,
    path: Path,
    *,
    without_foreign: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> tuple[Cluster, Imported]:
    """The cluster of an export, and what became of the rows.

    Raises ConflictError where the cluster, or something of it, is here already, and where rows refer to what is neither
    in the export nor here, as to entries of another cluster; these are left out with `without_foreign`.
    InvalidInputError names the place in a file that cannot be read.
    """
    with opened_export(path) as export, database.session() as session:
        named = export.manifest.cluster
        known = select(Cluster.name).where((Cluster.public_id == named.id) | (Cluster.name == named.name))
        if (name := session.scalar(known.limit(1))) is not None:
            raise ConflictError(f"the cluster {name!r} is here already; an export goes where its cluster is not")
        imported = Imported()
        cluster = _cluster(session, export, imported)
        for table in EXPORTED:
            if table != CLUSTERS:
                _table(session, export, table, cluster.id, imported, progress)
        for table in MADE_BY_TRIGGERS:
            if table not in EXPORTED:
                _make_room(session, table, cluster.id)
        if not imported.is_whole and not without_foreign:
            raise ConflictError(_foreign(imported))
        rows = sum(imported.rows.values())
        who = Operator(cluster.id)
        record(session, who, Action.CREATED, RecordedKind.CLUSTER, cluster.public_id, through="import", rows=rows)
        session.commit()
        return cluster, imported


def _foreign(imported: Imported) -> str:
    told = [f"{rows:,} of {table}" for table, rows in (imported.left_out + imported.loosened).items()]
    return (
        f"rows refer to what is neither in the export nor here, as to entries of another cluster: {', '.join(told)}; "
        "import that cluster first, or leave these out with --without-foreign"
    )


def _table(
    session: Session,
    export: Export,
    name: str,
    cluster_id: int,
    imported: Imported,
    progress: Callable[[str, int], None] | None,
) -> None:
    table, references = table_of(name), references_of(name)
    readers = {column.name: (reader_of(column), bool(column.nullable)) for column in columns_of(name)}
    for reference in references:
        readers[reference.column] = (uuid.UUID, bool(table.c[reference.column].nullable))
    if name in MADE_BY_TRIGGERS and file_of(name) in export.manifest.files:
        _make_room(session, name, cluster_id)
    for part in _parts(export.rows(name)):
        rows = [(line, _values(name, line, row, readers)) for line, row in part]
        _resolve(session, name, rows, references, cluster_id, imported)
        values = [row for _, row in rows if row is not None]
        if values:
            try:
                session.execute(insert(table), values)
            except (IntegrityError, DataError) as error:
                # Its words quote the row.
                constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
                raise ConflictError(
                    f"{file_of(name)}, lines {part[0][0]} to {part[-1][0]}: the database refuses a row "
                    f"({constraint or type(error.orig).__name__}); something of it is here already, or it is not valid"
                ) from None
        imported.rows[name] += len(values)
        if progress is not None:
            progress(name, imported.rows[name])


def _make_room(session: Session, name: str, cluster_id: int) -> None:
    """Take away what triggers have added to a table for the rows that are imported.

    They stay on: to disable one locks its table against everybody else's writes until the import's end. Nobody sees
    what they add before that.
    """
    session.execute(table_of(name).delete().where(of_cluster(name, cluster_id)))


def _cluster(session: Session, export: Export, imported: Imported) -> Cluster:
    _table(session, export, CLUSTERS, 0, imported, None)
    made = select(Cluster).where(Cluster.public_id == export.manifest.cluster.id)
    cluster = session.scalars(made).one_or_none()
    if cluster is None or imported.rows[CLUSTERS] != 1:
        raise InvalidInputError(f"{file_of(CLUSTERS)}: expected the one cluster that the manifest names")
    return cluster


def _parts(rows: Iterator[tuple[int, JsonObject]]) -> Iterator[list[tuple[int, JsonObject]]]:
    while part := list(islice(rows, AT_ONCE)):
        yield part


def _values(
    name: str, line: int, row: JsonObject, readers: dict[str, tuple[Callable[[Any], Any], bool]]
) -> dict[str, Any] | None:
    values = {}
    for column, value in row.items():
        read, nullable = readers[column]
        wrong = f"{file_of(name)}, line {line}, {column}: not a value of this column"
        if value is None and not nullable:
            raise InvalidInputError(wrong)
        try:
            values[column] = None if value is None else read(value)
        except (ValueError, TypeError, AttributeError):
            raise InvalidInputError(wrong) from None
    return values


def _resolve(
    session: Session,
    name: str,
    rows: list[tuple[int, dict[str, Any] | None]],
    references: list[Reference],
    cluster_id: int,
    imported: Imported,
) -> None:
    """Put the keys of this database where the export has public ids; a row without a place becomes None."""
    for reference in references:
        target = table_of(reference.table)
        wanted = {row[reference.column] for _, row in rows if row is not None and row.get(reference.column) is not None}
        query = select(target.c.public_id, target.c.id).where(target.c.public_id.in_(wanted))
        if reference.column in EXPORTED[name]:
            # By which it is of the cluster: nothing is put into another one.
            query = query.where(of_cluster(reference.table, cluster_id))
        found = session.execute(query)
        keys: dict[uuid.UUID, int] = {row.public_id: row.id for row in found}
        for place, (line, row) in enumerate(rows):
            if row is None or row.get(reference.column) is None:
                continue
            key = keys.get(row[reference.column])
            if key is None and not reference.optional:
                rows[place] = (line, None)
                imported.left_out[name] += 1
                continue
            if key is None:
                imported.loosened[name] += 1
            row[reference.column] = key
