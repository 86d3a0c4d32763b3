"""`enmusubi ingest` and `enmusubi index`: files in, a published snapshot and a report out."""

import datetime
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app import embeddings, idempotency, passages
from enmusubi.app.cli import showing
from enmusubi.app.cli.accounts import find_organisation
from enmusubi.app.cli.opening import find_cluster, opened, read_settings
from enmusubi.app.clock import SystemClock
from enmusubi.app.cluster_map.chores import DRAWING
from enmusubi.app.cluster_map.drawing import draw_next
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.errors import InvalidInputError, NotFoundError
from enmusubi.app.models import Cluster, Seed
from enmusubi.app.runtime import encoder_for
from enmusubi.app.vocabulary import FileContent
from enmusubi.app.working.chores import Chore
from enmusubi.ingest import indexing, sources
from enmusubi.ingest.loading import Destination
from enmusubi.ingest.organisations import load_organisations
from enmusubi.ingest.run import Report, kind_of, load_file
from enmusubi.matching.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an ingest."""

    cluster: str | None = None
    source: str | None = None
    organisation: str | None = None
    mapping: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    dry_run: bool = False
    strict: bool = False
    complete: bool = False
    index: bool = True


def ingest(kind: FileContent, files: list[Path], options: Options) -> bool:
    """Ingest files and print their reports; False where a row was rejected or a file refused."""
    settings = read_settings()
    console = Console()
    if kind is FileContent.ORGANISATIONS:
        _ingest_organisations(settings, files, options, console)
        return True
    if options.dry_run:
        reports = [_ingest_file(settings, None, kind, path, options) for path in files]
        for report in reports:
            showing.show_report(console, report)
        return not any(report.rejected for report in reports)
    reports = []
    with opened(settings) as database:
        try:
            for path in files:
                reports.append(_ingest_file(settings, database, kind, path, options))
            if options.index:
                began = time.perf_counter()
                embedded, published = embed_and_publish(settings, database)
                reports[-1].embedded = embedded
                reports[-1].snapshot = _snapshot_of(database, options.cluster, published)
                reports[-1].seconds += time.perf_counter() - began
        finally:
            # Also where a later file, or the model, fails: what is stored by then has its report.
            for report in reports:
                kept = report.save(settings)
                showing.show_report(console, report)
                console.print(f"  report kept as {kept}", style="dim", highlight=False, soft_wrap=True)
        if options.index:
            show_published(console, database, embedded, published)
    return not any(report.rejected or report.refused for report in reports)


def _ingest_organisations(settings: Settings, files: list[Path], options: Options, console: Console) -> None:
    if options != Options(cluster=options.cluster, dry_run=options.dry_run, index=options.index):
        raise InvalidInputError("organisations take only --cluster and --dry-run; leave the other options out")
    with opened(settings) as database, database.session() as session:
        cluster = find_cluster(session, options.cluster)
        for path in files:
            loaded = load_organisations(session, cluster.id, path)
            console.print(
                f"{path.name}: {loaded.new} organisations new, {loaded.changed} changed, {loaded.unchanged} unchanged",
                highlight=False,
            )
        if not options.dry_run:
            session.commit()


def _ingest_file(
    settings: Settings, database: Database | None, kind: FileContent, path: Path, options: Options
) -> Report:
    row_kind = kind_of(kind)
    source = sources.read(
        path,
        "seed" if row_kind is Seed else "need",
        mapping=_mapping(options.mapping),
        sheet=options.sheet,
        encoding=options.encoding,
    )
    name = options.source or source_name(path)
    destination = None
    if database is not None:
        with database.session() as session:
            cluster = find_cluster(session, options.cluster)
            owner = None
            if options.organisation is not None:
                owner = find_organisation(session, cluster, options.organisation)
                if owner is None:
                    raise NotFoundError(
                        f"no organisation {options.organisation!r} in the cluster; "
                        "ingest it with `enmusubi ingest organisations` or name it in the file"
                    )
            destination = Destination(cluster.id, name, owner.id if owner else None)
    with ExitStack() as stack:
        advance = stack.enter_context(showing.progress(f"reading {path.name}", source.total)) if _shows() else None
        return load_file(
            database,
            source,
            row_kind,
            destination,
            file=path.name,
            source_name=name,
            complete=options.complete,
            strict=options.strict,
            progress=advance,
        )


def source_name(path: Path) -> str:
    """The name of a file's source: its own without the ending, or its folder's in the BEIR layout."""
    resolved = path.resolve()
    if resolved.is_dir():
        return resolved.name
    if resolved.name in ("corpus.jsonl", "queries.jsonl"):
        return resolved.parent.name
    return resolved.stem


def _mapping(pairs: Sequence[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        column, separator, field = pair.rpartition("=")
        if not separator or not column.strip() or not field.strip():
            raise InvalidInputError(f"--map {pair!r}: expected column=field, for example --map 技術内容=description")
        mapping[column.strip()] = field.strip()
    return mapping


def index(*, sentences: bool = False, maps: bool = True) -> None:
    """Embed everything that is stale and publish; with `sentences`, store the vectors of those too.

    With `maps`, draw the maps of what is published afterwards; the worker does it too, a minute later.
    """
    settings = read_settings()
    encoder = encoder_for(settings)
    console = Console()
    with opened(settings) as database:
        with database.session() as session:
            idempotency.purge(session)
            session.commit()
        embedded, published = embed_and_publish(settings, database, encoder)
        show_published(console, database, embedded, published)
        if maps:
            draw_maps(settings, database, encoder)
        with database.session() as session:
            stale = passages.count_stale(session, encoder)
        if sentences:
            console.print(f"sentences of {store_sentences(database, encoder):,} entries stored", highlight=False)
        elif stale:
            console.print(
                f"the sentences of {stale:,} entries are not stored yet: `enmusubi serve` does it in the background, "
                "`enmusubi index --sentences` at once",
                style="dim",
                highlight=False,
                soft_wrap=True,
            )


def store_sentences(database: Database, encoder: Encoder) -> int:
    """Store the sentence vectors of every entry that has none of its present texts; of how many entries."""
    with database.session() as session:
        stale = passages.count_stale(session, encoder)
    filling = passages.Filling(database, encoder, entries=64, texts=512)
    stored = 0
    with ExitStack() as stack:
        advance = stack.enter_context(showing.progress("sentences", stale)) if stale and _shows() else None
        while looked_at := filling.step():
            stored += looked_at
            if advance is not None:
                advance(looked_at)
    return stored


def draw_maps(settings: Settings, database: Database, encoder: Encoder) -> None:
    """Draw the maps that are older than their snapshots, unless a worker draws at this moment."""
    with database.session() as session:
        clusters = session.execute(select(Cluster.id, Cluster.public_id)).all()
    current = {key: indexing.current(settings, public_id) for key, public_id in clusters}
    snapshots = {key: manifest.id for key, manifest in current.items() if manifest is not None}
    drawn: list[int | None] = []

    def draw_one(session: Session, now: datetime.datetime) -> None:
        drawn.append(draw_next(session, encoder, snapshots))

    while Chore(DRAWING, 1, draw_one).run(database.session, SystemClock()) and drawn[-1] is not None:
        pass


def embed_and_publish(
    settings: Settings, database: Database, encoder: Encoder | None = None
) -> tuple[int, list[indexing.Published]]:
    """Embed the stale rows of both kinds and publish; how many were embedded, and what clusters have a new snapshot.

    Of both, whatever was ingested: a snapshot without the needs of an earlier analysis would leave them out of hubs.
    """
    encoder = encoder or encoder_for(settings)
    embedded = 0
    for kind in indexing.KINDS:
        with database.session() as session:
            stale = embeddings.count_stale(session, kind, encoder)
        if stale == 0:
            continue
        with ExitStack() as stack:
            label = "embedding " + ("seeds" if kind is Seed else "needs")
            advance = stack.enter_context(showing.progress(label, stale)) if _shows() else None
            embedded += embeddings.refresh(database, encoder, kind, advance)
    return embedded, indexing.publish(database, settings, encoder)


def _snapshot_of(database: Database, cluster: str | None, published: Sequence[indexing.Published]) -> str | None:
    """The id of the new snapshot of the cluster that was ingested into, if it has one."""
    with database.session() as session:
        own = find_cluster(session, cluster).id
    return next((each.manifest.id for each in published if each.cluster.id == own), None)


def show_published(
    console: Console, database: Database, embedded: int, published: Sequence[indexing.Published]
) -> None:
    """How many were embedded, and which snapshots were published; of which clusters, where there are several."""
    with database.session() as session:
        clusters = session.scalar(select(func.count()).select_from(Cluster)) or 0
    if not published:
        found = ["nothing changed; " + ("the published snapshot stays" if clusters == 1 else "what is published stays")]
    elif clusters == 1:
        found = [f"snapshot {published[0].manifest.id} published"]
    else:
        found = [f"snapshot {each.manifest.id} of {each.cluster.name} published" for each in published]
    text = f"{embedded:,} embedded; " + "\n".join(found)
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _shows() -> bool:
    return sys.stderr.isatty()
