"""Files of seeds and needs as the tests of loading write them, and how they are loaded."""

import json
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload, undefer

from enmusubi.app.catalogue.organisations import find_organisation
from enmusubi.app.database import Database
from enmusubi.app.embeddings import Kind
from enmusubi.app.models import Cluster, Need, NeedDetail, Organisation, Seed
from enmusubi.ingest.loading import Destination
from enmusubi.ingest.run import Report, load_file
from enmusubi.ingest.sources import read
from tests.app.factories import a_cluster

Row = dict[str, Any]
Entry = TypeVar("Entry", Seed, Need)


def a_file(folder: Path, rows: list[Row], name: str = "seeds.jsonl") -> Path:
    """A JSON Lines file of these rows."""
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def seeds(count: int) -> list[Row]:
    """Rows of different seeds S-1, S-2, …"""
    return [
        {"external_id": f"S-{n}", "title": f"Coating number {n}", "summary": f"Text {n}"} for n in range(1, count + 1)
    ]


class Catalogue:
    """A cluster of one database, and files loaded into it as one source."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        with database.session() as session:
            self.cluster_id = a_cluster(session).id
            session.commit()

    def load(self, rows: list[Row], kind: Kind = Seed, source: str = "office", **options: Any) -> Report:
        """Load a file of these rows."""
        name = "seeds.jsonl" if kind is Seed else "needs.jsonl"
        return self.load_path(a_file(self.folder, rows, name), kind, source, **options)

    def load_path(self, path: Path, kind: Kind = Seed, source: str = "office", **options: Any) -> Report:
        """Load a file."""
        owner = options.pop("owner", None)
        opened = read(path, "seed" if kind is Seed else "need")
        destination = Destination(self.cluster_id, source, owner)
        return load_file(self.database, opened, kind, destination, file=path.name, source_name=source, **options)

    def all(self, session: Session, kind: type[Entry]) -> list[Entry]:
        """All entries of the cluster in the order they were added, with everything that is deferred."""
        options: list[Any] = [undefer(kind.embedding), undefer(kind.source_digest), selectinload(kind.openings)]
        if kind is Need:
            options.append(selectinload(Need.detail).selectinload(NeedDetail.exclusions))
        query = select(kind).where(kind.cluster_id == self.cluster_id).options(*options).order_by(kind.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))

    def read(self, kind: type[Entry]) -> list[Entry]:
        """As `all`, in a session of its own."""
        with self.database.session() as session:
            return self.all(session, kind)

    def statuses(self, kind: Kind = Seed) -> dict[str | None, str]:
        """Each entry's status by its external id."""
        with self.database.session() as session:
            rows = session.execute(select(kind.external_id, kind.status).where(kind.cluster_id == self.cluster_id))
            return {row.external_id: row.status for row in rows}

    def organisation(self, name: str) -> Organisation | None:
        """The organisation of that name."""
        with self.database.session() as session:
            return find_organisation(session, self.cluster_id, name=name)

    def cluster(self, session: Session) -> Cluster:
        """The cluster itself."""
        cluster = session.get(Cluster, self.cluster_id)
        assert cluster is not None
        return cluster


def counts(report: Report) -> tuple[int, int, int, int]:
    """New, changed, unchanged, rejected; checked to add up to what was read."""
    assert report.read == report.new + report.changed + report.unchanged + report.rejected
    return report.new, report.changed, report.unchanged, report.rejected
