"""Rankings of a set of queries, and TREC's files of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from enmusubi.matching.evaluation.beir import DatasetError
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.policy import Policy
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.rows import Asking
from enmusubi.matching.similarity import Keys
from enmusubi.matching.snapshot import Snapshot

Run = Mapping[str, Sequence[tuple[str, float]]]
"""By query id: document ids with their scores, best first."""


def ranked(
    asking: Mapping[str, Asking],
    seed_ids: Sequence[str],
    snapshot: Snapshot,
    policy: Policy,
    depth: int,
    reread: Callable[[str, list[Ranked]], list[Ranked]] | None = None,
) -> Run:
    """The `depth` best seeds of each query, by the production matchmaker, and by `reread` afterwards, if given."""
    fresh = FreshStore(snapshot.manifest.dimension, snapshot.statistics)

    def visible(keys: Keys) -> dict[int, str]:
        return {key: seed_ids[key] for key in keys.tolist()}

    def all_visible() -> Keys:
        return np.arange(len(seed_ids))

    def of(name: str, asked: Asking) -> list[Ranked]:
        found = propose(asked, depth, snapshot, fresh, policy, visible, all_visible)
        return found if reread is None else reread(name, found)

    return {name: [(found.public_id, found.score) for found in of(name, asked)] for name, asked in asking.items()}


def fused(runs: Sequence[Run], k: int = 60) -> Run:
    """Reciprocal rank fusion: a document's score is the sum of 1 / (k + its rank) over the runs that hold it.

    Cormack, Clarke and Büttcher, Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank Learning Methods,
    2009.
    """
    scores: dict[str, dict[str, float]] = {}
    for run in runs:
        for query, documents in run.items():
            totals = scores.setdefault(query, {})
            for rank, (document, _) in enumerate(documents, start=1):
                totals[document] = totals.get(document, 0.0) + 1 / (k + rank)
    return {query: sorted(totals.items(), key=lambda each: (-each[1], each[0])) for query, totals in scores.items()}


def trec_lines(run: Run, tag: str) -> Iterator[str]:
    """The lines of TREC's run format: query, Q0, document, rank, score, tag.

    Raises DatasetError for an id or a tag with white space in it, which the format cannot hold.
    """
    _check(tag, "the name of the run")
    for query, documents in run.items():
        _check(query, "the query id")
        for rank, (document, score) in enumerate(documents, start=1):
            _check(document, "the document id")
            yield f"{query} Q0 {document} {rank} {score:.6f} {tag}"


def _check(name: str, what: str) -> None:
    if len(name.split()) != 1:
        raise DatasetError(f"{what} {name!r} holds white space, which a TREC run file cannot; rename it")
