"""Every step of a match by form, from interest to outcome, and what its forms say when it came to nothing."""

import re
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy.orm import Session

from enmusubi.app.models import Account
from enmusubi.app.vocabulary import MatchStatus
from tests.app.conftest import People
from tests.app.factories import a_person, put_match_into
from tests.app.introducing.conftest import SECRET, Pair, a_pair
from tests.web.conftest import Enter, PageBrowser

_FORM = re.compile(r'<form method="post" action="([^"]+)">.*?</form>', re.DOTALL)


def forms_on(page: str) -> list[str]:
    """The last words of the addresses that a page's forms are sent to."""
    return [action.rpartition("/")[2] for action in _FORM.findall(page) if "/matches/" in action]


def version_on(page: str) -> str:
    """The version that a page's forms carry."""
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found, "no form has a version"
    return found[1]


def step(browser: PageBrowser, pair: Pair, name: str, **fields: Any) -> Response:
    """A step as its page offers it: opened, then sent with the version that stands there."""
    page = browser.open(f"/matches/{pair.match}")
    assert name in forms_on(page), (name, forms_on(page))
    return browser.send(f"/matches/{pair.match}/{name}", version=version_on(page), **fields)


def must(browser: PageBrowser, pair: Pair, name: str, **fields: Any) -> str:
    """A step that has to be taken; the page that it leads to."""
    reply = step(browser, pair, name, **fields)
    assert reply.status_code == 303, (name, reply.status_code, reply.text)
    assert reply.headers["location"].startswith(f"/matches/{pair.match}?done=")
    page = browser.open(reply.headers["location"])
    assert '<p class="said">' in page
    return page


def test_from_interest_to_outcome(pair: Pair, enter: Enter) -> None:
    """The company is interested, the university says yes, the coordinator discloses, both go on to an outcome."""
    company, university, coordinator = (enter(each) for each in (pair.company, pair.university, pair.coordinator))
    must(company, pair, "interest", message="冬に試したい", discloses=["requirements"], note="予算は来年度")
    assert "冬に試したい" in must(university, pair, "accept", note="まず知財に確認")
    assert "予算は来年度" not in university.open(f"/matches/{pair.match}")

    path = f"/matches/{pair.match}/disclosure"
    shown = coordinator.open(path)
    assert f"{SECRET} at -30 °C" in shown
    found = re.search(r'name="tag" value="([0-9a-f]{64})"', shown)
    assert found
    assert coordinator.send(path, tag="0" * 64).status_code == 412
    assert coordinator.send(path, tag=found[1]).status_code == 303
    told = university.open(f"/matches/{pair.match}")
    assert pair.company.organisation is not None
    assert pair.company.organisation.name in told
    assert f"{SECRET} at -30 °C" in told
    assert "7,000,000" not in told
    assert "架空 花子" in company.open(f"/matches/{pair.match}")

    must(company, pair, "meeting", message="よい面談でした")
    must(university, pair, "negotiation")
    must(coordinator, pair, "agreement", on="2026-04-01")
    must(company, pair, "outcomes", kind="joint_research", amount_yen="3000000", agreed_on="2026-04-02")
    page = must(university, pair, "outcomes", kind="licence", agreed_on="2026-05-02")
    assert "3,000,000" in page
    assert pair.status(pair.company) == MatchStatus.OUTCOME


def test_a_coordinators_way(pair: Pair, enter: Enter) -> None:
    """Shortlisted, taken back, dismissed, shortlisted again, introduced; declined by a side, and paired once more."""
    coordinator, university = enter(pair.coordinator), enter(pair.university)
    must(coordinator, pair, "shortlist", note="よさそう")
    must(coordinator, pair, "reconsider")
    refused = step(coordinator, pair, "dismiss", note="まだ早い")
    assert refused.status_code == 422
    assert "まだ早い" in refused.text, "what was typed is gone"
    must(coordinator, pair, "dismiss", reason="too_early", note="まだ早い")
    assert "suggested" in pair.status(pair.university)
    must(coordinator, pair, "shortlist")
    must(coordinator, pair, "introduce")
    must(university, pair, "decline", reason="capacity", message="今年度は手一杯です")
    assert "今年度は手一杯です" in coordinator.open(f"/matches/{pair.match}")
    must(coordinator, pair, "pair", note="もう一度")
    must(coordinator, pair, "introduce")
    must(coordinator, pair, "close", reason="internal_project")
    assert pair.status(pair.company) == MatchStatus.DECLINED


@pytest.mark.parametrize("status", MatchStatus)
def test_the_page_offers_exactly_the_legal_steps(
    people: People, session: Session, enter: Enter, status: MatchStatus
) -> None:
    """To each reader those that the API says are legal, and no other form."""
    pair = a_pair(people, session)
    put_match_into(session, pair.row, status)
    session.commit()
    names = {"express_interest": "interest", "meet": "meeting", "negotiate": "negotiation", "agree": "agreement",
             "report_outcome": "outcomes"}  # fmt: skip
    for person in people:
        legal = pair.steps(person)["legal_steps"]
        expected = {names.get(each, each) for each in legal if each not in ("hand_over", "disclose")}
        if "shortlist" in expected:
            expected -= {"pair"}
        page = enter(person).open(f"/matches/{pair.match}")
        assert set(forms_on(page)) == expected, person.role
        assert (f"/matches/{pair.match}/disclosure" in page) == ("disclose" in legal)


def test_who_comes_second_is_told_and_sees_how_it_stands(pair: Pair, enter: Enter) -> None:
    """A form of an old page changes nothing; the page is shown again with a sentence, and with what was typed."""
    company, coordinator = enter(pair.company), enter(pair.coordinator, "en")
    old = version_on(coordinator.open(f"/matches/{pair.match}"))
    must(company, pair, "interest")
    late = coordinator.send(f"/matches/{pair.match}/dismiss", version=old, reason="terms", note="typed with care")
    assert late.status_code == 412
    assert "Somebody changed this after you had opened it." in late.text
    assert pair.status(pair.company) == MatchStatus.INTRODUCED
    twice = company.send(f"/matches/{pair.match}/interest", version=version_on(company.open(f"/matches/{pair.match}")))
    assert twice.status_code == 409
    assert "現在の状況では、その操作はできません" in twice.text
    assert company.send(f"/matches/{pair.match}/close", version="x", reason="terms").status_code == 412


def test_a_preview_that_is_not_due_leads_to_the_match(pair: Pair, enter: Enter) -> None:
    """Before both have said yes there is nothing to be shown."""
    reply = enter(pair.coordinator).get(f"/matches/{pair.match}/disclosure")
    assert reply.status_code == 409
    assert f"/matches/{pair.match}/shortlist" in reply.text


def test_what_is_wrong_stands_at_its_field(pair: Pair, session: Session, enter: Enter) -> None:
    """In the reader's language, and what was typed is still there."""
    put_match_into(session, pair.row, MatchStatus.AGREEMENT)
    session.commit()
    university = enter(pair.university)
    page = step(
        university, pair, "outcomes", kind="licence", amount_yen="many", agreed_on="2026-04-02", note="覚え書き"
    )
    assert page.status_code == 422
    assert 'id="report_outcome-amount_yen-wrong"' in page.text
    assert 'value="many"' in page.text
    assert "覚え書き" in page.text
    late = step(university, pair, "outcomes", kind="licence", agreed_on="2026-04-02", starts_on="2026-05-01",
                ends_on="2026-04-01")  # fmt: skip
    assert "終了日が開始日より前です" in late.text
    assert step(university, pair, "close", message="x").status_code == 422


def test_all_that_is_under_way_is_handed_over(pair: Pair, session: Session, enter: Enter) -> None:
    """By its coordinator, or by an administrator who says whose."""
    follower = a_person(pair.coordinator.client, session, pair.people.cluster, pair.coordinator.role)
    session.commit()
    coordinator, administrator = enter(pair.coordinator), enter(pair.administrator)
    must(coordinator, pair, "shortlist")
    page = coordinator.open("/hand-over")
    assert str(follower.caller.public_id) in page
    assert coordinator.send("/hand-over", to="nobody").status_code == 422
    assert coordinator.send("/hand-over", to=str(follower.caller.public_id), note="休職").status_code == 303
    session.refresh(pair.row)
    assert pair.row.coordinator_id == follower.caller.id
    path = f"/hand-over?of={follower.caller.public_id}"
    assert session.get_one(Account, follower.caller.id).name in administrator.open(path)
    back = administrator.send(
        "/hand-over", of=str(follower.caller.public_id), to=str(pair.coordinator.caller.public_id)
    )
    assert back.status_code == 303
    session.refresh(pair.row)
    assert pair.row.coordinator_id == pair.coordinator.caller.id
    assert enter(pair.company).get("/hand-over").status_code == 403
