"""Every message of the pages is said in both languages, and no translation is of anything that is gone."""

import re

import pytest

from enmusubi.app.vocabulary import Language
from enmusubi.app.web import words
from tests.web import messages


@pytest.mark.parametrize("language", Language)
def test_no_message_is_missing(language: Language) -> None:
    """Templates and code say nothing that a catalogue has not."""
    assert messages.found(), "no messages were found at all"
    assert messages.missing(language) == [], "write them in locale/, after `make messages`"


@pytest.mark.parametrize("language", Language)
def test_no_translation_is_left_over(language: Language) -> None:
    """What is used no more is gone from the catalogues."""
    assert messages.left_over(language) == [], "run `make messages`"


def test_placeholders_are_the_same_in_both_languages() -> None:
    """A value that is filled in has a place in the translation, and no other name."""
    for part, catalogue in messages.found().items():
        stored = messages.stored(part, Language.JA)
        for message in catalogue:
            if message.id and isinstance(message.id, str):
                said = stored[message.id].string
                # What another library says of a cause is English; the Japanese may leave it out.
                assert _places(message.id) - _places(str(said)) <= {"why"}, message.id
                assert _places(str(said)) <= _places(message.id), message.id


def test_every_code_of_a_vocabulary_has_a_word() -> None:
    """A new code without a word would be an error on a page."""
    for kind, said in words._WORDS.items():
        assert set(said) == set(kind), kind


def _places(message: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)[sr]", message))
