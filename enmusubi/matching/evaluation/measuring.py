"""Rank a dataset's queries as needs against its documents as seeds, and measure the rankings."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import ir_measures
from ir_measures import RR, R, nDCG

from enmusubi.matching.encoder import Encoder
from enmusubi.matching.evaluation.comparing import Comparison, compared
from enmusubi.matching.evaluation.configurations import Configuration, Ranker, configurations, production
from enmusubi.matching.evaluation.exposure import Exposure, exposure_of
from enmusubi.matching.evaluation.grouping import Group, grouped
from enmusubi.matching.evaluation.prepared import Prepared, prepare
from enmusubi.matching.evaluation.runs import Run
from enmusubi.matching.policy import DEFAULT, Policy
from enmusubi.matching.reranking import FIRST, Reranker

_MEASURES: Final = {"nDCG@10": nDCG @ 10, "MRR@10": RR @ 10, "R@10": R @ 10, "R@100": R @ 100}
COMPARED: Final = "nDCG@10"
"""The measure that configurations and groups of queries are compared by."""


@dataclass(frozen=True, slots=True)
class Asks:
    """What is wanted of an evaluation beside the measures.

    `compare` names configurations, `against` is `first` or `previous`; `by` names groupings of the queries.
    """

    compare: Sequence[str] = ()
    against: str = "first"
    by: Collection[str] = ()
    exposure: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """One configuration's figures: the means, the values by query id, and the ranking itself."""

    configuration: Configuration
    measures: Mapping[str, float]
    values: Mapping[str, float]
    run: Run
    by: Mapping[str, Sequence[Group]] = field(default_factory=dict)
    exposure: Exposure | None = None

    def as_json(self) -> dict[str, Any]:
        """The figures, of what was not asked for none."""
        report: dict[str, Any] = {"measures": dict(self.measures)}
        if self.by:
            report["by"] = {
                name: {group.name: {"queries": group.queries, COMPARED: group.value} for group in groups}
                for name, groups in self.by.items()
            }
        if self.exposure is not None:
            report["exposure"] = self.exposure.as_json()
        return report


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured; `notices` says what a reader of the figures should know.

    `own` is the ranking with the policy asked for; `configurations` are those compared, in their order, `own` last
    unless named before.
    """

    dataset: str
    queries: int
    documents: int
    seconds: float
    own: Measured
    notices: tuple[str, ...] = ()
    configurations: Sequence[Measured] = ()
    comparisons: Sequence[Comparison] = ()

    @property
    def measures(self) -> Mapping[str, float]:
        """The means of the ranking with the policy asked for."""
        return self.own.measures

    def as_json(self) -> dict[str, Any]:
        """The report without its notices, as `enmusubi evaluate --json` prints it."""
        report: dict[str, Any] = {
            "dataset": self.dataset,
            "queries": self.queries,
            "documents": self.documents,
            "seconds": self.seconds,
            **self.own.as_json(),
        }
        if self.comparisons:
            report["configurations"] = {each.configuration.name: each.as_json() for each in self.configurations}
            report["comparisons"] = [each.as_json() for each in self.comparisons]
        return report


def evaluate(
    folder: Path,
    encoder: Encoder,
    cache_dir: Path,
    *,
    queries: Path | None = None,
    needs_unknown: bool = False,
    policy: Policy = DEFAULT,
    asks: Asks | None = None,
    reranker: Reranker | None = None,
    reranked: int = FIRST,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """nDCG@10, MRR@10, R@10 and R@100 of a BEIR folder, ranked through the production matchmaker.

    Each judged query is ranked 100 documents deep. All the folder's queries are indexed as the needs known, as they
    would be in production, unless `needs_unknown`; a reranker reads the first `reranked` of each ranking again, as it
    would there. Vectors are kept below `cache_dir`. `progress` is called with the
    number of texts that have vectors and their total.

    Raises DatasetError for a folder that cannot be read as it stands, ValueError for a name in `asks` that is unknown.
    """
    started = time.perf_counter()
    asks = asks or Asks()
    own = production(policy)
    chosen = configurations(asks.compare, policy) if asks.compare else [own]
    prepared = prepare(folder, encoder, cache_dir, queries=queries, needs_unknown=needs_unknown, progress=progress)
    ranker = Ranker(prepared, reranker, reranked)
    measured = [_measured(prepared, each, ranker.run(each), asks) for each in chosen]
    return Report(
        dataset=prepared.name,
        queries=len(prepared.judged),
        documents=len(prepared.dataset.documents),
        seconds=time.perf_counter() - started,
        own=next(each for each in measured if each.configuration.name == own.name),
        notices=prepared.notices,
        configurations=measured,
        comparisons=compared(
            [(each.configuration.name, each.values) for each in measured], previous=asks.against == "previous"
        ),
    )


def _measured(prepared: Prepared, configuration: Configuration, run: Run, asks: Asks) -> Measured:
    means, values = measure(prepared.judged, run)
    return Measured(
        configuration,
        means,
        values,
        run,
        grouped(prepared, values, asks.by),
        exposure_of(run, _attributes(prepared)) if asks.exposure else None,
    )


def _attributes(prepared: Prepared) -> dict[str, dict[str, str]]:
    languages = prepared.languages
    known = prepared.dataset.attributes
    return {name: {"language": languages[name], **known.get(name, {})} for name in prepared.seed_ids}


def measure(judged: Mapping[str, Mapping[str, int]], run: Run) -> tuple[dict[str, float], dict[str, float]]:
    """The means of the measures over all judged queries, and each query's nDCG@10; nothing found is 0."""
    qrels = [
        ir_measures.Qrel(query, document, grade)
        for query, grades in judged.items()
        for document, grade in grades.items()
    ]
    # trec_eval breaks equal scores by document id, backwards; the place in our order never ties.
    scored = [
        ir_measures.ScoredDoc(query, document, -place)
        for query, documents in run.items()
        for place, (document, _) in enumerate(documents)
    ]
    results: Any = ir_measures.calc(list(_MEASURES.values()), qrels, scored)
    values = dict.fromkeys(judged, 0.0)
    values |= {
        found.query_id: float(found.value) for found in results.per_query if found.measure == _MEASURES[COMPARED]
    }
    return {name: float(results.aggregated[wanted]) for name, wanted in _MEASURES.items()}, values
