"""Every message of the pages is said in both languages, and no translation is of anything that is gone."""

import ast
import re

import pytest

from enmusubi.app.vocabulary import Language
from enmusubi.app.web import words
from tests.web import messages

_LEFT_OUT = {"why", "right", "name", "what", "header"}


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
                # What is English in any case, a cause of another library or the name of a right, may be left out.
                assert _places(message.id) - _places(str(said)) <= {"why", "right", "name", "what", "header"}, (
                    message.id
                )
                assert _places(str(said)) <= _places(message.id), message.id


def test_every_code_of_a_vocabulary_has_a_word() -> None:
    """A new code without a word would be an error on a page."""
    for kind, said in words._WORDS.items():
        assert set(said) == set(kind), kind


def test_every_error_that_a_page_may_show_can_be_said_in_japanese() -> None:
    """It is raised with a text that stands there, or with a sentence that has its values apart."""
    hidden = [
        f"{path.name}:{call.lineno}"
        for path in messages.error_files()
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args
        if call.func.id in (*messages.RAISED, "ValueError") and not _can_be_said(call.args[0])
    ]
    assert hidden == [], "say it with errors.Sentence"


def _can_be_said(said: ast.expr) -> bool:
    if isinstance(said, ast.IfExp):
        return _can_be_said(said.body) and _can_be_said(said.orelse)
    if isinstance(said, ast.Call):
        return isinstance(said.func, ast.Name) and said.func.id == "Sentence"
    # A name stands for a sentence that is said in several places, or made before.
    return isinstance(said, ast.Constant | ast.Name)


def _places(message: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)[sr]", message))
