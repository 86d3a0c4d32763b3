"""What pages say, in Japanese and English: catalogues by Babel, and which language a reader gets."""

import datetime
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import NullTranslations, Translations
from fastapi import Request
from starlette.datastructures import Headers

from enmusubi.app.clock import JAPAN
from enmusubi.app.errors import Sentence
from enmusubi.app.vocabulary import Language

COOKIE: Final = "enmusubi-language"
CATALOGUES: Final = Path(__file__).parent / "locale"
WORDS: Final[dict[tuple[type[StrEnum], str], str]] = {}
"""The words of codes, which `words` puts here."""


def N_(message: str) -> str:  # noqa: N802 the name that Babel looks for
    """Mark a message that is translated where it is shown."""
    return message


@cache
def catalogue(language: Language) -> NullTranslations:
    """All messages of a language: one file for each part of the pages, read as they are written."""
    found = NullTranslations()
    for path in sorted((CATALOGUES / language).glob("*.po")):
        compiled = BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=str(language)))
        compiled.seek(0)
        part = Translations(compiled, domain=path.stem)
        found = part if not isinstance(found, Translations) else found.merge(part)
    return found


@dataclass(frozen=True, slots=True)
class Speech:
    """How a reader is spoken to: messages, dates, numbers."""

    language: Language

    @property
    def locale(self) -> Locale:
        """Babel's locale."""
        return Locale.parse(str(self.language))

    def say(self, message: str, /, **values: object) -> str:
        """The message in the reader's language, with its values (`%(name)s`) filled in; a sentence brings its own."""
        if isinstance(message, Sentence):
            values = {name: self._part(one) for name, one in message.values.items()}
            message = message.template
        said = catalogue(self.language).gettext(message)
        return said % values if values else said

    def _part(self, value: object) -> object:
        """A value of a sentence: codes by their words, and of several each."""
        if isinstance(value, tuple):
            return self.say(N_(", ")).join(str(self._part(one)) for one in value)
        if isinstance(value, Sentence):
            return self.say(value)
        if isinstance(value, StrEnum):
            return self.say(WORDS.get((type(value), str(value)), str(value)))
        return self.day(value) if isinstance(value, datetime.date) else value

    def say_many(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The same for a number of things, which is `%(count)s`."""
        said = catalogue(self.language).ngettext(one, many, count)
        return said % {"count": self.number(count), **values}

    def number(self, value: float, digits: int | None = None) -> str:
        """A number, with so many digits after the point."""
        pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, share: float) -> str:
        """A share of one, as per cent."""
        return format_percent(share, locale=self.locale)

    def yen(self, amount: float) -> str:
        """An amount of yen."""
        return format_currency(amount, "JPY", locale=self.locale)

    def day(self, day: datetime.date) -> str:
        """A day."""
        return format_date(day, format="medium", locale=self.locale)

    def moment(self, moment: datetime.datetime) -> str:
        """A moment, by Japan's clock."""
        here = moment.astimezone(JAPAN)
        return format_datetime(here, format="medium", tzinfo=JAPAN, locale=self.locale)


def speech_of(request: Request) -> Speech:
    """Of a reader who is not known: what they chose in this browser, or what it prefers, Japanese otherwise."""
    chosen = request.cookies.get(COOKIE)
    if chosen in tuple(Language):
        return Speech(Language(chosen))
    return Speech(preferred(request.headers))


def preferred(headers: Headers) -> Language:
    """The first of our languages in Accept-Language, by its weight."""
    wanted: list[tuple[float, int, Language]] = []
    for place, part in enumerate(headers.get("accept-language", "")[:1_000].split(",")):
        name, _, weight = part.strip().partition(";q=")
        short = name.partition("-")[0].lower()
        if short in tuple(Language):
            try:
                wanted.append((-float(weight or 1), place, Language(short)))
            except ValueError:
                continue
    return min(wanted)[2] if wanted else Language.JA
