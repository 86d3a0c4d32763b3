"""Which characters belong together: normal form of a text, and its runs of one kind of writing."""

import re
import unicodedata

# Kana, kanji (with the compatibility ideographs that NFKC leaves), 々, 〆, ー. Rarer kanji, outside the basic plane or
# newer than Unicode 5, are words of their own: Sudachi takes them for symbols. Voicing marks alone belong to no word.
JAPANESE = "\u3041-\u3096\u309d-\u30ff\u3400-\u4db5\u4e00-\u9fff\ufa0e-\ufa29々〆ヶー"
JAPANESE_RUN = re.compile(f"[{JAPANESE}]+")
KANA = re.compile("[\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff]")
HANGUL_RUN = re.compile("[\u1100-\u11ff\uac00-\ud7a3]+")
LATIN_RUN = re.compile("[a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]+")
LETTER_RUN = re.compile(r"[^\W\d_]+")

# Vowel signs of Indic and Thai writing and accents that have no composed letter: they stand inside words, but
# Python does not count them as letters.
_MARKS = "".join(
    character for character in map(chr, range(0x300, 0x3000)) if unicodedata.category(character) in {"Mn", "Mc"}
)
WORD = re.compile(rf"[^\W_]+(?:[{_MARKS}]+[^\W_]*)*")

# Invisible inside words: soft hyphens and joiners left by typesetting, selectors of a glyph's variant (in names).
_INVISIBLE = re.compile("[\u00ad\u200d\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]+")

# Characters that never change with the ones before them: ASCII, kana, kanji. Nearly all of most texts.
_ALONE = re.compile("[\u0000-\u007f\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u4e00-\u9fff]")


def normal_form(text: str) -> str:
    """Text without invisible characters, in Unicode normal form KC: full-width and half-width are the same after it."""
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def normal_form_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`normal_form(text)`, and of each of its characters, the start and end of what it was written as in `text`.

    A piece that only gives its normal form as a whole (か with a voicing mark, a letter with accents) is one span.
    """
    if text.isascii():
        return text, [(place, place + 1) for place in range(len(text))]
    visible = [place for place, character in enumerate(text) if not _INVISIBLE.match(character)]
    normal, spans = [], []
    first = 0
    while first < len(visible):
        last = first + 1
        piece, form = text[visible[first]], unicodedata.normalize("NFKC", text[visible[first]])
        while last < len(visible) and not _begins(text[visible[last]], piece, form):
            piece += text[visible[last]]
            form = unicodedata.normalize("NFKC", piece)
            last += 1
        normal.append(form)
        spans += [(visible[first], visible[last - 1] + 1)] * len(form)
        first = last
    return "".join(normal), spans


def _begins(character: str, piece: str, form: str) -> bool:
    """Whether the normal form of what begins here does not depend on the piece before it."""
    if _ALONE.match(character):
        return True
    decomposed = unicodedata.normalize("NFKD", character)
    if not decomposed or unicodedata.combining(decomposed[0]):
        return False
    return unicodedata.normalize("NFKC", piece + character) == form + unicodedata.normalize("NFKC", character)


def evenly(text: str, pieces: int, length: int) -> str:
    """Text itself, or `pieces` pieces of `length` characters taken from it at even distances, with spaces between."""
    if len(text) <= pieces * (length + 1):
        return text
    last = len(text) - length
    starts = (last * piece // (pieces - 1) for piece in range(pieces))
    return " ".join(text[start : start + length] for start in starts)
