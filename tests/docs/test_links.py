"""What the pages point to is there."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, ROOT, name_of, prose

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The names that a page's headings are linked by: lower case, blanks as hyphens, no other signs."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links(page: Path) -> None:
    """Every relative link names a file of the repository, and a heading of it where it names one."""
    broken = []
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_index() -> None:
    """The index of the documentation names every page and every decision record."""
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(index))}
    pages = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page != index]
    # A folder that is linked shows its README.
    missing = [name_of(page) for page in pages if page not in linked and page.parent not in linked]
    assert not missing


def test_pictures() -> None:
    """Pictures drawn by hand stay small and have a text for those who do not see them."""
    for picture in (ROOT / "docs").glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert len(text.encode()) < 30_000
        assert "<title" in text
        assert "<desc" in text
