"""What two profiles plainly share, for people to read beside a score: terms, fields, language."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """The side that asks: its public text, its field codes and its language where they are known."""

    text: str
    field_codes: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """Keywords of the entry that occur in the asking text, fields both have, and whether languages differ."""

    keywords: tuple[str, ...]
    field_codes: tuple[str, ...]
    other_language: bool


def shared(asked: Asked, keywords: Sequence[str], field_codes: Sequence[str], language: str | None) -> Shared:
    """What an entry with these keywords, codes and language shares with the side that asks."""
    text = _folded(asked.text)
    fields = {field_of(code) for code in asked.field_codes}
    return Shared(
        keywords=tuple(dict.fromkeys(word for word in keywords if _occurs(_folded(word), text))),
        field_codes=tuple(dict.fromkeys(field_of(code) for code in field_codes if field_of(code) in fields)),
        other_language=None not in (asked.language, language) and asked.language != language,
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _occurs(word: str, text: str) -> bool:
    """As a whole word where it begins or ends with a Latin letter or digit; anywhere in Japanese text."""
    start = text.find(word)
    while word and start >= 0:
        end = start + len(word)
        before = start > 0 and _joins(text[start - 1], word[0])
        after = end < len(text) and _joins(word[-1], text[end])
        if not before and not after:
            return True
        start = text.find(word, start + 1)
    return False


def _joins(left: str, right: str) -> bool:
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()


def field_of(code: str) -> str:
    """A field as coarse as two texts of one technology share it: the subclass of IPC and CPC, else the code."""
    scheme, _, symbol = code.partition(":")
    return f"{scheme}:{symbol[:4]}" if scheme in ("IPC", "CPC") else code
