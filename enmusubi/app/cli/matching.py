"""`enmusubi match`: rankings in the terminal, as the cluster's coordinators see them."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from rich.console import Console
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from enmusubi.app import database as databases
from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import needs, seeds
from enmusubi.app.cli import showing
from enmusubi.app.cli.explaining import show_explained
from enmusubi.app.cli.opening import find_cluster, opened, operator, read_settings
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.embeddings import Kind, analysis
from enmusubi.app.errors import ConflictError, NotFoundError
from enmusubi.app.explaining import Explaining
from enmusubi.app.freshness import Freshness
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Cluster, Need, Seed
from enmusubi.app.representations import RankingOut, ranking_out
from enmusubi.app.runtime import encoder_for, reranker_for
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.snapshot import LiveSnapshots

MISSES: Final = "--misses"
"""What asks for the nearest misses in the terminal."""


@contextmanager
def matchmaking(
    settings: Settings, database: Database, cluster: Cluster, encoder: Encoder | None = None
) -> Iterator[Matchmaking]:
    """A matchmaker on the published snapshot of a cluster, for one command."""
    encoder = encoder or encoder_for(settings)
    with database.session() as session:
        identity = databases.identity(session)
    live = LiveSnapshots(
        settings.snapshots,
        expect_fingerprint=encoder.fingerprint,
        expect_analysis=analysis(),
        expect_database=identity,
    )
    try:
        if problem := live.of(str(cluster.public_id)).problem:
            Console(stderr=True).print(
                f"[yellow]the published snapshot is refused, all is scored exactly:[/] {problem}", soft_wrap=True
            )
        yield Matchmaking(encoder, Freshness(live, encoder), settings.floor, reranker_for(settings), settings.reranked)
    finally:
        live.close()


def match(
    need: str | None,
    seed: str | None,
    text: str | None,
    top: int,
    *,
    as_json: bool,
    cluster: str | None,
    misses: bool,
    explain: bool,
) -> None:
    """Print the ranking for a stored need or seed, or for a text."""
    settings = read_settings()
    with ExitStack() as stack:
        database = stack.enter_context(opened(settings))
        session = stack.enter_context(database.session())
        chosen = find_cluster(session, cluster)
        caller = operator(chosen)
        matchmaker = stack.enter_context(matchmaking(settings, database, chosen))
        explaining = Explaining(matchmaker) if explain else None
        if need is not None:
            found = find_need(session, caller, need)
            title = found.title or found.external_id or str(found.public_id)
            ranking = rank_need(session, caller, matchmaker, found, top, misses=misses, explaining=explaining)
        elif seed is not None:
            entry = find_seed(session, caller, seed)
            title = entry.title or entry.external_id or str(entry.public_id)
            proposals = matchmaker.for_seed(session, caller, entry, top, misses=misses)
            matches = matchmaker.keep_for_seed(session, caller, entry, proposals)
            reasons = explaining.of_seed(session, caller, entry, proposals) if explaining else None
            ranking = ranking_out(caller, proposals, matches, "need", reasons, misses=MISSES)
        else:
            title = text or ""
            proposals = matchmaker.for_text(session, caller, title, Seed, top, misses=misses)
            reasons = explaining.of_need(session, caller, title, proposals) if explaining else None
            ranking = ranking_out(caller, proposals, None, "seed", reasons, misses=MISSES)
        session.commit()
    shown = title if len(title) <= 120 else title[:119] + "…"
    if as_json:
        print(ranking.model_dump_json(by_alias=True, indent=2))  # noqa: T201 for other programs
    elif explain:
        show_explained(Console(), shown, ranking)
    else:
        showing.show_ranking(Console(), shown, ranking)


def rank_need(
    session: Session,
    caller: Caller,
    matchmaker: Matchmaking,
    need: Need,
    top: int,
    *,
    misses: bool = False,
    explaining: Explaining | None = None,
) -> RankingOut:
    """The ranked seeds of a stored need, stored as matches."""
    proposals = matchmaker.for_need(session, caller, need, top, misses=misses)
    matches = matchmaker.keep_for_need(session, caller, need, proposals)
    reasons = explaining.of_need(session, caller, need, proposals) if explaining else None
    return ranking_out(caller, proposals, matches, "seed", reasons, misses=MISSES)


def find_need(session: Session, caller: Caller, reference: str) -> Need:
    """The need with that public id, external id or reference."""
    seen = visibility.needs_visible_to(caller)
    return needs.read_need(session, caller, _public_id(session, Need, reference, seen))


def find_seed(session: Session, caller: Caller, reference: str) -> Seed:
    """The seed with that public id, external id or reference."""
    seen = visibility.seeds_visible_to(caller)
    return seeds.read_seed(session, caller, _public_id(session, Seed, reference, seen))


def _public_id(session: Session, kind: Kind, reference: str, seen: ColumnElement[bool]) -> uuid.UUID:
    named = [kind.external_id == reference, kind.reference == reference]
    with suppress(ValueError):
        named.append(kind.public_id == uuid.UUID(reference))
    found = session.scalars(select(kind.public_id).where(seen, or_(*named)).limit(2)).all()
    if not found:
        raise NotFoundError(f"no {kind.__name__.lower()} has the id or reference {reference!r}")
    if len(found) > 1:
        raise ConflictError(f"several entries have the reference {reference!r}; give the id")
    return found[0]
