"""Figures by groups of queries, and who is shown at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.evaluation import Asks, DatasetError, evaluate, exposure_of
from enmusubi.matching.evaluation.exposure import gini
from tests.matching.judged_folder import QUERIES, a_folder

ENCODER = HashEncoder(512)


def test_queries_are_grouped_by_language_direction_and_length(tmp_path: Path) -> None:
    """Counts and means of each group; the direction is decided by the best documents alone."""
    asks = Asks(by=["language", "direction", "length"])
    report = evaluate(a_folder(tmp_path / "tiny"), ENCODER, tmp_path / "cache", asks=asks)
    by = report.as_json()["by"]

    assert {name: group["queries"] for name, group in by["language"].items()} == {"en": 4, "ja": 1}
    assert {name: group["queries"] for name, group in by["direction"].items()} == {
        "same language": 4,
        "across languages": 1,
        "en → en": 3,
        "en → ja": 1,
        "ja → ja": 1,
    }
    assert list(by["direction"])[:2] == ["same language", "across languages"]
    assert by["direction"]["across languages"]["nDCG@10"] == pytest.approx(report.own.values["fog"])
    assert {name: group["queries"] for name, group in by["length"].items()} == {"0 to 8 terms": 5}


def test_lengths_are_in_order_and_cover_every_query(tmp_path: Path) -> None:
    """Buckets double, from the shortest to the longest, whatever order the queries have."""
    queries = [{"_id": f"q{count}", "text": " ".join(["frost"] * count)} for count in (200, 3, 40, 9, 16, 129)]
    judgements = "".join(f"{query['_id']}\tsensor\t1\n" for query in queries)
    report = evaluate(
        a_folder(tmp_path / "lengths", queries=queries, judgements=judgements),
        ENCODER,
        tmp_path / "cache",
        asks=Asks(by=["length"]),
    )

    counts = {group.name: group.queries for group in report.own.by["length"]}
    assert list(counts.items()) == [
        ("0 to 8 terms", 1),
        ("9 to 16 terms", 2),
        ("33 to 64 terms", 1),
        ("129 terms or more", 2),
    ]


def test_queries_without_text_or_without_a_right_document_are_in_no_direction(tmp_path: Path) -> None:
    """A query without text has no language, one whose right documents are absent or in two languages no direction."""
    queries = [
        *QUERIES,
        {"_id": "empty", "text": " "},
        {"_id": "both", "text": "frost"},
        {"_id": "none", "text": "frost"},
    ]
    judgements = "empty\tsensor\t1\nboth\tsensor\t1\nboth\t霧\t1\nnone\tsensor\t0\nnone\tabsent\t1\n"
    folder = a_folder(tmp_path / "odd", queries=queries, judgements=judgements)
    report = evaluate(folder, ENCODER, tmp_path / "cache", asks=Asks(by=["language", "direction"]))

    assert {group.name: group.queries for group in report.own.by["language"]} == {"en": 2}
    assert {group.name: group.queries for group in report.own.by["direction"]} == {"en → several": 1}


def test_an_unknown_grouping_is_named(tmp_path: Path) -> None:
    """A misspelt grouping is an error that lists those there are."""
    with pytest.raises(ValueError, match="'colour'; known: language, direction, length"):
        evaluate(a_folder(tmp_path / "tiny"), ENCODER, tmp_path / "cache", asks=Asks(by=["colour"]))


def test_exposure_counts_places_in_top_tens() -> None:
    """Two of four seeds are shown, one of them twice: shares, Gini and hubs can be worked out by hand."""
    seeds = {"a": {"language": "ja"}, "b": {"language": "ja"}, "c": {"language": "en"}, "d": {"language": "en"}}
    run = {"q": [("a", 1.0), ("b", 0.9)], "r": [("a", 1.0), ("gone", 0.5)]}

    exposure = exposure_of(run, seeds)

    assert (exposure.queries, exposure.seeds, exposure.places) == (2, 4, 3)
    assert (exposure.reached, exposure.attainable) == (0.5, 0.75)
    # Ordered 0, 0, 1, 2: (1 * 1 + 3 * 2) / (4 * 3).
    assert exposure.gini == pytest.approx(7 / 12)
    assert exposure.least_gini == pytest.approx(1 / 4)
    assert exposure.hubs == [("a", 2), ("b", 1)]
    by = exposure.as_json()["by"]
    assert by["language"]["ja"] == {"seeds": 2, "reached": 1.0, "share_of_seeds": 0.5, "share_of_places": 1.0}
    assert by["language"]["en"]["reached"] == 0.0
    assert by["region"] is None


def test_only_the_first_ten_places_count() -> None:
    """What comes eleventh was not shown."""
    seeds: dict[str, dict[str, str]] = {f"s{number}": {} for number in range(12)}
    run = {"q": [(name, -float(place)) for place, name in enumerate(seeds)]}

    assert exposure_of(run, seeds).places == 10
    assert exposure_of(run, seeds).by == {}


def test_no_seeds_and_no_queries_have_an_exposure_too() -> None:
    """Nothing to show is 0, not a division by it."""
    assert exposure_of({}, {}).as_json()["gini"] == 0.0
    assert exposure_of({"q": []}, {"a": {}}).reached == 0.0


def test_the_gini_coefficient_is_zero_for_all_alike_and_nears_one_for_one() -> None:
    """All alike 0; everything for one of a hundred 0.99."""
    assert gini(np.full(7, 3)) == 0.0
    assert gini(np.eye(1, 100, dtype=np.int64)[0] * 5) == pytest.approx(0.99)


def test_region_and_organisation_come_with_the_documents(tmp_path: Path) -> None:
    """A line of corpus.jsonl may name them, by themselves or in its metadata; others are not known."""
    report = evaluate(a_folder(tmp_path / "tiny"), ENCODER, tmp_path / "cache", asks=Asks(exposure=True))
    by = json.loads(json.dumps(report.as_json()))["exposure"]["by"]

    assert {name: each["seeds"] for name, each in by["region"].items()} == {"North": 2, "South": 1, "not known": 3}
    assert {name: each["seeds"] for name, each in by["organisation"].items()} == {"A": 1, "not known": 5}
    assert {name: each["seeds"] for name, each in by["language"].items()} == {"en": 4, "ja": 2}


def test_a_region_that_is_no_text_is_named_with_its_place(tmp_path: Path) -> None:
    """An attribute that cannot be read is an error with file and line."""
    folder = a_folder(tmp_path / "tiny", corpus=[{"_id": "a", "text": "frost", "region": 5}])

    with pytest.raises(DatasetError, match=r"corpus\.jsonl:1: region is not a text"):
        evaluate(folder, ENCODER, tmp_path / "cache")
