"""The university's visit with a spreadsheet: dropped, looked through, mended, confirmed, followed, reported."""

import csv
import datetime
import html
import io
import re

import pytest
from openpyxl import Workbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app.clock import SystemClock
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.importing.reading import BATCH
from enmusubi.app.importing.running import run_next_import
from enmusubi.app.models import Import, Seed
from enmusubi.app.vocabulary import ImportState
from enmusubi.app.working.chores import CHORES
from enmusubi.ingest.sources.mending import WHAT, inert, plain
from tests.app.conftest import Serve, committed, migrated, people_of, serve, service, settings  # noqa: F401 fixtures
from tests.app.factories import ENCODER
from tests.web.files.conftest import Desk, Floor, workbook

SOON = (SystemClock().today() + datetime.timedelta(days=200)).isoformat()
HEAD = ("管理番号", "技術名称", "概要", "TRL", "掲載期限", "開発段階")
GOOD = ("S-1", "凍らない床", "補修材", 4, SOON, "開発中")
BAD = (
    ("S-2", "氷の塗料", "付かない", "十二", SOON, ""),
    ("S-3", "鮮度の糸", "色で示す", 5, "2031-02-30", ""),
    ("S-4", "雪の橋", "溶けない", 5, "", "すごく進んでいる"),
)


def shown(page: str) -> str:
    """The text of a page."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def seeds(floor: Floor) -> dict[str | None, str | None]:
    """What is entered: titles by number."""
    with floor.database.session() as session:
        return {row.external_id: row.title for row in session.execute(select(Seed.external_id, Seed.title))}


def columns(page: str) -> dict[str, str]:
    """The fields that the form of the columns says."""
    found = re.findall(r'<select id="(column-\d+)".*?</select>', page, re.DOTALL)
    selects = re.findall(r'<select id="column-\d+".*?</select>', page, re.DOTALL)
    chosen = [re.search(r'value="([^"]*)" selected', select_) for select_ in selects]
    return {name: one[1] for name, one in zip(found, chosen, strict=True) if one}


def test_three_bad_cells_are_shown_mended_and_imported(floor: Floor, desk: Desk) -> None:
    """Nothing is entered before it is confirmed; the rows to mend come back as they were."""
    address, page = desk.preview("シーズ.xlsx", workbook(HEAD, GOOD, *BAD))
    told = shown(page)
    assert floor.count(Seed) == 0
    for row, column, value, said in (
        ("3", "TRL", "十二", "TRLとして読めません"),
        ("4", "掲載期限", "2031-02-30", "存在しない日付です"),
        ("5", "開発段階", "すごく進んでいる", "選択肢にない値です"),
    ):
        assert re.search(rf"{row}\s+{column}\s+{value}\s+{said}", told), (row, told)
    assert "3行を除いて取り込む" in told
    mend = desk.browser.get(f"{address}/mend")
    rows = list(csv.reader(io.StringIO(mend.content.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["管理番号", "S-2", "S-3", "S-4"]
    assert rows[0][-1] == WHAT
    assert "TRL: " in rows[1][-1]
    rows[1][3], rows[2][4], rows[3][5] = "2", SOON, "開発中"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    assert desk.confirm(address, page) == f"{address}?done=confirmed"
    assert desk.work() == 1
    report = shown(desk.browser.open(address))
    assert "取り込まれなかった行" in report
    assert re.search(r"2\s+新規", report)
    again, second = desk.preview("シーズ.csv", out.getvalue().encode(), instead=address.rpartition("/")[2])
    assert "修正が必要な箇所" not in shown(second)
    desk.confirm(again, second)
    assert desk.work() == 1
    assert seeds(floor) == {"S-1": "凍らない床", "S-2": "氷の塗料", "S-3": "鮮度の糸", "S-4": "雪の橋"}
    listed = re.findall(r'href="(/seeds/[0-9a-f-]+)"', desk.browser.open(again))
    assert len(set(listed)) == 3


def test_the_columns_are_chosen_by_hand(floor: Floor, desk: Desk) -> None:
    """Also where no heading is known; the choice is stored, and used by the worker."""
    address, page = desk.preview("odd.csv", "ねこ,いぬ\n凍らない床,補修材\n".encode())
    assert "題名や概要が入った列を見つけられませんでした" in shown(page)
    assert columns(page) == {"column-1": "ignore", "column-2": "ignore"}
    assert "/confirm" not in page
    reply = desk.browser.send(f"{address}/columns", **{"column-1": "title", "column-2": "summary"})
    assert (reply.status_code, reply.headers["location"]) == (303, address)
    assert desk.work() == 1
    page = desk.browser.open(address)
    assert columns(page) == {"column-1": "title", "column-2": "summary"}
    desk.confirm(address, page)
    assert desk.work() == 1
    with floor.database.session() as session:
        assert session.execute(select(Seed.title, Seed.summary)).all() == [("凍らない床", "補修材")]
    wrong = desk.browser.send(f"{address}/columns", **{"column-1": "no_field", "column-2": "summary"})
    assert wrong.status_code in (409, 422)


def test_what_is_marked_confidential_is_proposed_for_nothing_public(desk: Desk) -> None:
    """And no field twice."""
    _, page = desk.preview("a.csv", "技術名称,概要（非公開）,タイトル\n凍らない床,秘密の話,別名\n".encode())
    assert columns(page) == {"column-1": "title", "column-2": "ignore", "column-3": "ignore"}
    assert "非公開の印" in shown(page)


def test_a_preview_shown_before_the_columns_changed_is_not_confirmed(desk: Desk) -> None:
    """What is confirmed is what was seen."""
    address, page = desk.preview("a.csv", b"title,summary\nIce,Cold\n")
    desk.browser.send(f"{address}/columns", **{"column-1": "title", "column-2": "ignore"})
    layout = re.findall(r'name="layout" value="(\w+)"', page)[0]
    assert desk.browser.send(f"{address}/confirm", layout=layout).status_code == 409
    assert desk.work() == 1
    assert desk.browser.send(f"{address}/confirm", layout=layout).status_code == 409


def test_confirming_twice_makes_one_import_and_sending_twice_one_file(floor: Floor, desk: Desk) -> None:
    """A second click does nothing."""
    desk.drop("a.csv", b"title\nIce\n", once="o")
    assert desk.send("a.csv", b"title\nIce\n", once="o").headers["location"] == "/imports?done=twice"
    assert floor.count(Import) == 1
    address, page = desk.preview("b.csv", b"title\nSnow\n") if desk.work() else ("", "")
    assert desk.confirm(address, page).endswith("done=confirmed")
    assert desk.confirm(address, page).endswith("done=twice")
    assert desk.work() == 1
    assert desk.confirm(address, page).endswith("done=twice")
    assert desk.work() == 0
    assert list(seeds(floor).values()) == ["Snow"]


def test_cancelled_it_is_forgotten(floor: Floor, desk: Desk) -> None:
    """The file and all that a look through it found."""
    address, page = desk.preview("a.csv", b"title,TRL\nIce,99\n")
    assert desk.browser.send(f"{address}/cancel").status_code == 303
    desk.work()
    with floor.database.session() as session:
        row = session.execute(select(Import.state, Import.content, Import.checked, Import.mend)).one()
    assert row == (ImportState.CANCELLED, None, None, None)
    layout = re.findall(r'name="layout" value="(\w+)"', page)
    assert not layout  # nothing in it could be entered
    assert floor.count(Seed) == 0


def test_nobody_else_sees_the_file(floor: Floor, desk: Desk) -> None:
    """It does not exist for others, whatever they ask."""
    address, page = desk.preview("a.csv", b"title,TRL\nIce,99\nSnow,4\n")
    other = floor.desk(floor.people.coordinator).browser
    for path in ("", "/events", "/mend"):
        assert other.get(address + path).status_code == 404
    for path in ("/columns", "/confirm", "/cancel"):
        assert other.send(address + path, layout="x").status_code == 404
    assert "a.csv" not in other.open("/imports")
    assert desk.confirm(address, page).endswith("confirmed")


def test_shift_jis_and_a_long_hostile_cell(floor: Floor, desk: Desk) -> None:
    """Characters as they are written; what a page shows is escaped and shortened, what is stored is whole."""
    title = "<script>alert(1)</script>"
    long = "雪" * 4_000
    content = f'技術名称,技術説明\n"{title}",{long}\n=cmd|calc,{"x" * 5}\n'.encode("cp932")
    address, page = desk.preview("表.csv", content)
    assert "<script>alert" not in page
    assert title in shown(page) or title in html.unescape(page)
    assert long not in page
    desk.confirm(address, page)
    desk.work()
    with floor.database.session() as session:
        stored = session.execute(select(Seed.title, Seed.description).order_by(Seed.id)).all()
    assert stored == [(title, long), ("=cmd|calc", "xxxxx")]


def test_rules_of_the_catalogue_are_seen_before(floor: Floor, desk: Desk) -> None:
    """A last day that is past or too far, an owner that is another's, and what is as it was."""
    rows = (
        f"id,title,expires_on,organisation\n1,A,2020-01-01,\n2,B,2999-01-01,\n3,C,{SOON},Nobody at all\n4,D,{SOON},\n"
    )
    address, page = desk.preview("a.csv", rows.encode())
    told = shown(page)
    for said in ("期限を過ぎた", "2年まで", "ほかの機関の名前です", "3行を除いて取り込む"):
        assert said in told
    desk.confirm(address, page)
    desk.work()
    assert seeds(floor) == {"4": "D"}
    _, page = desk.preview("a.csv", rows.encode())
    assert re.search(r"1\s+変更なし", shown(page))


def test_in_english(floor: Floor) -> None:
    """The same page for who reads English."""
    desk = floor.desk(floor.people.university, "en")
    address, page = desk.preview("a.xlsx", workbook(HEAD, GOOD, *BAD))
    told = shown(page)
    assert "is not one TRL: write one number from 1 to 9" in told
    assert "Import, and leave out 3 rows" in told
    desk.confirm(address, page)
    assert "waiting its turn" in shown(desk.browser.open(address))
    desk.work()
    assert "Rows that were taken" in shown(desk.browser.open(address))


def test_events_end_with_the_import(desk: Desk) -> None:
    """One that is over says so at once."""
    address, _ = desk.preview("a.csv", b"title\nIce\n")
    reply = desk.browser.get(f"{address}/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "event: ended" in reply.text
    assert '"state": "mapping"' in reply.text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"x", "は読み込めない種類のファイルです"),
        ("a.csv", b"", "ファイルが空です"),
        ("", b"", "ファイルを選んでください"),
    ],
)
def test_what_is_no_file_is_said_at_the_form(desk: Desk, name: str, content: bytes, said: str) -> None:
    """With the form there for another try."""
    reply = desk.send(name, content)
    assert reply.status_code == 422
    assert said in shown(reply.text)


def test_a_damaged_workbook_fails_with_the_reason(desk: Desk) -> None:
    """In the reader's language."""
    address = desk.drop("a.xlsx", b"PK\x03\x04 but no more")
    desk.work()
    assert "ブックが壊れています" in shown(desk.browser.open(address))


def test_nobody_decides_on_it_for_a_day(floor: Floor, desk: Desk) -> None:
    """Then it is forgotten."""
    desk.preview("a.csv", b"title\nIce\n")
    with floor.database.session() as session:
        session.execute(text("update imports set created = now() - interval '25 hours'"))
        session.commit()
    chore = next(chore for chore in CHORES if chore.name == "forget undecided files")
    assert chore.run(floor.service.session, SystemClock())
    assert floor.count(Import) == 0


@pytest.mark.parametrize("cell", ["=1+1", "'=1", "''@x", "-5℃", "plain", "'quoted", "＝全角"])
def test_a_cell_to_mend_is_inert_and_comes_back(cell: str) -> None:
    """Exactly as it was."""
    assert not inert(cell).startswith(("=", "+", "-", "@", "＝"))
    assert plain(inert(cell)) == cell


def test_killed_while_it_is_looked_through_it_is_begun_again(floor: Floor, desk: Desk) -> None:
    """The file and the decision are lost by nothing; one that kills its worker again and again is given up."""
    address = desk.drop("a.csv", b"title\n" + b"".join(b"Seed %d\n" % number for number in range(3 * BATCH)))
    left = iter(range(6))  # sessions, and then an end that nobody expects

    def sessions() -> Session:
        if next(left, None) is None:
            raise MemoryError
        return floor.service.session()

    with pytest.raises(MemoryError):
        run_next_import(sessions, ENCODER, SystemClock())
    assert "確認中" in shown(desk.browser.open(address))
    assert desk.work() == 1
    page = desk.browser.open(address)
    assert re.search(rf"{3 * BATCH}\s+新規", shown(page))
    desk.confirm(address, page)
    assert desk.work() == 1
    assert floor.count(Seed) == 3 * BATCH
    assert "?after=101" in desk.browser.open(address)


def test_a_sheet_is_chosen(desk: Desk) -> None:
    """Of a workbook with several, the likeliest is proposed."""
    book, out = Workbook(), io.BytesIO()
    for name, rows in (
        ("説明", [["この表について"]]),
        ("一覧", [["技術名称"], ["雪"]]),
        ("予備", [["技術名称"], ["氷"]]),
    ):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(out)
    address, page = desk.preview("a.xlsx", out.getvalue())
    assert re.search(r"1\s+新規", shown(page))
    other = "予備" if '<option value="一覧" selected' in page else "一覧"
    desk.browser.send(f"{address}/columns", sheet=other)
    assert desk.work() == 1
    page = desk.browser.open(address)
    assert f'<option value="{other}" selected' in page
    assert ("氷" if other == "予備" else "雪") in shown(page)


def test_too_large_is_a_page(serve: Serve, settings: Settings, committed: Database, service: Database) -> None:  # noqa: F811
    """In words, and the size is told before."""
    small = settings.model_copy(update={"max_body_bytes": 20_000, "max_import_bytes": 1_000_000})
    client = serve(given=small)
    with committed.session() as session:
        people = people_of(client, session)
        session.commit()
    desk = Floor(people, committed, service, client).desk(people.university)
    assert "1 MBまで" in shown(desk.browser.open("/imports"))
    assert desk.drop("a.csv", b"title\n" + b"A" * 900_000)
    reply = desk.send("a.csv", b"title\n" + b"A" * 1_200_000)
    assert reply.status_code == 413
    assert reply.headers["content-type"].startswith("text/html")
