"""The bundled model, loaded once, and a cache of embeddings for the whole run."""

import json
import shutil
from pathlib import Path

import pytest

from enmusubi.ingest.sources import Entry, read
from enmusubi.matching.encoder import Encoder, load_encoder

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for the unpacked model and the embeddings of this run."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def encoder(model_home: Path) -> Encoder:
    """The bundled model as the service uses it by default."""
    return load_encoder(None, model_home)


@pytest.fixture(scope="session")
def golden_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples in the BEIR layout: the public text of each entry, and the judged pairs."""
    folder = tmp_path_factory.mktemp("golden")
    languages: dict[str, str | None] = {}
    for name, kind, target in (
        ("seeds_ja.xlsx", "seed", "corpus.jsonl"),
        ("seeds_en.jsonl", "seed", "corpus.jsonl"),
        ("needs_ja.csv", "need", "queries.jsonl"),
        ("needs_en.jsonl", "need", "queries.jsonl"),
    ):
        with (folder / target).open("a", encoding="utf-8") as file:
            for entry in read(SAMPLES / name, "seed" if kind == "seed" else "need"):
                assert isinstance(entry, Entry), f"{name}: {entry}"
                assert entry.external_id is not None
                languages[entry.external_id] = entry.draft.language
                text = entry.draft.profile().matched_text()
                file.write(json.dumps({"_id": entry.external_id, "text": text}, ensure_ascii=False) + "\n")
    shutil.copy(SAMPLES / "judgements" / "qrels.tsv", folder / "qrels.tsv")
    across = _only_across(languages, (folder / "qrels.tsv").read_text().splitlines()[1:])
    lines = [line for line in (folder / "queries.jsonl").read_text().splitlines() if json.loads(line)["_id"] in across]
    (folder / "across.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def _only_across(languages: dict[str, str | None], judged: list[str]) -> set[str]:
    """Needs all of whose clearly right seeds (grade 2) are in the other language."""
    right: dict[str, list[str]] = {}
    for line in judged:
        need, seed, grade = line.split("\t")
        if grade == "2":
            right.setdefault(need, []).append(seed)
    return {need for need, seeds in right.items() if all(languages[seed] != languages[need] for seed in seeds)}
