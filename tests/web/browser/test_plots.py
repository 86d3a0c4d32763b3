"""Plots in a real browser: drawn under the strict policy, led by pointer and buttons, harmless with hostile texts."""

import pytest
from playwright.sync_api import Browser, Page, Response

from enmusubi.app.vocabulary import Language, Role
from tests.web.sites import Site, Window, a_window

pytestmark = pytest.mark.browser
HOSTILE = '<b>bold</b><a href="https://evil.example">away</a><img src=x onerror=alert(1)>'
DRAWN = "[...document.querySelectorAll('[data-plot]')].every((plot) => plot.dataset.drawn)"
VIOLATIONS = (
    "window.refused = []; document.addEventListener('securitypolicyviolation', (e) => refused.push(e.blockedURI))"
)


def opened(window: Window, role: Role, path: str, language: Language = Language.EN) -> Page:
    """A page whose plots are drawn."""
    window.expected = ("404 (Not Found)",)
    window.page.add_init_script(VIOLATIONS)
    window.sign_in(role, language)
    page = window.open(path)
    page.wait_for_function(DRAWN)
    return page


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("path", "plots"), [("/board", 4), ("/board/map", 1)])
def test_plots_are_drawn_and_nothing_is_refused(
    browser: Browser, site: Site, path: str, plots: int, *, dark: bool
) -> None:
    """In the colours of the page, light and dark."""
    with a_window(browser, site, Language.EN, dark=dark) as window:
        page = opened(window, Role.COORDINATOR, path)
        assert page.locator(".plot .main-svg").count() >= plots
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert (
            page.locator(".plot .xtick text, .plot .legendtext").first.evaluate("(text) => getComputedStyle(text).fill")
            == ink
        )
        assert page.evaluate("refused") == []


def test_a_map_follows_its_reader(browser: Browser, site: Site) -> None:
    """Nearer by, the entries of that part are asked for; all of them again with a button; a mark leads to its entry."""
    with a_window(browser, site, Language.EN) as window:
        page = opened(window, Role.UNIVERSITY, "/board/map")
        whole = page.inner_text("#in-view")

        def is_points(reply: Response) -> bool:
            return "/board/map/points?" in reply.url

        with page.expect_response(is_points):
            page.get_by_role("button", name="Zoom in").click()
        page.wait_for_function("(said) => document.getElementById('in-view').textContent !== said", arg=whole)
        with page.expect_response(is_points):
            page.get_by_role("button", name="All").click()
        page.wait_for_function("(said) => document.getElementById('in-view').textContent === said", arg=whole)
        mark = page.locator(".plot .point").first
        mark.scroll_into_view_if_needed()
        place = mark.bounding_box()
        assert place is not None
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_selector(".hoverlayer .hovertext")
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_url(lambda url: "/seeds/" in url or "/needs/" in url)
        window.page.wait_for_load_state()


def test_a_chain_with_hostile_titles_is_drawn_as_text(browser: Browser, site: Site) -> None:
    """Titles stay text: no element of theirs is made, and nothing is asked from elsewhere."""
    with a_window(browser, site, Language.EN) as window:
        window.expected = ("404 (Not Found)",)
        window.sign_in(Role.UNIVERSITY, Language.EN)
        first = registered(window, title=HOSTILE)
        registered(window, title=HOSTILE, grown_from=[{"kind": "seed", "id": first}])
        page = window.open("/board/chain")
        page.wait_for_function(DRAWN)
        assert page.locator(".plot image, .plot img, .plot a").count() == 0
        assert "<b>bold</b>" in page.locator(".plot .textpoint").first.text_content()  # type: ignore[operator]
        page.locator(".plot .point").first.hover(force=True)
        assert page.locator(".hoverlayer a").count() == 0


def registered(window: Window, **fields: object) -> str:
    """A seed that the person in the window has registered; its id."""
    asking = window.context.request
    proof = asking.get(f"{window.site.address}/api/v1/session").json()["csrf_token"]
    reply = asking.post(
        f"{window.site.address}/api/v1/seeds", data=fields,
        headers={"X-CSRF-Token": proof, "Sec-Fetch-Site": "same-origin"},
    )  # fmt: skip
    assert reply.ok, reply.text()
    return str(reply.json()["id"])


@pytest.mark.parametrize("path", ["/board", "/board/map", "/board/chain"])
def test_without_scripts_the_tables_are_there(browser: Browser, site: Site, path: str) -> None:
    """A page promises no picture that it does not show."""
    with a_window(browser, site, Language.JA, scripts=False) as window:
        window.expected = ("404 (Not Found)",)
        window.sign_in(Role.COORDINATOR, Language.JA)
        page = window.open(path)
        assert page.locator(".plot:visible").count() == 0
        assert page.locator("button[data-zooms]:visible").count() == 0
        if path != "/board/chain":
            assert page.locator("table").count() >= 1
