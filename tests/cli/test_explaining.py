"""`enmusubi match --explain` and `enmusubi index --sentences`."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from sqlalchemy import func, select

from enmusubi.app.cli.explaining import show_explained
from enmusubi.app.database import Database
from enmusubi.app.models import EntryPassages, Match
from enmusubi.app.representations import RankingOut
from tests.cli.conftest import Command
from tests.ingest.loads import Row, a_file

WANTED = "凍結でひび割れない床材を探している。"
OPEN = "施工は4日以内に終えたい。"
SECRET = "対象は[bold]3棟[/]のみ。"
SEEDS: list[Row] = [
    {
        "external_id": "S-1",
        "title": "凍結に強い床材",
        "summary": WANTED.replace("探している", "開発した"),
        "organisation": "北星湾大学",
        "trl": 4,
        "language": "ja",
    },
    *(
        {"external_id": f"S-{number}", "title": f"subject{number} matter{number}", "summary": f"It does thing{number}."}
        for number in range(2, 25)
    ),
]
NEEDS: list[Row] = [
    {
        "external_id": "N-1",
        "title": "割れない床",
        "summary": f"{WANTED}{OPEN}",
        "requirements": SECRET,
        "organisation": "Zebra company",
        "wanted_trl": 7,
        "language": "ja",
    }
]


@pytest.fixture
def catalogue(command: Command, tmp_path: Path) -> None:
    """A need and its seed among others, published."""
    command("cluster", "create", "北星湾")
    command("ingest", "seeds", a_file(tmp_path, SEEDS), "--no-index")
    assert command("ingest", "needs", a_file(tmp_path, NEEDS, "needs.jsonl"), "--no-index").status == 0
    assert command("index").status == 0


def _stored(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(EntryPassages)) or 0


@pytest.mark.usefixtures("catalogue")
def test_index_stores_sentences_when_asked(command: Command, own: Database) -> None:
    """Without the option it says how many entries lack them; with it they are stored, once."""
    told = command("index")
    assert "25 entries" in told.out
    assert "--sentences" in told.out
    assert _stored(own) == 0
    assert "25 entries stored" in command("index", "--sentences").out
    assert _stored(own) == 25
    assert "0 entries stored" in command("index", "--sentences").out
    assert "--sentences" not in command("index").out


@pytest.mark.usefixtures("catalogue")
def test_ingest_stores_no_sentences(command: Command, own: Database, tmp_path: Path) -> None:
    """They are outside of what makes an entry searchable."""
    assert command("ingest", "seeds", a_file(tmp_path, [{"external_id": "S-9", "title": "another"}])).status == 0
    assert _stored(own) == 0


@pytest.mark.usefixtures("catalogue")
def test_reasons_come_as_json(command: Command) -> None:
    """The ranking as without --explain, each entry with its reasons; confidential requirements for the operator."""
    command("index", "--sentences")
    plain = command("match", "--need", "N-1", "--top", "2", "--misses", "--json").json()
    explained = command("match", "--need", "N-1", "--top", "2", "--misses", "--explain", "--json").json()
    assert [each["score"] for each in explained["ranking"]] == [each["score"] for each in plain["ranking"]]
    assert {each["reasons"] for each in plain["ranking"]} == {None}
    for each in explained["ranking"]:
        assert [one["text"] for one in each["reasons"]["requirements"]] == [WANTED, OPEN, SECRET]
        assert each["reasons"]["missing"].count("background") == 0
    from_seed = command("match", "--seed", "S-1", "--misses", "--explain", "--json").json()
    assert from_seed["ranking"][0]["reasons"]["trl"]["wanted"] == 7


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("columns", [80, 120])
def test_reasons_are_blocks_that_fit_the_terminal(command: Command, columns: int) -> None:
    """No line is wider than the terminal, in cells; texts are not taken for markup."""
    command("index", "--sentences")
    ranking = RankingOut.model_validate(
        command("match", "--need", "N-1", "--top", "2", "--misses", "--explain", "--json").json(),
        by_name=True,
        by_alias=True,
    )
    out = io.StringIO()
    show_explained(Console(file=out, width=columns), "割れない床 [x]", ranking)
    shown = out.getvalue()
    assert max(cell_len(line) for line in shown.splitlines()) <= columns
    for text in ("割れない床 [x]", "凍結に強い床材", "北星湾大学", SECRET, "confidential", "TRL 4, 7 is wanted"):
        assert text in shown
    assert "3 levels of readiness short" in " ".join(shown.split())
    reasons = ranking.ranking[0].reasons
    assert reasons is not None
    reasons.shared_terms, reasons.more_shared_terms = reasons.shared_terms[:1], 7
    show_explained(Console(file=out, width=columns), "割れない床", ranking)
    assert "and 7 more" in " ".join(out.getvalue().removeprefix(shown).split())


@pytest.mark.usefixtures("catalogue")
def test_without_stored_sentences_it_says_what_to_do(command: Command) -> None:
    """Support is unknown, not absent."""
    shown = command("match", "--need", "N-1", "--top", "1", "--misses", "--explain").out
    assert "Support is unknown" in shown
    assert "index --sentences" in shown.replace("\n", " ")
    assert "not found" not in shown.partition("1 ──")[2]


@pytest.mark.usefixtures("catalogue")
def test_a_text_is_explained_and_not_stored(command: Command, own: Database) -> None:
    """Its sentences are what is wanted."""
    command("index", "--sentences")
    shown = command("match", "--text", WANTED, "--top", "1", "--misses", "--explain").out
    assert WANTED in shown
    with own.session() as session:
        assert session.scalar(select(func.count()).select_from(Match)) == 0
