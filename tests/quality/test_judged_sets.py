"""The figures of the judged sets stay what they are recorded to be; a change that moves them says so here.

The short sets run always, all of them with `--full` (`make quality`). `recorded.json` holds the figures of the
bundled model in bfloat16; float32 differs in the third decimal, within the tolerance.
"""

import json
from pathlib import Path

import pytest

from enmusubi.matching.encoder import Encoder
from enmusubi.matching.evaluation import Report, evaluate

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())
TOLERANCE = 0.01
ALWAYS = ("mixed_ja_en_dev",)
FULL = ("sbir_need2seed_dev", "horizon_need2seed_dev", "jsquad_dev")


def holds(report: Report, name: str) -> None:
    """Every measure is within the tolerance of its recorded figure, above as well as below."""
    recorded = RECORDED[name]
    assert set(report.measures) == set(recorded)
    moved = {
        measure: (recorded[measure], value)
        for measure, value in report.measures.items()
        if abs(value - recorded[measure]) > TOLERANCE
    }
    assert not moved, f"{name}: recorded and measured differ: {moved}"


@pytest.mark.model
@pytest.mark.parametrize("name", [*ALWAYS, *FULL])
def test_open_set(
    name: str, eval_sets: Path, encoder: Encoder, model_home: Path, request: pytest.FixtureRequest
) -> None:
    """An open judged set gives its recorded figures through the production matchmaker."""
    if name in FULL and not request.config.getoption("--full"):
        pytest.skip(f"{name} takes minutes: `make quality` runs it")
    holds(evaluate(eval_sets / name, encoder, model_home / "evaluation"), name)


@pytest.mark.model
def test_golden_set(golden_folder: Path, encoder: Encoder, model_home: Path) -> None:
    """The samples' own judged pairs give their recorded figures."""
    holds(evaluate(golden_folder, encoder, model_home / "evaluation"), "golden")


@pytest.mark.model
def test_golden_set_across_languages(golden_folder: Path, encoder: Encoder, model_home: Path) -> None:
    """Needs whose right seeds are all in the other language give their recorded figures."""
    queries = golden_folder / "across.jsonl"
    holds(evaluate(golden_folder, encoder, model_home / "evaluation", queries=queries), "golden across languages")
