"""Saved views: filters under a name, of one person alone."""

import re
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import QueueView
from enmusubi.app.queueing.views import MOST
from tests.app.conftest import People
from tests.web.conftest import Enter


def test_a_view_is_saved_opened_and_removed(people: People, session: Session, enter: Enter) -> None:
    """Its name leads to its filters; nobody else has it."""
    coordinator = enter(people.coordinator, "en")
    name = "<b>遅れ</b>"
    sent = coordinator.send("/queue/views", name=name, back="overdue=yes&trl=4&waiting=seed&cursor=x")
    page = coordinator.open(sent.headers["location"])
    assert "The view was saved." in page
    found = re.search(r'<li><a href="(/queue\?[^"]+)">&lt;b&gt;遅れ&lt;/b&gt;</a>', page)
    assert found, page
    assert parse_qs(urlsplit(found[1].replace("&amp;", "&")).query) == {
        "overdue": ["yes"], "trl": ["4"], "waiting": ["seed"],
    }  # fmt: skip
    assert "&lt;b&gt;" not in enter(people.administrator, "en").open("/queue")
    view = session.scalars(select(QueueView)).one()
    assert enter(people.administrator).send("/queue/views/remove", view=str(view.public_id)).status_code == 404
    sent = coordinator.send("/queue/views/remove", view=str(view.public_id))
    assert "The view was removed." in coordinator.open(sent.headers["location"])
    assert session.scalars(select(QueueView)).all() == []


def test_a_name_is_of_one_view(people: People, session: Session, enter: Enter) -> None:
    """Saved once more it has the new filters."""
    coordinator = enter(people.coordinator)
    for trl in ("4", "6"):
        assert coordinator.send("/queue/views", name="高TRL", back=f"trl={trl}").status_code == 303
    session.expire_all()
    assert [view.filters for view in session.scalars(select(QueueView))] == [{"trl": 6}]


def test_a_view_needs_a_name_and_there_is_an_end_to_them(people: People, session: Session, enter: Enter) -> None:
    """What is wrong is said at the field."""
    coordinator = enter(people.coordinator, "en")
    reply = coordinator.send("/queue/views", name="", back="trl=4")
    assert reply.status_code == 422
    assert "is needed" in reply.text
    for index in range(MOST):
        session.add(QueueView(account_id=people.coordinator.caller.id, name=f"view {index}", filters={}))
    session.commit()
    reply = coordinator.send("/queue/views", name="one more", back="trl=4")
    assert reply.status_code == 422
    assert "remove one first" in reply.text


def test_a_view_of_filters_that_are_no_more_is_named_and_leads_nowhere(
    people: People, session: Session, enter: Enter
) -> None:
    """A later release may have other filters."""
    session.add(QueueView(account_id=people.coordinator.caller.id, name="old", filters={"colour": "red"}))
    session.commit()
    assert "old <span" in enter(people.coordinator).open("/queue")
