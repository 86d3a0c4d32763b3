"""One ingest run, from a file to a published snapshot, with the report that is printed and kept."""

import datetime
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.embeddings import Kind
from enmusubi.app.models import Need, Seed
from enmusubi.ingest.loading import Destination, check, load
from enmusubi.ingest.rows import Loaded
from enmusubi.ingest.sources import Problem, Source

Progress = Callable[[int], None]


@dataclass(slots=True)
class Report:
    """What a run did with one file; every row of the file is counted once."""

    file: str
    kind: str
    source: str
    format: str
    encoding: str | None
    headings: list[dict[str, Any]]
    notes: list[str]
    started: str
    refused: bool = False  # --strict, and at least one bad row
    dry_run: bool = False
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    kept_withdrawn: int = 0
    reopened: int = 0
    without_organisation: int = 0
    withdrawn: int = 0
    gone: list[str] = field(default_factory=list)
    organisations_added: list[str] = field(default_factory=list)
    identifying: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    preview: list[dict[str, Any]] = field(default_factory=list)
    embedded: int = 0
    snapshot: str | None = None
    seconds: float = 0.0

    def save(self, settings: Settings) -> Path:
        """Keep the report as JSON; readable by its owner alone, since it quotes values."""
        folder = settings.home / "reports"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        moment = self.started.replace(":", "").replace("-", "")
        path = folder / f"{moment}-{os.getpid()}-{self.kind}.json"
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return path


def load_file(
    database: Database | None,
    source: Source,
    kind: Kind,
    destination: Destination | None,
    *,
    file: str,
    source_name: str,
    complete: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Load one file, or only look at it where there is no database; rows are embedded and published later."""
    began = time.perf_counter()
    started = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    dry_run = database is None or destination is None
    looked_at: Loaded | None = None
    if dry_run or strict:
        looked_at = check(source, kind, file, database, destination, progress if dry_run else None)
    refused = strict and looked_at is not None and bool(looked_at.rejected)
    if looked_at is not None and (dry_run or refused):
        loaded = looked_at
        if refused:
            loaded.new = 0
    else:
        assert database is not None
        assert destination is not None
        loaded = load(database, source, kind, destination, file=file, complete=complete, progress=progress)
    return Report(
        file=file,
        kind="seeds" if kind is Seed else "needs",
        source=source_name,
        format=source.format,
        encoding=source.encoding,
        headings=[asdict(heading) for heading in source.headings],
        notes=list(source.notes),
        started=started,
        refused=refused,
        dry_run=dry_run,
        read=loaded.read,
        new=loaded.new,
        changed=loaded.changed,
        unchanged=loaded.unchanged,
        rejected=loaded.rejected_rows,
        kept_withdrawn=loaded.kept_withdrawn,
        reopened=loaded.reopened,
        without_organisation=loaded.without_organisation,
        withdrawn=loaded.withdrawn,
        gone=loaded.gone,
        organisations_added=loaded.organisations_added,
        identifying=[{"line": line, "id": name} for line, name in loaded.identifying],
        problems=[_problem(problem) for problem in loaded.rejected],
        preview=[
            {"line": line, "id": name, "title": title, "fields": fields} for line, name, title, fields in loaded.preview
        ],
        seconds=time.perf_counter() - began,
    )


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "value": problem.value,
        "reason": problem.reason,
    }


def kind_of(name: str) -> Kind:
    """The kind of entry that `seeds` or `needs` names."""
    return Seed if name == "seeds" else Need
