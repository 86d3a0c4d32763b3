"""`enmusubi evaluate` with several folders, configurations, groups, exposure, run files and policies."""

import json
from pathlib import Path

import pytest

from enmusubi.matching.policy import DEFAULT, Policy
from tests.cli.conftest import Command
from tests.matching.judged_folder import a_folder

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
KEYS = ["dataset", "queries", "documents", "seconds", "measures"]


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A tiny judged folder in two languages."""
    return a_folder(tmp_path / "judged")


def test_several_folders_give_a_list(command: Command, judged: Path, tmp_path: Path) -> None:
    """One report a folder, in their order, each with exactly the keys of a single one."""
    other = a_folder(tmp_path / "other", judgements="frost\tsensor\t1\n")
    reports = command("evaluate", judged, other, "--json").json()

    assert [list(report) for report in reports] == [KEYS, KEYS]
    assert [(report["dataset"], report["queries"]) for report in reports] == [("judged", 5), ("other", 1)]


def test_options_add_keys_and_change_none(command: Command, judged: Path) -> None:
    """Groups, exposure and comparisons come after the keys that are always there."""
    plain = command("evaluate", judged, "--json").json()
    more = command(
        "evaluate", judged, "--json", "--by", "language,direction", "--exposure", "--compare", "dense, bm25"
    ).json()

    assert list(plain) == KEYS
    assert list(more) == [*KEYS, "by", "exposure", "configurations", "comparisons"]
    assert more["measures"] == plain["measures"]
    assert list(more["by"]) == ["language", "direction"]
    assert list(more["configurations"]) == ["dense", "bm25", "evidence-1"]
    assert [each["against"] for each in more["comparisons"]] == ["dense", "dense"]


def test_tables_show_what_was_asked(command: Command, judged: Path) -> None:
    """Both cases of the needs, groups with their gap, exposure with its hubs; side by side where configurations are."""
    shown = command("evaluate", judged, "--by", "direction,length", "--exposure").out
    for part in ("needs known", "needs unknown", "same language", "across languages", "gap", "0 to 8 terms", "Gini"):
        assert part in shown
    assert "in most top tens: dryer (5)" in shown

    compared = command("evaluate", judged, "--compare", "dense,rrf", "--against", "previous").out
    for part in ("reciprocal rank fusion", "95 % interval", "largest gains and losses"):
        assert part in " ".join(compared.split())
    assert "needs unknown" not in compared


def test_a_run_file_is_written(command: Command, judged: Path, tmp_path: Path) -> None:
    """One ranking goes into the file named, in TREC's format; several go into a folder."""
    finished = command("evaluate", judged, "--json", "--run-file", tmp_path / "one.run")
    assert finished.json()["queries"] == 5
    first = (tmp_path / "one.run").read_text().splitlines()[0].split()
    assert first[:4] == ["frost", "Q0", "sensor", "1"]
    assert first[5] == "evidence-1"

    command("evaluate", judged, "--compare", "dense", "--run-file", tmp_path / "runs", "--json")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["judged.dense.run", "judged.evidence-1.run"]


def test_a_policy_of_a_file_ranks(command: Command, judged: Path, tmp_path: Path) -> None:
    """A learned policy is measured beside the default; a file that is altered is refused by name."""
    policy = Policy("learned-3", {**DEFAULT.weights, "terms": 1.5})
    file = tmp_path / "policy.json"
    file.write_text(policy.as_json())
    report = command("evaluate", judged, "--json", "--policy", file, "--compare", "evidence-1").json()
    assert list(report["configurations"]) == ["evidence-1", "learned-3"]

    file.write_text(policy.as_json().replace("1.5", "2.5"))
    refused = command("evaluate", judged, "--json", "--policy", file)
    assert refused.status == 2
    assert "its digest does not fit its weights" in refused.errors


def test_the_samples_are_measured_as_they_are(command: Command) -> None:
    """Their folder is a judged one, with regions and organisations; --bilingual asks each need in both languages."""
    report = command("evaluate", SAMPLES, "--json", "--exposure").json()
    assert (report["dataset"], report["queries"], report["documents"]) == ("samples", 75, 143)
    assert len(report["exposure"]["by"]["organisation"]) > 3
    assert len(report["exposure"]["by"]["region"]) > 1

    both = command("evaluate", SAMPLES, "--bilingual", "--json", "--by", "direction").json()
    assert (both["dataset"], both["queries"]) == ("bilingual", 72)
    counts = {name: group["queries"] for name, group in both["by"]["direction"].items()}
    assert counts["same language"] == counts["across languages"] == 36


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--compare", "densse"], "--compare: there is no configuration 'densse'; known: bm25"),
        (["--by", "colour"], "--by groups by language, direction, length, not by 'colour'"),
        (["--against", "last"], "--against is first or previous, not 'last'"),
        (["--bilingual"], "is not the folder of the samples"),
    ],
)
def test_a_wrong_option_is_one_line(command: Command, judged: Path, options: list[str], reason: str) -> None:
    """What cannot be done is said before anything is encoded, with what can."""
    finished = command("evaluate", judged, "--json", *options)
    assert (finished.status, finished.out) == (2, "")
    assert reason in finished.errors


def test_other_queries_are_for_one_folder(command: Command, judged: Path, tmp_path: Path) -> None:
    """With two folders nobody could say whose queries they are."""
    queries = tmp_path / "queries.jsonl"
    queries.write_text(json.dumps({"_id": "frost", "text": "frost"}))
    assert "--queries is for one folder" in command("evaluate", judged, judged, "--queries", queries).errors
    assert command("evaluate", judged, "--queries", queries, "--json").json()["queries"] == 1
