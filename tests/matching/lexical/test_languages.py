"""The language of a text is named, and in doubt it is English or Japanese."""

import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enmusubi.matching.lexical import language_of

GERMAN = "Wir suchen einen Partner für die Entwicklung von Sensoren, die Temperatur und Druck zugleich messen."
ENGLISH = "We are looking for sensors that measure temperature and pressure at the same time."
JAPANESE = "温度と圧力を同時に測るセンサーを探しています。"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (JAPANESE, "ja"),
        (GERMAN, "de"),
        ("Nous cherchons un partenaire industriel pour développer des capteurs de pression.", "fr"),
        ("Buscamos un socio industrial para desarrollar sensores de presión y temperatura.", "es"),
        ("Cerchiamo un partner industriale per lo sviluppo di sensori di pressione.", "it"),
        ("Wij zoeken een partner voor de ontwikkeling van nieuwe druksensoren.", "nl"),
        ("Szukamy partnera do rozwoju nowych czujników ciśnienia.", "pl"),
        ("Chúng tôi đang tìm đối tác để phát triển cảm biến áp suất.", "vi"),
        ("Мы ищем партнёра для разработки датчиков давления.", "ru"),
        ("압력 센서를 함께 개발할 기업을 찾고 있습니다.", "ko"),
        ("เรากำลังหาพันธมิตรเพื่อพัฒนาเซ็นเซอร์", "th"),
        ("نبحث عن شريك لتطوير أجهزة استشعار الضغط", "ar"),
        ("我们正在寻找开发压力传感器的合作伙伴。", "zh"),
        ("我們正在尋找開發壓力感測器的產業夥伴。", "zh"),
    ],
)
def test_the_language_of_a_sentence_is_named(text: str, language: str) -> None:
    """A sentence is enough to name its language."""
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        *("LIDAR", "5G antenna", "GaN HEMT", "SiC MOSFET", "CO2", "quantum", "biofuel", "data", "x-ray", "polymer"),
        *("Photonic integrated circuit", "Antibody drug conjugates", "carbon fiber reinforced polymer", "robot arm"),
        *("DNA", "analysis of isogenic", "a prototype", "Digital Twin", "perovskite solar cell", "α-Fe2O3 catalyst"),
    ],
)
def test_technical_terms_in_latin_letters_are_english(text: str) -> None:
    """A term or two that a detector takes for any language are English."""
    assert language_of(text) == "en"


@pytest.mark.parametrize(
    "text", ["Möbius strip", "Poincaré map", "Kármán vortex street", "Mössbauer spectroscopy", "Gödel"]
)
def test_a_name_with_accents_makes_no_text_foreign(text: str) -> None:
    """One accented word, a name mostly, does not decide a language."""
    assert language_of(text) == "en"


@pytest.mark.parametrize("text", ["半導体", "次世代半導体製造装置開発", "量子計測", "髙橋﨑", "レーザー", "ﾚｰｻﾞｰ"])
def test_kanji_alone_are_japanese(text: str) -> None:
    """Kanji without kana are Japanese unless some of them do not exist in Japanese."""
    assert language_of(text) == "ja"


@pytest.mark.parametrize("text", ["", " \n\t", "123 456", "３．１４", "🙂🚀", "!?…", "\x00\x01", "ღ"])
def test_without_letters_of_a_known_language_it_is_undetermined(text: str) -> None:
    """Digits, emoji, punctuation and letters of no language known here have no language."""
    assert language_of(text) == "und"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("GaN HEMTを用いた増幅器を開発する", "ja"),
        ("A 半導体 laser for measuring distances in small satellites", "en"),
        (GERMAN + " 半導体レーザー", "de"),
        ("반도체 레이저 laser 개발", "ko"),
    ],
)
def test_a_mixed_text_has_the_language_of_its_larger_part(text: str, language: str) -> None:
    """A Japanese character weighs 2.5 Latin letters."""
    assert language_of(text) == language


def test_the_whole_of_a_long_text_counts() -> None:
    """A foreign introduction does not decide the language of a long text."""
    assert language_of(ENGLISH * 10 + JAPANESE * 400) == "ja"
    assert language_of(JAPANESE * 10 + ENGLISH * 400) == "en"
    assert language_of(ENGLISH * 10 + GERMAN * 400) == "de"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
@example("ﬁﾊﾞｯﾃﾘｰ" * 2_000)
@example("\N{COMBINING ACUTE ACCENT}" * 50_000)
def test_any_text_has_one_language_in_whatever_width(text: str) -> None:
    """Any text gives a lower-case code, the same each time and for its normal form KC."""
    language = language_of(text)

    assert language.islower()
    assert len(language) in {2, 3}
    assert language_of(text) == language
    assert language_of(unicodedata.normalize("NFKC", text)) == language


def test_concurrent_threads_name_the_same_languages() -> None:
    """Threads that ask at once get what one thread gets."""
    texts = [ENGLISH, GERMAN, JAPANESE, "GaN HEMT", "압력 센서", "123"] * 40

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(language_of, texts)) == [language_of(text) for text in texts]


def test_importing_loads_no_dictionary_and_no_models() -> None:
    """What needs no words, a command's help say, does not pay for them."""
    program = "import sys, enmusubi.matching.lexical.analysis; print({'sudachipy', 'lingua'} & set(sys.modules))"

    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
