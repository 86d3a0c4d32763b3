"""Lists by form: words, filters, pages, what waits, and what to do where nothing is there."""

import html
import re

from sqlalchemy.orm import Session

from enmusubi.app.vocabulary import MatchStatus
from tests.app.conftest import People
from tests.app.factories import a_need, a_seed, days_from_now, put_match_into
from tests.app.introducing.conftest import Pair
from tests.web.conftest import Enter


def test_nothing_yet_says_what_to_do(people: People, enter: Enter) -> None:
    """A company posts a need, a university registers a seed or brings a file; others wait."""
    assert 'href="/needs/new"' in enter(people.company).open("/needs?mine=true").partition('class="empty"')[2]
    page = enter(people.university).open("/seeds?mine=true").partition('class="empty"')[2]
    assert 'href="/seeds/new"' in page
    assert 'href="/imports"' in page
    assert 'class="empty"' in enter(people.coordinator).open("/needs")


def test_a_list_is_narrowed_and_says_so(people: People, session: Session, enter: Enter) -> None:
    """By words, field, region, TRL; empty fields of the form ask for nothing, and what was asked for stays in it."""
    university = people.university.organisation
    a_seed(
        session, people.cluster, university, title="Ice one", trl=3, regions=["北海道"], field_codes=["IPC:A23L 3/36"]
    )
    a_seed(session, people.cluster, university, title="Ice two", trl=7, regions=["東北"])
    session.commit()
    browser = enter(people.company, "en")

    def found(query: str) -> list[str]:
        return sorted(re.findall(r"Ice (one|two)", browser.open(f"/seeds?{query}")))

    assert found("q=ice&field=&region=&trl_min=&trl_max=") == ["one", "two"]
    assert found("q=ICE+one") == ["one"]
    assert found("field=ipc:a23l") == ["one"]
    assert found("region=東北") == ["two"]
    assert found("trl_min=5") == ["two"]
    assert found("trl_max=5&q=ice") == ["one"]
    none = browser.open("/seeds?q=%3Cscript%3E")
    assert "No seed fits this search." in none
    assert 'value="&lt;script&gt;"' in none
    wrong = browser.get("/seeds?trl_min=eleven")
    assert wrong.status_code == 422
    assert "is not a whole number" in wrong.text
    assert browser.get("/seeds?cursor=nonsense").status_code == 422


def test_a_long_list_goes_on(people: People, session: Session, enter: Enter) -> None:
    """Page by page, each need once, with the filters kept."""
    for number in range(45):
        a_need(session, people.cluster, people.company.organisation, title=f"Kelp {number:02}", encoder=None)
    session.commit()
    browser = enter(people.company)
    address: str | None = "/needs?mine=true&q=kelp"
    seen: list[str] = []
    while address:
        page = browser.open(address)
        seen += re.findall(r"Kelp \d\d", page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(more[1]) if more else None
    assert sorted(seen) == [f"Kelp {number:02}" for number in range(45)]


def test_ones_own_entries_say_where_they_stand(pair: Pair, session: Session, enter: Enter) -> None:
    """Counts by status, the last day, and until when an answer is waited for, in the box above as well."""
    company = pair.company.organisation
    a_need(session, pair.people.cluster, company, title="A draft", status="draft", expires_on=days_from_now(3))
    put_match_into(session, pair.row, MatchStatus.INTRODUCED)
    session.commit()
    page = enter(pair.company, "en").open("/needs?mine=true")
    assert re.search(r'all <span class="number">2</span>', page)
    assert re.search(r'draft <span class="number">1</span>', page)
    assert "(3 days left)" in page or "(4 days left)" in page or "(2 days left)" in page
    assert "1 answer of yours is waited for" in page
    box = page.partition('class="box"')[2].partition("</section>")[0]
    assert f"/matches/{pair.match}" in box
    assert "A draft" not in enter(pair.company).open("/needs?mine=true&status=published")
    assert "A draft" not in enter(pair.coordinator).open("/needs")
    assert "is waited for" not in enter(pair.coordinator, "en").open("/needs")


def test_what_waits_for_me(pair: Pair, session: Session, enter: Enter) -> None:
    """The whole list, and the overdue part of it."""
    put_match_into(session, pair.row, MatchStatus.INTRODUCED)
    session.commit()
    university = enter(pair.university)
    assert f"/matches/{pair.match}" in university.open("/work")
    assert f"/matches/{pair.match}" in university.open("/work?overdue=false")
    assert f"/matches/{pair.match}" not in university.open("/work?overdue=true")
