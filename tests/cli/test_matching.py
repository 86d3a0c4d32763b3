"""`enmusubi match`, `evaluate` and `openapi`."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from enmusubi.app.database import Database
from enmusubi.app.models import Match, Need, Seed
from tests.cli.conftest import Command
from tests.ingest.files import a_text
from tests.ingest.loads import Row, a_file
from tests.running import Home
from tests.tiny_cross_encoder import write_tiny_cross_encoder

SEEDS: list[Row] = [
    {"external_id": "S-1", "title": "凍結に強いコンクリート", "organisation": "北星湾大学", "trl": 4},
    {"external_id": "S-2", "title": "solar panel cleaning robot", "reference": "R-2"},
    {"external_id": "S-3", "title": "seaweed as animal feed"},
]
NEEDS: list[Row] = [
    {
        "external_id": "N-1",
        "title": "凍結に強いコンクリート",
        "description": "Zebra detail",
        "organisation": "Zebra company",
        "budget_yen": 987_654_321,
    }
]


@pytest.fixture
def catalogue(command: Command, tmp_path: Path) -> None:
    """A cluster with three seeds and a need, published."""
    command("cluster", "create", "北星湾")
    command("ingest", "seeds", a_file(tmp_path, SEEDS), "--no-index")
    assert command("ingest", "needs", a_file(tmp_path, NEEDS, "needs.jsonl"), "--no-index").status == 0
    assert command("index").status == 0


def _ranked(ranking: dict[str, Any]) -> list[str]:
    return [ranked["entry"]["title"] for ranked in ranking["ranking"]]


@pytest.mark.usefixtures("catalogue")
def test_seeds_are_ranked_for_a_need(command: Command, own: Database) -> None:
    """By external id: JSON with every score's parts and provenance, stored as matches."""
    found = command("match", "--need", "N-1", "--json").json()
    assert _ranked(found)[0] == "凍結に強いコンクリート"
    assert len(found["ranking"]) == 3
    assert found["provenance"]["snapshot"]
    assert found["ranking"][0]["parts"][0]["name"]
    with own.session() as session:
        assert session.scalar(select(func.count()).select_from(Match)) == 3


@pytest.mark.usefixtures("catalogue")
def test_the_terminal_has_an_option_for_misses(command: Command, home: Home) -> None:
    """Where nothing is good, the message names --misses, not a parameter of the API."""
    strict = home.with_settings(floor="1")
    for given in (("--need", "N-1"), ("--seed", "S-1"), ("--text", "seaweed")):
        message = command("match", *given, "--json", home=strict).json()["message"]
        assert "Ask with --misses for" in message
        assert command("match", *given, "--misses", "--json", home=strict).json()["ranking"]


@pytest.mark.usefixtures("catalogue")
def test_the_terminal_reranks_as_the_service_does(command: Command, home: Home, tmp_path: Path) -> None:
    """With a reranker configured its part is in the score; one that cannot be loaded is one line."""
    folder = write_tiny_cross_encoder(tmp_path / "tiny-reranker")
    found = command("match", "--need", "N-1", "--json", home=home.with_settings(reranker=str(folder))).json()
    assert [ranked["parts"][-1]["name"] for ranked in found["ranking"]] == ["reranker"] * 3
    assert "+rerank:tiny-reranker@" in found["provenance"]["policy"]
    wrong = command("match", "--need", "N-1", home=home.with_settings(reranker=str(tmp_path / "none")))
    assert wrong.status == 2
    assert "ENMUSUBI_RERANKER" in wrong.errors


@pytest.mark.usefixtures("catalogue")
def test_needs_are_ranked_for_a_seed(command: Command, own: Database) -> None:
    """By reference, external id or public id."""
    with own.session() as session:
        public_id = str(session.scalars(select(Seed.public_id).where(Seed.external_id == "S-2")).one())
    rankings = [command("match", "--seed", name, "--json").json() for name in ("R-2", "S-2", public_id)]
    assert [_ranked(ranking) for ranking in rankings] == [["凍結に強いコンクリート"]] * 3


@pytest.mark.usefixtures("catalogue")
def test_a_text_is_ranked_without_being_stored(command: Command, own: Database) -> None:
    """The nearest seed comes first, `--top` limits, and neither a need nor a match is stored."""
    found = command("match", "--text", "seaweed as feed", "--top", "2", "--json").json()
    assert len(found["ranking"]) == 2
    assert _ranked(found)[0] == "seaweed as animal feed"
    with own.session() as session:
        assert session.scalar(select(func.count()).select_from(Match)) == 0
        assert session.scalar(select(func.count()).select_from(Need)) == 1


@pytest.mark.usefixtures("catalogue")
def test_a_ranking_is_a_table(command: Command) -> None:
    """Without --json: titles, scores, owners and where it came from, and nothing confidential of the need."""
    shown = command("match", "--need", "N-1")
    assert shown.status == 0
    for part in ("凍結に強いコンクリート", "北星湾大学", "snapshot", "TRL 4"):
        assert part in shown.out
    for secret in ("Zebra", "987654321", "987,654,321"):
        assert secret not in shown.out + shown.errors


@pytest.mark.usefixtures("catalogue")
def test_an_unknown_reference_is_one_line(command: Command) -> None:
    """A need or seed that is not there is said so."""
    for option in ("--need", "--seed"):
        finished = command("match", option, "nothing")
        assert (finished.status, finished.out) == (2, "")
        assert "has the id or reference 'nothing'" in finished.errors
        assert finished.errors.count("\n") == 1


@pytest.mark.usefixtures("catalogue")
def test_a_refused_snapshot_is_said_and_all_is_scored_exactly(command: Command, home: Home) -> None:
    """A damaged snapshot changes no ranking; standard error says that it is not used."""
    before = command("match", "--text", "seaweed", "--json").json()
    current = (home.published / "CURRENT").read_text().strip()
    damaged = home.published / current / "seeds.faiss"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x55")
    after = command("match", "--text", "seaweed", "--json")
    assert "refused" in after.errors
    assert _ranked(after.json()) == _ranked(before)
    assert after.json()["provenance"]["snapshot"] is None


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A small folder in the BEIR layout."""
    folder = tmp_path / "judged"
    folder.mkdir()
    texts = ["凍結に強いコンクリート", "solar panel cleaning robot", "seaweed as animal feed"]
    documents = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    queries = [{"_id": f"q{n}", "text": text} for n, text in enumerate(texts)]
    a_text(folder, "".join(json.dumps(line) + "\n" for line in documents), "corpus.jsonl")
    a_text(folder, "".join(json.dumps(line) + "\n" for line in queries), "queries.jsonl")
    a_text(folder, "query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t1\nq2\td2\t1\n", "qrels.tsv")
    return folder


def test_a_judged_folder_is_measured(command: Command, home: Home, judged: Path, own: Database) -> None:
    """The JSON has exactly the keys promised; texts equal to their documents are found first."""
    measured = command("evaluate", judged, "--json")
    assert measured.status == 0
    report = measured.json()
    assert list(report) == ["dataset", "queries", "documents", "seconds", "measures"]
    assert (report["dataset"], report["queries"], report["documents"]) == ("judged", 3, 3)
    assert report["measures"] == {"nDCG@10": 1.0, "MRR@10": 1.0, "R@10": 1.0, "R@100": 1.0}
    assert report["seconds"] > 0
    with own.session() as session:
        assert session.scalar(select(func.count()).select_from(Seed)) == 0
    assert not home.snapshots.exists()


def test_a_second_evaluation_takes_its_vectors_from_the_cache(command: Command, home: Home, judged: Path) -> None:
    """Embeddings are kept under the home; the second run writes none and measures the same."""
    first = command("evaluate", judged, "--json").json()
    kept = {path: path.stat().st_mtime_ns for path in (home.folder / "evaluation").rglob("*.vectors")}
    assert kept
    second = command("evaluate", judged, "--json").json()
    assert second["measures"] == first["measures"]
    assert {path: path.stat().st_mtime_ns for path in (home.folder / "evaluation").rglob("*.vectors")} == kept
    unknown = command("evaluate", judged, "--json", "--needs-unknown").json()
    assert unknown["measures"] == first["measures"]


def test_measures_are_a_table_too(command: Command, judged: Path) -> None:
    """Without --json: one line a measure."""
    shown = command("evaluate", judged).out
    for name in ("nDCG@10", "MRR@10", "R@10", "R@100", "1.0000"):
        assert name in shown


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("", "has neither qrels.tsv"),
        ("q0\td0\tmany\nq0\td1\tmany\n", "is not a whole number"),
        ("q9\td0\t1\n", "none of the queries is judged"),
    ],
)
def test_a_folder_that_cannot_be_measured_is_one_line(command: Command, judged: Path, spoil: str, reason: str) -> None:
    """Missing judgements, or a bad line of them, end with status 2 and the place."""
    (judged / "qrels.tsv").unlink()
    if spoil:
        a_text(judged, spoil, "qrels.tsv")
    finished = command("evaluate", judged, "--json")
    assert (finished.status, finished.out) == (2, "")
    assert reason in finished.errors
    assert finished.errors.count("\n") == 1
    assert command("evaluate", judged / "nowhere").status == 2


def test_openapi_prints_the_description(command: Command, home: Home) -> None:
    """Valid JSON, without a database or a model."""
    nowhere = home.with_settings(
        database_url="postgresql://nobody@127.0.0.1:9/none", operator_database_url="", model="nothing"
    )
    description = command("openapi", home=nowhere).json()
    assert description["openapi"].startswith("3.")
    assert "/api/v1/needs" in description["paths"]
