"""The main language of a text, from its scripts and, within one script, by lingua."""

import threading
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from enmusubi.matching.lexical.scripts import (
    HANGUL_RUN,
    JAPANESE_RUN,
    KANA,
    LATIN_RUN,
    LETTER_RUN,
    evenly,
    normal_form,
)

if TYPE_CHECKING:
    from lingua import LanguageDetector

UNDETERMINED = "und"

# About 1 MB of models for each language in Latin letters. Japanese and Chinese are told apart without lingua, which
# takes every text of Chinese characters alone for Chinese.
_DETECTED = "ar de el en es fa fi fr he hi id it ko nl pl pt ru sv th uk vi"
_WEIGHT_OF_SYLLABLE = 2.5  # a kanji, kana or hangul syllable says about as much as this many Latin letters
_SCRIPTS_SAMPLE = (16, 256)
_DETECTION_SAMPLE = (5, 64)
_ENGLISH_IN_DOUBT = 1e-5
_NAME_IN_DOUBT = 1e-2
_CHINESE_SHARE = 0.05
_UNDECOMPOSED = str.maketrans("øØłŁđĐ", "oOlLdD")

_loading = threading.Lock()


def language_of(text: str) -> str:
    """Main language of a text as an ISO 639-1 code, `und` where there are no letters of a language known here.

    Deterministic and safe for concurrent threads. The script with the larger share decides first, a Japanese
    character weighing 2.5 Latin letters. In doubt, Latin letters are English and Chinese characters are Japanese,
    because the catalogues are Japanese and English: another language in Latin letters has to be 100,000 times as
    probable, also with the accents of a lone accented word (a name: "Möbius strip") taken away; Chinese needs at
    least 5 % characters that Japanese has not. Text with kana is never Chinese.

    Of a text beyond 4,096 characters, 16 pieces of 256 characters at even distances are looked at, and lingua is asked
    about at most 320 characters of them; this bounds the time of naming a language and of nothing else.
    """
    sample = evenly(normal_form(text), *_SCRIPTS_SAMPLE)
    japanese = "".join(JAPANESE_RUN.findall(sample))
    rest = JAPANESE_RUN.sub(" ", sample)
    latin = LATIN_RUN.findall(rest)
    weight_of_latin = _characters(latin)
    syllables = _characters(HANGUL_RUN.findall(rest))
    weight_of_others = _characters(LETTER_RUN.findall(rest)) - weight_of_latin + (_WEIGHT_OF_SYLLABLE - 1) * syllables
    weight_of_japanese = _WEIGHT_OF_SYLLABLE * len(japanese)
    if weight_of_japanese + weight_of_latin + weight_of_others <= 0:
        return UNDETERMINED
    if weight_of_japanese >= weight_of_latin + weight_of_others:
        return "zh" if _is_chinese(japanese) else "ja"
    if weight_of_latin >= weight_of_others:
        return _latin_language(evenly(" ".join(latin), *_DETECTION_SAMPLE))
    found = _detector().detect_language_of(evenly(LATIN_RUN.sub(" ", rest), *_DETECTION_SAMPLE))
    return UNDETERMINED if found is None else found.iso_code_639_1.name.lower()


def _characters(runs: list[str]) -> int:
    return sum(map(len, runs))


def _is_chinese(characters: str) -> bool:
    if KANA.search(characters):
        return False
    japanese = set(characters.encode("cp932", "ignore").decode("cp932"))
    foreign = "".join(character for character in characters if character not in japanese)
    simplified = len(foreign.encode("gb2312", "ignore").decode("gb2312"))
    traditional = len(foreign.encode("big5", "ignore").decode("big5"))
    return max(simplified, traditional) >= _CHINESE_SHARE * len(characters) > 0


def _latin_language(words: str) -> str:
    language, english = _most_probable(words)
    if language == "en" or english >= _ENGLISH_IN_DOUBT:
        return "en"
    accented = sum(not word.isascii() for word in words.split())
    if accented == 1 and _most_probable(_unaccented(words))[1] >= _NAME_IN_DOUBT:
        return "en"
    return language


def _most_probable(words: str) -> tuple[str, float]:
    """The most probable language, and how probable English is compared with it; English where lingua knows nothing."""
    probabilities = {
        found.language.iso_code_639_1.name.lower(): found.value
        for found in _detector().compute_language_confidence_values(words)
    }
    language = min(probabilities, key=lambda code: (-probabilities[code], code))
    if probabilities[language] == 0:
        return "en", 1.0
    return language, probabilities["en"] / probabilities[language]


def _unaccented(words: str) -> str:
    decomposed = unicodedata.normalize("NFD", words.translate(_UNDECOMPOSED))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _detector() -> "LanguageDetector":
    with _loading:
        return _load_detector()


@cache
def _load_detector() -> "LanguageDetector":
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [IsoCode639_1.from_str(code.upper()) for code in _DETECTED.split()]
    # The full models take ten times the memory, and the bar for another language than English is high anyway.
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
