"""Rank a dataset's queries as needs against its documents as seeds, and measure the rankings."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG

from enmusubi.matching.encoder import Encoder
from enmusubi.matching.evaluation.beir import Dataset, DatasetError, read_dataset
from enmusubi.matching.evaluation.cache import EmbeddingCache
from enmusubi.matching.fresh import FreshVectors
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.profile import Profile
from enmusubi.matching.similarity import Keys, Matrix
from enmusubi.matching.snapshot import Snapshot, build

_DEPTH = 100
_MEASURES = {"nDCG@10": nDCG @ 10, "MRR@10": RR @ 10, "R@10": R @ 10, "R@100": R @ 100}


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured; `notices` says what a reader of the figures should know."""

    dataset: str
    queries: int
    documents: int
    seconds: float
    measures: Mapping[str, float]
    notices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The report without its notices, as `enmusubi evaluate --json` prints it."""
        return {
            "dataset": self.dataset,
            "queries": self.queries,
            "documents": self.documents,
            "seconds": self.seconds,
            "measures": dict(self.measures),
        }


def evaluate(
    folder: Path,
    encoder: Encoder,
    cache_dir: Path,
    *,
    queries: Path | None = None,
    needs_unknown: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """nDCG@10, MRR@10, R@10 and R@100 of a BEIR folder, ranked through the production matchmaker.

    Each judged query is ranked 100 documents deep. All the folder's queries are indexed as the needs known,
    as they would be in production, unless `needs_unknown`; dense ranking makes no use of them. Vectors are
    kept below `cache_dir`. `progress` is called with the number of texts that have vectors and their total.

    Raises DatasetError for a folder that cannot be read as it stands.
    """
    started = time.perf_counter()
    dataset = read_dataset(folder, queries)
    judged = {name: dataset.judgements[name] for name in dataset.queries if name in dataset.judgements}
    if not judged:
        raise DatasetError(f"{folder}: none of the queries is judged")
    documents = _texts(dataset.documents)
    needs = _texts(dataset.queries)
    if needs_unknown:
        needs = {name: text for name, text in needs.items() if name in judged}
    cache = EmbeddingCache(cache_dir, encoder)
    count = _Counter(progress, len(documents) + len(needs))
    document_vectors = cache.encode(list(documents.values()), "seed", count.add)
    need_vectors = cache.encode(list(needs.values()), "need", count.add)
    known = need_vectors[:0] if needs_unknown else need_vectors
    asked = {name: vector for name, vector in zip(needs, need_vectors, strict=True) if name in judged}
    with tempfile.TemporaryDirectory(prefix="evaluation-", dir=cache_dir) as directory:
        snapshot = _snapshot(Path(directory), encoder, document_vectors, known)
        run = _rank(asked, list(documents), snapshot, FreshVectors(encoder.dimension))
    return Report(
        dataset=folder.resolve().name,
        queries=len(judged),
        documents=len(dataset.documents),
        seconds=time.perf_counter() - started,
        measures=_measure(judged, run),
        notices=(*_gaps(dataset), *cache.notices),
    )


class _Counter:
    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)


def _texts(profiles: Mapping[str, Profile]) -> dict[str, str]:
    """The matched text of each profile that has one."""
    texts = {name: profile.matched_text() for name, profile in profiles.items()}
    return {name: text for name, text in texts.items() if text.strip()}


def _snapshot(directory: Path, encoder: Encoder, seeds: Matrix, needs: Matrix) -> Snapshot:
    manifest = build(
        directory,
        encoder=encoder,
        seeds=(np.arange(len(seeds)), seeds),
        needs=(np.arange(len(needs)), needs),
        watermark=0,
        database="evaluation",
    )
    return Snapshot.open(directory / manifest.id, expect_fingerprint=encoder.fingerprint)


def _rank(
    needs: Mapping[str, Matrix], documents: list[str], snapshot: Snapshot, fresh: FreshVectors
) -> dict[str, list[str]]:
    """Document ids, best first, by query."""

    def visible(keys: Keys) -> dict[int, str]:
        return {key: documents[key] for key in keys.tolist()}

    def all_visible() -> Keys:
        return np.arange(len(documents))

    return {
        name: [ranked.public_id for ranked in propose(vector, "seed", _DEPTH, snapshot, fresh, visible, all_visible)]
        for name, vector in needs.items()
    }


def _measure(judged: Mapping[str, Mapping[str, int]], run: Mapping[str, list[str]]) -> dict[str, float]:
    qrels = [
        ir_measures.Qrel(query, document, grade)
        for query, grades in judged.items()
        for document, grade in grades.items()
    ]
    # trec_eval breaks equal scores by document id, backwards; the place in our order never ties.
    scored = [
        ir_measures.ScoredDoc(query, document, -place)
        for query, documents in run.items()
        for place, document in enumerate(documents)
    ]
    values = ir_measures.calc_aggregate(list(_MEASURES.values()), qrels, scored)
    return {name: float(values[measure]) for name, measure in _MEASURES.items()}


def _gaps(dataset: Dataset) -> Iterator[str]:
    """What of the dataset the figures leave out, or count as not found."""
    judged = dataset.judgements
    left_out = [name for name in judged if name not in dataset.queries]
    if left_out:
        yield f"{len(left_out)} judged queries are not among the queries and left out ({left_out[0]!r} first)"
    absent = [
        document
        for query, grades in judged.items()
        if query in dataset.queries
        for document in grades
        if document not in dataset.documents
    ]
    if absent:
        yield (
            f"{len(absent)} judgements name documents that are not in the corpus ({absent[0]!r} first); "
            "relevant ones count as not found"
        )
    unjudged = sum(name not in judged for name in dataset.queries)
    if unjudged:
        yield f"{unjudged} queries are not judged and not measured"
    for kind, profiles in (("documents", dataset.documents), ("queries", dataset.queries)):
        empty = len(profiles) - len(_texts(profiles))
        if empty:
            yield f"{empty} {kind} have no text and match nothing"
