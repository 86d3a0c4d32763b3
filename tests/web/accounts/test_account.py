"""One's own account by its pages: what is changed, what is confirmed, what is shown once."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import Account, ApiToken, SavedSearch
from enmusubi.app.vocabulary import NoticeKind
from enmusubi.app.web.accounts.own import browser_named
from tests.app.browsers import PASSWORD, let_pass
from tests.app.conftest import People
from tests.app.factories import a_delivery
from tests.web.conftest import Enter

CHOSEN = "seven lanterns over the ice"
_ONCE = re.compile(r'name="once" value="([^"]+)"')


def _once(page: str) -> str:
    found = _ONCE.search(page)
    assert found
    return found[1]


def test_name_and_language(people: People, session: Session, enter: Enter) -> None:
    """The next page speaks the new language, and errors before a sign-in do so too."""
    browser = enter(people.company)
    reply = browser.send("/account", name="森 花", language="en", letters="needed")
    assert (reply.status_code, reply.headers["location"]) == (303, "/account?done=saved")
    page = browser.open(reply.headers["location"])
    assert "Saved." in page
    assert 'value="森 花"' in page
    account = session.get_one(Account, people.company.caller.id)
    assert (account.name, account.language, account.letters) == ("森 花", "en", "needed")
    browser.language = "ja"
    assert "There is nothing here" in browser.get("/nothing/here").text
    assert browser.send("/account", name=" ", language="en", letters="all").status_code == 422


def test_an_error_speaks_the_language_of_the_account(people: People, enter: Enter) -> None:
    """Also in a browser that prefers another one, and with the head of the page."""
    browser = enter(people.company, "en")
    browser.language = "ja"
    page = browser.get("/record")
    assert page.status_code == 403
    assert "You may not do that" in page.text
    assert 'action="/sign-out"' in page.text


def test_a_new_password(people: People, enter: Enter) -> None:
    """The present one is asked for, a weak one is refused with its reason, and other sessions end."""
    browser, other = enter(people.company), enter(people.company)
    wrong = browser.send("/account/password", present="not it at all", password=CHOSEN)
    assert wrong.status_code == 422
    assert "が正しくありません" in wrong.text
    short = browser.send("/account/password", present=PASSWORD, password="short")
    assert "12文字以上" in short.text
    common = browser.send("/account/password", present=PASSWORD, password="password1234")
    assert "推測されやすい" in common.text
    assert all(secret not in text for text in (short.text, common.text) for secret in (PASSWORD, "password1234"))
    assert browser.send("/account/password", present=PASSWORD, password=CHOSEN).status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account").headers["location"] == "/sign-in?next=%2Faccount"


def test_weak_passwords_in_english(people: People, enter: Enter) -> None:
    """The same reasons."""
    browser = enter(people.company, "en")
    reply = browser.send("/account/password", present=PASSWORD, password="company person 1")
    assert "holds a part of your name or e-mail address" in reply.text
    assert "12 characters are the least" in browser.send("/account/password", present=PASSWORD, password="x").text


def test_a_token_is_shown_once(people: People, session: Session, enter: Enter) -> None:
    """On the page that answers, no other; and a second click makes no second one."""
    browser = enter(people.coordinator)
    once = _once(browser.open("/account/tokens/new"))
    fields = {"once": once, "name": "nightly", "scopes": ["read", "review"], "days": "30"}
    made = browser.send("/account/tokens/new", **fields)
    assert made.status_code == 200
    (token,) = re.findall(r"enm_[\w-]{20,}", made.text)
    assert made.headers["cache-control"] == "no-store"
    page = browser.open("/account")
    assert "nightly" in page
    assert token not in page
    again = browser.send("/account/tokens/new", **fields)
    assert again.headers["location"] == "/account?done=twice"
    (row,) = session.scalars(select(ApiToken).where(ApiToken.name == "nightly"))
    assert row.scopes == ["read", "review"]
    asked = browser.client.get("/api/v1/account", headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code == 200
    assert browser.send(f"/account/tokens/{row.public_id}/revoke").status_code == 303
    asked = browser.client.get("/api/v1/account", headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code == 401


def test_a_form_of_a_token_says_what_is_wrong(people: People, enter: Enter) -> None:
    """At the fields, in the reader's language, and keeps what was filled in."""
    browser = enter(people.coordinator, "en")
    once = _once(browser.open("/account/tokens/new"))
    reply = browser.send("/account/tokens/new", once=once, name="nightly", days="9999")
    assert reply.status_code == 422
    assert "is too large: at most 365" in reply.text
    assert 'value="nightly"' in reply.text


@pytest.mark.parametrize("path", ["/account/tokens/new", "/people/invite"])
def test_a_sensitive_step_is_confirmed(people: People, session: Session, enter: Enter, path: str) -> None:
    """An hour after signing in the password is asked for, and then the way leads on."""
    browser = enter(people.administrator)
    let_pass(session, hours=1)
    for reply in (browser.get(path), browser.send(path, name="nightly", scopes="read", days="3", once="x",
                                                  email="a@example.org", role="auditor", language="ja")):  # fmt: skip
        assert reply.status_code == 303
        assert reply.headers["location"] == f"/account/confirm?next={path.replace('/', '%2F')}"
    page = browser.open(reply.headers["location"])
    assert f'name="next" value="{path}"' in page
    wrong = browser.send("/account/confirm", password="not it at all", next=path)
    assert wrong.status_code == 422
    assert "not it at all" not in wrong.text
    right = browser.send("/account/confirm", password=PASSWORD, next=path)
    assert (right.status_code, right.headers["location"]) == (303, path)
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_confirming_sends_nobody_elsewhere(people: People, enter: Enter, wanted: str) -> None:
    """Only to pages of ours."""
    browser = enter(people.coordinator)
    assert browser.send("/account/confirm", password=PASSWORD, next=wanted).headers["location"] == "/"


def test_sessions(people: People, enter: Enter) -> None:
    """One is ended by name, the others at once; the own one cannot be ended here by mistake."""
    here, there, elsewhere = (enter(people.company) for _ in range(3))
    page = here.open("/account")
    ends = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page)
    assert len(ends) == 2
    assert here.send(ends[0]).status_code == 303
    assert sorted(browser.get("/account").status_code for browser in (there, elsewhere)) == [200, 303]
    assert here.send("/account/sessions/end-others").status_code == 303
    assert [browser.get("/account").status_code for browser in (here, there, elsewhere)] == [200, 303, 303]


def test_saved_searches(people: People, session: Session, enter: Enter) -> None:
    """Saved once, changed by its version, removed; nobody else finds it."""
    browser = enter(people.company)
    once = _once(browser.open("/account/searches/new"))
    fields = {"once": once, "name": "凍結", "text": "凍結に強い混和材", "against": "seeds", "frequency": "daily"}
    for _ in range(2):
        assert browser.send("/account/searches/new", **fields, trl_min="4").status_code == 303
    (search,) = session.scalars(select(SavedSearch))
    path = f"/account/searches/{search.public_id}"
    assert 'name="trl_min" type="number" value="4"' in browser.open(path)
    changed = {"name": "凍結", "text": "氷", "frequency": "never", "version": "1"}
    assert browser.send(path, **changed).status_code == 303
    session.refresh(search)
    assert (search.text, search.trl_min, search.frequency) == ("氷", None, "never")
    late = browser.send(path, **{**changed, "text": "somebody's very long text about ice"})
    assert late.status_code == 412
    assert "somebody&#39;s very long text about ice" in late.text
    assert f'href="{path}"' in late.text
    assert enter(people.university).get(path).status_code == 404
    assert browser.send(f"{path}/remove", version=str(search.version)).status_code == 303
    assert session.scalars(select(SavedSearch)).all() == []


def test_alert_settings(people: People, enter: Enter) -> None:
    """Saved, and shown."""
    browser = enter(people.company)
    assert browser.send("/account/alerts", frequency="never").status_code == 303
    assert '<option value="never" selected>' in browser.open("/account")
    assert browser.send("/account/alerts", frequency="hourly").status_code == 422


def test_notices(people: People, session: Session, enter: Enter) -> None:
    """Unread ones are marked and lead on; one or all shown are noted as read, and only one's own."""
    own = [a_delivery(session, people.coordinator.caller) for _ in range(3)]
    other = a_delivery(session, people.administrator.caller)
    session.commit()
    browser = enter(people.coordinator, "en")
    page = browser.open("/notices")
    assert page.count(">unread<") == 3
    assert NoticeKind.HANDED_OVER not in page, "codes are not for people"
    opened = browser.send(f"/notices/{own[0].public_id}/read")
    assert (opened.status_code, opened.headers["location"]) == (303, "/queue")
    assert browser.send("/notices/read", notice=[str(own[1].public_id), str(other.public_id)]).status_code == 404
    assert browser.send("/notices/read", notice=[str(one.public_id) for one in own]).status_code == 303
    assert ">unread<" not in browser.open("/notices")
    session.refresh(other)
    assert other.read is None


def test_a_form_after_the_session_ended(people: People, enter: Enter) -> None:
    """It says so, leads to sign-in and back, and shows what was typed; nothing secret."""
    browser = enter(people.company, "en")
    browser.send("/sign-out")
    reply = browser.send("/account", name="A name that took a while to type", password="a secret that is long")
    assert reply.status_code == 401
    assert 'href="/sign-in?next=/account"' in reply.text
    assert "A name that took a while to type" in reply.text
    assert "a secret that is long" not in reply.text
    assert "Your session has ended" in reply.text


def test_head_is_answered_without_a_body(people: People, enter: Enter) -> None:
    """As GET is, for whoever only asks whether a page is there."""
    browser = enter(people.company)
    for path, status in (("/account", 200), ("/sign-in", 200), ("/nothing/here", 404), ("/record", 403)):
        reply = browser._call("HEAD", path)
        assert (reply.status_code, reply.content) == (status, b"")


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_browsers_have_names(user_agent: str, name: str) -> None:
    """People know theirs by it; what is unknown stays as it calls itself."""
    assert browser_named(user_agent) == name
