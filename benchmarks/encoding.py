"""Documents a second of our encoder and of SentenceTransformer.encode, short texts and long, single and in batches.

Each side lives in a process of its own and the two take turns, with texts of their own each turn. Long texts are those
of the SBIR corpus that fit the model's window, so that both sides encode all of every text.
"""

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from benchmarks import plain, prepared, results
from benchmarks.ingest import CORPUS
from benchmarks.results import Part
from benchmarks.workers import Work, Worker

BATCH_SIZES = (1, 32, 512)
_LONG = (300, 505)  # tokens


def make_ours(home: str) -> Work:
    """Encode so many texts at a time with our encoder; seconds."""
    from enmusubi.matching.encoder import load_encoder

    encoder = load_encoder(None, Path(home))
    encoder.encode(["warm up"] * 8, "seed")

    def work(texts: Sequence[str], at_once: int) -> float:
        began = time.perf_counter()
        for start in range(0, len(texts), at_once):
            encoder.encode(texts[start : start + at_once], "seed")
        return time.perf_counter() - began

    return work


def make_plain(model_folder: str) -> Work:
    """Encode so many texts at a time with the plain script's encoder; seconds."""
    model = plain.load_model(model_folder)
    plain.encode(model, ["warm up"] * 8, "passage: ")

    def work(texts: list[str], at_once: int) -> float:
        began = time.perf_counter()
        for start in range(0, len(texts), at_once):
            plain.encode(model, texts[start : start + at_once], "passage: ")
        return time.perf_counter() - began

    return work


def read_texts(folder: Path, model: Path) -> dict[str, list[str]]:
    """Short and long texts, in random order."""
    short = prepared.read_descriptions(folder / "seeds.jsonl")
    found = {"short": short}
    if CORPUS.exists():
        tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        tokenizer.no_truncation()
        texts = prepared.read_descriptions(CORPUS)
        counts = [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)]
        found["long"] = [text for text, count in zip(texts, counts, strict=True) if _LONG[0] <= count <= _LONG[1]]
    for each in found.values():
        random.Random(7).shuffle(each)
    return found


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Run the rounds."""
    model = prepared.model_folder(home)
    measured: dict[str, dict[str, dict[str, list[float]]]] = {}
    rows = []
    with Worker(make_ours, str(home)) as ours, Worker(make_plain, str(model)) as theirs:
        for kind, texts in read_texts(prepared.cut_texts(home, model, given.seeds), model).items():
            for at_once in BATCH_SIZES:
                count = min(max(given.texts if kind == "short" else given.texts // 8, at_once), 2 * given.texts)
                if kind == "long" and at_once > count:
                    continue
                rates: dict[str, list[float]] = {"enmusubi": [], "plain": []}
                for number in range(given.rounds):
                    begin = number * count % (len(texts) - count)
                    part = texts[begin : begin + count]
                    sides = {"enmusubi": ours, "plain": theirs}
                    for name in sorted(sides, reverse=bool(number % 2)):
                        rates[name].append(count / sides[name](part, at_once))
                measured.setdefault(kind, {})[str(at_once)] = rates
                medians = [statistics.median(rates[name]) for name in ("enmusubi", "plain")]
                ratio = results.median_ratio(rates["enmusubi"], rates["plain"])
                rows.append([f"{kind}, {at_once} at a time", *(f"{rate:.1f}" for rate in medians), f"{ratio:.2f}"])
                print(" | ".join(rows[-1]), flush=True)
    return Part(
        "encoding",
        {"rounds": given.rounds, "docs_per_second": measured},
        ("texts", "enmusubi docs/s", "plain docs/s", "ratio"),
        rows,
        note=f"Short: 20 to 100 tokens, most below 60. Long: {_LONG[0]} to {_LONG[1]} tokens.",
    )


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.seeds_options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=512, help="short texts a turn; an eighth of it long ones")
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
