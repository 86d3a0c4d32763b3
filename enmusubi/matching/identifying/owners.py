"""The owner's own names: whole, shortened, in the other kana, as initials."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from enmusubi.matching.identifying.english import is_word
from enmusubi.matching.identifying.findings import Hit, Kind, Owner, Sureness
from enmusubi.matching.identifying.text import Text
from enmusubi.matching.lexical.japanese import tagged_words

FORM_JA = (
    "株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|(?:一般|公益)?(?:社団|財団)法人|独立行政法人|"
    "国立研究開発法人|"
    r"国立大学法人|学校法人|医療法人|社会福祉法人|農事組合法人|特定非営利活動法人|NPO法人|\((?:株|有|同|資|名|"
    r"財|社|独|学|医|福|農)\)"
)
FORM_EN = (
    r"(?:Co\.?,? ?Ltd\.?|Company Limited|Company|Co\.|Ltd\.?|Limited|Inc\.?|Incorporated|Corp\.?|Corporation|"
    r"LLC|LLP|K\.K\.|"
    r"KK|G\.K\.|Y\.K\.|GmbH|AG|S\.A\.|plc|PLC|Holdings?|Group)"
)
_FORMS = re.compile(rf"{FORM_JA}|\b{FORM_EN}(?!\w)", re.ASCII)
_SHORTEST = 2
_PART_JA = 3  # characters from which a part of a Japanese name is no common word by chance
_PART_EN = 4
_INITIALS = 3

# Words of many firms' names: what is left of a name without them tells whose it is.
_BUSINESS = """
製作所 製造所 製作 製造 工業 工機 工房 産業 商事 商店 商会 物産 食品 冷凍食品 乳業 製菓 製パン 水産 漁業 農産
農園 農場 牧場 酪農
畜産 飼料 肥料 醸造 酒造 飲料 建設 建築 土木 工務店 設計 設備 電機 電気 電子 電池 電工 通信 情報 システム
システムズ 計器 計測 精機 精工
光機 光学 機械 機器 医機 医療 製薬 薬品 化学 化成 化粧品 樹脂 ゴム 繊維 紡績 染色 木材 林業 製紙 鉄工 鉄鋼
金属 鋳造 環境 エネルギー
アグリ フーズ テック テクノ テクノロジー 運輸 運送 物流 倉庫 半導体 研究所 技研 センター 本舗 本社 グループ
ホールディングス ジャパン 日本
架空 総合 北海道 東京 大阪
works dairy foods food frozen construction pharma batteries battery fisheries photonics agri agriculture medical devices
brewing semiconductor information systems system timber environmental textiles logistics energy cosmetics instruments
imaginary industries industry industrial engineering electric electronics chemical chemicals machinery manufacturing
technology technologies tech research laboratory laboratories trading transport materials steel metal paper japan nippon
company group holdings international global the and of hokkaido tokyo osaka
"""
_BUSINESS_WORDS = frozenset(_BUSINESS.split())


class _Name(NamedTuple):
    pattern: re.Pattern[str]
    sureness: Sureness


def own_names(text: Text, owner: Owner | None) -> Iterator[Hit]:
    """Where the owner is named, or nearly."""
    if owner is None:
        return
    for initials in _initials(owner):
        # As capitals: in small letters they would meet ordinary words.
        for found in re.finditer(rf"(?<![A-Za-z0-9]){initials}(?![A-Za-z0-9])", text.normal):
            yield Hit(*found.span(), Kind.OWN_NAME, Sureness.LIKELY)
    folded = fold(text.normal)
    for name in _names(owner.names):
        for found in name.pattern.finditer(folded):
            if found.end() > found.start():
                yield Hit(*found.span(), Kind.OWN_NAME, name.sureness)


def _initials(owner: Owner) -> Iterator[str]:
    for name in owner.names:
        if name.isascii():
            words = [word for word in re.split(r"[\s,.&-]+", _FORMS.sub(" ", name)) if word[:1].isupper()]
            initials = "".join(word[0] for word in words)
            if len(initials) >= _INITIALS and initials.isalpha():
                yield initials


def fold(normal: str) -> str:
    """A text in normal form with hiragana for katakana and small letters, each character at its place."""
    return "".join(map(_folded, normal))


def _folded(character: str) -> str:
    if "ァ" <= character <= "ヶ":
        return chr(ord(character) - 0x60)
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> tuple[_Name, ...]:
    found: dict[str, Sureness] = {}
    for given in names:
        whole = " ".join(unicodedata.normalize("NFKC", given).split())
        core = " ".join(_FORMS.sub(" ", whole).split()).strip(" ,.")
        _add(found, whole, Sureness.CERTAIN)
        _add(found, core, Sureness.CERTAIN if not _is_common(core) else Sureness.POSSIBLE)
        for part, sureness in _parts(core):
            _add(found, part, sureness)
    longest_first = sorted(found.items(), key=lambda item: (-len(item[0]), item[0]))
    return tuple(_Name(re.compile(_anywhere(fold(name))), sureness) for name, sureness in longest_first)


def _add(found: dict[str, Sureness], name: str, sureness: Sureness) -> None:
    if len(name) >= _SHORTEST:
        found.setdefault(name, sureness)


def _parts(core: str) -> Iterator[tuple[str, Sureness]]:
    """What is left of a name without the words that many names hold, and readings of it."""
    if core.isascii():
        words = [word for word in re.split(r"[\s,.&-]+", core) if word]
        own = [word for word in words if word.lower() not in _BUSINESS_WORDS]
        for word in own:
            if len(word) >= _PART_EN:
                yield word, Sureness.POSSIBLE if is_word(word) else Sureness.CERTAIN
        # "Minato Works" of "Minato Imaginary Works".
        for word in words:
            if own and word not in own:
                yield f"{own[0]} {word}", Sureness.CERTAIN
        return
    kept = _without_business(core)
    if not kept or kept == core:
        return
    # A word of three characters that is also a firm's name is more often the name in the firm's own text.
    yield kept, Sureness.LIKELY if len(kept) >= _PART_JA else Sureness.POSSIBLE
    for business in sorted(_BUSINESS_WORDS, key=len, reverse=True):
        if business in core and business not in kept:
            yield kept + business, Sureness.CERTAIN
            if business.endswith("所"):
                yield kept + business.removesuffix("所"), Sureness.CERTAIN
    reading = "".join(word.reading for word in tagged_words(kept))
    if reading != kept and len(reading) > _PART_JA:
        yield reading, Sureness.LIKELY


def _without_business(core: str) -> str:
    kept = core
    for business in sorted(_BUSINESS_WORDS, key=len, reverse=True):
        if not business.isascii() and business in kept and kept != business:
            kept = kept.replace(business, " ")
    return max(kept.split(), key=len, default="")


def _is_common(name: str) -> bool:
    """Whether a name is a word of its language that texts use without meaning the firm."""
    if name.isascii():
        return is_word(name)
    words = tagged_words(name)
    return len(words) == 1 and words[0].known and words[0].tags[1] != "固有名詞"


def _anywhere(folded: str) -> str:
    """A pattern of the name with any blanks; Latin letters as whole words."""
    spaced = r"\s?".join(re.escape(word) for word in folded.split())
    before = r"(?<![a-z0-9])" if folded[:1].isascii() else ""
    after = r"(?![a-z0-9])" if folded[-1:].isascii() else ""
    return f"{before}{spaced}{after}"
