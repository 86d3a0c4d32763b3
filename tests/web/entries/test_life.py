"""An entry's life by form: publish, hold, resume, renew, archive, withdraw, and a second pair of eyes."""

import datetime
import re

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from enmusubi.app.models import ClusterSettings, Need, Seed
from enmusubi.app.vocabulary import EntryStatus, MatchStatus, ReviewedKinds
from tests.app.conftest import People
from tests.app.factories import days_from_now, put_match_into
from tests.app.introducing.conftest import Pair
from tests.web.conftest import Enter, PageBrowser


def send(browser: PageBrowser, path: str, act: str, done: str | None = None, **fields: str) -> str:
    """A form of an entry's page with the version that stands there; the page that it leads to."""
    page = browser.open(path if act != "withdraw" else f"{path}/withdraw")
    found = re.search(r'name="version" value="(\d+)"', page)
    reply = browser.send(f"{path}/{act}", version=found[1] if found else "", **fields)
    assert reply.status_code == 303, (act, fields, reply.text)
    assert done is None or reply.headers["location"] == f"{path}?done={done}"
    return browser.open(reply.headers["location"])


@pytest.mark.parametrize("kind", ["need", "seed"])
def test_the_owners_steps(people: People, pair: Pair, enter: Enter, session: Session, kind: str) -> None:
    """Each is a button of the page where it can be taken, and leads back to it."""
    browser = enter(people.company if kind == "need" else people.university)
    path = f"/needs/{pair.need}" if kind == "need" else f"/seeds/{pair.seed}"
    entry: Need | Seed = session.get_one(Need, pair.row.need_id)
    if kind == "seed":
        entry = session.get_one(Seed, pair.row.seed_id)
    steps = [("hold", "held", EntryStatus.ON_HOLD), ("resume", "resumed", EntryStatus.PUBLISHED),
             ("recall", "recalled", EntryStatus.DRAFT), ("submit", "submitted", EntryStatus.PUBLISHED),
             ("archive", "archived", EntryStatus.ARCHIVED), ("resume", "resumed", EntryStatus.PUBLISHED)]  # fmt: skip
    for step, done, status in steps:
        assert f'name="step" value="{step}"' in browser.open(path)
        send(browser, path, "move", done, step=step)
        session.refresh(entry)
        assert entry.status == status
    send(browser, path, "move", "renewed", step="renew", expires_on=days_from_now(500).isoformat())
    session.refresh(entry)
    assert entry.expires_on == days_from_now(500)
    page = send(browser, path, "withdraw", "entry-withdrawn")
    assert "取り下げ" in page
    session.refresh(entry)
    assert entry.status == EntryStatus.WITHDRAWN
    assert "/edit" not in page
    assert "すでに取り下げられています" in browser.open(f"{path}/withdraw")


def test_what_cannot_be_done_is_said(pair: Pair, enter: Enter) -> None:
    """An old version, a step that is none, a day that is past or too far: the page says so, and nothing is changed."""
    browser = enter(pair.company)
    path = f"/needs/{pair.need}"
    assert browser.send(f"{path}/move", version="77", step="hold").status_code == 412
    present = pair.company.get(f"/needs/{pair.need}").headers["etag"].strip('"')
    refused = browser.send(f"{path}/move", version=present, step="submit")
    assert refused.status_code == 409
    assert "その操作はできません" in refused.text
    assert browser.send(f"{path}/move", version=present, step="approve").status_code == 422
    assert browser.send(f"{path}/move", version=present).status_code == 422
    for day in ((datetime.date(2020, 1, 1)).isoformat(), days_from_now(900).isoformat(), "soon"):
        reply = browser.send(f"{path}/move", version=present, step="renew", expires_on=day)
        assert reply.status_code == 422, day
        assert f'value="{day}"' in reply.text
    assert browser.send(f"{path}/withdraw", version="77").status_code == 412
    assert pair.company.get(f"/needs/{pair.need}").json()["status"] == "published"


def test_an_introduced_need_is_no_draft_again(pair: Pair, enter: Enter, session: Session) -> None:
    """The button is not there; who sends it all the same is told why."""
    put_match_into(session, pair.row, MatchStatus.INTRODUCED)
    session.commit()
    browser = enter(pair.company)
    path = f"/needs/{pair.need}"
    assert 'value="recall"' not in browser.open(path)
    present = pair.company.get(path).headers["etag"].strip('"')
    reply = browser.send(f"{path}/move", version=present, step="recall")
    assert reply.status_code == 409
    assert "下書きには戻せません" in reply.text


def test_a_second_pair_of_eyes(pair: Pair, enter: Enter, session: Session) -> None:
    """What is handed in waits in a list; it is sent back with a reason, and approved in the end."""
    of_cluster = ClusterSettings.cluster_id == pair.people.cluster.id
    session.execute(update(ClusterSettings).where(of_cluster).values(review_before_publication=ReviewedKinds.BOTH))
    session.commit()
    company, coordinator = enter(pair.company), enter(pair.coordinator)
    made = pair.company.create("/needs", {"title": "凍らない継手", "status": "draft", "description": "内密"})
    path = f"/needs/{made['id']}"
    assert coordinator.get(path).status_code == 404
    send(company, path, "move", "under-review", step="submit")
    assert path in coordinator.open("/waiting?kind=needs")
    assert path not in coordinator.open("/waiting?kind=seeds")
    assert 'value="approve"' not in company.open(path)
    refused = coordinator.send(f"{path}/review", version="1", verdict="reject")
    assert refused.status_code == 422
    assert "差し戻すには理由が必要です" in refused.text
    send(coordinator, path, "review", "sent-back", verdict="reject", reason="用途を具体的に")
    page = company.open(path)
    assert "用途を具体的に" in page
    send(company, path, "move", "under-review", step="submit")
    send(coordinator, path, "review", "approved", verdict="approve")
    assert path not in coordinator.open("/waiting?kind=needs")
    assert "公開" in company.open(path)


def test_why_some_came_to_nothing(pair: Pair, enter: Enter) -> None:
    """Its owner reads the reason and what would change the answer, and says that it is ready again."""
    pair.introduce()
    pair.take(pair.company, "decline", reason="capacity")
    browser = enter(pair.company)
    page = browser.open(f"/needs/{pair.need}")
    assert "対応する余力がない" in page
    send(browser, f"/needs/{pair.need}", "ready", "ready")
    assert pair.status(pair.company) == MatchStatus.SUGGESTED


def test_who_looked_is_shown_to_the_owner(pair: Pair, enter: Enter) -> None:
    """A coordinator's look at the page of a need stands in the list of looks."""
    enter(pair.coordinator).open(f"/needs/{pair.need}")
    page = enter(pair.company, "en").open(f"/needs/{pair.need}/views")
    assert "coordinator" in page
    assert "on its page" in page


def test_would_it_identify_you(pair: Pair, enter: Enter) -> None:
    """The places are marked, with what to write instead; of a need with a name it says that there is one."""
    made = pair.company.create("/needs", {"title": "継手", "summary": "お問い合わせは tsubaki@example.org まで"})
    browser = enter(pair.company)
    page = browser.open(f"/needs/{made['id']}/check")
    assert "<mark>tsubaki@example.org</mark>" in page
    named = pair.company.create("/needs", {"title": "継手", "anonymous": False})
    assert "匿名ではなく" in browser.open(f"/needs/{named['id']}/check")
