"""Texts in any language or several are turned into the terms they are searched by."""

import random
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enmusubi.matching.lexical import analysis_fingerprint, language_of, phrases, spans, terms

ENGLISH = "Laser sensors measuring vibrations of bridges"
JAPANESE = "橋の振動を測るレーザーセンサーを開発した"
ENGLISH_TERMS = ["laser", "sensor", "measur", "vibrat", "bridg"]
JAPANESE_TERMS = ["橋", "振動", "測る", "レーザー", "センサー", "開発"]


def test_japanese_gives_normalized_content_words() -> None:
    """Particles, auxiliaries and する go; verbs come in their dictionary form."""
    assert terms(JAPANESE) == JAPANESE_TERMS


def test_english_gives_stems_without_stop_words() -> None:
    """Stop words go, inflected words become one stem."""
    assert terms(ENGLISH) == ENGLISH_TERMS
    assert terms("sensor measures a vibration of the bridge") == ["sensor", "measur", "vibrat", "bridg"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("打込み", "打ち込み"),
        ("打込んだ", "打ち込む"),
        ("サーバ", "サーバー"),
        ("コンピュータ", "コンピューター"),
        ("シュミレーション", "シミュレーション"),
        ("附属", "付属"),
        ("見積り", "見積もり"),
        ("取扱い", "取り扱い"),
        ("レーザー", "ﾚｰｻﾞｰ"),
        ("測りました", "測れば"),
    ],
)
def test_japanese_variants_are_one_term(one: str, other: str) -> None:
    """Inflection, okurigana, long vowels, common misspellings and width make no other word."""
    assert terms(one) == terms(other) != []


@pytest.mark.parametrize(
    ("japanese", "english"),
    [("アダプティブラーニング", "adaptive learning"), ("ユネスコ", "UNESCO"), ("ウィンドウズ", "Windows")],
)
def test_loan_words_that_the_dictionary_knows_in_english_meet_it(japanese: str, english: str) -> None:
    """Where Sudachi normalizes katakana to English, the terms are those of the English words."""
    assert terms(japanese) == terms(english) != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Messungen der Schwingungen", ["messung", "der", "schwingung"]),
        ("Größe", ["gross"]),
    ],
)
def test_german_is_stemmed_as_german(text: str, expected: list[str]) -> None:
    """The stemmer is that of the language, when it has one."""
    assert terms(text, "de") == expected


def test_the_language_is_detected_when_not_given() -> None:
    """A German sentence is stemmed as German unasked."""
    sentence = "Wir suchen Verfahren zur Messung der Schwingungen von Brücken und Gebäuden"

    assert language_of(sentence) == "de"
    assert terms(sentence) == terms(sentence, "de") != terms(sentence, "en")


def test_russian_text_keeps_english_words_english() -> None:
    """In a language of another script, words in Latin letters are stemmed as English."""
    assert terms("лазерные датчики measuring", "ru") == ["лазерн", "датчик", "measur"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("압력 센서 sensors", ["압력", "센서", "sensor"]),
        ("phát triển cảm biến", ["phát", "triển", "cảm", "biến"]),
        ("เซ็นเซอร์ แรงดัน", ["เซ็นเซอร์", "แรงดัน"]),
        ("ღვინო data", ["ღვინო", "data"]),
    ],
)
def test_languages_without_an_analyser_give_words_as_they_are(text: str, expected: list[str]) -> None:
    """A language the lexical side does not know still has words, with their vowel signs."""
    assert terms(text) == expected


def test_chinese_goes_through_the_japanese_rule() -> None:
    """Chinese gives some words, which is enough to match the same phrases."""
    assert "激光" in terms("半导体激光器的研究")


def test_numbers_and_mixed_words_are_terms() -> None:
    """5G, 10 and units count; full-width ones are the same."""
    assert terms("５Ｇ 10 μm CO₂ 3.5") == ["5g", "10", "μm", "co2", "3", "5"]
    assert terms("123 456") == ["123", "456"]


@pytest.mark.parametrize("text", ["", " \n", "🙂🚀", "…!?", "\x00\x07", "・ー゛"])
def test_a_text_without_words_has_no_terms(text: str) -> None:
    """Emoji, punctuation and control characters are no terms."""
    assert terms(text) == []


def test_what_typesetting_hides_in_words_is_ignored() -> None:
    """Soft hyphens and glyph variants do not cut a word in two."""
    assert terms("semi\u00adconductor") == terms("semiconductor")
    assert terms("葛\U000e0100城市") == terms("葛城市")


@given(
    st.lists(st.sampled_from([(ENGLISH, ENGLISH_TERMS), (JAPANESE, JAPANESE_TERMS)]), min_size=1, max_size=6),
    st.sampled_from(["", " ", "、", "\n", "/"]),
)
@settings(max_examples=40, deadline=None)
def test_a_mixed_text_has_the_terms_of_both_languages(parts: list[tuple[str, list[str]]], between: str) -> None:
    """Parts in two languages, set one after the other, keep the terms each has alone."""
    # Parts of one language touch only where something stands between them.
    texts = [text if between else f"{text}." for text, _ in parts]

    assert terms(between.join(texts)) == [term for _, expected in parts for term in expected]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80), st.sampled_from([None, "ja", "en", "de", "fr", "ru", "zh", "ko", "ar", "vi", "und", "xx"]))
@example("‮שלום‬ مرحبا\x00世界\u3000がｶﾞ ﬁ ½ ㌢ ①", None)
@example("a_b __ _あ_", None)
@example("\ud800 あ\udfff a", None)
@example("ヶ" * 50_000, None)
@example("a" * 50_000, None)
@example("🙂" * 50_000, None)
@example("ไ" * 20_000 + "ก\u0e49" * 10_000, None)
def test_any_text_has_terms_that_can_be_stored(text: str, language: str | None) -> None:
    """Terms hold no white space, capital or underscore, and are the same each time and in whatever width."""
    found = terms(text, language)

    assert all(term.split() == [term] and term == term.lower() and "_" not in term for term in found)
    assert " ".join(found).split() == found
    assert terms(text, language) == found
    assert terms(unicodedata.normalize("NFKC", text), language) == found


@pytest.mark.parametrize("run", [JAPANESE, "振動計測半導体", "レーザー・", "ひらがな"])
def test_a_run_too_long_for_sudachi_loses_nothing(run: str) -> None:
    """Text of 50,000 characters without a space or full stop has the terms of its parts, but for a word at each cut."""
    times = 50_000 // len(run)

    found, expected = terms(run * times), terms(run * 40, "ja") * (times // 40)

    assert abs(len(found) - len(expected)) <= 0.01 * len(expected)
    assert set(terms(run, "ja")) <= set(found)


def test_a_long_run_is_cut_between_words() -> None:
    """Where hiragana end within reach of the limit, the cut splits no word."""
    assert terms(JAPANESE * 2_000) == JAPANESE_TERMS * 2_000


def test_concurrent_threads_give_the_same_terms() -> None:
    """Threads that analyse at once give what one thread gives."""
    pieces = [ENGLISH, JAPANESE, "GaN HEMTを用いた増幅器", "Größe der Schwingungen", "лазерные датчики", "5G 10"]
    shuffler = random.Random(1)
    texts = [" ".join(shuffler.choices(pieces, k=5)) for _ in range(200)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(terms, texts)) == [terms(text) for text in texts]


def test_phrases_are_two_adjacent_terms() -> None:
    """Each term but the last begins a phrase."""
    assert phrases(["gan", "hemt", "増幅器"]) == ["gan_hemt", "hemt_増幅器"]
    assert phrases(["gan"]) == phrases([]) == []


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_phrase_is_made_of_one_pair_of_terms(one: str, other: str) -> None:
    """A phrase can be taken apart again, so two pairs never make the same phrase."""
    found = terms(f"{one} {other}")

    assert [tuple(phrase.split("_")) for phrase in phrases(found)] == list(pairwise(found))


def test_the_fingerprint_names_libraries_and_dictionary() -> None:
    """Whoever finds stale rows can read what changed."""
    fingerprint = analysis_fingerprint()

    for name in ("rules ", "SudachiPy ", "SudachiDict-core ", "PyStemmer ", "lingua-language-detector ", "Unicode "):
        assert name in fingerprint


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("橋の振動を測る", ["橋", "振動", "測る"]),
        ("ﾚｰｻﾞｰで測りました", ["ﾚｰｻﾞｰ", "測り"]),
        ("Ｌａｓｅｒ sensors", ["Ｌａｓｅｒ", "sensors"]),
        ("İstanbul bridges", ["İstanbul", "bridges"]),
        ("e\u0301tude cafe\u0301s", ["e\u0301tude", "cafe\u0301s"]),
        ("soft\u00adware for ㈱ tests", ["soft\u00adware", "㈱", "tests"]),
        ("アダプティブラーニング教材", ["アダプティブラーニング", "アダプティブラーニング", "教材"]),
    ],
)
def test_spans_are_what_is_written_for_a_term(text: str, written: list[str]) -> None:
    """In the text as it was given: full-width, with accents apart, with invisible characters inside."""
    assert [text[start:end] for _, start, end in spans(text)] == written


def _is_located(text: str, language: str | None) -> None:
    found = spans(text, language)
    assert [term for term, _, _ in found] == terms(text, language)
    starts = [start for _, start, _ in found]
    assert starts == sorted(starts)
    assert all(0 <= start < end <= len(text) for _, start, end in found)


@given(st.text(max_size=60), st.sampled_from([None, "ja", "en", "de", "ru", "vi"]))
@settings(max_examples=300, deadline=None)
@example("か\u3099か\u309aﾊﾞﾊﾟ", None)
@example("ΑΣ ΑΣΑ Σ", None)
@example("ệ\u0323 q\u0301\u0323x", None)
@example("각\u1100\u1161\u11a8", None)
@example("\u200d\u0301a", None)
def test_spans_are_the_terms_with_their_places(text: str, language: str | None) -> None:
    """Whatever the text: the same terms in the same order, places within the text that never go back."""
    _is_located(text, language)


_CLASHING = (
    "がか\u3099\u309aﾞﾊｶa\u0301\u0323\u0327İßΣσς㈱ﬁ½\u00ad\u200d\u1100\u1161\u11a8각橋測る のAd9 _\u09c7\u09be\u0345"
)


@given(st.text(alphabet=_CLASHING, max_size=25))
@settings(max_examples=300, deadline=None)
def test_spans_hold_where_characters_join(text: str) -> None:
    """Marks, jamo, ligatures and half-width letters in any order."""
    _is_located(text, "ja")
