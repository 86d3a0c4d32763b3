"""Rankings to compare: each idea of the production ranking switched on after the others, or off alone, and peers.

All but rank fusion go through the production matchmaker: what an idea adds is taken away from the snapshot's
statistics, from the terms that are asked, from the policy's weights or from the parts of what asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from enmusubi.matching.encoder import Role
from enmusubi.matching.evaluation.prepared import Prepared
from enmusubi.matching.evaluation.runs import Run, fused, ranked
from enmusubi.matching.evidence import Side
from enmusubi.matching.lexical.index import LexicalIndex, Weighed
from enmusubi.matching.policy import DEFAULT, Policy
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.reranking import FIRST, Reranker, rerank
from enmusubi.matching.rows import Asking, Rows
from enmusubi.matching.similarity import Matrix
from enmusubi.matching.snapshot import Snapshot
from enmusubi.matching.stand_ins import stand_ins
from enmusubi.matching.statistics import ROLES, Statistics, estimate

DEPTH: Final = 100
IDEAS: Final = {
    "centred": "the mean of its side and language subtracted from each vector",
    "words": "the share of the need's words that the seed holds (BM25)",
    "phrases": "the same of its phrases, two adjacent words",
    "estimated": "what the similarity lets one expect in place of terms in another language",
    "hub-across": "less for seeds that are near to every need",
    "hub-alike": "less for seeds that are near to every seed",
    "parts": "long needs also part by part",
}
"""The ideas of the production ranking, in the order in which they are switched on."""
FOR_COMPANIES: Final = "for-companies"
_OF_THE_SNAPSHOT = frozenset({"centred", "words", "phrases", "estimated"})


class UnknownConfigurationError(ValueError):
    """There is no configuration of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A ranking by its name: the ideas that are on, and the weights."""

    name: str
    about: str
    ideas: frozenset[str]
    policy: Policy = DEFAULT
    fuses: tuple[str, ...] = ()
    """The configurations whose ranks it fuses, if it is a fusion."""

    @property
    def weights(self) -> Policy:
        """The policy with the weights of what is switched off at 0."""
        off = {
            "terms": not self.ideas & {"words", "phrases"},
            "hub_across": "hub-across" not in self.ideas,
            "hub_alike": "hub-alike" not in self.ideas,
        }
        weights = {part: 0.0 if off.get(part) else weight for part, weight in self.policy.weights.items()}
        return Policy(self.name, weights)


def production(policy: Policy = DEFAULT) -> Configuration:
    """The ranking that answers requests, with these weights."""
    return Configuration(policy.name, "the production ranking", frozenset(IDEAS), policy)


def _known() -> Iterator[Configuration]:
    yield Configuration(
        "bm25", "BM25 alone", frozenset({"words"}), Policy("bm25", {**DEFAULT.weights, "similarity": 0.0, "terms": 1.0})
    )
    yield Configuration(
        "rrf", "reciprocal rank fusion of dense and bm25, each 100 deep, k = 60", frozenset(), fuses=("dense", "bm25")
    )
    yield Configuration("dense", "cosine of the vectors as they are", frozenset())
    on: list[str] = []
    for idea, about in IDEAS.items():
        on.append(idea)
        if len(on) < len(IDEAS):
            yield Configuration(idea, f"+ {about}", frozenset(on))
    yield production()
    yield Configuration(
        FOR_COMPANIES, f"{DEFAULT.name} as companies get it: invented needs in the place of others'", frozenset(IDEAS)
    )
    for idea in IDEAS:
        # Without the means, the curve of what a similarity lets one expect would have to be another.
        if idea != "centred":
            yield Configuration(f"without-{idea}", f"{DEFAULT.name} without {idea}", frozenset(IDEAS) - {idea})


KNOWN: Final[Mapping[str, Configuration]] = {each.name: each for each in _known()}
GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "ideas": ["dense", *list(IDEAS)[:-1], DEFAULT.name],
    "peers": ["bm25", "rrf"],
    "without": [name for name in KNOWN if name.startswith("without-")],
}
"""Names that stand for several configurations."""


def configurations(names: Sequence[str], policy: Policy = DEFAULT) -> list[Configuration]:
    """The configurations named, groups resolved, each once; last the ranking with this policy, unless named.

    Raises UnknownConfigurationError, also for a policy that would take the name of another configuration.
    """
    own = production(policy)
    if own.name in KNOWN and policy.digest != DEFAULT.digest:
        raise UnknownConfigurationError(f"the policy {own.name!r} has the name of a known configuration; rename it")
    chosen: dict[str, Configuration] = {}
    for name in names:
        for each in GROUPS.get(name, [name]):
            if each == own.name:
                chosen[each] = own
            elif each in KNOWN:
                chosen[each] = KNOWN[each]
            else:
                raise UnknownConfigurationError(
                    f"there is no configuration {each!r}; known: {', '.join([*KNOWN, *GROUPS])}"
                )
    chosen.setdefault(own.name, own)
    return list(chosen.values())


class Ranker:
    """Ranks a dataset by one configuration after the other; what they share is made once.

    A reranker, which reads the first so many again, is for production's own configuration.
    """

    def __init__(self, prepared: Prepared, reranker: Reranker | None = None, first: int = FIRST) -> None:
        self._prepared = prepared
        self._reranker = reranker
        self._first = first
        self._runs: dict[str, Run] = {}
        self._lexicals: dict[type[LexicalIndex], Mapping[Role, LexicalIndex]] = {}

    def run(self, configuration: Configuration) -> Run:
        """Each judged query's best seeds, DEPTH of them."""
        if configuration.fuses:
            runs = [self.run(KNOWN[name]) for name in configuration.fuses]
            return {query: documents[:DEPTH] for query, documents in fused(runs).items()}
        if configuration.name not in self._runs:
            self._runs[configuration.name] = self._ranked(configuration)
        return self._runs[configuration.name]

    def _ranked(self, configuration: Configuration) -> Run:
        asking: Mapping[str, Asking] = self._prepared.asking
        if "parts" not in configuration.ideas:
            asking = {name: asked._replace(parts=None) for name, asked in asking.items()}
        reread = self._reread if self._reranker is not None and configuration.ideas >= IDEAS.keys() else None
        run = ranked(
            asking, self._prepared.seed_ids, self._snapshot(configuration), configuration.weights, DEPTH, reread
        )
        if configuration is KNOWN["bm25"]:
            # As from a search engine, which returns no document without any of the words.
            run = {query: [each for each in found if each[1] > 0] for query, found in run.items()}
        return run

    def _reread(self, name: str, found: list[Ranked]) -> list[Ranked]:
        assert self._reranker is not None
        dataset = self._prepared.dataset
        texts = {each.key: dataset.documents[each.public_id].matched_text() for each in found}
        return rerank(dataset.queries[name].matched_text(), "need", found, texts, self._reranker, self._first)

    def _snapshot(self, configuration: Configuration) -> Snapshot:
        """The production snapshot less the ideas that are off, or the needs."""
        if configuration.name == FOR_COMPANIES:
            snapshot = self._prepared.snapshot
            made = snapshot.manifest
            return snapshot.without_needs(stand_ins(made.model, made.revision, made.dimension))
        if configuration.ideas >= _OF_THE_SNAPSHOT:
            return self._prepared.snapshot
        return snapshot_with(self._prepared, configuration.ideas, self._lexical(configuration.ideas))

    def _lexical(self, ideas: frozenset[str]) -> Mapping[Role, LexicalIndex]:
        kind = _WordsOnly if "phrases" not in ideas else LexicalIndex if "words" in ideas else _PhrasesOnly
        if kind not in self._lexicals:
            sides: dict[Role, Rows] = {"seed": self._prepared.seeds, "need": self._prepared.needs}
            self._lexicals[kind] = {role: kind.build(rows.terms) for role, rows in sides.items()}
        return self._lexicals[kind]


class _WordsOnly(LexicalIndex):
    def weigh(self, terms: Sequence[str]) -> Weighed:
        return super().weigh(terms)._replace(phrases=[])


class _PhrasesOnly(LexicalIndex):
    def weigh(self, terms: Sequence[str]) -> Weighed:
        return super().weigh(terms)._replace(words=[])


def snapshot_with(prepared: Prepared, ideas: frozenset[str], lexical: Mapping[Role, LexicalIndex]) -> Snapshot:
    """A snapshot of the dataset in memory with these ideas alone; with all of them it ranks as the one built."""
    sides: dict[Role, Rows] = {"seed": prepared.seeds, "need": prepared.needs}
    estimating = "estimated" in ideas
    statistics, centred = estimate(
        {role: rows.matrix for role, rows in sides.items()},
        {role: rows.languages for role, rows in sides.items()},
        lexical if estimating else None,
        {role: rows.terms for role, rows in sides.items()},
    )
    if "centred" not in ideas:
        statistics, centred = _uncentred(statistics), {role: rows.matrix for role, rows in sides.items()}
    if not estimating:
        statistics = replace(statistics, expected={role: np.zeros_like(statistics.expected[role]) for role in ROLES})
    return Snapshot(
        prepared.snapshot.manifest,
        statistics,
        {role: _side(rows, role, centred[role], statistics, lexical[role], ideas) for role, rows in sides.items()},
        lexical,
        [],
    )


def _uncentred(statistics: Statistics) -> Statistics:
    return replace(
        statistics,
        means={role: np.zeros_like(statistics.means[role]) for role in ROLES},
        elsewhere={role: np.zeros_like(statistics.elsewhere[role]) for role in ROLES},
    )


def _side(
    rows: Rows, role: Role, centred: Matrix, statistics: Statistics, lexical: LexicalIndex, ideas: frozenset[str]
) -> Side:
    numbers = {language: number for number, language in enumerate(statistics.languages)}
    nothing = np.zeros(len(rows.keys))
    return Side(
        rows.keys,
        np.ascontiguousarray(centred),
        np.array([numbers[language] for language in rows.languages], dtype=np.int16),
        numbers,
        statistics.hubs(centred, role, rows.keys) if ideas & {"hub-across", "hub-alike"} else (nothing, nothing),
        lexical.share,
    )
