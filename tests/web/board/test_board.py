"""The board, the map and the chain: who sees them, in both languages, empty, and with hostile texts."""

import csv
import datetime
import io
import json
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.clock import day_of
from enmusubi.app.cluster_map.drawing import draw_next
from enmusubi.app.models import Match, RecordEvent, Wait
from enmusubi.app.vocabulary import EntryStatus, Language, MatchStatus, Role
from enmusubi.app.web.board import library
from enmusubi.app.web.board.plots import plain
from tests.app.conftest import People
from tests.app.factories import ENCODER, a_match, a_need, a_person, a_seed, put_match_into
from tests.web.conftest import Enter

HOSTILE = '<script>alert(1)</script><a href="https://evil.example">x</a>\u202e$x$&amp;'
PAGES = ("/board", "/board/map", "/board/chain")


def plotted(page: str, name: str) -> Any:
    """The data of a plot, as the script reads it."""
    found = re.search(rf'<script type="application/json" id="{name}-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found, name
    return json.loads(found[1])


def rows_of(text: str) -> list[dict[str, str]]:
    """A file's rows by their headings."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def draw(session: Session, people: People, snapshot: str = "one") -> None:
    """Draw the map, as the worker does."""
    with acting_as_service(session):
        draw_next(session, ENCODER, {people.cluster.id: snapshot})
    session.commit()


def a_late_wait(session: Session, people: People, **titles: str) -> Match:
    """A shortlisted match whose coordinator is a week late."""
    need = a_need(session, people.cluster, people.company.organisation, title=titles.get("need", "a need"))
    seed = a_seed(session, people.cluster, people.university.organisation, title=titles.get("seed", "a seed"))
    match = a_match(session, need, seed)
    put_match_into(session, match, MatchStatus.SHORTLISTED)
    match.coordinator_id = people.coordinator.caller.id
    wait = session.scalars(select(Wait).where(Wait.match_id == match.id, Wait.ended.is_(None))).one()
    wait.due_on = day_of(datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=7)
    session.commit()
    return match


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("path", PAGES)
def test_an_empty_cluster_says_what_is_missing(enter: Enter, people: People, path: str, language: Language) -> None:
    """No page fails for want of entries, in either language."""
    page = enter(people.coordinator, language).open(path)
    assert 'class="empty"' in page
    assert f'<html lang="{language}">' in page


@pytest.mark.parametrize("role", [Role.COMPANY, Role.UNIVERSITY])
def test_sides_see_map_and_chain_but_not_the_board(enter: Enter, people: People, role: Role) -> None:
    """And are not led there."""
    browser = enter(people.of(role), Language.EN)
    assert browser.get("/board").status_code == 403
    for table in ("indicators", "funnel", "years", "load", "overdue", "unanswered-needs", "unasked-seeds"):
        assert browser.get(f"/board/tables/{table}.csv").status_code == 403, table
    for path in PAGES[1:]:
        assert 'href="/board"' not in browser.open(path)


def test_an_auditor_sees_all_of_it(enter: Enter, people: People, session: Session) -> None:
    """As coordinators and administrators do."""
    auditor = a_person(people.company.client, session, people.cluster, Role.AUDITOR)
    session.commit()
    for person in (auditor, people.administrator, people.coordinator):
        for path in PAGES:
            enter(person).open(path)


def test_nobody_sees_it_without_signing_in(enter: Enter, people: People) -> None:
    """Pages, points and files alike."""
    browser = enter(people.coordinator)
    browser.cookies.clear()
    for path in (*PAGES, "/board/map/points", "/board/map.csv", "/board/chain.csv", "/board/tables/load.csv"):
        assert browser.get(path).headers["location"].startswith("/sign-in")


def test_the_board_shows_figures_load_and_what_is_late(enter: Enter, people: People, session: Session) -> None:
    """Each with its table and its file."""
    match = a_late_wait(session, people)
    page = enter(people.coordinator, Language.EN).open("/board")
    for name in ("funnel", "years", "load", "breakdown"):
        assert plotted(page, name)["traces"][0]["type"] == "bar", name
    assert plotted(page, "load")["traces"][0]["x"] == [1]
    assert plotted(page, "load")["traces"][3]["x"] == [1]
    assert f'href="/matches/{match.public_id}"' in page
    files = re.findall(r'href="([^"]+\.csv[^"]*)" download', page)
    assert len(files) >= 5


def test_every_table_is_a_file_and_recorded(enter: Enter, people: People, session: Session) -> None:
    """What one takes away is in the record; nothing of it is."""
    a_late_wait(session, people, need="=cmd()")
    a_seed(session, people.cluster, title="never asked for")
    draw(session, people)
    browser = enter(people.coordinator, Language.EN)
    late = rows_of(browser.open("/board/tables/overdue.csv"))
    assert [(row["match"], row["days late"]) for row in late] == [("'=cmd() × a seed", "7")]
    assert [row["title"] for row in rows_of(browser.open("/board/tables/unasked-seeds.csv"))] == ["never asked for"]
    assert rows_of(browser.open("/board/tables/unanswered-needs.csv")) == []
    assert {row["title"] for row in rows_of(browser.open("/board/map.csv"))} >= {"a seed", "never asked for", "'=cmd()"}
    for table in ("funnel", "years", "load", "indicators"):
        assert rows_of(browser.open(f"/board/tables/{table}.csv"))
    assert rows_of(browser.open("/board/chain.csv")) == []
    said = [
        event.content or "" for event in session.scalars(select(RecordEvent).where(RecordEvent.action == "exported"))
    ]
    for table in ("overdue", "unasked_seeds", "unanswered_needs", "map", "funnel", "years", "load", "chain"):
        assert any(f"board_{table}" in content for content in said), table
    assert not any("never asked for" in content for content in said)


def test_a_need_or_seed_is_alone_until_a_match_of_it_is_shortlisted(
    enter: Enter, people: People, session: Session
) -> None:
    """What is only proposed is counted beside it."""
    need, seed = a_need(session, people.cluster, title="alone"), a_seed(session, people.cluster, title="lonely")
    a_need(session, people.cluster, title="closed", open_for_interest=False)
    a_seed(session, people.cluster, title="a draft", status=EntryStatus.DRAFT)
    match = a_match(session, need, seed)
    session.commit()
    browser = enter(people.coordinator, Language.EN)
    (line,) = rows_of(browser.open("/board/tables/unanswered-needs.csv"))
    assert (line["title"], line["matches proposed"]) == ("alone", "1")
    assert [row["title"] for row in rows_of(browser.open("/board/tables/unasked-seeds.csv"))] == ["lonely"]
    put_match_into(session, match, MatchStatus.SHORTLISTED)
    session.commit()
    assert rows_of(browser.open("/board/tables/unanswered-needs.csv")) == []
    assert rows_of(browser.open("/board/tables/unasked-seeds.csv")) == []


def test_the_map_holds_what_its_reader_may_see(enter: Enter, people: People, session: Session) -> None:
    """In the page, in the points, and in the file."""
    a_seed(session, people.cluster, title="kelp", field_codes=["IPC:C12N"])
    a_need(session, people.cluster, title="secret wish")
    draw(session, people)
    for person, sees in ((people.company, False), (people.university, True), (people.coordinator, True)):
        browser = enter(person, Language.EN)
        for path in ("/board/map", "/board/map/points", "/board/map.csv"):
            assert ("secret wish" in browser.open(path)) == sees, (person.role, path)
            assert "kelp" in browser.open(path)


def test_a_part_of_the_map_is_asked_for_by_its_sides(enter: Enter, people: People, session: Session) -> None:
    """Entries outside are not sent; what is no number is refused."""
    for title in ("kelp", "snow", "kerb"):
        a_seed(session, people.cluster, title=title)
    draw(session, people)
    browser = enter(people.university)
    trace = json.loads(browser.open("/board/map/points"))["traces"][0]
    x, y = trace["x"][0], trace["y"][0]
    near = f"left={x - 1e-6}&right={x + 1e-6}&bottom={y - 1e-6}&top={y + 1e-6}"
    found = json.loads(browser.open(f"/board/map/points?{near}"))["traces"]
    assert sum(len(each["x"]) for each in found) == 1
    assert browser.get("/board/map/points?left=nan&right=1&bottom=0&top=1").status_code == 422


@pytest.mark.parametrize("path", PAGES)
def test_hostile_texts_are_shown_as_they_are(enter: Enter, people: People, session: Session, path: str) -> None:
    """Neither the page nor the plots' library, which reads some tags in texts, finds markup in them."""
    a_late_wait(session, people, need=HOSTILE, seed=HOSTILE)
    a_seed(session, people.cluster, title=HOSTILE)
    origins = [{"kind": "seed", "id": str(a_seed(session, people.cluster, title=HOSTILE).public_id)}]
    session.commit()
    people.university.create("/seeds", {"title": HOSTILE, "grown_from": origins})
    draw(session, people)
    page = enter(people.coordinator).open(path)
    assert "<script>alert" not in page
    assert 'href="https://evil' not in page
    for name in re.findall(r'id="(\w+)-data"', page):
        for trace in plotted(page, name)["traces"]:
            texts = [str(one) for one in (*trace.get("hovertext", ()), *trace.get("text", ()))]
            for said in texts:
                assert "<" not in said.replace("<br>", ""), (name, said)
                assert "\u202e" not in said


def test_labels_are_undone_to_what_was_written() -> None:
    """The library undoes entities once: nothing that was escaped becomes markup, and nothing is lost but marks."""
    assert unescape(plain("a < b & $c$")) == "a < b & $c$"
    assert plain("&lt;b&gt;") == "&amp;lt;b&amp;gt;"
    assert len(unescape(plain("長" * 300))) == 60


def test_the_library_comes_from_its_package(enter: Enter, people: People) -> None:
    """Compressed, for a year, and under its version; nothing else of the package is served."""
    browser = enter(people.coordinator)
    reply = browser.client.get(library.address())
    assert reply.status_code == 200
    assert reply.headers["content-encoding"] == "gzip"
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["content-type"].startswith("text/javascript")
    assert "plotly.js v" in reply.text[:200]
    assert browser.client.get(library.folder_address() + "/widgetbundle.js").status_code == 404


def test_a_chain_is_a_picture_and_a_table(enter: Enter, people: People, session: Session) -> None:
    """Generations from left to right; one entry's part of it is asked for by its id."""
    first = a_seed(session, people.cluster, title="first")
    session.commit()
    child = people.university.create("/seeds", {"title": "second", "grown_from": [of_seed(first.public_id)]})
    browser = enter(people.university, Language.EN)
    page = browser.open("/board/chain")
    (nodes,) = [each for each in plotted(page, "chain")["traces"] if each["mode"] != "lines"]
    assert dict(zip(nodes["text"], [int(x) for x in nodes["x"]], strict=True)) == {"first": 0, "second": 1}
    assert [row["came of"] for row in rows_of(browser.open("/board/chain.csv"))] == ["", "first"]
    assert "second" in browser.open(f"/board/chain?entry={child['id']}")
    alone = a_seed(session, people.cluster, title="alone")
    session.commit()
    assert browser.get(f"/board/chain?entry={alone.public_id}").status_code == 422


def of_seed(public_id: object) -> dict[str, str]:
    """An origin."""
    return {"kind": "seed", "id": str(public_id)}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light(enter: Enter, people: People, session: Session, path: str) -> None:
    """Without the library under 150 KB, with sixty entries whose titles are as long as they may be."""
    for number in range(30):
        a_seed(session, people.cluster, title=f"{number}" + "長" * 250)
        a_need(session, people.cluster, title=f"{number}" + "長" * 250)
    draw(session, people)
    assert len(enter(people.coordinator).open(path).encode()) < 150_000
