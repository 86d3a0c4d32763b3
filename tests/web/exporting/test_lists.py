"""Lists as files: what each role gets in them, and never what it may not see."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import RecordEvent
from enmusubi.app.sheets import tables
from enmusubi.app.vocabulary import Action, EntryStatus, Language, MatchStatus, RecordedKind, Role
from enmusubi.app.web.rendering import environment
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_person, a_seed, put_into, put_match_into
from tests.web.conftest import Enter
from tests.web.exporting.reading import everything_in, lines_of, rows_of

CANARY = "カナリア秘密"
LISTS = ("seeds", "needs", "matches", "work")


def _pair(session: Session, people: People) -> tuple[Any, Any]:
    owner = people.company.organisation
    need = a_need(
        session, people.cluster, owner, title="氷点下でも固まるコンクリート", summary="寒冷地の工事で使う",
        description=f"{CANARY}説明", requirements=f"{CANARY}要件", constraints=f"{CANARY}制約", budget_yen=7_654_321,
        external_id=f"{CANARY}番号", cooperation=["joint_research"],
    )  # fmt: skip
    seed = a_seed(
        session, people.cluster, people.university.organisation, title="コラーゲンを混ぜたコンクリート", trl=4,
        unpublished=f"{CANARY}未公開", technology_keywords=["コンクリート", "コラーゲン"],
    )  # fmt: skip
    session.commit()
    return need, seed


def _events(session: Session) -> list[RecordEvent]:
    return list(
        session.scalars(select(RecordEvent).where(RecordEvent.action == Action.EXPORTED).order_by(RecordEvent.id))
    )


@pytest.mark.parametrize("language", ["ja", "en"])
def test_seeds_in_both_forms(people: People, session: Session, enter: Enter, language: str) -> None:
    """Headings and words in the reader's language, the same rows in both, named for every browser."""
    _pair(session, people)
    browser = enter(people.company, language)
    table, book = browser.get("/exports/seeds.csv"), browser.get("/exports/seeds.xlsx")
    (line,), (row,) = lines_of(table), rows_of(book)
    title, status, keywords = (
        ("題名", "状態", "技術キーワード") if language == "ja" else ("Title", "Status", "Technology keywords")
    )
    assert line[title] == row[title] == "コラーゲンを混ぜたコンクリート"
    assert line[status] == row[status] == ("公開" if language == "ja" else "published")
    assert row[keywords] == ("コンクリート、コラーゲン" if language == "ja" else "コンクリート, コラーゲン")
    trl = "TRL（技術成熟度）" if language == "ja" else "TRL"
    assert (line[trl], row[trl]) == ("4", 4)
    said = quote("シーズ" if language == "ja" else "seeds")
    assert f"filename*=UTF-8''{said}-" in book.headers["content-disposition"]
    assert 'filename="seeds-' in book.headers["content-disposition"]
    assert book.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("role", [*Role])
def test_nobody_gets_what_is_confidential(
    people: People, client: TestClient, session: Session, enter: Enter, role: Role, form: str
) -> None:
    """No confidential part in any list for anybody, and the owner of an anonymous need for nobody but its people."""
    need, seed = _pair(session, people)
    put_match_into(session, a_match(session, need, seed), MatchStatus.INTRODUCED)
    person = a_person(client, session, people.cluster, role) if role is Role.AUDITOR else people.of(role)
    session.commit()
    browser = enter(person)
    owner = people.company.organisation
    assert owner is not None
    for name in LISTS:
        found = everything_in(browser.get(f"/exports/{name}.{form}"))
        own = role is Role.COMPANY and name == "needs"
        assert CANARY not in found.replace(f"{CANARY}番号", "") if own else CANARY not in found, name
        assert "7654321" not in found
        assert owner.name not in found, name


def test_each_role_gets_its_list(people: People, client: TestClient, session: Session, enter: Enter) -> None:
    """The rows of the list and no others: drafts to their own, other companies' needs to no company, scores to none."""
    need, seed = _pair(session, people)
    put_into(a_seed(session, people.cluster, people.university.organisation, title="下書き"), EntryStatus.DRAFT)
    a_match(session, need, seed)
    other = a_person(client, session, people.cluster, Role.COMPANY)
    session.commit()
    own, overseer, stranger = enter(people.university), enter(people.coordinator), enter(other)
    assert {line["題名"] for line in lines_of(own.get("/exports/seeds.csv"))} == {"下書き", seed.title}
    assert {line["題名"] for line in lines_of(overseer.get("/exports/seeds.csv"))} == {seed.title}
    assert lines_of(stranger.get("/exports/needs.csv")) == []
    assert lines_of(stranger.get("/exports/matches.csv")) == []
    (told,) = lines_of(overseer.get("/exports/matches.csv"))
    assert (told["ニーズ"], told["シーズ"], told["ニーズの機関"]) == (need.title, seed.title, "匿名")
    assert told["スコア"] == "0.5"
    (line,) = lines_of(enter(people.company).get("/exports/matches.csv"))
    assert "スコア" not in line
    assert "直近の判定" not in line


def test_a_verdict_is_not_told_to_the_sides(people: People, session: Session, enter: Enter) -> None:
    """A match that was only shortlisted is a suggestion to them, in an export too."""
    match = a_match(session, *_pair(session, people))
    match.status = MatchStatus.SHORTLISTED
    session.commit()
    (line,) = lines_of(enter(people.university).get("/exports/matches.csv"))
    (told,) = lines_of(enter(people.coordinator).get("/exports/matches.csv"))
    assert line["状態"] != told["状態"]
    assert lines_of(enter(people.university).get("/exports/matches.csv?status=shortlisted")) == []


def test_all_pages_of_a_filter(people: People, session: Session, enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row that the filter finds, whatever page of the list one is on; a wrong filter is refused, not left out."""
    for number in range(205):
        a_seed(session, people.cluster, None, None, title=f"シーズ {number}", trl=1 + number % 9)
    session.commit()
    browser = enter(people.company)
    assert len(lines_of(browser.get("/exports/seeds.csv?limit=5&q=&status="))) == 205
    assert len(rows_of(browser.get("/exports/seeds.xlsx?trl_min=9"))) == 22
    assert browser.get("/exports/seeds.csv?trl_min=many").status_code == 422
    assert browser.get("/exports/seeds.pdf").status_code == 404
    monkeypatch.setattr(tables, "MOST", 204)
    refused = browser.get("/exports/seeds.csv")
    assert refused.status_code == 422
    assert "一度に出力できるのは20,000行まで" in refused.text


def test_exports_are_recorded(people: People, session: Session, enter: Enter) -> None:
    """That it was taken, how many rows, by which filters: not what was looked for."""
    _pair(session, people)
    browser = enter(people.coordinator)
    browser.get("/exports/seeds.csv?q=%E3%82%B3%E3%83%A9%E3%83%BC%E3%82%B2%E3%83%B3")
    browser.get("/exports/work.xlsx")
    first, second = _events(session)
    assert (first.kind, first.object) == (RecordedKind.CLUSTER, people.cluster.public_id)
    assert json.loads(first.content or "") == {"through": "seeds_csv", "rows": 1, "filters": ["q"]}
    assert json.loads(second.content or "") == {"through": "work_xlsx", "rows": 0, "filters": []}


def test_hostile_texts(people: People, session: Session, enter: Enter) -> None:
    """A formula is a text, two hundred keywords are one cell, marks of direction come through."""
    words = [f"語{number}" for number in range(200)]
    title = '=HYPERLINK("http://evil.example")<script>\u202e'
    a_seed(session, people.cluster, None, None, title=title, technology_keywords=words, summary="長" * 20_000)
    session.commit()
    browser = enter(people.company)
    (line,), (row,) = lines_of(browser.get("/exports/seeds.csv")), rows_of(browser.get("/exports/seeds.xlsx"))
    assert line["題名"] == f"'{title}"
    assert row["題名"] == title
    assert row["要約"] == line["要約"] == "長" * 20_000
    assert row["技術キーワード"].count("、") == 199


def test_only_who_is_signed_in(client: TestClient) -> None:
    """Others are sent to sign in."""
    reply = client.get("/exports/seeds.csv", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"].partition("?")[0]) == (303, "/sign-in")


def test_a_list_leads_to_its_export() -> None:
    """The links of a list carry its filters, and nothing that somebody wrote breaks out of them."""
    template = '{% import "macros.html" as ui with context %}{{ ui.exports(address) }}'
    made = environment(Language.JA).from_string(template)
    shown = made.render(address='/seeds?q=%22&mine=true"><script>')
    assert 'href="/exports/seeds.xlsx?q=%22&amp;mine=true&#34;&gt;&lt;script&gt;"' in shown
    assert "/exports/seeds.csv?" in shown
    assert 'href="/exports/work.csv"' in environment(Language.EN).from_string(template).render(address="/work")
