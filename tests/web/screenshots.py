"""The two screenshots of the README: `make screenshots` makes them from the samples, with the bundled model."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from enmusubi.app.vocabulary import Language, Role
from tests.web.sites import Window, a_browser, a_site, a_window

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
MOST_BYTES: Final = 300_000


def main() -> None:
    """The review queue with a match opened, in Japanese; the map of the cluster, in English."""
    with a_site() as site, a_browser() as browser:
        with a_window(browser, site, Language.JA) as window:
            window.sign_in(Role.COORDINATOR, Language.JA)
            page = window.open("/queue")
            page.locator("#queue-list a[data-open]").first.click()
            page.locator("#queue-list .current").wait_for()
            _keep(page, "queue.png")
        with a_window(browser, site, Language.EN) as window:
            window.sign_in(Role.COORDINATOR, Language.EN)
            _map(window)


def _map(window: Window) -> None:
    page = window.open("/board/map")
    page.locator(".plotly, .js-plotly-plot").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.set_viewport_size({"width": 1280, "height": 1250})
    _keep(page, "map.png")


def _keep(page: Page, name: str) -> None:
    path = DOCS / name
    page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{name} has {path.stat().st_size:,} bytes; {MOST_BYTES:,} at most")


if __name__ == "__main__":
    main()
