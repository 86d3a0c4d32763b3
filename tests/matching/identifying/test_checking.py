"""What would identify an owner is found at its place, common language is not, and no text breaks the check."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from enmusubi.matching.identifying import Finding, Kind, Owner, Sureness, Uses, check

OWNER = Owner("株式会社みなと架空製作所", "Minato Imaginary Works Co., Ltd.", region="北星湾地域", size_band="101-300")


def found(text: str, owner: Owner | None = OWNER, uses: Mapping[str, Uses] | None = None) -> list[Finding]:
    """The findings in one summary."""

    def statistics(terms: Sequence[str]) -> Mapping[str, Uses]:
        return uses or {}

    return check({"summary": text}, owner, statistics)


def strong(text: str, **given: Mapping[str, Uses]) -> list[tuple[str, Kind]]:
    """Text and kind of what is likely or certain."""
    return [(each.text, each.kind) for each in found(text, **given) if each.sureness is not Sureness.POSSIBLE]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "leak", "kind"),
    [
        ("弊社みなと製作所のポンプ", "みなと製作所", Kind.OWN_NAME),
        ("ミナト架空製作所の製品", "ミナト架空製作所", Kind.OWN_NAME),
        ("Minato's pumps wear out", "Minato", Kind.OWN_NAME),
        ("A pump by MIW is worn", "MIW", Kind.OWN_NAME),
        ("納め先は㈱夕凪水産です", "㈱夕凪水産", Kind.ORGANISATION),
        ("We supply Hoshizora Stores Inc. in winter", "Hoshizora Stores Inc.", Kind.ORGANISATION),
        ("担当：潮見花子", "潮見花子", Kind.PERSON),
        ("Ask for Emily Carter.", "Emily Carter", Kind.PERSON),
        ("釧路の加工場で選ぶ", "釧路", Kind.PLACE),
        ("Our plant near Sapporo is cold", "Sapporo", Kind.PLACE),
        ("霧灯三丁目4番地の工場", "霧灯三丁目4番地", Kind.ADDRESS),
        ("返送は〒099-9901へ", "〒099-9901", Kind.POSTAL_CODE),
        ("電話は０１３８－２２－４８１７", "０１３８－２２－４８１７", Kind.PHONE),
        ("連絡はinfo＠minato.example.jpへ", "info＠minato.example.jp", Kind.EMAIL),
        ("詳細はwww.example.co.jp/pumpに", "www.example.co.jp/pump", Kind.WEB_ADDRESS),
        ("番号は3999900020301です", "3999900020301", Kind.CORPORATE_NUMBER),
        ("特許第7123456号の方法", "特許第7123456号", Kind.PATENT_NUMBER),
        ("届出番号第26-0417号の製剤", "第26-0417号", Kind.REGISTRATION_NUMBER),
        ("現行機MKP-300が傷む", "MKP-300", Kind.MODEL_NUMBER),
        ("our CryoMax-3000 freezer", "CryoMax-3000", Kind.MODEL_NUMBER),
        ("ネムリバン™を売る", "ネムリバン", Kind.PRODUCT),
        ("社内でトドメキ織りと呼ぶ布", "トドメキ織り", Kind.RARE_TERM),
    ],
)
def test_each_kind_of_leak_is_found_at_its_place(text: str, leak: str, kind: Kind) -> None:
    """One leak of every kind, in either width of its letters."""
    findings = [each for each in found(text) if each.sureness is not Sureness.POSSIBLE]
    assert [(each.text, each.kind) for each in findings] == [(leak, kind)]
    assert text[findings[0].start : findings[0].end] == leak


@pytest.mark.parametrize(
    "text",
    [
        "JIS B 0601とISO 16290に沿い、IPC H01L 21/304の範囲で、TRL 5-6を目指す。",
        "SUS420J2、FCD450、4H-SiC、CO2、H2SO4を65 nmから1,100 nmで測る。",
        "CYP3A4、P-gp、Caco-2、HL7 FHIR、RS-485を使う。",
        "2027年9月30日、令和9年3月31日、2027-03-31までに、5-10-15 mmで。",
        "北海道と東北地方、関東、日本海の沿岸で。",
        "株式会社である当社は、A社とB社の装置を比べた。",
        "Ti-6Al-4V and PA66-GF30 to ASTM C1202, from 100-2000 nm, by Fourier and Raman methods.",
        "Streptococcus thermophilus, Python and MATLAB, in Hokkaido and Southeast Asia.",
        "The Ministry of Economy, Trade and Industry supports us.",
    ],
)
def test_common_language_of_the_field_is_clean(text: str) -> None:
    """Standards, materials, formulas, dates, prefectures, species and acronyms identify nobody."""
    assert strong(text) == []


def test_a_term_that_others_use_is_cleared() -> None:
    """A coined word is a finding until another organisation of the catalogue writes it too."""
    text = "社内でトドメキ織りと呼ぶ布"
    assert strong(text)
    assert strong(text, uses={"トドメキ織り": Uses(own=1, others=1)}) == []


def test_a_term_of_several_own_entries_ties_them_together() -> None:
    """An unknown word becomes likely where the owner's other entries hold it and nobody else's do."""
    text = "クレムゾパの膜"
    assert [each.sureness for each in found(text)] == [Sureness.POSSIBLE]
    (finding,) = found(text, uses={"クレムゾパ": Uses(own=2)})
    assert finding.sureness is Sureness.LIKELY


def test_common_use_clears_no_number_and_no_name() -> None:
    """What is certain by its form stays, however often the catalogue holds it."""
    assert strong("3999900020301", uses={"3999900020301": Uses(others=9)})
    assert strong("みなと製作所", uses={"みなと製作所": Uses(others=9)})


def test_suggestion_for_the_own_name_gives_size_and_region() -> None:
    """What to write instead is told in both languages, from what is known of the owner."""
    (finding,) = found("Minato Imaginary Works")
    assert "北星湾地域の従業員101-300名の企業" in finding.suggestion.ja
    assert "a company of 101-300 employees" in finding.suggestion.en


def test_without_owner_or_catalogue_the_rest_is_found() -> None:
    """Neither is needed."""
    assert [each.kind for each in check({"title": "03-5550-0142"})] == [Kind.PHONE]
    assert check({"title": ""}) == []


PIECES = some.sampled_from(
    [
        *("株式会社", "みなと", "MKP-300", "苫小牧市", "Minato", "Co., Ltd.", "「", "」", "®", "™", "㈱", "０１２"),
        *("-", "@", ".", " ", "\n", "が\u3099", "é", "e\u0301", "😀", "👩\u200d🔬", "\u00ad", "ﷺ", "İ", "ß"),
        *("ﾐﾅﾄ", "丁目", "市", "第", "号", "http://", "www."),
    ]
)
TEXTS = some.lists(some.one_of(PIECES, some.text(some.characters(exclude_categories=["Cs"]), max_size=6)), max_size=30)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TEXTS.map("".join))
def test_offsets_always_slice_to_the_quoted_text(text: str) -> None:
    """Of any text, findings do not overlap, are in order, and say where they are."""
    findings = check({"summary": text}, OWNER)
    for finding in findings:
        assert text[finding.start : finding.end] == finding.text != ""
    assert all(first.end <= second.start for first, second in pairwise(findings))


@pytest.mark.parametrize("unit", ["A", "ア", "北", "1-", "a.", "1,", "株式会社", "Aa-", "社内では", "「", "0", "A "])
def test_monotonous_texts_of_full_length_are_answered(unit: str) -> None:
    """Repetition that would take other patterns a time without end is answered like any text."""
    check({"summary": (unit * 20_000)[:20_000]}, OWNER)
