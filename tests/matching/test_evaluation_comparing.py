"""Configurations side by side: what is switched off is off, and differences come with how sure they are."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.evaluation import Asks, DatasetError, UnknownConfigurationError, evaluate
from enmusubi.matching.evaluation.comparing import compare, compared, interval, significance
from enmusubi.matching.evaluation.configurations import (
    GROUPS,
    IDEAS,
    KNOWN,
    Ranker,
    configurations,
    production,
    snapshot_with,
)
from enmusubi.matching.evaluation.prepared import Prepared, prepare
from enmusubi.matching.evaluation.runs import fused, ranked, trec_lines
from enmusubi.matching.lexical.index import LexicalIndex
from enmusubi.matching.policy import DEFAULT, Policy
from tests.matching.judged_folder import a_folder

ENCODER = HashEncoder(512)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The tiny folder, encoded and indexed."""
    folder = tmp_path_factory.mktemp("comparing")
    return prepare(a_folder(folder / "tiny"), ENCODER, folder / "cache")


def test_a_snapshot_with_all_ideas_ranks_as_the_one_in_production(prepared: Prepared) -> None:
    """What configurations are taken away from is the production ranking itself, to the last decimal of a score."""
    lexical = {
        "seed": LexicalIndex.build(prepared.seeds.terms),
        "need": LexicalIndex.build(prepared.needs.terms),
    }
    made = snapshot_with(prepared, frozenset(IDEAS), lexical)  # type: ignore[arg-type]

    assert ranked(prepared.asking, prepared.seed_ids, made, DEFAULT, 100) == Ranker(prepared).run(production())


def test_plain_cosine_is_the_cosine_of_the_stored_vectors(prepared: Prepared) -> None:
    """With every idea off, the score is the inner product of the vectors as the encoder gave them."""
    run = Ranker(prepared).run(KNOWN["dense"])

    for query, found in run.items():
        cosines = prepared.seeds.matrix @ prepared.asking[query].vector
        expected = {name: float(cosine) for name, cosine in zip(prepared.seed_ids, cosines, strict=True)}
        assert dict(found) == pytest.approx(expected, abs=1e-5)


def test_bm25_finds_nothing_across_languages(prepared: Prepared) -> None:
    """Without a word in common a seed is not returned at all; the production ranking estimates what it cannot find."""
    ranker = Ranker(prepared)

    assert "霧" not in dict(ranker.run(KNOWN["bm25"])["fog"])
    assert dict(ranker.run(KNOWN["bm25"])["whey"]).keys() == {"yeast"}
    assert dict(ranker.run(production())["fog"]).keys() == set(prepared.seed_ids)


def test_each_idea_differs_from_the_step_before(prepared: Prepared) -> None:
    """Every step but that of long needs, of which there is none here, changes a score."""
    ranker = Ranker(prepared)
    runs = [ranker.run(each) for each in configurations(["ideas"])]

    assert [first != second for first, second in pairwise(runs)] == [True] * 6 + [False]
    assert len(runs) == len(IDEAS) + 1


def test_phrases_count_where_words_stand_together(prepared: Prepared) -> None:
    """With phrases, a seed that holds two words of the need side by side scores higher than with words alone."""
    ranker = Ranker(prepared)
    words, phrases = (dict(ranker.run(KNOWN[name])["frost"]) for name in ("words", "phrases"))

    assert phrases["sensor"] > words["sensor"]
    assert phrases["weld"] == words["weld"]
    assert ranker.run(KNOWN["without-words"]) != ranker.run(KNOWN["without-phrases"])


def test_hubs_are_measured_for_the_configuration_that_counts_them(prepared: Prepared) -> None:
    """Hubs that are switched off weigh nothing; those of one kind alone differ from both."""
    ranker = Ranker(prepared)
    runs = [ranker.run(KNOWN[name]) for name in ("without-hub-across", "without-hub-alike", "evidence-1")]

    assert all(first != second for first, second in pairwise(runs))


def test_long_needs_are_ranked_by_their_parts_unless_switched_off(tmp_path: Path) -> None:
    """A need of several paragraphs scores differently as a whole and part by part."""
    text = " ".join(f"We look for a partner who measures frost number {count}." for count in range(30))
    folder = a_folder(tmp_path / "long", queries=[{"_id": "frost", "text": f"{text} Welding of aluminium. {text}"}])
    ranker = Ranker(prepare(folder, ENCODER, tmp_path / "cache"))

    assert ranker.run(KNOWN["without-parts"]) != ranker.run(production())


def test_names_and_groups_are_resolved_once_each() -> None:
    """Groups stand for their configurations; the production ranking comes last unless it was named."""
    assert [each.name for each in configurations(["dense", "peers", "bm25"])] == ["dense", "bm25", "rrf", "evidence-1"]
    assert [each.name for each in configurations(["evidence-1", "dense"])] == ["evidence-1", "dense"]
    learned = Policy("learned-1", {**DEFAULT.weights, "terms": 0.7})
    assert [each.name for each in configurations(["evidence-1"], learned)] == ["evidence-1", "learned-1"]
    assert all(name in KNOWN for names in GROUPS.values() for name in names)


def test_an_unknown_configuration_is_named_with_those_there_are() -> None:
    """A misspelt name is an error that lists the names; so is a policy that takes one of them."""
    with pytest.raises(UnknownConfigurationError, match=r"'densse'; known: bm25, rrf, dense, .*ideas"):
        configurations(["densse"])
    with pytest.raises(UnknownConfigurationError, match="'dense' has the name of a known configuration"):
        configurations(["bm25"], Policy("dense", {**DEFAULT.weights, "terms": 0.7}))


def test_rank_fusion_adds_reciprocal_ranks() -> None:
    """A document's score is the sum of 1 / (60 + rank), equal ones by id."""
    first = {"q": [("a", 9.0), ("b", 8.0)]}
    second = {"q": [("b", 0.2), ("c", 0.1)]}

    found = fused([first, second])["q"]

    assert [name for name, _ in found] == ["b", "a", "c"]
    assert [score for _, score in found] == [pytest.approx(1 / 62 + 1 / 61), 1 / 61, 1 / 62]


def test_a_report_with_several_configurations(tmp_path: Path) -> None:
    """Each configuration has its measures; the comparisons name queries with both values; the first keys stay."""
    asks = Asks(["dense", "bm25"], by=["direction"], exposure=True)
    report = evaluate(a_folder(tmp_path / "tiny"), ENCODER, tmp_path / "cache", asks=asks)
    read = json.loads(json.dumps(report.as_json()))

    assert list(read)[:5] == ["dataset", "queries", "documents", "seconds", "measures"]
    assert list(read["configurations"]) == ["dense", "bm25", "evidence-1"]
    assert read["measures"] == read["configurations"]["evidence-1"]["measures"]
    assert set(read["configurations"]["dense"]) == {"measures", "by", "exposure"}
    assert [(each["configuration"], each["against"]) for each in read["comparisons"]] == [
        ("bm25", "dense"),
        ("evidence-1", "dense"),
    ]
    bm25 = read["comparisons"][0]
    assert bm25["better"] + bm25["worse"] + bm25["equal"] == 5
    assert bm25["largest_losses"][0]["query"] == "fog"
    assert bm25["largest_losses"][0]["after"] == 0.0
    means = {name: each["measures"]["nDCG@10"] for name, each in read["configurations"].items()}
    assert bm25["difference"] == pytest.approx(means["bm25"] - means["dense"])


def test_the_figures_of_queries_average_to_those_of_the_set(tmp_path: Path) -> None:
    """The value of each query is its nDCG@10, and their mean is the measure."""
    report = evaluate(a_folder(tmp_path / "tiny"), ENCODER, tmp_path / "cache")

    assert list(report.own.values) == ["frost", "霧", "whey", "sheets", "fog"]
    assert math.fsum(report.own.values.values()) / 5 == pytest.approx(report.measures["nDCG@10"])


def test_steps_are_compared_with_the_one_before() -> None:
    """Against the previous configuration, each difference is one idea's gain."""
    values = [("a", {"q": 0.1, "r": 0.2}), ("b", {"q": 0.3, "r": 0.2}), ("c", {"q": 0.3, "r": 0.1})]

    assert [(each.name, each.against) for each in compared(values)] == [("b", "a"), ("c", "a")]
    steps = compared(values, previous=True)
    assert [(each.name, each.against) for each in steps] == [("b", "a"), ("c", "b")]
    assert [each.difference for each in steps] == [pytest.approx(0.1), pytest.approx(-0.05)]
    assert [(each.better, each.worse, each.equal) for each in steps] == [(1, 0, 1), (0, 1, 1)]


def test_only_queries_that_changed_are_named_largest_first() -> None:
    """Five gains and five losses at most, each with both values."""
    before = {f"q{number}": 0.5 for number in range(9)}
    after = {name: 0.5 + 0.01 * number for number, name in enumerate(before)}

    comparison = compare("new", after, "old", before)

    assert [change.query for change in comparison.gains] == ["q8", "q7", "q6", "q5", "q4"]
    assert (comparison.gains[0].before, comparison.gains[0].after) == (0.5, 0.58)
    assert comparison.losses == []


def test_the_randomisation_test_is_exact_for_few_queries() -> None:
    """Five differences of one sign: only two of the 32 assignments of signs are as extreme."""
    assert significance(np.array([0.1, 0.2, 0.1, 0.3, 0.2])) == pytest.approx(2 / 32)
    assert significance(np.zeros(5)) == 1.0


def test_a_plain_difference_is_significant_and_noise_is_not() -> None:
    """A shift beyond the noise has a small p and an interval beyond 0; pure noise has neither; both are repeatable."""
    noise = np.random.default_rng(5).normal(0, 0.1, 80)

    assert significance(noise + 0.1) < 0.001
    shifted, plain = interval(noise + 0.1), interval(noise - noise.mean())
    assert shifted is not None
    assert 0 < shifted[0] < shifted[1]
    assert plain is not None
    assert plain[0] < 0 < plain[1]
    assert significance(noise - noise.mean()) > 0.5
    assert interval(noise) == interval(noise)


def test_one_query_has_no_interval() -> None:
    """Nothing can be said of the spread of a single query."""
    comparison = compare("new", {"q": 1.0}, "old", {"q": 0.5})

    assert comparison.interval is None
    assert comparison.p == 1.0
    with pytest.raises(ValueError, match="the same queries"):
        compare("new", {"q": 1.0}, "old", {"r": 1.0})


def test_run_files_are_in_trecs_format() -> None:
    """Query, Q0, document, rank from 1, score, tag; ids with white space are refused."""
    assert list(trec_lines({"q1": [("d2", 0.5), ("霧", 0.25)]}, "dense")) == [
        "q1 Q0 d2 1 0.500000 dense",
        "q1 Q0 霧 2 0.250000 dense",
    ]
    with pytest.raises(DatasetError, match="the document id 'd 2' holds white space"):
        list(trec_lines({"q": [("d 2", 0.5)]}, "dense"))
