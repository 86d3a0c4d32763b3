"""The project's pages, their fenced blocks, and the statements of their shell blocks."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "samples").rglob("*.md"))
    if path.is_file()
)
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    """A page's path below the root, as a test shows it."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [text for found, text in _FENCED.findall(page.read_text(encoding="utf-8")) if found == language]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def statements(block: str) -> Iterator[str]:
    """The statements of a shell block, each whole: over several lines where quotation marks or a backslash say so."""
    held = ""
    for line in block.splitlines():
        held = f"{held}\n{line}" if held else line
        if line.endswith("\\"):
            continue
        try:
            words = shlex.split(held, comments=True)
        except ValueError:
            continue  # a quotation mark is still open
        if words:
            yield held
        held = ""
    assert not held, f"the block ends within {held!r}"
