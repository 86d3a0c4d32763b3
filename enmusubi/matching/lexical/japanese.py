"""Words of Japanese text: SudachiPy's longest units, in their normalized form."""

import re
import threading
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sudachipy import Dictionary, Morpheme, Tokenizer
    from sudachipy.sudachipy import PosMatcher

_CHUNK = 8_000  # characters, of four bytes at most: below Sudachi's limit of 49,149 bytes
_LOOK_BACK = 500
# Words seldom run on from hiragana (endings, particles) or the middle dot into kanji or katakana.
_BREAK = re.compile("(?<=[\u3041-\u309f・])(?=[^\u3041-\u309f・ー])")
_FUNCTION_WORDS = {"助詞", "助動詞", "補助記号", "空白", "接続詞"}
_WITH_AUXILIARIES = {"動詞", "形容詞"}

_loading = threading.Lock()
_local = threading.local()


def japanese_words(run: str) -> list[str]:
    """Normalized forms of the content words of a run of Japanese characters, in order.

    A normalized form may be in other letters, and several words: アダプティブラーニング gives adaptive learning.
    Particles, auxiliaries, symbols, conjunctions and dependent verbs and adjectives (する, いる, ない) are dropped.
    A run too long for Sudachi is analysed in pieces, cut where hiragana end if it has such a place.
    """
    return [morpheme.normalized_form() for _, morpheme in _content_words(run)]


def located_words(run: str) -> list[tuple[str, int, int]]:
    """The same words, each with the start and end of what is written for it in the run."""
    return [
        (morpheme.normalized_form(), start + morpheme.begin(), start + morpheme.end())
        for start, morpheme in _content_words(run)
    ]


class Tagged(NamedTuple):
    """A word of a text with its place there, Sudachi's part of speech, reading, and whether the dictionary has it."""

    start: int
    end: int
    surface: str
    tags: tuple[str, ...]
    reading: str
    known: bool


def tagged_words(text: str) -> list[Tagged]:
    """Every word of a text, function words and symbols too, in order."""
    if not hasattr(_local, "tagger"):
        _local.tagger = _dictionary()[0].tokenizer("C", {"pos", "reading_form"})
    found, start = [], 0
    for chunk in _chunks(text):
        for morpheme in _local.tagger.tokenize(chunk):
            begin, end = start + morpheme.begin(), start + morpheme.end()
            tags = tuple(morpheme.part_of_speech())
            found.append(Tagged(begin, end, text[begin:end], tags, morpheme.reading_form(), not morpheme.is_oov()))
        start += len(chunk)
    return found


def _content_words(run: str) -> "Iterator[tuple[int, Morpheme]]":
    """The morphemes that are no function words, each with the start of the piece its places are counted from."""
    tokenizer = _tokenizer()
    is_dropped = _dictionary()[1]
    start = 0
    for chunk in _chunks(run):
        for morpheme in tokenizer.tokenize(chunk):
            if not is_dropped(morpheme):
                yield start, morpheme
        start += len(chunk)


def _chunks(run: str) -> Iterator[str]:
    start = 0
    while len(run) - start > _CHUNK:
        limit = start + _CHUNK
        breaks = [found.start() for found in _BREAK.finditer(run, limit - _LOOK_BACK, limit)]
        end = breaks[-1] if breaks else limit
        yield run[start:end]
        start = end
    yield run[start:]


def _is_function_word(part_of_speech: tuple[str, ...]) -> bool:
    kind, subkind = part_of_speech[:2]
    return kind in _FUNCTION_WORDS or (kind in _WITH_AUXILIARIES and subkind == "非自立可能")


def _tokenizer() -> "Tokenizer":
    """This thread's tokenizer; one cannot be used by two threads at once, and costs microseconds to make."""
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = _dictionary()[0].tokenizer("C", {"pos", "normalized_form"})
    tokenizer: Tokenizer = _local.tokenizer
    return tokenizer


def _dictionary() -> "tuple[Dictionary, PosMatcher]":
    with _loading:
        return _load_dictionary()


@cache
def _load_dictionary() -> "tuple[Dictionary, PosMatcher]":
    from sudachipy import Dictionary

    dictionary = Dictionary(dict="core")
    return dictionary, dictionary.pos_matcher(_is_function_word)
