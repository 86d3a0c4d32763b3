"""Sign in and out by the pages, and who is sent where."""

import pytest
from sqlalchemy.orm import Session

from tests.app.browsers import with_password
from tests.app.conftest import People
from tests.web.conftest import Enter, PageBrowser


def test_a_stranger_is_asked_to_sign_in_and_comes_back(people: People, session: Session) -> None:
    """The address that was wanted is kept, whatever happens between."""
    browser = PageBrowser(people.company.client)
    sent = browser.get("/?text=氷")
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/sign-in?next=%2F%3Ftext%3D")
    page = browser.open(sent.headers["location"])
    assert 'name="next" value="/?text=' in page
    wrong = browser.sign_in(with_password(session, people.company), "not it at all")
    assert wrong.status_code == 401
    assert "メールアドレスまたはパスワードが正しくありません" in wrong.text


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", ""])
def test_nobody_is_sent_elsewhere(people: People, session: Session, wanted: str) -> None:
    """A link to our sign-in sends nobody to another site."""
    browser = PageBrowser(people.company.client)
    email = with_password(session, people.company)
    reply = browser._call(
        "POST", "/sign-in", data={"email": email, "password": "kelp and kerbstone, Tuesday", "next": wanted}
    )
    assert (reply.status_code, reply.headers["location"]) == (303, "/")


def test_a_page_lets_nothing_run_but_its_own(people: People) -> None:
    """The policy has the nonce that its script and style sheet carry, and a new one each time."""
    browser = PageBrowser(people.company.client)
    first, second = browser.get("/sign-in"), browser.get("/sign-in")
    policy = first.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
    assert first.text.count(f'nonce="{nonce}"') == 2
    assert policy != second.headers["content-security-policy"]


def test_errors_are_pages_in_the_readers_language(people: People) -> None:
    """A stranger's 404 asks to sign in; what is not there at all says so."""
    browser = PageBrowser(people.company.client, "en")
    reply = browser.get("/nothing/here")
    assert reply.status_code == 404
    assert "There is nothing here" in reply.text
    assert "ページが見つかりません" in PageBrowser(people.company.client).get("/nothing/here").text


def test_a_form_of_another_session_or_site_is_refused(people: People, enter: Enter) -> None:
    """Neither without the token of the session, nor from another site."""
    browser = enter(people.coordinator)
    kept = browser.csrf_token
    browser.csrf_token = "x"
    assert browser.send("/sign-out").status_code == 403
    browser.csrf_token = kept
    from_elsewhere = browser._call("POST", "/sign-out", {"Sec-Fetch-Site": "cross-site"}, data={"csrf": kept})
    assert from_elsewhere.status_code == 403
    assert browser.send("/sign-out").status_code == 303
    assert browser.get("/").headers["location"].startswith("/sign-in")


def test_the_language_of_a_stranger_is_kept_in_the_browser(people: People) -> None:
    """Before there is an account that says it."""
    browser = PageBrowser(people.company.client, "ja")
    assert "サインイン" in browser.open("/sign-in")
    assert browser._call("POST", "/language", data={"language": "en", "next": "/sign-in"}).status_code == 303
    assert "E-mail address" in browser.open("/sign-in")
