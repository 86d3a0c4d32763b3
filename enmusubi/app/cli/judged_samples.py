"""The samples' judged pairs in the BEIR layout, so that they are measured like any other judged folder."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from enmusubi.ingest.sources import Entry, read
from enmusubi.matching.evaluation import DatasetError
from enmusubi.matching.profile import Profile

_SEEDS = ("seeds_ja.xlsx", "seeds_en.jsonl")
_NEEDS = ("needs_ja.csv", "needs_en.jsonl")
_JUDGEMENTS = Path("judgements", "qrels.tsv")
_BILINGUAL = Path("judgements", "bilingual.jsonl")
_LANGUAGES = ("ja", "en")


def is_samples(folder: Path) -> bool:
    """Whether a folder is that of the samples."""
    return (folder / _JUDGEMENTS).is_file() and not (folder / "corpus.jsonl").exists()


def samples_as_dataset(samples: Path, target: Path) -> Path:
    """Write the samples into the new folder `target` in the BEIR layout: public texts and judged pairs.

    `across.jsonl` has those needs all of whose clearly right seeds (grade 2) are in the other language. Returns the
    folder. Raises DatasetError for a sample that cannot be read.
    """
    target.mkdir(parents=True)
    seeds, needs = dict(_read(samples, _SEEDS, "seed")), dict(_read(samples, _NEEDS, "need"))
    _write(target / "corpus.jsonl", ({"_id": name, **_described(entry)} for name, entry in seeds.items()))
    texts = {name: _text(entry) for name, entry in needs.items()}
    _write(target / "queries.jsonl", ({"_id": name, "text": text} for name, text in texts.items()))
    shutil.copy(samples / _JUDGEMENTS, target / "qrels.tsv")
    right: dict[str, list[str]] = {}
    for need, seed, grade in _judgements(samples):
        if grade == "2":
            right.setdefault(need, []).append(seed)
    across = {
        need
        for need, found in right.items()
        if all(seeds[seed].draft.language != needs[need].draft.language for seed in found)
    }
    _write(target / "across.jsonl", ({"_id": name, "text": text} for name, text in texts.items() if name in across))
    return target


def bilingual_as_dataset(samples: Path, target: Path) -> Path:
    """Write the needs that are there in both languages, and all sample seeds, into the new folder `target`.

    Each need is asked as `ID-ja` and as `ID-en`, with the same judgements. Returns the folder. Raises DatasetError for
    a sample that cannot be read.
    """
    target.mkdir(parents=True)
    seeds = dict(_read(samples, _SEEDS, "seed"))
    _write(target / "corpus.jsonl", ({"_id": name, **_described(entry)} for name, entry in seeds.items()))
    needs = [json.loads(line) for line in (samples / _BILINGUAL).read_text(encoding="utf-8").splitlines()]
    asked = [(need["_id"], language, _profile(need[language])) for need in needs for language in _LANGUAGES]
    _write(
        target / "queries.jsonl",
        ({"_id": f"{name}-{language}", "text": profile.matched_text()} for name, language, profile in asked),
    )
    names = {need["_id"] for need in needs}
    (target / "qrels.tsv").write_text(
        "".join(
            f"{need}-{language}\t{seed}\t{grade}\n"
            for need, seed, grade in _judgements(samples)
            if need in names
            for language in _LANGUAGES
        )
    )
    return target


def _profile(public: dict[str, Any]) -> Profile:
    return Profile("need", **{**public, "keywords": tuple(public.get("keywords", ()))})


def _read(samples: Path, names: tuple[str, ...], kind: str) -> Iterator[tuple[str, Entry]]:
    for name in names:
        for entry in read(samples / name, "seed" if kind == "seed" else "need"):
            if not isinstance(entry, Entry) or entry.external_id is None:
                raise DatasetError(f"{samples / name}: {entry}")
            yield entry.external_id, entry


def _described(entry: Entry) -> dict[str, str]:
    known = {"text": _text(entry)}
    if entry.organisation is not None and entry.organisation.name:
        known["organisation"] = entry.organisation.name
    if entry.draft.regions:
        known["region"] = entry.draft.regions[0]
    return known


def _text(entry: Entry) -> str:
    return entry.draft.profile().matched_text()


def _judgements(samples: Path) -> Iterator[tuple[str, str, str]]:
    for line in (samples / _JUDGEMENTS).read_text(encoding="utf-8").splitlines()[1:]:
        need, seed, grade = line.split("\t")
        yield need, seed, grade


def _write(path: Path, lines: Iterator[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
