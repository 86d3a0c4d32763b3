"""Every page in both languages: accessible by axe-core, nothing refused by its policy, nothing from elsewhere."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from enmusubi.app.vocabulary import Language, Role
from tests.web.browser.pages import PAGES
from tests.web.sites import Site, a_window

pytestmark = pytest.mark.browser
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("role", "path"), PAGES, ids=lambda value: str(value))
def test_page(browser: Browser, site: Site, role: Role | None, path: str, language: Language) -> None:
    """As its reader sees it, light, dark and narrow."""
    with a_window(browser, site, language) as window:
        window.expected = ("404 (Not Found)",)
        if role is not None:
            window.sign_in(role, language)
        page = window.open(window.filled(path))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options=_RULES)
            assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"
        page.emulate_media(color_scheme="light")
        _keep(page, f"{role or 'stranger'}-{path}-{language}")
        page.set_viewport_size({"width": 360, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"on a narrow screen the page is {wide} px too wide"


def _keep(page: object, name: str) -> None:
    """Keep a screenshot where CI collects its output."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        page.screenshot(path=Path(folder) / f"{file}.png", full_page=True)  # type: ignore[attr-defined]
