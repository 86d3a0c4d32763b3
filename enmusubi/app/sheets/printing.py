"""Sheets of paper: a template of ours and the texts that stand in it, made into PDF by Typst.

Texts are data to a template and never part of it: nothing that somebody wrote is carried out, or read as a mark.
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import noto_cjk_sans_jp_bold
import noto_cjk_sans_jp_regular
import typst

from enmusubi.app.clock import JAPAN
from enmusubi.app.sheets.wording import N_, Wording

_HERE: Final = Path(__file__).parent
_UNBROKEN: Final = re.compile(r"[!-~\u00a1-\u02ff]{24}(?=[!-~\u00a1-\u02ff])")
"""Where a line of Latin letters is to be broken at last: words of so many letters are none."""
# Controls, and marks that turn the direction of what follows them, which on paper could turn what somebody else wrote.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffe\uffff]")

MARK: Final = N_("… more on the screen")
"""What stands at the end of a text that was shortened."""


@cache
def _fonts() -> typst.Fonts:
    """Noto Sans CJK JP, from its packages, and what Typst brings for other letters; never those of the machine."""
    folders: list[Any] = [
        str(Path(str(package.__file__)).parent) for package in (noto_cjk_sans_jp_regular, noto_cjk_sans_jp_bold)
    ]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def printed(template: str, content: Mapping[str, Any], now: datetime.datetime) -> tuple[bytes, int]:
    """The PDF, with subsets of its fonts in it, and how many pages it has."""
    compiler = typst.Compiler(
        _HERE / template,
        root=_HERE,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
    )
    made = compiler.compile(format="pdf", timestamp=now.astimezone(JAPAN).replace(microsecond=0))
    assert isinstance(made, bytes)
    return made, int(compiler.query("<pages>", field="value", one=True))


def clean(text: str | None) -> str:
    """A text as one paragraph of paper: blanks are one blank, very long words may be broken."""
    blank = " ".join(_UNSEEN.sub(" ", text or "").split())
    return _UNBROKEN.sub(lambda found: found[0] + "\u200b", blank)


def shortened(wording: Wording, text: str | None, columns: int) -> str:
    """The beginning of a text, so many columns wide (a full-width sign takes two), marked where it was cut."""
    whole = clean(text)
    if wide(whole) <= columns:
        return whole
    mark = wording.say(MARK)
    room = columns - wide(mark)
    kept = []
    for character in whole:
        room -= wide(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + mark


def wide(text: str) -> int:
    """How many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)
