"""The terms a text is searched by, from text in any language or several."""

import threading
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.metadata import version
from itertools import pairwise

import Stemmer

from enmusubi.matching.lexical.japanese import japanese_words, located_words
from enmusubi.matching.lexical.languages import language_of
from enmusubi.matching.lexical.scripts import JAPANESE_RUN, WORD, normal_form, normal_form_spans

_RULES = 1  # raise it when a change of this package changes anybody's terms
_LIBRARIES = ("SudachiPy", "SudachiDict-core", "PyStemmer", "lingua-language-detector")
_PHRASE_SEPARATOR = "_"  # in no term: words are cut at it

_STEMMERS = {
    "de": "german",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "sv": "swedish",
}
# Languages of other scripts, in whose texts words in Latin letters are English.
_STEMMERS_BESIDE_ENGLISH = {"ar": "arabic", "el": "greek", "fa": "persian", "hi": "hindi", "ru": "russian"}
_UNSTEMMED = {"vi"}

_STOP_WORDS_IN_ENGLISH = """
a also an and are as at be been but by can for from has have if in into is it its may no not of on or our such than
that the their then there these they this to use used using was we were which will with
"""
_STOP_WORDS = frozenset(_STOP_WORDS_IN_ENGLISH.split())

_local = threading.local()


def terms(text: str, language: str | None = None) -> list[str]:
    """The words a text is searched by, in order; none holds white space or an underscore.

    After Unicode normal form KC and lower case, runs of Japanese characters give Sudachi's normalized forms without
    function words; the rest gives words of letters and digits, stemmed by the Snowball stemmer of the language, in
    Japanese and undetermined texts by the English one, English stop words left out. `language` is an ISO 639-1 code,
    that of `language_of(text)` when absent; a language without a stemmer has its words as they are.
    """
    if language is None:
        language = language_of(text)
    return _by_script(normal_form(text).lower(), language, partial(_japanese_terms, language=language))


def spans(text: str, language: str | None = None) -> list[tuple[str, int, int]]:
    """The terms of `terms`, in the same order, each with the start and end of what is written for it in the text.

    A word that gives several terms is written for each of them. Starts never go back.
    """
    if language is None:
        language = language_of(text)
    normal, written = normal_form_spans(text)
    # A capital may have two small letters.
    places = [place for place, character in zip(written, normal, strict=True) for _ in character.lower()]
    return [(term, places[start][0], places[end - 1][1]) for term, start, end in _located(normal.lower(), language)]


def phrases(terms: list[str]) -> list[str]:
    """Each two adjacent terms as one, joined by an underscore: one fewer than the terms, none for no terms."""
    return [f"{first}{_PHRASE_SEPARATOR}{second}" for first, second in pairwise(terms)]


@cache
def analysis_fingerprint() -> str:
    """Names all that decides the terms of a text: our rules, the libraries, the dictionary, and Unicode's version."""
    libraries = (f"{name} {version(name)}" for name in _LIBRARIES)
    return ", ".join((f"rules {_RULES}", *libraries, f"Unicode {unicodedata.unidata_version}"))


def _by_script(lowered: str, language: str, japanese: Callable[[str], list[str]]) -> list[str]:
    """Terms of a text in lower case, its Japanese runs analysed by `japanese` and what is between by `_words`."""
    found: list[str] = []
    position = 0
    for run in JAPANESE_RUN.finditer(lowered):
        found += _words(lowered[position : run.start()], language)
        found += japanese(run.group())
        position = run.end()
    return found + _words(lowered[position:], language)


def _japanese_terms(run: str, language: str) -> list[str]:
    return [term for word in japanese_words(run) for term in _terms_of_word(word, language)]


def _terms_of_word(word: str, language: str) -> list[str]:
    if JAPANESE_RUN.fullmatch(word):
        return [word]
    # A name that Sudachi writes in Latin letters meets the same name in texts that write it so.
    return _by_script(normal_form(word).lower(), language, lambda part: [part])


def _located(lowered: str, language: str) -> Iterator[tuple[str, int, int]]:
    """What `_by_script` finds in a text, with its places there."""
    position = 0
    for run in JAPANESE_RUN.finditer(lowered):
        yield from _located_words(lowered, position, run.start(), language)
        for word, start, end in located_words(run.group()):
            for term in _terms_of_word(word, language):
                yield term, run.start() + start, run.start() + end
        position = run.end()
    yield from _located_words(lowered, position, len(lowered), language)


def _located_words(lowered: str, start: int, end: int, language: str) -> Iterator[tuple[str, int, int]]:
    for word in WORD.finditer(lowered, start, end):
        for term in _words(word.group(), language):
            yield term, word.start(), word.end()


def _words(text: str, language: str) -> list[str]:
    words = WORD.findall(text)
    if not words or language in _UNSTEMMED:
        return words
    if language in _STEMMERS:
        return _stems(words, _STEMMERS[language])
    stems = _stems([word for word in words if word not in _STOP_WORDS], "english")
    if language in _STEMMERS_BESIDE_ENGLISH:
        # A word in another script comes through the English stemmer as it was.
        own_stems = _stems(stems, _STEMMERS_BESIDE_ENGLISH[language])
        return [stem if stem.isascii() else own for stem, own in zip(stems, own_stems, strict=True)]
    return stems


def _stems(words: list[str], algorithm: str) -> list[str]:
    """Stems of the words, by this thread's stemmer: one cannot be used by two threads at once."""
    stemmers: dict[str, Stemmer.Stemmer] = _local.__dict__
    if algorithm not in stemmers:
        stemmers[algorithm] = Stemmer.Stemmer(algorithm)
    stems: list[str] = stemmers[algorithm].stemWords(words)
    return stems
