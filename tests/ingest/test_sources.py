"""Text files of seeds and needs: formats, encodings, records and what is reported."""

import json
from pathlib import Path

import pytest

from enmusubi.ingest.sources import Entry, SourceError, read
from tests.ingest.files import a_text, drafts, everything, problems_of

CSV = "管理番号,発明の名称,技術概要\nS-1,凍結に強い床板,魚のコラーゲンを混ぜる〜\nS-2,光る糸,蛍光たんぱく質\n"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp932", "CP932"), ("utf-16", "UTF-16")],
)
def test_encodings_are_found_and_reported(tmp_path: Path, encoding: str, named: str) -> None:
    """A table is read alike in each usual encoding, and the encoding is reported."""
    content = CSV if encoding != "cp932" else CSV.replace("〜", "～")
    source = read(a_text(tmp_path, content, encoding=encoding), "seed")
    entries, problems = everything(source)
    assert problems == []
    assert [(entry.line, entry.external_id, entry.draft.title) for entry in entries] == [
        (2, "S-1", "凍結に強い床板"),
        (3, "S-2", "光る糸"),
    ]
    assert entries[0].draft.summary == content.split(",")[4].split("\n")[0]
    assert any(named in note for note in source.notes)
    assert source.total == 2


def test_a_named_encoding_is_used_alone(tmp_path: Path) -> None:
    """With an encoding given, no other is tried."""
    path = a_text(tmp_path, CSV.replace("〜", ""), encoding="euc_jp")
    assert [draft.title for draft in drafts(path, encoding="euc_jp")] == ["凍結に強い床板", "光る糸"]
    with pytest.raises(SourceError, match=r"as UTF-8 \(byte 0, line 1\).*--encoding"):
        read(path, "seed", encoding="utf-8")


@pytest.mark.parametrize("encoding", ["klingon", "hex"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    """A name that is no text encoding is refused with examples."""
    with pytest.raises(SourceError, match="not a known encoding"):
        read(a_text(tmp_path, CSV), "seed", encoding=encoding)


def test_undecodable_bytes_are_located(tmp_path: Path) -> None:
    """The error says what was tried, and at which byte and line each failed."""
    path = a_text(tmp_path, "タイトル\n床\n".encode() + b"\xff\xfe\xfd\n")
    with pytest.raises(
        SourceError, match=r"UTF-8 \(byte 17, line 3\) nor as CP932 \(Shift_JIS\) \(byte \d+, line \d\).*--encoding"
    ):
        read(path, "seed")


@pytest.mark.parametrize(
    ("name", "delimiter", "named"),
    [("a.csv", ",", "CSV"), ("a.tsv", "\t", "TSV"), ("a.csv", ";", "CSV (semicolons)"), ("a.csv", "\t", "TSV")],
)
def test_the_delimiter_is_the_one_that_yields_headings(tmp_path: Path, name: str, delimiter: str, named: str) -> None:
    """Comma, tab and semicolon are told apart by the headings, not by counting signs in texts."""
    rows = [["title", "summary"], ["a", "one" + ("; two" if delimiter == "," else ", two")]]
    source = read(a_text(tmp_path, "\n".join(delimiter.join(row) for row in rows), name), "seed")
    entries, problems = everything(source)
    assert (source.format, problems) == (named, [])
    assert entries[0].draft.summary == rows[1][1]


def test_quoted_cells_keep_their_line_breaks_and_lines_are_physical(tmp_path: Path) -> None:
    """A quoted text over lines stays verbatim, and later rows keep their physical line."""
    path = a_text(tmp_path, 'title,summary\r\na,"x\r\n10⁻³, ""y"""\r\nb,z\r\n')
    entries, problems = everything(read(path, "seed"))
    assert problems == []
    assert entries[0].draft.summary == 'x\r\n10⁻³, "y"'
    assert [entry.line for entry in entries] == [2, 4]
    assert read(path, "seed").total == 2


def test_a_quotation_mark_never_closed_spoils_its_row_only(tmp_path: Path) -> None:
    """The row is reported where the mark opens, and the rows after it are read."""
    path = a_text(tmp_path, 'title,summary\na,"never closed\nb,good\nc,good\n')
    entries, problems = everything(read(path, "seed"))
    assert [entry.draft.title for entry in entries] == ["b", "c"]
    assert [(problem.place.line, "never closed" in problem.reason) for problem in problems] == [(2, True)]


def test_a_row_with_too_many_or_too_few_cells_is_a_problem(tmp_path: Path) -> None:
    """Ragged rows are reported, not shifted or padded."""
    entries, problems = everything(read(a_text(tmp_path, "title,summary\na,b,c\nd\ne,f\n"), "seed"))
    assert [entry.draft.title for entry in entries] == ["e"]
    assert [problem.place.line for problem in problems] == [2, 3]
    assert "3 cells where the headings have 2" in problems[0].reason


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    """In a CSV neither = nor an apostrophe at the start has a meaning."""
    (draft,) = drafts(a_text(tmp_path, "title,summary\n=1+1,'quoted\n"))
    assert (draft.title, draft.summary) == ("=1+1", "'quoted")


def test_each_bad_cell_is_located_and_the_good_rows_go_on(tmp_path: Path) -> None:
    """A row with two bad cells yields two problems with line, heading, value and reason."""
    path = a_text(tmp_path, "発明の名称,技術成熟度（TRL）,譲渡の可否\n床,4～6,多分\n糸,５,不可\n")
    entries, problems = everything(read(path, "seed"))
    assert [(entry.draft.title, entry.line) for entry in entries] == [("糸", 3)]
    assert [(str(problem.place), problem.value) for problem in problems] == [
        ("seeds.csv, line 2, column 技術成熟度（TRL）", "4～6"),
        ("seeds.csv, line 2, column 譲渡の可否", "多分"),
    ]
    assert "from 1 to 9" in problems[0].reason


def test_nothing_confidential_of_a_need_enters_a_problem(tmp_path: Path) -> None:
    """Values of confidential columns are withheld, in whichever way they are wrong."""
    secret = "ひみつ商事"
    header = "件名,想定予算,除外機関,法人番号,詳細\n"
    rows = f"床,{secret},{secret * 500},{secret},{secret * 5000}\n"
    problems = problems_of(a_text(tmp_path, header + rows, "needs.csv"), "need")
    assert {problem.place.column for problem in problems} == {"想定予算", "除外機関", "法人番号", "詳細"}
    assert all(problem.value == "(withheld)" and secret not in problem.reason for problem in problems)


def test_values_are_shown_short_and_printable(tmp_path: Path) -> None:
    """A long value is cut in the report, and control characters cannot reach a terminal."""
    (problem,) = problems_of(a_text(tmp_path, "title,trl\na,\x1b[31m" + "x" * 500 + "\n"))
    assert problem.value is not None
    assert len(problem.value) == 60
    assert "\x1b" not in problem.value


def test_a_row_that_says_nothing_is_a_problem(tmp_path: Path) -> None:
    """The draft's own rules come back as located problems."""
    (problem,) = problems_of(a_text(tmp_path, "title,trl\n,4\n"))
    assert problem.place.line == 2
    assert "at least one of" in problem.reason


def test_ignored_columns_and_long_texts_are_reported(tmp_path: Path) -> None:
    """What no field takes is listed; what is longer than a form allows is stored whole and counted."""
    source = read(a_text(tmp_path, "title,内線,summary\na,123," + "x" * 501 + "\n"), "seed")
    entries, _ = everything(source)
    assert len(entries[0].draft.summary or "") == 501
    assert any("'内線'" in note for note in source.notes)
    assert "summary longer than the 500 characters of a form, stored whole: 1 entries" in source.notes
    assert [(match.heading, match.field) for match in source.headings][1] == ("内線", None)


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    """Iterating twice yields the same twice, without doubling the notes."""
    source = read(a_text(tmp_path, CSV), "seed")
    first = list(source)
    notes = source.notes
    assert list(source) == first
    assert source.notes == notes


def test_the_digest_follows_the_content_alone(tmp_path: Path) -> None:
    """The order of columns and the format do not change it; a changed cell does."""

    def digests(content: str, name: str) -> list[bytes]:
        return [one.digest for one in read(a_text(tmp_path, content, name), "seed") if isinstance(one, Entry)]

    (first,) = digests("title,summary\na,b\n", "a.csv")
    assert digests("summary,title\nb,a\n", "b.csv") == [first]
    assert digests('{"title": "a", "summary": "b"}\n', "c.jsonl") == [first]
    assert digests("title,summary\na,c\n", "d.csv") != [first]


def test_owners_are_named_by_name_ror_or_corporate_number(tmp_path: Path) -> None:
    """The owner of a row comes back beside its draft."""
    content = "発明の名称,大学名,ROR\n床,北の大学,https://ror.org/02e16g702\n糸,,\n"
    entries, problems = everything(read(a_text(tmp_path, content), "seed"))
    assert problems == []
    assert entries[0].organisation is not None
    assert (entries[0].organisation.name, entries[0].organisation.ror) == ("北の大学", "02e16g702")
    assert entries[1].organisation is None


def test_json_lines_take_native_values_and_headings_alike(tmp_path: Path) -> None:
    """Lists, numbers and objects are taken as they are; Japanese member names are recognised."""
    seed = {
        "発明の名称": "床",
        "technology_keywords": ["凍結", "床板"],
        "trl": 4,
        "licensable": True,
        "field_codes": ["IPC:A23L 3/36"],
        "researchers": [{"name": "北 花子", "orcid": "0000-0002-1825-0097"}],
        "organisation": {"name": "北の大学", "ror": "02e16g702"},
        "remark": "x",
    }
    source = read(a_text(tmp_path, json.dumps(seed, ensure_ascii=False) + "\n\n", "seeds.jsonl"), "seed")
    entries, problems = everything(source)
    assert problems == []
    draft = entries[0].draft
    assert (draft.title, draft.technology_keywords, draft.field_codes) == ("床", ["凍結", "床板"], ["IPC:A23L 3/36"])
    assert entries[0].organisation is not None
    assert entries[0].organisation.ror == "02e16g702"
    assert draft.model_dump()["researchers"][0]["orcid"] == "0000-0002-1825-0097"
    assert any("'remark'" in note for note in source.notes)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ('{"title": "a", "title": "b"}', "member twice"),
        ('{"title": "a", "trl": NaN}', "NaN"),
        ('{"title": "a", "trl": ' + "9" * 5000 + "}", "too many digits"),
        ("[" * 100_000, "nested too deeply"),
        ('{"title": "a\\u0000b"}', "NUL"),
        ('{"title": "a\\ud800"}', "surrogate"),
        ('{"title": {"a": 1}}', "an object"),
        ('{"title": "a", "trl": 1e999}', "finite"),
        ('{"title": "a", "researchers": [{"name": "b", "shoe": 3}]}', "shoe"),
        ('{"title": "a", "researchers": 7}', "list"),
        ('{"title": "a", "organisation": {"name": "b", "shoe": 3}}', "name, ror and corporate_number"),
        ('{"title": "a", "organisation": "b\\ud800"}', "surrogate"),
    ],
)
def test_a_bad_json_line_is_one_problem(tmp_path: Path, line: str, reason: str) -> None:
    """Each kind of bad line is located and explained, and its neighbours are read."""
    content = f'{{"title": "before"}}\n{line}\n{{"title": "after"}}\n'
    entries, problems = everything(read(a_text(tmp_path, content, "seeds.jsonl"), "seed"))
    assert [entry.draft.title for entry in entries] == ["before", "after"]
    assert [problem.place.line for problem in problems] == [2]
    assert reason in problems[0].reason


def test_line_separators_inside_json_texts_do_not_part_lines(tmp_path: Path) -> None:
    """Only a line feed ends a line of JSON; U+2028 and its like are text."""
    (draft,) = drafts(a_text(tmp_path, '{"title": "a\u2028b\x85c"}\n', "seeds.jsonl"))
    assert draft.title == "a\u2028b\x85c"


def test_the_beir_layout_is_read_by_kind(tmp_path: Path) -> None:
    """Of a folder the corpus holds the seeds and the queries the needs; an empty title is missing."""
    a_text(tmp_path, '{"_id": "d1", "title": "", "text": "a floor", "metadata": {}}\n', "corpus.jsonl")
    a_text(tmp_path, '{"_id": "q1", "text": "a frozen floor"}\n', "queries.jsonl")
    (seed,), (need,) = drafts(tmp_path, "seed"), drafts(tmp_path, "need")
    assert (seed.external_id, seed.title, seed.description) == ("d1", None, "a floor")
    assert (need.external_id, need.title, need.summary, need.description) == ("q1", None, "a frozen floor", None)
    source = read(tmp_path / "corpus.jsonl", "need")
    assert any("usually holds seeds" in note for note in source.notes)


def test_a_folder_without_the_beir_file_is_refused(tmp_path: Path) -> None:
    """The error names the file that is missing."""
    with pytest.raises(SourceError, match=r"without corpus\.jsonl"):
        read(tmp_path, "seed")


def test_json_members_that_come_late_are_read_and_reported(tmp_path: Path) -> None:
    """A member first met after the probed lines is recognised or reported all the same."""
    lines = ['{"title": "a"}'] * 250 + ['{"title": "b", "summary": "c", "shoe": 1}']
    source = read(a_text(tmp_path, "\n".join(lines), "seeds.jsonl"), "seed")
    entries, _ = everything(source)
    assert entries[-1].draft.summary == "c"
    assert [match.heading for match in source.headings] == ["title", "summary", "shoe"]


def test_evaluation_folders_are_read_without_a_problem() -> None:
    """Every judged set of the shared folder is read whole, both ways."""
    folder = Path(__file__).parents[3] / "shared" / "eval" / "horizon_need2seed_dev"
    if not folder.exists():
        pytest.skip("../shared/eval is not there")
    for kind, count in (("seed", 860), ("need", 205)):
        assert len(drafts(folder, kind)) == count  # type: ignore[arg-type]
