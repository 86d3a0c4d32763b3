"""A tiny judged folder in two languages, for the tests of evaluation."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CORPUS: list[dict[str, Any]] = [
    {"_id": "sensor", "title": "Frost sensor", "text": "measures frost on solar panels", "region": "North"},
    {"_id": "yeast", "text": "yeast that ferments whey", "metadata": {"region": "South", "organisation": "A"}},
    {"_id": "霧", "title": "霧センサ", "text": "霧の濃度を測る", "region": "North"},
    {"_id": "weld", "text": "friction welding of aluminium sheets"},
    {"_id": "麹", "text": "麹菌で大豆の香りを高める"},
    {"_id": "dryer", "text": "a dryer for seaweed sheets with little heat"},
]
QUERIES: list[dict[str, Any]] = [
    {"_id": "frost", "text": "frost on solar panels"},
    {"_id": "霧", "text": "霧の濃度"},
    {"_id": "whey", "text": "a use for whey"},
    {"_id": "sheets", "text": "joining sheets of aluminium"},
    {"_id": "fog", "text": "fog sensor"},
]
JUDGEMENTS = "frost\tsensor\t1\n霧\t霧\t2\n霧\tsensor\t1\nwhey\tyeast\t1\nsheets\tweld\t1\nfog\t霧\t1\n"
HEADING = "query-id\tcorpus-id\tscore\n"


def a_folder(
    folder: Path,
    corpus: Sequence[dict[str, Any]] = CORPUS,
    queries: Sequence[dict[str, Any]] = QUERIES,
    judgements: str = JUDGEMENTS,
) -> Path:
    """Write the folder and return it."""
    folder.mkdir(exist_ok=True)
    for name, entries in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text(HEADING + judgements, encoding="utf-8")
    return folder
