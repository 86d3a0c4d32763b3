"""Time to explain ten pairs that were never explained before, over the sample catalogue with stored sentence vectors.

What a request for reasons adds to a ranking: from the ranked entries to the reasons as JSON, database included. Each
need, seed and text is asked once. A coordinator reads the confidential requirements too, which are encoded every time;
the cluster's administrator does not. "At once" is with nothing stored but a background: what a match costs before the
background work has come to its two entries.
"""

import argparse
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from benchmarks import prepared, results
from benchmarks.results import Part, Target
from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.cli.matching import matchmaking
from enmusubi.app.cli.opening import find_cluster
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.embeddings import Kind
from enmusubi.app.explaining import Explaining
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import EntryPassages, Need, Seed
from enmusubi.app.reasons_shown import reasons_out
from enmusubi.app.runtime import encoder_for
from enmusubi.app.vocabulary import Role
from enmusubi.matching.encoder import BatchingEncoder

PAIRS = 10
BOUND = 400.0


Asked = tuple[Kind, int] | str
"""A stored entry by its key, or a text."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a running service explains with."""

    database: Database
    matchmaker: Matchmaking
    explaining: Explaining
    cluster: int

    def milliseconds(self, session: Session, role: Role, asked: Asked) -> float:
        """Rank for what is asked; from the ranked entries to their reasons as JSON, as an account of that role."""
        caller = Caller(id=0, public_id=uuid.UUID(int=0), cluster_id=self.cluster, organisation_id=None, role=role)
        matchmaker, explaining = self.matchmaker, self.explaining
        entry = asked if isinstance(asked, str) else session.get_one(*asked)
        if isinstance(entry, Seed):
            proposals = matchmaker.for_seed(session, caller, entry, PAIRS)
            explain = partial(explaining.of_seed, session, caller, entry, proposals)
        elif isinstance(entry, Need):
            proposals = matchmaker.for_need(session, caller, entry, PAIRS)
            explain = partial(explaining.of_need, session, caller, entry, proposals)
        else:
            proposals = matchmaker.for_text(session, caller, str(asked), Seed, PAIRS)
            explain = partial(explaining.of_need, session, caller, str(asked), proposals)
        began = time.perf_counter()
        found = explain()
        for reasons in found.values():
            reasons_out(reasons, coarse=False).model_dump_json()
        taken = 1000 * (time.perf_counter() - began)
        if len(found) != PAIRS:
            raise ValueError(f"the sample catalogue proposes {len(found)} entries, not {PAIRS}")
        return taken

    def each(self, role: Role, asked: Sequence[Asked]) -> list[float]:
        """Each in a session of its own, as requests have."""
        taken = []
        for one in asked:
            with self.database.session() as session:
                taken.append(self.milliseconds(session, role, one))
        return taken


def prepare(home: Path) -> Settings:
    """The settings of a demo with stored sentences, made first where it is missing."""
    folder = home / "explaining"
    settings = Settings(home=folder, floor=0.0)
    if not (folder / "demo-tokens.json").exists():
        model = prepared.model_folder(home)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "models").exists():
            (folder / "models").symlink_to(model.parent)
        print("setting up the sample cluster with `enmusubi demo`", flush=True)
        prepared.execute(prepared.enmusubi("demo", "--no-serve"), prepared.environment(folder))
    return settings


@contextmanager
def opened(settings: Settings) -> Iterator[Service]:
    """The service's parts, with the encoder as the service has it."""
    with (
        connect(settings) as database,
        BatchingEncoder(encoder_for(settings)) as encoder,
        database.session() as session,
    ):
        cluster = find_cluster(session, None)
        session.commit()
        with matchmaking(settings, database, cluster, encoder) as matchmaker:
            yield Service(database, matchmaker, Explaining(matchmaker), cluster.id)


def entries(session: Session, kind: Kind, most: int) -> list[Asked]:
    """Open entries of the catalogue."""
    query = select(kind.id).where(visibility.open_for_matching(kind)).order_by(kind.id).limit(most)
    return [(kind, key) for key in session.scalars(query)]


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Explain what the sample catalogue has, each pair once for each reader."""
    with opened(prepare(home)) as service, service.database.session() as session:
        needs, seeds = entries(session, Need, given.entries + 1), entries(session, Seed, given.entries + 1)
        texts = [text for text in session.scalars(select(Need.summary).order_by(Need.id).limit(given.entries)) if text]
        # The first one loads dictionaries, and reads what others stand out from, once for each snapshot.
        began = time.perf_counter()
        service.each(Role.COORDINATOR, [needs.pop(), seeds.pop()])
        first = time.perf_counter() - began
        taken = {
            "ten seeds of a need, coordinator": service.each(Role.COORDINATOR, needs),
            "ten seeds of a need, administrator": service.each(Role.CLUSTER_ADMINISTRATOR, needs),
            "ten needs of a seed, coordinator": service.each(Role.COORDINATOR, seeds),
            "ten needs of a seed, administrator": service.each(Role.CLUSTER_ADMINISTRATOR, seeds),
            "ten seeds of a text": service.each(Role.COORDINATOR, texts),
        }
        # Within a transaction that is rolled back; the background stays, in memory.
        session.execute(delete(EntryPassages))
        taken["ten seeds of a need, at once"] = [
            service.milliseconds(session, Role.COORDINATOR, need) for need in needs[:10]
        ]
        session.rollback()
    bounded = [name for name in taken if not name.endswith("at once")]
    return Part(
        "explaining",
        {"entries": given.entries, "first_seconds": first, "milliseconds": taken},
        ("ten pairs never explained before", "median ms", "p95 ms"),
        [
            [name, f"{statistics.median(times):.0f}", f"{statistics.quantiles(times, n=20)[-1]:.0f}"]
            for name, times in taken.items()
        ],
        [Target(f"median ms, {name}", statistics.median(taken[name]), BOUND, "<=") for name in bounded],
        f"{len(needs)} needs, {len(seeds)} seeds, {len(texts)} texts. "
        f"The first two of a process took {first:.1f} s together.",
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.options(__doc__)
    parser.add_argument("--entries", type=int, default=60, help="so many needs, seeds and texts at most")
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
