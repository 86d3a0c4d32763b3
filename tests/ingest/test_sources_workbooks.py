"""Excel workbooks: sheets, merged cells, formulas, dates, old and new."""

import datetime
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from enmusubi.ingest.sources import Limits, SourceError, read
from tests.ingest.files import a_workbook, an_old_workbook, drafts, everything, problems_of


def rewritten(path: Path, part: str, pattern: str, replacement: str) -> Path:
    """The workbook with a part changed by hand."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = re.sub(pattern, replacement, parts[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_is_read_with_its_rows_as_lines(tmp_path: Path) -> None:
    """Blank rows are skipped and lines stay those of the sheet."""
    source = read(a_workbook(tmp_path, [["発明の名称"], ["床"], [], [None, "x"], ["糸"]]), "seed")
    entries, problems = everything(source)
    assert ([entry.line for entry in entries], problems) == ([2, 5], [])
    assert source.format == "Excel (.xlsx)"
    assert source.total == 3


def test_the_sheet_with_headings_is_chosen_and_others_are_named(tmp_path: Path) -> None:
    """A sheet without recognised headings, or of needs, is not read, and that is said."""
    more: dict[str, list[Any]] = {
        "説明": [["この表について"]],
        "ニーズ": [["件名", "ニーズ概要", "想定予算"], ["床", "凍る", 5]],
    }
    path = a_workbook(tmp_path, [["発明の名称", "技術概要", "TRL"], ["床", "a", "x"]], more=more, title="シーズ")
    source = read(path, "seed")
    (problem,) = everything(source)[1]
    assert str(problem.place) == "seeds.xlsx [シーズ], line 2, column TRL"
    assert "the sheet '説明' is not read" in source.notes
    assert [draft.title for draft in drafts(path, "need")] == ["床"]


def test_two_likely_sheets_need_a_choice(tmp_path: Path) -> None:
    """The error names both, and a choice is kept."""
    rows = [["発明の名称", "TRL"], ["床", 4]]
    path = a_workbook(tmp_path, rows, more={"2025": [["発明の名称", "TRL"], ["糸", 5]]}, title="2026")
    with pytest.raises(SourceError, match=r"'2026', '2025'.*--sheet"):
        read(path, "seed")
    assert [draft.title for draft in drafts(path, sheet="2025")] == ["糸"]
    with pytest.raises(SourceError, match="no sheet '2024'"):
        read(path, "seed", sheet="2024")


def test_formulas_count_by_their_stored_value(tmp_path: Path) -> None:
    """A formula that was never calculated is a located problem; one with a value is read by it."""
    path = a_workbook(tmp_path, [["発明の名称", "TRL"], ["床", "=2+2"], ["糸", 4]])
    entries, problems = everything(read(path, "seed"))
    assert [entry.draft.title for entry in entries] == ["糸"]
    assert (problems[0].place.line, problems[0].place.column, problems[0].value) == (2, "TRL", None)
    assert "formula with no stored value" in problems[0].reason
    rewritten(path, SHEET, r"(<f>2\+2</f>)<v ?/>|(<f>2\+2</f>)<v></v>", r"<f>2+2</f><v>4</v>")
    assert [draft.trl for draft in drafts(path)] == [4, 4]


def test_a_formula_may_store_an_empty_text(tmp_path: Path) -> None:
    """A stored empty text is a value: the cell is blank."""
    path = a_workbook(tmp_path, [["発明の名称", "TRL"], ["床", '=""']])
    rewritten(path, SHEET, r'<c r="B2"( s="\d+")?><f>""</f><v ?/?>(</v>)?', r'<c r="B2" t="str"><f>""</f><v></v>')
    assert drafts(path)[0].trl is None


def test_error_cells_are_problems(tmp_path: Path) -> None:
    """#N/A and its like are not data."""
    (problem,) = problems_of(a_workbook(tmp_path, [["発明の名称", "概要"], ["床", "#N/A"]]))
    assert "#N/A" in problem.reason


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
def test_dates_follow_the_calendar_of_the_workbook(tmp_path: Path, epoch: datetime.datetime | None) -> None:
    """Both of Excel's calendars yield the day that was meant."""
    workbook = openpyxl.Workbook()
    if epoch:
        workbook.epoch = epoch
    sheet = workbook["Sheet"]
    sheet.append(["発明の名称", "掲載期限"])
    sheet.append(["床", datetime.date(2027, 3, 31)])
    workbook.save(tmp_path / "seeds.xlsx")
    assert drafts(tmp_path / "seeds.xlsx")[0].expires_on == datetime.date(2027, 3, 31)


def test_a_merged_cell_counts_for_every_row_it_covers(tmp_path: Path) -> None:
    """A university merged over its seeds belongs to each; a merged title is a problem, not two entries."""
    rows = [["大学名", "発明の名称"], ["北の大学", "床"], [None, "糸"], ["南の大学", "灯"], ["南の大学", None]]
    source = read(a_workbook(tmp_path, rows, merges=["A2:A3", "B4:B5"]), "seed")
    entries, problems = everything(source)
    assert [(entry.organisation.name if entry.organisation else None) for entry in entries] == [
        "北の大学",
        "北の大学",
        "南の大学",
    ]
    assert ([problem.place.line for problem in problems], "unmerge" in problems[0].reason) == ([5], True)
    assert any("merged cells are taken" in note for note in source.notes)


def test_a_heading_merged_over_two_columns_takes_one_value(tmp_path: Path) -> None:
    """Either column may hold the value; both at once are a problem."""
    rows = [["発明の名称", None, "TRL"], ["床", None, 4], [None, "糸", 5], ["灯", "火", 6]]
    entries, problems = everything(read(a_workbook(tmp_path, rows, merges=["A1:B1"]), "seed"))
    assert [entry.draft.title for entry in entries] == ["床", "糸"]
    assert (problems[0].place.line, "second value" in problems[0].reason) == (4, True)


def test_a_wrong_declared_size_loses_nothing(tmp_path: Path) -> None:
    """Some programs declare one cell only; all are read."""
    path = a_workbook(tmp_path, [["発明の名称", "TRL"], ["床", 4], ["糸", 5]])
    rewritten(path, SHEET, r'<dimension ref="[^"]*" ?/>', '<dimension ref="A1"/>')
    assert [(draft.title, draft.trl) for draft in drafts(path)] == [("床", 4), ("糸", 5)]


def test_far_rows_and_columns_are_bounded(tmp_path: Path) -> None:
    """A row far below is reached quickly, and one beyond what a sheet can hold is refused."""
    path = a_workbook(tmp_path, [["発明の名称"], ["床"], ["糸"]])
    rewritten(path, SHEET, r'<row r="3"(.*?)r="A3"', r'<row r="200000"\1r="A200000"')
    assert [entry.line for entry in everything(read(path, "seed"))[0]] == [2, 200000]
    rewritten(path, SHEET, "200000", "9000000")
    with pytest.raises(SourceError, match="more than 300,000 rows"):
        list(read(path, "seed", limits=Limits(rows=300_000)))
    with pytest.raises(SourceError, match="more than 500 columns"):
        list(read(a_workbook(tmp_path, [["発明の名称"], ["x"] * 600]), "seed"))


def test_escaped_characters_of_a_workbook_are_read(tmp_path: Path) -> None:
    """_x000D_ is a carriage return as Excel writes it."""
    path = a_workbook(tmp_path, [["発明の名称", "概要"], ["床", "a_x000D_\nb"]])
    assert drafts(path)[0].summary == "a\r\nb"


def test_an_old_workbook_is_read_alike(tmp_path: Path) -> None:
    """.xls files with titles, merged group headings, numbers and dates."""
    rows = [
        ["シーズ一覧"],
        ["管理番号", "発明の名称", "評価", None],
        [None, None, "TRL", "掲載期限"],
        [12.0, "凍る床", 4.0, (46112.0,)],
        [13.0, "糸", "4～6", None],
    ]
    path = an_old_workbook(tmp_path, rows, merges=[(1, 2, 0, 0), (1, 2, 1, 1), (1, 1, 2, 3)])
    source = read(path, "seed")
    entries, problems = everything(source)
    assert source.format == "Excel (.xls)"
    draft = entries[0].draft
    assert (entries[0].line, draft.external_id, draft.title, draft.expires_on) == (
        4,
        "12",
        "凍る床",
        datetime.date(2026, 3, 31),
    )
    assert [(problem.place.line, problem.place.column) for problem in problems] == [(5, "評価 TRL")]
