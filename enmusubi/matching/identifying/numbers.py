"""Numbers and addresses of the net that are known by their form alone, in either language."""

import re
from collections.abc import Iterator
from functools import cache

import phonenumbers
from publicsuffixlist import PublicSuffixList
from stdnum.jp import cn

from enmusubi.matching.identifying.findings import Hit, Kind, Sureness
from enmusubi.matching.identifying.text import Text

CERTAIN, LIKELY, POSSIBLE = Sureness.CERTAIN, Sureness.LIKELY, Sureness.POSSIBLE

_EMAIL = re.compile(r"[\w.+-]{1,64}(?:@|\s?[(\[](?:at|アット)[)\]]\s?)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.ASCII)
_URL = re.compile(r"(?:https?://|ftp://|(?<![a-z0-9.])www\.)[\w!#$%&*+./:;=?@~-]{2,2000}", re.IGNORECASE | re.ASCII)
_DOMAIN = re.compile(r"(?<![\w.@/-])[a-z0-9-]{2,63}(?:\.[a-z0-9-]{2,63}){1,5}(?![\w@-])", re.ASCII)
_HANDLE = re.compile(r"(?<![\w.@])@[A-Za-z]\w{2,30}(?![\w.])", re.ASCII)
_FILES = {"md", "py", "rs", "so", "sh", "pl", "zip"}  # endings of files that are domains of countries too

_THIRTEEN = re.compile(r"(?<!\d)T?(?:\d[ -]?){12}\d(?!\d)", re.ASCII)
_CORPORATE_CUE = re.compile(r"法人番号|corporate number|インボイス|適格請求書", re.IGNORECASE)
_POSTAL_MARK = re.compile(r"〒\s?\d{3}-?\d{4}(?!\d)", re.ASCII)
_POSTAL = re.compile(
    r"(?<![\w.-])\d{3}-\d{4}(?![\w-])(?!\s?(?:[kMGcmnµμ]?(?:m|g|L|l|Hz|V|W|Pa|K|A|N|J)|h|s|min|ppm|ppb|rpm|t|"
    r"ha|yen|cm-1)\b|\s?[°%℃円年])",
    re.ASCII,
)
_POSTAL_CUE = re.compile(r"(?:postal code|post code|postcode|zip(?: code)?|郵便番号)\W{0,4}$", re.IGNORECASE)
_DIALLED = re.compile(
    r"(?:TEL|FAX|電話|内線|ファクス|phone|extension|ext\.)[^\d\n]{0,6}(\+?\d[\d ()-]{2,18}\d)", re.IGNORECASE
)

_PATENT = re.compile(
    r"特許\s?第?\s?\d{5,8}\s?号?|(?:特|実|意|商)(?:願|開|公|表)\s?(?:平|昭|令和)?\s?\d{1,4}\s?-\s?\d{1,6}号?"
    r"|(?:実用新案|意匠|商標)(?:登録)?\s?第?\s?\d{5,8}\s?号?"
    r"|PCT/[A-Z]{2}\d{4}/\d{5,6}"
    r"|\b(?:JP|US|EP|WO|CN|KR|DE)[ -]?\d[\d/,.-]{5,14}(?:\s?[ABUCTSY]\d?)?(?![\w])"
    r"|\bpatent (?:application )?(?:no\.?|number)?\s?#?\d[\d,/-]{4,12}\d",
    re.IGNORECASE | re.ASCII,
)
_REGISTRATION_JA = re.compile(
    r"(?:登録|許可|届出|認可|認証|承認|免許|製造|管理|整理|届|契約|顧客|会員|証書|ロット|シリアル)(?:番号|"
    r"No\.?|ナンバー)[^\w\n]{0,4}"
    r"((?:第\s?)?[A-Za-z0-9][A-Za-z0-9/-]*\d[A-Za-z0-9/-]*|第\s?\d[\d-]*号)"
)
_NUMBERED = re.compile(r"第\s?\d+-\d+\s?号|第\s?\d{5,}\s?号")
_REGISTRATION_EN = re.compile(
    r"\b(?:registration|notification|licen[cs]e|permit|certificate|approval|serial|batch|lot|order|contract|reg\.)\s"
    r"(?:(?:no\.?|number|code|#)\s?:?\s?)((?:[A-Z]{0,6}[-/ ]?)?\d[\w/-]{2,20})",
    re.IGNORECASE | re.ASCII,
)
_SERIAL = re.compile(r"\bS/N\W{0,3}([A-Z0-9-]{4,20})", re.ASCII)


def numbers(text: Text) -> Iterator[Hit]:
    """Everything in the text that has the form of a number or an address of the net."""
    normal = text.normal
    yield from _net(normal)
    yield from _corporate(normal)
    yield from _phones(normal)
    for found in _POSTAL_MARK.finditer(normal):
        yield Hit(*found.span(), Kind.POSTAL_CODE, CERTAIN)
    for found in _POSTAL.finditer(normal):
        # Codes of the north begin with 0, ranges of figures do not.
        cued = found[0].startswith("0") or _POSTAL_CUE.search(normal, max(0, found.start() - 16), found.start())
        yield Hit(*found.span(), Kind.POSTAL_CODE, LIKELY if cued else POSSIBLE)
    for found in _PATENT.finditer(normal):
        yield Hit(*found.span(), Kind.PATENT_NUMBER, CERTAIN)
    for pattern in (_REGISTRATION_JA, _REGISTRATION_EN, _SERIAL):
        for found in pattern.finditer(normal):
            yield Hit(*found.span(1), Kind.REGISTRATION_NUMBER, LIKELY)
    for found in _NUMBERED.finditer(normal):
        yield Hit(*found.span(), Kind.REGISTRATION_NUMBER, LIKELY)


def _net(normal: str) -> Iterator[Hit]:
    for found in _EMAIL.finditer(normal):
        yield Hit(*found.span(), Kind.EMAIL, CERTAIN)
    for found in _URL.finditer(normal):
        end = found.start() + len(found[0].rstrip(".;:!?'*"))
        yield Hit(found.start(), end, Kind.WEB_ADDRESS, CERTAIN)
    for found in _DOMAIN.finditer(normal):
        ending = found[0].rpartition(".")[2]
        if ending not in _FILES and _suffixes().publicsuffix(found[0]):
            yield Hit(*found.span(), Kind.WEB_ADDRESS, LIKELY)
    for found in _HANDLE.finditer(normal):
        yield Hit(*found.span(), Kind.WEB_ADDRESS, LIKELY)


def _corporate(normal: str) -> Iterator[Hit]:
    for found in _THIRTEEN.finditer(normal):
        digits = re.sub(r"\D", "", found[0])
        cued = _CORPORATE_CUE.search(normal, max(0, found.start() - 20), found.start())
        if cn.is_valid(digits):
            yield Hit(*found.span(), Kind.CORPORATE_NUMBER, CERTAIN)
        else:
            yield Hit(*found.span(), Kind.CORPORATE_NUMBER, LIKELY if cued else POSSIBLE)


def _phones(normal: str) -> Iterator[Hit]:
    # The library looks at 65,535 candidates at most by default; it is linear in the text.
    for found in phonenumbers.PhoneNumberMatcher(normal, "JP"):
        yield Hit(found.start, found.end, Kind.PHONE, CERTAIN)
    for dialled in _DIALLED.finditer(normal):
        yield Hit(*dialled.span(1), Kind.PHONE, LIKELY)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
