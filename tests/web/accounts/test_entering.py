"""Ways in that letters lead to: invitations, new passwords, and the link that stops alerts."""

# ruff: noqa: F811  fixtures are parameters of the same name

import logging
import re

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.config import Settings
from enmusubi.app.models import Account, AlertSettings, AlertStop
from enmusubi.app.signing_in import resets
from enmusubi.app.vocabulary import Stopped
from tests.app.browsers import runtime_of, with_password
from tests.app.conftest import People
from tests.app.signing_in.conftest import Application, application, mailbox, posting  # noqa: F401 a fixture  # noqa: F401 fixtures
from tests.mailbox import Mailbox
from tests.web.conftest import Enter, PageBrowser

CHOSEN = "seven lanterns over the ice"
EMAIL = "ken.abe@example.org"


def _invited(browser: PageBrowser, people: People, language: str = "ja") -> str:
    """The secret of an invitation that no letter carried."""
    assert people.company.organisation is not None
    reply = browser.send("/people/invite", email=EMAIL, name="Ken", role="company", language=language,
                         organisation=str(people.company.organisation.public_id))  # fmt: skip
    assert reply.status_code == 200, reply.text
    (link,) = re.findall(r"http://[^<]+/invitation#(eni_[\w-]+)", reply.text)
    return str(link)


@pytest.mark.parametrize(
    ("language", "welcome", "needed", "weak"),
    [("ja", "ようこそ", "お名前", "推測されやすい"), ("en", "Welcome", "Your name", "easy to guess")],
)
def test_an_invitation_is_taken_up_once(
    people: People, session: Session, enter: Enter, language: str, welcome: str, needed: str, weak: str
) -> None:
    """Shown in its language, with the reasons why a password is not taken; then it works no more."""
    secret = _invited(enter(people.coordinator), people, language)
    joining = PageBrowser(people.company.client, "ja")
    assert 'data-secret="link"' in joining.open("/invitation")
    shown = joining._call("POST", "/invitation", data={"link": f"http://127.0.0.1/invitation#{secret}"})
    assert shown.status_code == 200
    assert all(said in shown.text for said in (welcome, needed, EMAIL, people.cluster.name))
    fields = {"token": secret, "name": "Ken Abe", "language": language, "password": "password1234"}
    refused = joining._call("POST", "/invitation", data=fields)
    assert (refused.status_code, weak in refused.text, "password1234" in refused.text) == (422, True, False)
    assert 'value="Ken Abe"' in refused.text
    joined = joining._call("POST", "/invitation", data={**fields, "password": CHOSEN})
    assert (joined.status_code, joined.headers["location"]) == (303, "/")
    assert "Ken Abe" in joining.open("/account")
    assert session.scalars(select(Account.language).where(Account.email_key == EMAIL)).one() == language
    again = PageBrowser(people.company.client, language)
    for sent in ({"link": secret}, {**fields, "password": CHOSEN}):
        reply = again._call("POST", "/invitation", data=sent)
        assert reply.status_code == 404
        assert secret not in reply.headers.get("location", "")


def test_an_invitation_withdrawn(people: People, enter: Enter) -> None:
    """It is listed until then, and its link says that it is gone."""
    browser = enter(people.coordinator)
    secret = _invited(browser, people)
    page = browser.open("/people")
    assert EMAIL in page
    assert secret not in page
    (path,) = re.findall(r'action="(/people/invitations/[^"]+/withdraw)"', page)
    assert browser.send(path).status_code == 303
    assert EMAIL not in browser.open("/people")
    reply = PageBrowser(people.company.client)._call("POST", "/invitation", data={"link": secret})
    assert reply.status_code == 404
    assert "このリンクは無効です" in reply.text


def test_what_is_wrong_with_an_invitation(people: People, session: Session, enter: Enter) -> None:
    """Told at its field; a coordinator invites no overseers."""
    browser = enter(people.coordinator)
    reply = browser.send("/people/invite", email="a@example.org", role="company", language="ja")
    assert reply.status_code == 422
    assert "「企業」のアカウントには所属組織が必要です" in reply.text
    taken = with_password(session, people.administrator)
    reply = browser.send("/people/invite", email=taken, role="coordinator", language="ja")
    assert reply.status_code == 403
    assert "auditor" not in browser.open("/people/invite")
    assert browser.send("/people/invite", email="not an address", role="company").status_code == 422


def test_letters_carry_the_links(
    people: People, session: Session, application: Application, posting: Settings, mailbox: Mailbox,
) -> None:  # fmt: skip
    """Where letters are sent, no page shows a link; and a forgotten password is replaced by one."""
    with application(posting) as client:
        browser = PageBrowser(client)
        email = with_password(session, people.company)
        for address in (email, "nobody@example.org"):
            reply = browser._call("POST", "/forgotten", data={"email": address})
            assert reply.status_code == 200
            assert "メールをご確認ください" in reply.text
        (letter,) = mailbox.letters
        assert letter["To"] == email
        secret = mailbox.secret()
        assert 'data-beginning="enr_"' in browser.open("/new-password")
        weak = browser._call("POST", "/new-password", data={"link": mailbox.link(), "password": "short"})
        assert (weak.status_code, "12文字以上" in weak.text) == (422, True)
        done = browser._call("POST", "/new-password", data={"link": secret, "password": CHOSEN})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert browser.get("/account").status_code == 200
        gone = PageBrowser(client)._call("POST", "/new-password", data={"link": secret, "password": CHOSEN})
        assert gone.status_code == 404
        assert "このリンクは無効です" in gone.text


def test_without_letters_a_link_is_asked_for(people: People, session: Session, enter: Enter) -> None:
    """The page says whom to ask, and the link that is handed over works."""
    client = people.company.client
    browser = PageBrowser(client, "en")
    reply = browser._call("POST", "/forgotten", data={"email": "a@example.org"})
    assert reply.status_code == 409
    assert "Ask your cluster administrator" in reply.text
    with_password(session, people.company)
    account = session.get_one(Account, people.company.caller.id)
    link = resets.make_link(session, runtime_of(client).desk, account)
    session.commit()
    assert browser._call("POST", "/new-password", data={"link": link, "password": CHOSEN}).status_code == 303


def test_secrets_stay_out_of_addresses_and_logs(people: People, enter: Enter, caplog: pytest.LogCaptureFixture) -> None:
    """Neither where a browser is sent on to, nor in what is logged of errors."""
    caplog.set_level(logging.DEBUG)
    browser = enter(people.coordinator)
    secret = _invited(browser, people)
    joining = PageBrowser(people.company.client)
    replies = [
        joining._call("POST", "/invitation", data={"link": secret}),
        joining._call("POST", "/invitation", data={"token": secret, "name": "", "password": CHOSEN}),
        joining._call("POST", "/invitation", data={"token": secret, "name": "Ken", "password": CHOSEN}),
        joining._call("POST", "/invitation", data={"token": secret, "name": "Ken", "password": CHOSEN}),
    ]
    assert [reply.status_code for reply in replies] == [200, 422, 303, 404]
    for reply in replies:
        assert secret not in str(reply.request.url)
        assert secret not in str(reply.headers)
    assert secret not in caplog.text
    assert CHOSEN not in caplog.text


def _stop_secret(session: Session, people: People) -> str:
    secret = opaque.new(opaque.STOP)
    caller = people.company.caller
    session.add(AlertStop(token_hash=opaque.digest(secret), account_id=caller.id, stops=Stopped.ENTRIES))
    session.commit()
    return secret


def _frequency(session: Session, people: People) -> str | None:
    return session.scalar(
        select(func.max(AlertSettings.frequency)).where(AlertSettings.account_id == people.company.caller.id)
    )


def test_the_link_of_a_letter_asks_before_it_stops(people: People, session: Session) -> None:
    """A browser is led to a page that asks; nothing is stopped until its button is pressed, without signing in."""
    secret = _stop_secret(session, people)
    browser = PageBrowser(people.company.client, "en")
    opened = browser.get(f"/api/v1/alerts/stop?secret={secret}", Accept="text/html,*/*")
    assert (opened.status_code, opened.headers["location"]) == (303, f"/stop-alerts?secret={secret}")
    page = browser.open(opened.headers["location"])
    assert "Stop these letters" in page
    assert _frequency(session, people) is None
    stopped = browser._call("POST", "/stop-alerts", data={"secret": secret})
    assert stopped.status_code == 200
    assert "停止しました" in stopped.text  # in the language of whose letter it was
    assert _frequency(session, people) == "never"
    assert browser._call("POST", "/stop-alerts", data={"secret": "enx_x"}).status_code == 404


def test_a_mail_program_stops_by_one_click(people: People, session: Session) -> None:
    """RFC 8058: a POST of the link's own address, without cookies, proof or a question."""
    secret = _stop_secret(session, people)
    reply = people.company.client.post(
        f"/api/v1/alerts/stop?secret={secret}", data={"List-Unsubscribe": "One-Click"}
    )  # fmt: skip
    assert reply.status_code == 200
    assert _frequency(session, people) == "never"
