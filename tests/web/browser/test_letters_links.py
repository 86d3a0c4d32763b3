"""Links of letters in a real browser: what stands behind the # goes into the form, and leaves the address bar."""

import re

import pytest
from playwright.sync_api import Browser

from enmusubi.app.vocabulary import Language, Role
from tests.web.sites import Site, a_window

pytestmark = pytest.mark.browser


def test_an_invitation_is_opened(browser: Browser, site: Site) -> None:
    """The page shows what it invites to; neither the address nor a request line ever holds the secret."""
    with a_window(browser, site, Language.EN) as window:
        window.sign_in(Role.CLUSTER_ADMINISTRATOR, Language.EN)
        page = window.open("/people/invite")
        page.fill("#email", "new.person@example.org")
        page.select_option("#role", "auditor")
        page.select_option("#language", "en")
        page.click("main button.main")
        link = page.text_content("#secret") or ""
        assert page.is_visible("button[data-copy]")
    found = re.search(r"/invitation#(eni_[\w-]+)", link)
    assert found, link
    with a_window(browser, site, Language.EN) as window:
        asked: list[str] = []
        window.page.on("request", lambda request: asked.append(request.url))
        page = window.open(found[0])
        page.wait_for_selector("#password")
        assert "new.person@example.org" in page.inner_text("main")
        assert page.url == f"{site.address}/invitation"
        assert asked, "the page was asked for"
        # Chromium names a navigation with its fragment in its own notes; it sends none.
        assert all(found[1] not in url.partition("#")[0] for url in asked)


def test_a_secret_that_comes_later(browser: Browser, site: Site) -> None:
    """A second link pasted into the same tab is taken, too; a jump to the content is none."""
    with a_window(browser, site) as window:
        page = window.open("/new-password#main")
        assert page.input_value("#link") == ""
        page.evaluate("location.hash = 'enr_second'")
        page.wait_for_function("document.getElementById('link').value === 'enr_second'")
        assert page.url == f"{site.address}/new-password"
        assert not page.is_visible("#link")


def test_without_scripts_the_link_is_pasted(browser: Browser, site: Site) -> None:
    """The field asks for it."""
    with a_window(browser, site, scripts=False) as window:
        window.expected = ("404 (Not Found)",)
        page = window.open("/invitation#eni_x")
        assert page.is_visible("#link")
        page.fill("#link", "http://127.0.0.1/invitation#eni_unknown")
        page.click("main button.main")
        assert "このリンクは無効です" in page.inner_text("main")
        assert "eni_unknown" not in page.url
