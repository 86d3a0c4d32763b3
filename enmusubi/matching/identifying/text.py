"""A text as the rules read it: its normal form, the places it was written at, its words."""

from functools import cached_property

from enmusubi.matching.lexical.japanese import Tagged, tagged_words
from enmusubi.matching.lexical.scripts import KANA, normal_form_spans

# Before normal form KC, which writes them as the letters TM and SM.
_MARKS = str.maketrans("™℠", "®®")


_LISTS = ("expertise_sought", "technology_keywords", "market_keywords", "keywords", "regions")


class Text:
    """One field's text, named as it was given."""

    def __init__(self, field: str, given: str) -> None:
        self.field = field
        self.given = given
        self.normal, self._spans = normal_form_spans(given.translate(_MARKS))

    @cached_property
    def words(self) -> list[Tagged]:
        """Sudachi's words of the normal form."""
        return tagged_words(self.normal)

    @cached_property
    def lists_terms(self) -> bool:
        """Whether the field is a list of technical terms rather than prose about the owner."""
        return self.field.startswith(
            ("expertise_sought", "technology_keywords", "market_keywords", "keywords", "regions")
        )

    @cached_property
    def japanese(self) -> bool:
        """Whether any of it is written in kana."""
        return KANA.search(self.normal) is not None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in the given text a part of the normal form, which is not empty, is written."""
        return self._spans[start][0], self._spans[end - 1][1]
