"""From a cell to the value of a typed field; what cannot be read exactly is an error, never a guess.

In typed fields (not in prose) an empty cell, a dash, なし, 未定, N/A and their like mean that the value is
missing. Prose stays as it is written, to the last blank.
"""

import datetime
import math
import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

from enmusubi.ingest.sources.choices import CHOICES, MISSING, NO, YES
from enmusubi.ingest.sources.fields import PROSE, Target, key

_EXACT = 10**15  # Excel keeps 15 digits of a number
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ERA_DATE = re.compile(r"(令和|平成|昭和|[rhs])(元|\d{1,2})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_ERAS = {"令和": 2018, "r": 2018, "平成": 1988, "h": 1988, "昭和": 1925, "s": 1925}
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?"
_UNITS = {"億": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4, "千": 10**3, "": 1}
_BUDGET = re.compile("".join(rf"(?:{_NUMBER}{unit})?" for unit in _UNITS) + "円?")
_ENGLISH_BUDGET = re.compile(rf"(?:jpy|¥)?{_NUMBER}(thousand|million|billion)?(?:yen|jpy)?")
_ENGLISH_UNITS = {None: 1, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_TRL = re.compile(r"(?:(?:trl|レベル|level|lv|trlレベル|trl level)[\s:.\-]*)?(\d{1,2})")
_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")


class CellError(ValueError):
    """A cell that cannot be read; the message says what is expected, without the value."""


class Unreadable:
    """A cell that holds no value to read, such as a formula that was never calculated, and why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return ""


def text_of(value: object) -> str:
    """The cell as text: whole numbers without a point, dates as ISO; CellError where digits are lost."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CellError("is not a finite number")
        if not value.is_integer():
            return repr(value)
        if abs(value) >= _EXACT:
            raise CellError("has lost digits, since a number keeps 15 of them; store it as text")
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    kind = "an object" if isinstance(value, dict) else "a list"
    raise CellError(f"holds {kind} where a text or a number is expected")


def code_of(value: object) -> str:
    """A code or number as NFKC text without outer blanks."""
    text = unicodedata.normalize("NFKC", text_of(value)).strip()
    if _SHORTENED.fullmatch(text):
        raise CellError("was shortened by a spreadsheet and has lost digits; format the column as text there")
    return text


def is_missing(text: str) -> bool:
    """Whether a typed cell says that there is no value."""
    return key(text) in MISSING


def split(value: object, separators: str, empty: bool = False) -> list[str]:
    """The items of a list cell: native lists as they are, texts split; blank items left out unless `empty`."""
    if isinstance(value, list | tuple):
        items = [text_of(item) for item in value]
    else:
        items = re.split(separators, text_of(value))
    items = [item.strip() for item in items]
    return items if empty else [item for item in items if item and not is_missing(item)]


# ・ and / are left alone: they stand inside terms (カーボン・ニュートラル) and IPC symbols (A23L 3/36).
WORDS = r"[、,，;；|｜\r\n]+"
CODES = r"[、,，;；|｜\r\n]+"
NAMES = r"[、；;|｜\r\n]"


def _prose(value: object, _: Target) -> str | None:
    text = text_of(value)
    return text if text.strip() else None


def _code(value: object, _: Target) -> str | None:
    text = code_of(value)
    return None if is_missing(text) else text


def _name(value: object, _: Target) -> str | None:
    text = text_of(value).strip()
    return None if is_missing(text) else text


def _words(value: object, _: Target) -> list[str] | None:
    return split(value, WORDS) or None


def _field_codes(value: object, target: Target) -> list[str] | None:
    codes = [unicodedata.normalize("NFKC", code) for code in split(value, CODES)]
    scheme = target.detail
    return [code if ":" in code or scheme is None else f"{scheme}:{code}" for code in codes] or None


def _numbers(value: object, _: Target) -> list[str] | None:
    return split(value, CODES) or None


def _sdgs(value: object, _: Target) -> list[int] | None:
    numbers = []
    for item in split(value, WORDS):
        found = re.fullmatch(r"(?:sdgs?|goal|目標)*(\d{1,2})", key(item).replace("ゴール", ""))
        if not found:
            raise CellError("is not a list of SDGs; expected for example 9, 12")
        numbers.append(int(found[1]))
    return numbers or None


def _trl(value: object, _: Target) -> int | None:
    text = code_of(value).casefold()
    if is_missing(text):
        return None
    found = _TRL.fullmatch(text)
    if not found or not 1 <= int(found[1]) <= 9:
        raise CellError("is not one TRL (技術成熟度); expected one number from 1 to 9, for example 4 or TRL4")
    return int(found[1])


def _date(value: object, _: Target) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    text = re.sub(r"\([月火水木金土日]\)$|\s+", "", code_of(value).casefold())
    if is_missing(text):
        return None
    try:
        if found := _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text):
            return datetime.date(int(found[1]), int(found[2]), int(found[3]))
        if found := _ERA_DATE.fullmatch(text):
            year = _ERAS[found[1]] + (1 if found[2] == "元" else int(found[2]))
            return datetime.date(year, int(found[3]), int(found[4]))
    except ValueError:
        raise CellError("is a day that does not exist") from None
    raise CellError("is not a date; expected for example 2027-03-31, 2027年3月31日 or 令和9年3月31日")


def _yes_or_no(value: object, target: Target) -> bool | None:
    if isinstance(value, bool):
        return value
    text = key(code_of(value))
    if text in YES:
        return True
    if text in NO:
        return False
    if target.field in ("anonymous", "owner_named") and text in ("匿名", "実名", "記名", "公開", "非公開"):
        return (text in ("匿名", "非公開")) == (target.field == "anonymous")
    if text in MISSING:
        return None
    raise CellError("is neither yes nor no; expected for example 可 or 不可, yes or no")


def _choice(value: object, target: Target) -> str | None:
    text = key(code_of(value))
    table = CHOICES[target.field]
    if text in table:
        return table[text]
    if text in MISSING:
        return None
    raise CellError(f"is not a known {target.field}; expected one of {', '.join(dict.fromkeys(table.values()))}")


def _cooperation(value: object, target: Target) -> list[str] | None:
    if target.detail:
        return [target.detail] if _yes_or_no(value, target) else None
    found = []
    for item in split(value, r"[、,，;；|｜/／・\r\n]+"):
        choice = _choice(item, target)
        if choice and choice not in found:
            found.append(choice)
    return found or None


def _budget(value: object, target: Target) -> int | None:
    text = re.sub(r"\s+", "", code_of(value).casefold())
    if is_missing(text):
        return None
    text = text if len(text) <= 40 else ""  # the longest amount of yen is far shorter
    amount = _plain(text) if target.detail else None
    if amount is not None:
        amount *= int(target.detail or 1)
    else:
        amount = _japanese(text) if not text.startswith(("¥", "jpy")) else None
        amount = _english(text) if amount is None else amount
    if amount is None or amount.denominator != 1:
        raise CellError("is not one amount of yen (想定予算); expected for example 5,000,000 or 500万円")
    return int(amount)


def _amount(whole: str, decimals: str | None) -> Fraction:
    return Fraction(whole.replace(",", "") + (decimals or ""))


def _plain(text: str) -> Fraction | None:
    found = re.fullmatch(_NUMBER, text)
    return _amount(found[1], found[2]) if found else None


def _japanese(text: str) -> Fraction | None:
    found = _BUDGET.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    groups = found.groups()
    return sum(
        (
            _amount(groups[2 * place], groups[2 * place + 1]) * size
            for place, size in enumerate(_UNITS.values())
            if groups[2 * place]
        ),
        Fraction(0),
    )


def _english(text: str) -> Fraction | None:
    found = _ENGLISH_BUDGET.fullmatch(text)
    return _amount(found[1], found[2]) * _ENGLISH_UNITS[found[3]] if found else None


_PARSERS: dict[str, Callable[[object, Target], object]] = {
    **dict.fromkeys(PROSE, _prose),
    **dict.fromkeys(("external_id", "reference", "organisation_ror", "organisation_corporate_number"), _code),
    **dict.fromkeys(("organisation_name", "organisation"), _name),
    **dict.fromkeys(("technology_keywords", "market_keywords", "regions", "region_preference"), _words),
    "excluded_organisations": _words,
    "opened_to": _words,
    "field_codes": _field_codes,
    "ipr_numbers": _numbers,
    "sdgs": _sdgs,
    **dict.fromkeys(("trl", "wanted_trl"), _trl),
    **dict.fromkeys(("expires_on", "deadline", "filing_expected_on"), _date),
    **dict.fromkeys(("licensable", "transferable", "anonymous", "owner_named", "open_for_interest"), _yes_or_no),
    **dict.fromkeys(("stage", "ipr_status", "status", "language"), _choice),
    "cooperation": _cooperation,
    "budget_yen": _budget,
}


def parse(value: object, target: Target) -> object | None:
    """The value of a field from its cell, None where it is missing; CellError says what is expected."""
    if isinstance(value, Unreadable):
        raise CellError(value.reason)
    if value is None:
        return None
    return _PARSERS[target.field](value, target)
