"""The forms of needs and seeds in Chromium: matches while typing, the check, rows, what is not saved yet."""

import pytest
from playwright.sync_api import Browser, Dialog, Request, expect

from enmusubi.app.vocabulary import Language, Role
from tests.web.sites import Site, a_window

TELLING = {
    Language.JA: "「北氷工業株式会社」では凍結しないコンクリートを探しています。",
    Language.EN: "We at Frostwerk Corporation look for concrete that does not freeze; write to ice@frostwerk.example.",
}


@pytest.mark.parametrize("language", Language)
def test_a_need_is_written_matched_checked_and_posted(browser: Browser, site: Site, language: Language) -> None:
    """Nothing confidential goes out while typing, and the page is not left before it is posted."""
    with a_window(browser, site, language) as window:
        window.sign_in(Role.COMPANY, language)
        page = window.open("/needs/new")
        sent: list[Request] = []
        page.on("request", lambda one: sent.append(one) if one.url.endswith("/matches") else None)
        page.fill("#description", "SECRET")
        page.fill("#title", "Concrete that does not freeze" if language is Language.EN else "凍らないコンクリート")
        expect(page.locator("#live li").first).to_be_visible(timeout=30_000)
        page.fill("#summary", TELLING[language])
        expect(page.locator('[data-counts="summary"] span')).to_have_text(str(len(TELLING[language])))
        page.get_by_role("button", name={"ja": "文章を確認する", "en": "Check the text"}[language]).click()
        expect(page.locator("#summary-found mark").first).to_be_visible(timeout=30_000)
        assert page.url.endswith("/needs/new")
        assert page.input_value("#description") == "SECRET"
        page.get_by_role("button", name={"ja": "大学からの見え方", "en": "Show what universities"}[language]).click()
        expect(page.locator("#preview article")).to_be_visible(timeout=30_000)
        expect(page.locator("#preview article")).not_to_contain_text("SECRET")
        page.get_by_role("button", name={"ja": "ニーズを公開する", "en": "Post the need"}[language]).click()
        page.get_by_role("button", name={"ja": "このまま登録する", "en": "Post anyway"}[language]).click()
        window.expected = ("404",)  # until the need's own page is there
        page.wait_for_url("**/needs/*?done=posted")
        assert sent
        assert not any("SECRET" in (one.post_data or "") for one in sent)


def test_a_form_that_was_not_saved_asks_before_it_is_left(browser: Browser, site: Site) -> None:
    """And one that is as it was opened does not."""
    with a_window(browser, site) as window:
        window.sign_in(Role.UNIVERSITY)
        page = window.open("/seeds/new")
        asked: list[str] = []

        def answered(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        page.on("dialog", answered)
        page.reload()
        assert asked == []
        page.fill("#title", "氷")
        page.reload()
        assert asked == ["beforeunload"]


def test_rows_are_added_in_place_and_by_the_page(browser: Browser, site: Site) -> None:
    """What stands in the form stays, with the script and without it."""
    for scripts in (True, False):
        with a_window(browser, site, Language.EN, scripts=scripts) as window:
            window.sign_in(Role.UNIVERSITY, Language.EN)
            page = window.open("/seeds/new")
            page.fill("#title", "Ice")
            page.fill("#researchers-0-name", "Fuyuko Himuro")
            page.get_by_role("button", name="Add a row").click()
            expect(page.locator("#researchers-2-name")).to_be_visible(timeout=30_000)
            page.fill("#researchers-1-name", "Aki Kaze")
            page.get_by_role("button", name="Remove researcher 1").click()
            expect(page.locator("#researchers-0-name")).to_have_value("Aki Kaze", timeout=30_000)
            assert page.input_value("#title") == "Ice"


def test_what_was_typed_outlives_the_session(browser: Browser, site: Site) -> None:
    """Signed out in another tab, signed in again there: it is sent from the page that kept it."""
    with a_window(browser, site, Language.EN) as window:
        window.sign_in(Role.COMPANY, Language.EN)
        page = window.open("/needs/new")
        page.fill("#title", "An ice need")
        page.fill("#description", "SECRET")
        window.context.clear_cookies()
        window.expected = ("401", "403", "404")
        page.get_by_role("button", name="Save as a draft").click()
        expect(page.get_by_role("heading", name="What you typed is not lost")).to_be_visible()
        window.page = window.context.new_page()
        window.sign_in(Role.COMPANY, Language.EN)
        page.get_by_role("button", name="Send it once more").click()
        page.get_by_role("button", name="Send it once more").click()
        page.wait_for_url("**/edit?done=draft-saved")
        assert page.input_value("#description") == "SECRET"
