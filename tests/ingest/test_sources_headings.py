"""Which heading fills which field, and what is refused rather than guessed."""

from pathlib import Path

import pytest

from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.ingest.sources import SourceError, read
from enmusubi.ingest.sources.fields import DICTIONARY
from enmusubi.ingest.sources.headings import is_marked, recognise
from enmusubi.ingest.sources.report import Kind
from tests.ingest.files import a_text, a_workbook, drafts, everything


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("発明の名称", "title"),
        ("発明の名称（必須）", "title"),
        ("① 発明の\n名称 ※", "title"),
        ("技術概要", "summary"),
        ("従来技術との比較", "advantages"),
        ("想定される用途", "applications"),
        ("実用化に向けた課題", "open_challenges"),
        ("企業への期待", "expected_partner"),
        ("技術キーワード", "technology_keywords"),
        ("キーワード３", "technology_keywords"),
        ("IPC分類", "field_codes"),
        ("技術成熟度（ＴＲＬ）", "trl"),
        ("TRL (1-9)", "trl"),
        ("開発段階", "stage"),
        ("知財の状況", "ipr_status"),
        ("特許番号／出願番号", "ipr_numbers"),
        ("実施許諾の可否", "licensable"),
        ("譲渡", "transferable"),
        ("研究者名", "researcher_names"),
        ("ORCID iD", "researcher_orcids"),
        ("e-Rad研究者番号", "researcher_erad_numbers"),
        ("所属機関", "organisation_name"),
        ("掲載期限", "expires_on"),
        ("シーズ番号", "external_id"),
        ("発明の名称（英語）", "translation_title"),
        ("Title of Invention", "title"),
        ("Technology Readiness Level (TRL)", "trl"),
        ("Expected partner", "expected_partner"),
    ],
)
def test_headings_of_seeds_are_recognised(heading: str, field: str) -> None:
    """Japanese and English headings of seed sheets find their field, remarks and forms of width aside."""
    target = recognise([heading], "seed")
    assert target is not None
    assert target.field == field


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("受付番号", "external_id"),
        ("件名", "title"),
        ("ニーズ概要", "summary"),
        ("求める技術・知見", "expertise_sought"),
        ("詳細（非公開）", "description"),
        ("必須要件", "requirements"),
        ("制約条件", "constraints"),
        ("想定予算（非公開）", "budget_yen"),
        ("希望する連携形態", "cooperation"),
        ("ご希望の連携形態", "cooperation"),
        ("希望地域", "region_preference"),
        ("募集締切", "deadline"),
        ("匿名希望", "anonymous"),
        ("企業名", "organisation_name"),
        ("企業名（公開可否）", "owner_named"),
        ("除外機関", "excluded_organisations"),
        ("希望TRL", "wanted_trl"),
        ("Budget (JPY)", "budget_yen"),
    ],
)
def test_headings_of_needs_are_recognised(heading: str, field: str) -> None:
    """Japanese and English headings of need sheets find their field."""
    target = recognise([heading], "need")
    assert target is not None
    assert target.field == field


@pytest.mark.parametrize(
    "heading", ["研究者名（カナ）", "備考", "譲渡（理由）", "予算（ドル）", "企業名（英語）", "担当者名", ""]
)
def test_headings_that_mean_something_else_are_left_alone(heading: str) -> None:
    """A remark that changes what a column holds keeps it from being taken for the bare heading."""
    assert recognise([heading], "need") is None


@pytest.mark.parametrize("kind", ["seed", "need"])
def test_every_field_of_a_draft_has_a_heading(kind: Kind) -> None:
    """No field of the drafts is out of reach of a file, but for origins, which are named by ids of the service."""
    fields = set((SeedDraft if kind == "seed" else NeedDraft).model_fields) - {"organisation", "grown_from"}
    assert fields <= {target.field for target in DICTIONARY[kind].values()}


@pytest.mark.parametrize(
    "heading",
    ["詳細（非公開）", "㊙概要", "概要【社外秘】", "summary (confidential)", "非 公 開", "Not for publication"],
)
def test_marks_of_confidence_are_seen(heading: str) -> None:
    """The ways to mark a column confidential are known."""
    assert is_marked(heading)


@pytest.mark.parametrize("heading", ["公開概要", "International patent classification", "概要", "公開日"])
def test_ordinary_headings_carry_no_mark(heading: str) -> None:
    """What is public is not taken for marked."""
    assert not is_marked(heading)


@pytest.mark.parametrize("heading", ["ニーズ概要（非公開）", "概要【社外秘】", "用途(confidential)"])
def test_a_need_column_marked_confidential_never_fills_a_public_field(tmp_path: Path, heading: str) -> None:
    """The file is refused with the way to say what is meant, and read once that is said."""
    path = a_text(tmp_path, f"件名,{heading}\n床,ひみつ\n", "needs.csv")
    with pytest.raises(SourceError, match=r"marked confidential.*--map"):
        read(path, "need")
    (draft,) = drafts(path, "need", mapping={heading: "description"})
    assert (draft.description, draft.summary, draft.applications) == ("ひみつ", None, None)
    (draft,) = drafts(path, "need", mapping={"#2": "ignore"})
    assert draft.description is None


def test_a_column_marked_confidential_never_fills_a_seed(tmp_path: Path) -> None:
    """Every field of a seed is public, so a marked column is refused there, too."""
    with pytest.raises(SourceError, match="marked confidential"):
        read(a_text(tmp_path, "発明の名称,詳細（非公開）\n床,ひみつ\n"), "seed")


@pytest.mark.parametrize("merges", [["C1:D1"], []])
def test_a_group_marked_confidential_marks_all_its_columns(tmp_path: Path, merges: list[str]) -> None:
    """A mark in the row above, merged or not, counts for each column below it."""
    rows = [["公開", None, "非公開", None], ["件名", "用途", "制約条件", "求める技術"], ["床", "a", "b", "ひみつ"]]
    with pytest.raises(SourceError, match=r"'?非公開.*marked confidential, but expertise_sought"):
        read(a_workbook(tmp_path, rows, merges=merges), "need")
    with pytest.raises(SourceError, match="marked confidential"):
        read(a_text(tmp_path, "公開,,非公開,\n件名,用途,制約条件,求める技術\n床,a,b,c\n", "n.csv"), "need")


def test_a_title_line_that_marks_the_whole_sheet_is_not_overlooked(tmp_path: Path) -> None:
    """A sheet headed 社外秘 is refused; a line that explains which columns are is only reported."""
    with pytest.raises(SourceError, match="社外秘"):
        read(a_text(tmp_path, "社外秘 ニーズ一覧,\n件名,概要\n床,凍る\n", "needs.csv"), "need")
    source = read(a_text(tmp_path, "※非公開の欄は大学に表示されません,\n件名,概要\n床,凍る\n", "needs.csv"), "need")
    assert len(everything(source)[0]) == 1
    assert any("check that no public column" in note for note in source.notes)


def test_two_columns_for_one_field_are_refused(tmp_path: Path) -> None:
    """The error names both headings and the fix; a list field takes both."""
    path = a_text(tmp_path, "発明の名称,概要,要約\n床,a,b\n")
    with pytest.raises(
        SourceError, match=r"'概要' \(column 2\) and '要約' \(column 3\) both fill summary.*'#3=ignore'"
    ):
        read(path, "seed")
    assert drafts(path, mapping={"#3": "ignore"})[0].summary == "a"
    assert drafts(path, mapping={"要約": "applications"})[0].applications == "b"
    (draft,) = drafts(a_text(tmp_path, "発明の名称,キーワード1,キーワード2\n床,凍結,床板\n"))
    assert draft.technology_keywords == ["凍結", "床板"]


def test_unknown_headings_are_refused_with_a_list_and_the_fix(tmp_path: Path) -> None:
    """Without a heading that names a text the file is refused; --map mends it."""
    path = a_text(tmp_path, "甲,乙\n床,凍る\n")
    with pytest.raises(SourceError, match=r"'甲', '乙'.*--map"):
        read(path, "seed")
    (draft,) = drafts(path, mapping={"甲": "title", "乙": "summary"})
    assert (draft.title, draft.summary) == ("床", "凍る")


def test_long_cells_of_a_file_without_headings_are_not_repeated(tmp_path: Path) -> None:
    """The first row of such a file may be confidential data."""
    with pytest.raises(SourceError, match=r"\(a long text\)") as caught:
        read(a_text(tmp_path, "ひみつの製品" * 10 + ",乙\n", "needs.csv"), "need")
    assert "ひみつ" not in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "said"), [({"丙": "title"}, "fits no heading"), ({"件名": "tittle"}, "not a field")]
)
def test_a_wrong_map_is_refused(tmp_path: Path, mapping: dict[str, str], said: str) -> None:
    """A mapping for a heading or field that does not exist is a mistake to be told."""
    with pytest.raises(SourceError, match=said):
        read(a_text(tmp_path, "件名,概要\n床,凍る\n"), "seed", mapping=mapping)


def test_needs_given_as_seeds_are_refused(tmp_path: Path) -> None:
    """A list of needs read as seeds would make its details public."""
    path = a_text(tmp_path, "受付番号,件名,ニーズ概要,必須要件,想定予算\n1,床,凍る,a,500万円\n", "needs.csv")
    with pytest.raises(SourceError, match="looks like needs"):
        read(path, "seed")


def test_title_rows_and_merged_group_headings_are_read(tmp_path: Path) -> None:
    """Headings over two rows below a title are put together, and the data start below them."""
    rows = [
        ["北の大学 シーズ一覧", None, None, None, None, None],
        [],
        ["管理番号", "発明の名称", "知的財産", None, "研究者", None],
        [None, None, "状況", "特許番号", "氏名", "ORCID"],
        ["S-1", "床", "出願中", "特願2024-012345", "北 花子", "0000-0002-1825-0097"],
    ]
    merges = ["A1:F1", "A3:A4", "B3:B4", "C3:D3", "E3:F3"]
    entries, problems = everything(read(a_workbook(tmp_path, rows, merges=merges), "seed"))
    assert problems == []
    assert (entries[0].line, entries[0].external_id, len(entries)) == (5, "S-1", 1)
    draft = entries[0].draft
    assert isinstance(draft, SeedDraft)
    assert (draft.ipr_status, draft.ipr_numbers) == ("applied", ["特願2024-012345"])
    assert [(person.name, person.orcid) for person in draft.researchers] == [("北 花子", "0000-0002-1825-0097")]


def test_a_group_of_choices_is_read_by_its_marks(tmp_path: Path) -> None:
    """Below 連携形態 each choice may have a column of its own with a circle."""
    rows = [
        ["件名", "希望する連携形態", None, None],
        [None, "共同研究", "技術相談", "実施許諾"],
        ["床", "○", None, "○"],
    ]
    (draft,) = drafts(a_workbook(tmp_path, rows, merges=["A1:A2", "B1:D1"]), "need")
    assert draft.cooperation == ["joint_research", "licence"]


def test_a_generic_heading_under_another_group_is_left_alone(tmp_path: Path) -> None:
    """氏名 below 担当URA names no researcher, while 氏名 below 研究者 does."""
    rows = [["発明の名称", "研究者", "担当URA"], [None, "氏名", "氏名"], ["床", "北 花子", "南 太郎"]]
    (draft,) = drafts(a_workbook(tmp_path, rows, merges=["A1:A2"]))
    assert [person.name for person in draft.researchers] == ["北 花子"]


def test_a_row_of_marks_below_the_headings_is_no_entry(tmp_path: Path) -> None:
    """公開 and 非公開 below each heading mark its column, and are not read as a need."""
    path = a_text(tmp_path, "件名,ニーズ概要,詳細\n公開,公開,非公開\n床,凍る,ひみつ\n", "needs.csv")
    assert [draft.title for draft in drafts(path, "need")] == ["床"]
    with pytest.raises(SourceError, match=r"line 2 below says '非公開'.*applications"):
        read(a_text(tmp_path, "件名,ニーズ概要,用途\n公開,公開,非公開\n床,凍る,ひみつ\n", "needs.csv"), "need")


def test_members_that_come_late_are_held_to_the_same_rule(tmp_path: Path) -> None:
    """A member marked confidential is refused wherever in a file it first stands."""
    lines = ['{"title": "床"}'] * 250 + ['{"title": "床", "概要（非公開）": "ひみつ"}']
    with pytest.raises(SourceError, match="marked confidential"):
        list(read(a_text(tmp_path, "\n".join(lines), "needs.jsonl"), "need"))
