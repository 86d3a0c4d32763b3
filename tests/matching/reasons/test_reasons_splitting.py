"""Sentences of Japanese and English technical text, by their exact places."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching.reasons.splitting import LONGEST, split


def pieces(text: str) -> list[str]:
    """The sentences as texts."""
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Sensors, e.g. strain gauges, drift. The gap is 0.5 mm (see Fig. 3). It holds.",
            ["Sensors, e.g. strain gauges, drift.", "The gap is 0.5 mm (see Fig. 3).", "It holds."],
        ),
        (
            "No. 5 stays at approx. 20 C. It was made by Co. Ltd. Sato in the U.S. Army, cf. Ito et al. 2020.",
            ["No. 5 stays at approx. 20 C.", "It was made by Co. Ltd. Sato in the U.S. Army, cf. Ito et al. 2020."],
        ),
        ('"Really?" he said. Yes! No?', ['"Really?" he said.', "Yes!", "No?"]),
        (
            "従来は0.5 mmの膜（図3。参照）を用いた。「使えない。」と言われた。歩留まり向上！",
            ["従来は0.5 mmの膜（図3。参照）を用いた。", "「使えない。」と言われた。", "歩留まり向上！"],
        ),
        ("Fig. 3のように動く．比は3．5倍．以上です.次", ["Fig. 3のように動く．", "比は3．5倍．", "以上です.", "次"]),
        (
            "特長\n・低温で動作\n・サバ・イワシに対応\n(1) 小型\n2. 安価。長寿命",
            ["特長", "・低温で動作", "・サバ・イワシに対応", "(1) 小型", "2. 安価。", "長寿命"],
        ),
        ("図①に示す。①小型②安価", ["図①に示す。", "①小型", "②安価"]),
        (
            "We seek adhesives for boards that do not smell of\nformaldehyde. We want\nlow cost\nhigh speed",
            ["We seek adhesives for boards that do not smell of\nformaldehyde.", "We want", "low cost", "high speed"],
        ),
        ("小型、\n安価で、\n長寿命の電池", ["小型、\n安価で、\n長寿命の電池"]),
        ("A。***\n---\nB。", ["A。***\n---", "B。"]),
        ("😀😀 !!!", ["😀😀 !!!"]),
        ("12345", ["12345"]),
        ("word", ["word"]),
        ("", []),
        (" \n\t\u3000", []),
    ],
)
def test_splits_where_a_reader_would(text: str, expected: list[str]) -> None:
    """Abbreviations, decimals, quotations, bullets, wrapped lines and texts without sentences are told apart."""
    assert pieces(text) == expected


def test_long_sentences_are_split_at_commas() -> None:
    """A sentence beyond the longest is cut after a comma, and every character is kept."""
    text = "比較的長い説明が続き、" * 60 + "終わる。"
    found = pieces(text)
    assert all(len(piece) <= LONGEST for piece in found)
    assert all(piece.endswith("、") for piece in found[:-1])
    assert "".join(found) == text


def test_text_without_punctuation_is_split_at_spaces_or_where_it_is_full() -> None:
    """Words stay whole where there are spaces; without any, pieces are as long as they may be."""
    words = " ".join(["sensor"] * 200)
    assert set(" ".join(pieces(words)).split()) == {"sensor"}
    assert [len(piece) for piece in pieces("あ" * 650)] == [300, 300, 50]


@pytest.mark.parametrize(
    "unit", ["あ", "word ", "文。", "a.", "「", "「」", "(1)", "!\n", "a,\n", " ", "\n", "1. ", "①"]
)
def test_time_is_linear(unit: str) -> None:
    """200,000 characters of anything take a moment; a method that grows with the square would take minutes."""
    text = unit * (200_000 // len(unit))
    started = time.perf_counter()
    split(text)
    assert time.perf_counter() - started < 10


_SNIPPETS = st.one_of(
    st.sampled_from("。．.！？!?「」『』（）()①・、,－ \n\r\t\u3000\u2028\x00"),
    st.sampled_from(
        [". ", "（1）", "\r\n", "1.", "e.g. ", "Fig. 3", "0.5 mm", "😀", "小型化", "The gap", "です", "あ" * 180]
    ),
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(_SNIPPETS, max_size=40).map("".join))


@given(TEXTS)
def test_nothing_but_white_space_is_lost(text: str) -> None:
    """Whatever the text, sentences ascend, hold no outer white space, and leave out nothing else."""
    position = 0
    for start, end in split(text):
        assert position <= start < end <= start + LONGEST
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


@given(TEXTS)
def test_splitting_is_deterministic(text: str) -> None:
    """The same text is split the same way every time."""
    assert split(text) == split(text)
