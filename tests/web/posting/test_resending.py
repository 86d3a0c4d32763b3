"""What was typed is not lost when the session ends, or the service fails, before it is sent."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.models import Need
from tests.app.browsers import with_password
from tests.app.conftest import People
from tests.web.conftest import Enter
from tests.web.posting.filled import fields_of, submit


def test_what_was_typed_waits_for_its_writer_to_sign_in(people: People, enter: Enter, session: Session) -> None:
    """The page of the error carries it; sent again by a new session, it asks once more, and is stored."""
    browser = enter(people.company, "en")
    page = browser.open("/needs/new")
    browser.cookies.clear()  # the session has ended
    ended = submit(browser, page, "post", title="ice", description="SECRET", language="en")
    assert ended.status_code == 401
    assert "What you typed is not lost" in ended.text
    kept = fields_of(ended.text, "resend")
    assert (kept["title"], kept["description"], kept["do"]) == (["ice"], ["SECRET"], ["post"])
    assert "csrf" not in kept
    assert ended.headers["cache-control"] == "no-store"
    assert browser.sign_in(with_password(session, people.company)).status_code == 303
    browser.csrf_token = "none yet"
    asked = submit(browser, ended.text, "", "resend")
    assert asked.status_code == 403
    assert session.scalar(select(func.count()).select_from(Need)) == 0
    stored = submit(browser, asked.text, "", "resend")
    assert stored.status_code == 303, stored.text
    assert session.scalars(select(Need.title)).all() == ["ice"]


def test_another_person_does_not_send_it(people: People, enter: Enter, session: Session) -> None:
    """Who signs in at the same browser is shown what it just sent, and cannot post it as their own."""
    browser = enter(people.company, "en")
    page = browser.open("/needs/new")
    other = enter(people.coordinator, "en")
    asked = submit(other, page, "post", title="ice")
    assert asked.status_code == 403
    assert submit(other, asked.text, "", "resend").status_code == 403
    assert session.scalar(select(func.count()).select_from(Need)) == 0


def test_another_site_gets_no_page_that_sends_its_words(people: People, enter: Enter) -> None:
    """A form from elsewhere is refused, and not offered to be sent again."""
    browser = enter(people.company, "en")
    fields = {"csrf": "x", "writer": str(people.company.caller.public_id), "title": "theirs", "do": "post"}
    reply = browser._call("POST", "/needs/new", {"Sec-Fetch-Site": "cross-site"}, data=fields)
    assert reply.status_code == 403
    assert "theirs" not in reply.text


def test_secrets_are_not_kept(people: People, enter: Enter) -> None:
    """What is called a password is not put into a page."""
    browser = enter(people.company, "en")
    browser.cookies.clear()
    reply = browser.send("/needs/new", writer="x", password="kelp and kerbstone", title="ice")
    assert reply.status_code == 401
    assert "kelp" not in reply.text
    assert fields_of(reply.text, "resend")["title"] == ["ice"]
