"""The words of the pages for the sheets."""

from dataclasses import dataclass
from enum import StrEnum

from enmusubi.app.web import words
from enmusubi.app.web.languages import Speech


@dataclass(frozen=True, slots=True)
class Words(Speech):
    """How a reader is spoken to, the words of codes included: `sheets.wording.Wording`."""

    def word(self, code: StrEnum) -> str:
        """The word of a code."""
        return words.word(self, code)
