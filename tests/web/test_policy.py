"""Each page and form has its row in the policy."""

from pathlib import Path

from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.permissions import OPEN_PAGES, PAGES, PERSONAL_PAGES
from enmusubi.app.web.application import create_pages


def test_every_page_has_one_row(tmp_path: Path) -> None:
    """A new page without a row fails, and so does a row without a page."""
    described = create_pages(create_app(Settings(home=tmp_path))).openapi()
    named = [call["operationId"] for path in described["paths"].values() for call in path.values()]
    rows = [*PAGES, *PERSONAL_PAGES, *OPEN_PAGES]
    assert sorted(named) == sorted(rows)
