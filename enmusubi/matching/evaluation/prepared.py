"""A judged dataset with all that ranking needs: vectors, languages and terms of every text."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from enmusubi.matching.encoder import Encoder
from enmusubi.matching.evaluation.beir import Dataset, DatasetError, read_dataset
from enmusubi.matching.evaluation.cache import EmbeddingCache
from enmusubi.matching.lexical import analysis_fingerprint, language_of, terms
from enmusubi.matching.parts import parts_of
from enmusubi.matching.profile import Profile
from enmusubi.matching.rows import Asking, Rows
from enmusubi.matching.similarity import Matrix
from enmusubi.matching.snapshot import Snapshot, build


@dataclass(frozen=True, slots=True)
class Prepared:
    """Seeds and needs as rows, those that have a text; what is asked, and its judgements, by query id."""

    name: str
    dataset: Dataset
    judged: Mapping[str, Mapping[str, int]]
    seed_ids: Sequence[str]
    seeds: Rows
    needs: Rows
    """The needs known; none where they are to count as unknown."""
    asking: Mapping[str, Asking]
    snapshot: Snapshot
    notices: tuple[str, ...]

    @property
    def languages(self) -> dict[str, str]:
        """The language of each seed, by its id."""
        return dict(zip(self.seed_ids, self.seeds.languages, strict=True))


def prepare(
    folder: Path,
    encoder: Encoder,
    cache_dir: Path,
    *,
    queries: Path | None = None,
    needs_unknown: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Read a BEIR folder, encode what is not in the cache below `cache_dir`, and index it as production would.

    Raises DatasetError for a folder that cannot be read as it stands.
    """
    dataset = read_dataset(folder, queries)
    judged = {name: dataset.judgements[name] for name in dataset.queries if name in dataset.judgements}
    if not judged:
        raise DatasetError(f"{folder}: none of the queries is judged")
    documents = _texts(dataset.documents)
    needs = _texts(dataset.queries)
    if needs_unknown:
        needs = {name: text for name, text in needs.items() if name in judged}
    languages = {name: language_of(text) for name, text in needs.items()}
    cache = EmbeddingCache(cache_dir, encoder)
    divided = [parts_of(text, languages[name]) for name, text in needs.items()]
    count = _Counter(progress, len(documents) + len(needs) + sum(map(len, divided)))
    document_vectors = cache.encode(list(documents.values()), "seed", count.add)
    need_vectors = cache.encode(list(needs.values()), "need", count.add)
    of_parts = cache.encode([part for each in divided for part in each], "need", count.add)
    parts = np.split(of_parts, np.cumsum([len(each) for each in divided])[:-1])
    seeds = _rows(list(documents.values()), document_vectors, [language_of(text) for text in documents.values()])
    asked = _rows(list(needs.values()), need_vectors, list(languages.values()))
    known = Rows.none(encoder.dimension) if needs_unknown else asked
    return Prepared(
        folder.resolve().name,
        dataset,
        judged,
        list(documents),
        seeds,
        known,
        {
            name: Asking("need", asked.matrix[row], asked.languages[row], asked.terms[row].split(), parts[row])
            for row, name in enumerate(needs)
            if name in judged
        },
        _snapshot(cache_dir, encoder, seeds, known),
        (*_gaps(dataset), *cache.notices),
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


def _rows(texts: Sequence[str], matrix: Matrix, languages: Sequence[str]) -> Rows:
    found = [" ".join(terms(text, language)) for text, language in zip(texts, languages, strict=True)]
    return Rows(np.arange(len(texts)), matrix, languages, found)


def _snapshot(cache_dir: Path, encoder: Encoder, seeds: Rows, needs: Rows) -> Snapshot:
    # All of it is in memory once it is open.
    with tempfile.TemporaryDirectory(prefix="evaluation-", dir=cache_dir) as directory:
        manifest = build(
            Path(directory),
            encoder=encoder,
            analysis=analysis_fingerprint(),
            seeds=[seeds],
            needs=[needs],
            watermark=0,
            database="evaluation",
            cluster="",
        )
        return Snapshot.open(Path(directory) / manifest.id, expect_fingerprint=encoder.fingerprint)


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
