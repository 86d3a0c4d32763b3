"""How a sheet speaks to its reader; the words themselves are those of the pages, which pass them in."""

import datetime
from enum import StrEnum
from typing import Protocol

from enmusubi.app.vocabulary import Language


def N_(message: str) -> str:  # noqa: N802 the name by which messages are found
    """Mark a message that is translated where it is written."""
    return message


class Wording(Protocol):
    """The reader's language: messages, words of codes, dates, numbers."""

    @property
    def language(self) -> Language:
        """The language itself."""
        ...

    def say(self, message: str, /, **values: object) -> str:
        """A message, with its values filled in."""
        ...

    def word(self, code: StrEnum) -> str:
        """The word of a code."""
        ...

    def day(self, day: datetime.date) -> str:
        """A day."""
        ...

    def number(self, value: float) -> str:
        """A number."""
        ...

    def percent(self, share: float) -> str:
        """A share of one, as per cent."""
        ...

    def yen(self, amount: float) -> str:
        """An amount of yen."""
        ...


def listed(wording: Wording, words: list[str]) -> str:
    """Several words as one text."""
    return ("、" if wording.language is Language.JA else ", ").join(words)


def named(wording: Wording, name: str, name_en: str | None) -> str:
    """The name of an organisation, the English one to readers of English where there is one."""
    return name_en or name if wording.language is Language.EN else name
