"""Evaluation reads what is written, ranks through the matchmaker and measures as the field does."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from enmusubi.matching.encoder import HashEncoder, Role
from enmusubi.matching.encoder.protocol import Progress
from enmusubi.matching.evaluation import DatasetError, evaluate
from enmusubi.matching.similarity import Matrix

ENCODER = HashEncoder(512)

CORPUS: list[dict[str, Any]] = [
    {"_id": "sensor", "title": "Frost sensor", "text": "measures frost on solar panels"},
    {"_id": "yeast", "title": "", "text": "yeast that ferments whey"},
    {"_id": "霧", "title": "霧センサ", "text": "霧の濃度を測る"},
    {"_id": "weld", "text": "friction welding of aluminium"},
]
QUERIES: list[dict[str, Any]] = [
    {"_id": "frost", "text": "frost on solar panels"},
    {"_id": "霧", "text": "霧の濃度"},
    {"_id": "whey", "title": None, "text": "yeast for whey"},
]
# The third query finds the document judged 0 first; the one judged 1 shares no word with it.
JUDGEMENTS = "frost\tsensor\t1\n霧\t霧\t1\nwhey\tweld\t1\nwhey\tyeast\t0\n"
HEADING = "query-id\tcorpus-id\tscore\n"


@dataclass(frozen=True)
class CountingEncoder(HashEncoder):
    """Remembers what it encodes."""

    encoded: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        self.encoded.extend(texts)
        return super().encode(texts, role, progress)


def a_dataset(
    folder: Path,
    corpus: Sequence[dict[str, Any]] = CORPUS,
    queries: Sequence[dict[str, Any]] = QUERIES,
    judgements: str = HEADING + JUDGEMENTS,
) -> Path:
    folder.mkdir(exist_ok=True)
    for name, entries in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text(judgements, encoding="utf-8")
    return folder


def test_the_measures_are_the_fields_own(tmp_path: Path) -> None:
    """Two queries find their document first and one finds it third: the figures can be worked out by hand."""
    folder = a_dataset(
        tmp_path / "tiny",
        queries=[*QUERIES[:2], {"_id": "third", "text": "frost sensor yeast ferments whey welding"}],
        judgements=HEADING + "frost\tsensor\t1\n霧\t霧\t1\nthird\tweld\t1\n",
    )

    report = evaluate(folder, ENCODER, tmp_path / "cache").as_json()

    assert list(report) == ["dataset", "queries", "documents", "seconds", "measures"]
    assert (report["dataset"], report["queries"], report["documents"]) == ("tiny", 3, 4)
    assert report["seconds"] > 0
    assert report["measures"] == {
        "nDCG@10": pytest.approx((2 + 1 / math.log2(4)) / 3),
        "MRR@10": pytest.approx((2 + 1 / 3) / 3),
        "R@10": 1.0,
        "R@100": 1.0,
    }
    json.dumps(report)


def test_measures_follow_our_order_where_scores_tie(tmp_path: Path) -> None:
    """Equal scores are measured in the order the matchmaker gives, not in that of the measuring library."""
    corpus = [{"_id": name, "text": "the same words"} for name in ("b", "a", "c")]
    queries = [{"_id": "q", "text": "the same words"}]
    folder = a_dataset(tmp_path / "ties", corpus, queries, HEADING + "q\ta\t1\n")

    assert evaluate(folder, ENCODER, tmp_path / "cache").measures["MRR@10"] == 1.0


def test_a_query_that_finds_nothing_counts_as_zero(tmp_path: Path) -> None:
    """A judged query without any text is measured, finds nothing, and is reported."""
    folder = a_dataset(tmp_path / "tiny", queries=[QUERIES[0], {"_id": "霧", "text": " "}])

    report = evaluate(folder, ENCODER, tmp_path / "cache")

    assert report.queries == 2
    assert report.measures["MRR@10"] == 0.5
    assert "1 queries have no text and match nothing" in report.notices
    assert "1 judged queries are not among the queries and left out ('whey' first)" in report.notices


def test_judgements_of_absent_documents_are_reported_and_count(tmp_path: Path) -> None:
    """A relevant document that is not in the corpus lowers recall, and the report says so."""
    folder = a_dataset(tmp_path / "tiny", judgements=HEADING + "frost\tsensor\t1\nfrost\tlost\t1\n")

    report = evaluate(folder, ENCODER, tmp_path / "cache")

    assert report.measures["R@100"] == 0.5
    assert any("'lost'" in notice for notice in report.notices)
    assert "2 queries are not judged and not measured" in report.notices


def test_the_layout_with_a_folder_of_judgements_is_read(tmp_path: Path) -> None:
    """qrels/test.tsv, byte-order marks, blank lines, numeric ids and a missing heading are all as found."""
    folder = a_dataset(tmp_path / "tiny", corpus=[*CORPUS, {"_id": 7, "text": "seven"}])
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "test.tsv")
    (folder / "qrels" / "test.tsv").write_text(f"\ufeff{JUDGEMENTS}\nfrost\t7\t0\n", encoding="utf-8")

    report = evaluate(folder, ENCODER, tmp_path / "cache")

    assert (report.queries, report.documents, report.notices) == (3, 5, ())


def test_other_queries_may_take_the_place_of_the_folders(tmp_path: Path) -> None:
    """A file of queries given apart is used instead of queries.jsonl."""
    folder = a_dataset(tmp_path / "tiny", judgements=HEADING + "frost\tsensor\t1\n")
    (tmp_path / "short.jsonl").write_text('{"_id": "frost", "text": "whey yeast"}\n')

    report = evaluate(folder, ENCODER, tmp_path / "cache", queries=tmp_path / "short.jsonl")

    assert (report.queries, report.notices) == (1, ())
    assert report.measures["MRR@10"] < 1


def test_a_second_run_encodes_nothing(tmp_path: Path) -> None:
    """Vectors are kept by content: equal texts are encoded once, and a changed one alone is encoded anew."""
    encoder = CountingEncoder(512)
    folder = a_dataset(tmp_path / "tiny", corpus=[*CORPUS, {**CORPUS[0], "_id": "twin"}])
    first = evaluate(folder, encoder, tmp_path / "cache")
    assert len(encoder.encoded) == 7

    second = evaluate(folder, encoder, tmp_path / "cache")
    assert len(encoder.encoded) == 7
    assert second.measures == first.measures

    a_dataset(folder, corpus=[*CORPUS[1:], {"_id": "sensor", "text": "changed"}])
    evaluate(folder, encoder, tmp_path / "cache")
    assert encoder.encoded[7:] == ["changed"]


def test_unknown_needs_are_not_encoded(tmp_path: Path) -> None:
    """With the needs unknown, only what is asked is encoded, and what nobody judged changes no figure."""
    folder = a_dataset(tmp_path / "tiny", queries=[*QUERIES, {"_id": "unjudged", "text": "a need beside"}])
    known, unknown = CountingEncoder(512), CountingEncoder(512)

    with_needs = evaluate(folder, known, tmp_path / "one")
    without = evaluate(folder, unknown, tmp_path / "two", needs_unknown=True)

    assert set(known.encoded) - set(unknown.encoded) == {"a need beside"}
    assert with_needs.queries == without.queries
    alone = evaluate(a_dataset(tmp_path / "alone"), unknown, tmp_path / "two", needs_unknown=True)
    assert without.measures == alone.measures


def test_a_damaged_cache_is_rebuilt_and_said(tmp_path: Path) -> None:
    """Whatever byte of the cache is changed or lost, the figures stay right and the report names the file."""
    folder = a_dataset(tmp_path / "tiny")
    first = evaluate(folder, ENCODER, tmp_path / "cache")

    for damage in (0, 40, 300, None):
        files = sorted((tmp_path / "cache").rglob("*.vectors"))
        content = bytearray(files[0].read_bytes())
        if damage is None:
            del content[-1]
        else:
            content[damage] ^= 1
        files[0].write_bytes(content)

        report = evaluate(folder, ENCODER, tmp_path / "cache")

        assert report.measures == first.measures
        assert len(report.notices) == 1
        assert files[0].name in report.notices[0]
    assert evaluate(folder, ENCODER, tmp_path / "cache").notices == ()


def test_an_encoder_never_reads_the_vectors_of_another(tmp_path: Path) -> None:
    """Encoders that differ in anything share no cached vector."""
    folder = a_dataset(tmp_path / "tiny")
    evaluate(folder, ENCODER, tmp_path / "cache")
    other = CountingEncoder(512, prompts={"need": "query: ", "seed": ""})

    evaluate(folder, other, tmp_path / "cache")

    assert len(other.encoded) == 7


def test_progress_reaches_its_total(tmp_path: Path) -> None:
    """Progress counts up to all texts, cached ones at once, and nothing is left behind in the cache folder."""
    folder = a_dataset(tmp_path / "tiny")
    seen: list[tuple[int, int]] = []

    for _ in range(2):
        evaluate(folder, ENCODER, tmp_path / "cache", progress=lambda done, total: seen.append((done, total)))
        assert seen[-1] == (7, 7)
        assert seen == sorted(seen)
        seen.clear()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["embeddings"]


GOOD = '{"_id": "a", "text": "words"}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", GOOD + "{", r"corpus\.jsonl:2: not a line of JSON"),
        ("corpus.jsonl", GOOD + "\n[1]", r"corpus\.jsonl:3: a JSON object is expected"),
        ("corpus.jsonl", GOOD + GOOD, r"corpus\.jsonl:2: _id 'a' occurs a second time"),
        ("corpus.jsonl", '{"text": "words"}', r"corpus\.jsonl:1: _id is missing"),
        ("corpus.jsonl", '{"_id": "a"}', r"corpus\.jsonl:1: text is missing"),
        ("queries.jsonl", '{"_id": "a", "text": 5}', r"queries\.jsonl:1: text is not a text"),
        ("queries.jsonl", '{"_id": "a", "text": "\\ud800"}', r"queries\.jsonl:1: text holds half a surrogate"),
        ("queries.jsonl", "[" * 100_000, r"queries\.jsonl:1: not a line of JSON"),
        ("queries.jsonl", "", r"queries\.jsonl: no entries"),
        ("qrels.tsv", "a b 1", r"qrels\.tsv:1: 1 columns"),
        ("qrels.tsv", HEADING + "frost\tsensor\thigh", r"qrels\.tsv:2: the grade 'high'"),
        ("qrels.tsv", "frost\tsensor\t1\n" * 2, r"qrels\.tsv:2: 'frost' and 'sensor' are judged a second"),
        ("qrels.tsv", HEADING, r"qrels\.tsv: no judgements"),
        ("qrels.tsv", HEADING + "other\tsensor\t1", r"none of the queries is judged"),
    ],
)
def test_a_bad_line_is_named_with_its_place(tmp_path: Path, name: str, content: str, message: str) -> None:
    """What cannot be read as it stands is an error with file and line, never a guess."""
    folder = a_dataset(tmp_path / "tiny")
    (folder / name).write_text(content)

    with pytest.raises(DatasetError, match=message):
        evaluate(folder, ENCODER, tmp_path / "cache")


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """A file in another encoding is refused at its first such line."""
    folder = a_dataset(tmp_path / "tiny")
    (folder / "corpus.jsonl").write_bytes(GOOD.encode() + "霧".encode("cp932"))

    with pytest.raises(DatasetError, match=r"corpus\.jsonl:2: not UTF-8 \(byte 1 of the line\)"):
        evaluate(folder, ENCODER, tmp_path / "cache")


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """A folder that is not in the BEIR layout says what it lacks."""
    folder = a_dataset(tmp_path / "tiny")
    (folder / name).unlink()

    with pytest.raises(DatasetError, match=name):
        evaluate(folder, ENCODER, tmp_path / "cache")


def test_no_folder_at_all_is_named(tmp_path: Path) -> None:
    """A path that is not a folder is an error that names it."""
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        evaluate(tmp_path / "nowhere", ENCODER, tmp_path / "cache")
