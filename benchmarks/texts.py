"""Short texts to measure with: 20,000 seeds and some queries, cut out of the judged sets, never kept in the project."""

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

PROJECT = Path(__file__).resolve().parent.parent
JUDGED_SETS = PROJECT.parent / "shared" / "eval"
SAMPLES = PROJECT / "samples"

SHORTEST, LONGEST_QUERY, LONGEST_SEED = 20, 60, 100  # tokens
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def write_texts(folder: Path, tokenizer_file: Path, seeds: int, queries: int) -> None:
    """Write `seeds.jsonl` (external_id, description) and `queries.json` (a list of texts) into `folder`.

    The same sets give the same files. Raises ValueError where the sets do not hold enough distinct texts.
    """
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    if JUDGED_SETS.is_dir():
        seed_texts = _chunks(_members(JUDGED_SETS.glob("*/corpus.jsonl")), tokenizer, LONGEST_SEED)
        query_texts = _chunks(_members(JUDGED_SETS.glob("*/queries.jsonl")), tokenizer, LONGEST_QUERY)
    else:
        print("../shared/eval is missing: texts are put together from samples/, which hold far fewer words; figures")
        print("of speed hold, the overlap of the rankings is not comparable")
        sentences = list(_sample_texts())
        seed_texts = _combined(sentences, tokenizer, LONGEST_SEED, 2 * seeds)
        query_texts = _combined(sentences[::-1], tokenizer, LONGEST_QUERY, 2 * queries)
    chosen = _distinct(seed_texts, seeds, "seeds")
    taken = set(chosen)
    asked = _distinct((text for text in query_texts if text not in taken), queries, "queries")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "seeds.jsonl").open("w", encoding="utf-8") as file:
        for number, text in enumerate(chosen):
            file.write(json.dumps({"external_id": f"B{number:06d}", "description": text}, ensure_ascii=False) + "\n")
    (folder / "queries.json").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")


def _members(files: Iterable[Path]) -> Iterator[str]:
    """The texts of BEIR files."""
    for path in sorted(files):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"]


def _sample_texts() -> Iterator[str]:
    """Every sentence of the samples' JSON Lines and CSV files."""
    for path in sorted(SAMPLES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            for value in json.loads(line).values():
                if isinstance(value, str):
                    yield from _sentences(value)
    for path in sorted(SAMPLES.glob("*.csv")):
        with path.open(encoding="cp932", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    yield from _sentences(cell)


def sentences() -> Iterator[str]:
    """Every sentence of the judged sets' documents, in their order; of the samples where the sets are missing."""
    if not JUDGED_SETS.is_dir():
        yield from _sample_texts()
        return
    for text in _members(JUDGED_SETS.glob("*/corpus.jsonl")):
        yield from _sentences(text)


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def _chunks(texts: Iterable[str], tokenizer: Any, longest: int) -> Iterator[str]:
    """Runs of whole sentences of a text, between SHORTEST and `longest` tokens, most of them below 60."""
    lengths = random.Random(2)
    for text in texts:
        runs = list(_runs(text, tokenizer, longest, lengths))
        # Joined, sentences can have a token more or less than apart.
        for run, encoding in zip(runs, tokenizer.encode_batch(runs), strict=True):
            if SHORTEST <= len(encoding.ids) - 2 <= longest:
                yield run


def _runs(text: str, tokenizer: Any, longest: int, lengths: random.Random) -> Iterator[str]:
    sentences = _sentences(text)
    counts = [len(encoding.ids) - 2 for encoding in tokenizer.encode_batch(sentences)]
    run: list[str] = []
    tokens, wanted = 0, _wanted(lengths, longest)
    for sentence, count in zip(sentences, counts, strict=True):
        if tokens + count > longest:
            yield _joined(run)
            run, tokens = [], 0
        if count > longest:
            continue
        run.append(sentence)
        tokens += count
        if tokens >= wanted:
            yield _joined(run)
            run, tokens, wanted = [], 0, _wanted(lengths, longest)
    yield _joined(run)


def _wanted(lengths: random.Random, longest: int) -> int:
    return lengths.randint(SHORTEST, 40 if lengths.random() < 2 / 3 else longest)


def _combined(sentences: Sequence[str], tokenizer: Any, longest: int, most: int) -> Iterator[str]:
    """Sentences put together at random until they are long enough."""
    choices = random.Random(3)
    for _ in range(most):
        run = [choices.choice(sentences)]
        while len(tokenizer.encode(_joined(run)).ids) - 2 < SHORTEST:
            run.append(choices.choice(sentences))
        if len(tokenizer.encode(_joined(run)).ids) - 2 <= longest:
            yield _joined(run)


def _joined(sentences: Sequence[str]) -> str:
    return "".join(sentence + ("" if sentence.endswith(("。", "！", "？")) else " ") for sentence in sentences).strip()


def _distinct(texts: Iterable[str], wanted: int, what: str) -> list[str]:
    """`wanted` distinct texts, in an order and choice that only depend on the texts."""
    found = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())
    if len(found) < wanted:
        raise ValueError(f"the sets give {len(found):,} distinct {what}, {wanted:,} are wanted")
    return found[:wanted]
