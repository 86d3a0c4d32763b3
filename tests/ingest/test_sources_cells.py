"""How the cells of typed fields are read, and which are refused."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from enmusubi.ingest.sources.cells import CellError, parse
from enmusubi.ingest.sources.fields import Target
from tests.ingest.files import a_text, a_workbook, drafts, one_need, one_seed, problems_of, the_problem


@pytest.mark.parametrize(
    "text",
    [
        "500万円",
        "５００万円",
        "5,000千円",
        "5,000,000円",
        "¥5,000,000",
        "5 million yen",
        "5000000",
        5e6,
        "JPY 5,000,000",
        "5百万円",
        "0.05億円",
    ],
)
def test_budgets_are_exact_yen(text: object) -> None:
    """The usual ways to write an amount of yen are one number."""
    assert parse(text, Target("budget_yen")) == 5_000_000


def test_budgets_add_up_their_units() -> None:
    """億 and 万 are summed, and a unit in the heading counts for bare numbers alone."""
    assert parse("1億2000万円", Target("budget_yen")) == 120_000_000
    assert parse("500", Target("budget_yen", "10000")) == 5_000_000
    assert parse("500万円", Target("budget_yen", "10000")) == 5_000_000


@pytest.mark.parametrize(
    "text", ["300万～500万円", "約500万円", "500万円以内", "五百万円", "$5,000", "1,00", "0.5", "-1", "9" * 5000, "円"]
)
def test_other_budgets_are_refused(text: str) -> None:
    """Ranges, approximations and other currencies are not guessed."""
    with pytest.raises(CellError, match="500万円"):
        parse(text, Target("budget_yen"))


@pytest.mark.parametrize("text", [4, 4.0, "4", "４", "TRL4", "TRL 4", "ＴＲＬ－４", "レベル４", "Level 4"])
def test_readiness_levels_are_one_number(text: object) -> None:
    """A level is read with and without its name."""
    assert parse(text, Target("trl")) == 4


@pytest.mark.parametrize("text", ["4～6", "3-4", "10", "0", "4.5", "高い", -4])
def test_other_readiness_levels_are_refused(text: object) -> None:
    """Ranges and levels that do not exist are errors."""
    with pytest.raises(CellError, match="1 to 9"):
        parse(text, Target("trl"))


@pytest.mark.parametrize(
    "text",
    [
        "2027-03-31", "2027/3/31", "2027.3.31", "2027年3月31日", "２０２７年３月３１日(水)",
        "令和9年3月31日", "R9.3.31", "㋿9年3月31日", "20270331", datetime.datetime(2027, 3, 31),  # noqa: DTZ001 a sheet knows no zones
        datetime.date(2027, 3, 31),
    ],
)  # fmt: skip
def test_dates_are_read_in_every_usual_form(text: object) -> None:
    """Western and Japanese years, any width of digits."""
    assert parse(text, Target("deadline")) == datetime.date(2027, 3, 31)


@pytest.mark.parametrize("text", ["2027年2月30日", "3/31/2027", "27/3/31", "2027年3月末", "46112", 46112, "来年"])
def test_other_dates_are_refused(text: object) -> None:
    """A day that does not exist, an ambiguous order and a bare number are not guessed."""
    with pytest.raises(CellError, match=r"date|exist"):
        parse(text, Target("deadline"))


def test_the_first_year_of_an_era_is_read() -> None:
    """元年 is the year 1."""
    assert parse("令和元年5月1日", Target("deadline")) == datetime.date(2019, 5, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("可", True), ("不可", False), ("有", True), ("無", False), ("○", True), ("×", False), ("はい", True),
        ("いいえ", False), ("YES", True), ("no", False), ("要", True), ("不要", False), ("希望する", True),
        ("希望しない", False), (True, True), (0, False), ("未定", None), ("－", None), ("N/A", None),
    ],
)  # fmt: skip
def test_yes_and_no(text: object, expected: bool | None) -> None:
    """Circles, crosses and words, with 未定 and dashes as missing."""
    assert parse(text, Target("licensable")) is expected


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("stage", "開発中", "under_development"),
        ("stage", "Lab tested", "lab_tested"),
        ("ipr_status", "なし", "none"),
        ("ipr_status", "未定", None),
        ("ipr_status", "出願中", "applied"),
        ("ipr_status", "登録済", "granted"),
        ("language", "日本語", "ja"),
        ("status", "下書き", "draft"),
        ("status", "非公開", "on_hold"),
        ("status", "公開", "published"),
    ],
)
def test_closed_vocabularies(field: str, text: str, expected: str | None) -> None:
    """Japanese and English words of the vocabularies; なし is a state of patents before it is missing."""
    assert parse(text, Target(field)) == expected


def test_an_unknown_word_of_a_vocabulary_lists_the_known() -> None:
    """The error says what is expected."""
    with pytest.raises(CellError, match="concept, under_development"):
        parse("夢", Target("stage"))


def test_lists_are_parted_without_cutting_terms() -> None:
    """・ and / stay inside terms and symbols."""
    assert parse("カーボン・ニュートラル、床板; 凍結\n雪", Target("technology_keywords")) == [
        "カーボン・ニュートラル",
        "床板",
        "凍結",
        "雪",
    ]
    assert parse("A23L 3/36；H01M 10/05", Target("field_codes")) == ["A23L 3/36", "H01M 10/05"]
    assert parse("2.11", Target("field_codes", "FORD")) == ["FORD:2.11"]
    assert parse("共同研究・技術相談、ライセンス", Target("cooperation")) == [
        "joint_research",
        "technical_consultation",
        "licence",
    ]
    assert parse("目標9, SDG12、3", Target("sdgs")) == [9, 12, 3]


def test_prose_stays_verbatim(tmp_path: Path) -> None:
    """No normalising, no trimming, no reading of signs as missing in prose."""
    text = " 10⁻³ ㎝ ＡＢＣ\n－ "
    assert one_seed(tmp_path, "概要", text).summary == text
    assert one_seed(tmp_path, "概要", "なし").summary == "なし"
    assert one_seed(tmp_path, "概要", 2024).summary == "2024"


@pytest.mark.parametrize(
    ("value", "expected"), [(4.0, "4"), ("Ａ－００１", "A-001"), ("0012", "0012"), (1.23e12, "1230000000000")]
)
def test_ids_are_exact(tmp_path: Path, value: Any, expected: str) -> None:
    """Numbers lose their point, full-width signs their width, and nothing its digits."""
    assert one_seed(tmp_path, "管理番号", value).external_id == expected


@pytest.mark.parametrize("value", ["1.23E+12", 1.2345678901234567e18])
def test_ids_that_lost_digits_are_refused(tmp_path: Path, value: Any) -> None:
    """What a spreadsheet has shortened or rounded cannot be restored."""
    assert "lost digits" in the_problem(tmp_path, "ID", value).reason


def test_researchers_are_paired_with_their_identifiers(tmp_path: Path) -> None:
    """Parallel columns are paired by order where they are as many; anything else is a problem."""
    head = "発明の名称,研究者名,ORCID,researchmap\n"
    row = "床,北 花子；南 太郎,0000-0002-1825-0097；,https://researchmap.jp/kita;minami\n"
    (draft,) = drafts(a_text(tmp_path, head + row))
    assert [(p.name, p.orcid, p.researchmap) for p in draft.researchers] == [
        ("北 花子", "0000-0002-1825-0097", "kita"),
        ("南 太郎", None, "minami"),
    ]
    row = "床,北 花子；南 太郎；西 次郎,0000-0002-1825-0097；0000-0002-1825-0097,\n"
    (problem,) = problems_of(a_text(tmp_path, head + row))
    assert (problem.place.column, "2 values for 3 researchers" in problem.reason) == ("ORCID", True)


def test_a_comma_in_names_is_read_only_where_it_is_plain(tmp_path: Path) -> None:
    """'Kita Hanako, Minami Taro' are two people; 'Kita, Hanako' may be one."""
    (draft,) = drafts(a_text(tmp_path, 'title,researchers names\nfloor,"Kita Hanako, Minami Taro"\n'))
    assert [person.name for person in draft.researchers] == ["Kita Hanako", "Minami Taro"]
    (problem,) = problems_of(a_text(tmp_path, 'title,researchers names\nfloor,"Kita, Hanako"\n'))
    assert "separate researchers by ;" in problem.reason


def test_a_wrong_check_digit_is_located(tmp_path: Path) -> None:
    """The schema's own checks come back at the heading of their column."""
    head = "発明の名称,研究者名,ORCID,IPC分類,特許番号\n"
    problems = problems_of(a_text(tmp_path, head + "床,北 花子,0000-0002-1825-0098,あ,特許1\n"))
    assert [problem.place.column for problem in problems] == ["IPC分類", "特許番号", "ORCID"]


def test_anonymity_is_read_from_either_question(tmp_path: Path) -> None:
    """匿名希望 and 企業名公開可否 ask the same from two sides; empty keeps the safe default."""
    assert one_need(tmp_path, "匿名希望", "希望しない").anonymous is False
    assert one_need(tmp_path, "匿名希望", None).anonymous is True
    assert one_need(tmp_path, "企業名公開可否", "可").anonymous is False
    assert one_need(tmp_path, "企業名公開可否", "不可").anonymous is True
    path = a_workbook(tmp_path, [["件名", "匿名希望", "企業名公開可否"], ["床", "希望する", "可"]])
    (problem,) = problems_of(path, "need")
    assert "contradicts" in problem.reason


def test_the_unit_of_a_budget_may_stand_in_its_heading(tmp_path: Path) -> None:
    """予算（万円） makes 500 five million."""
    assert one_need(tmp_path, "想定予算（万円）", 500).budget_yen == 5_000_000
    assert one_need(tmp_path, "想定予算\n（単位：千円）", "5,000").budget_yen == 5_000_000
