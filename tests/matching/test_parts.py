"""A long need falls into parts of whole sentences; nothing of it is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.parts import parts_of
from enmusubi.matching.reasons.splitting import LONGEST, split

ENGLISH = "We look for a sensor that measures frost on solar panels. "
JAPANESE = "太陽光パネルの霜を測るセンサを探しています。"
LIMITS = {"en": 500, "ja": 200, "zh": 200, "ko": 200, "und": 500}

sentences = st.lists(
    st.sampled_from([ENGLISH, JAPANESE, "Short. ", "x" * 700, "\n\n", "1. Item; 2. item\n", "😀😀 ", ""]), max_size=40
)


@pytest.mark.parametrize("text", ["", " \n ", "frost", ENGLISH, ENGLISH * 8, "12345", "😀" * 30])
def test_a_text_of_one_part_has_none(text: str) -> None:
    """What is short enough to be one part is not divided."""
    assert parts_of(text, "en") == []


def test_a_long_text_is_divided_between_sentences() -> None:
    """English and Japanese parts hold as many whole sentences as there is room for."""
    english = parts_of(ENGLISH * 20, "en")
    japanese = parts_of(JAPANESE * 20, "ja")

    assert len(english) == 3
    assert all(part.startswith("We look") and part.endswith("panels.") for part in english)
    assert [len(part) for part in japanese] == [198, 198, 44]
    assert all(part.endswith("。") for part in japanese)


def test_a_dense_language_has_shorter_parts() -> None:
    """A text that is one part in English is several where a character says more."""
    text = JAPANESE * 12

    assert parts_of(text, "und") == []
    assert len(parts_of(text, "ja")) == 2


@settings(max_examples=150, deadline=None)
@given(st.one_of(sentences.map("".join), st.text(max_size=3000)), st.sampled_from(sorted(LIMITS)))
def test_nothing_of_a_text_is_lost(text: str, language: str) -> None:
    """Parts are in order, not longer than a part or one long sentence, and hold every sentence exactly once."""
    parts = parts_of(text, language)

    assert parts == parts_of(text, language)
    assert len(parts) != 1
    place = 0
    for part in parts:
        assert part.strip() == part != ""
        assert len(part) <= max(LIMITS[language], LONGEST)
        found = text.index(part, place)
        assert text[place:found].strip() == ""
        place = found + len(part)
    if parts:
        assert text[place:].strip() == ""
        assert sum(len(split(part)) >= 1 for part in parts) == len(parts)
    elif len(text) > LIMITS[language]:
        assert len(split(text)) <= 1 or split(text)[-1][1] - split(text)[0][0] <= LIMITS[language]


@pytest.mark.parametrize("text", ["a" * 50_000, ENGLISH * 1000, "😀" * 50_000, "9" * 50_000, JAPANESE * 1000])
def test_a_very_long_text_is_divided_soon(text: str) -> None:
    """50,000 characters of anything fall into bounded parts, without a single sentence that is the whole text."""
    for language in ("en", "ja"):
        parts = parts_of(text, language)
        assert 1 < len(parts) <= 40
        assert max(map(len, parts)) <= max(LIMITS[language], LONGEST, len(text) // 32 + 1)
