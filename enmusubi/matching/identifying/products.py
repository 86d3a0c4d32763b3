"""Brands and models by their look: marks of registration, model numbers, words of two capitals, quoted names."""

import re
from collections.abc import Iterator

from enmusubi.matching.identifying.english import is_word
from enmusubi.matching.identifying.findings import Hit, Kind, Sureness
from enmusubi.matching.identifying.technical import NAMES_IN_USE
from enmusubi.matching.identifying.text import Text

CERTAIN, LIKELY, POSSIBLE = Sureness.CERTAIN, Sureness.LIKELY, Sureness.POSSIBLE

_REGISTERED = re.compile(r"((?:(?![ぁ-ん])[\w・&'-]){1,40})[」』\"”’]?\s?(?:®|\((?:R|TM|登録商標)\))")
_MODELS = (
    # Letters, a hyphen, three figures or more; letters between.
    re.compile(r"(?<![\w-])[A-Z]{1,6}\d?-[A-Z]{0,3}\d{3,6}[A-Za-z]{0,3}(?:-[A-Z0-9]{1,4})?(?![\w-])", re.ASCII),
    re.compile(r"(?<![\w-])[A-Z]{2,5}-[A-Z]{1,2}\d{1,4}(?![\w-])", re.ASCII),
    re.compile(r"(?<![\w-])[A-Z]{2,5}\d{3,6}[A-Z]{0,2}(?![\w-])", re.ASCII),
    re.compile(r"(?<![\w-])[A-Z][A-Za-z]{2,20}[ -]?(?:\d{3,5}[A-Za-z]{0,2}|[IVX]{2,4}|Mk ?\d)(?![\w-])", re.ASCII),
)
_MODEL_CUE = re.compile(
    r"(?:型番|型式|品番|機種|形式|開発番号|開発コード|社内コード|製品番号|部品番号|図番|\bmodel|\btype|\bpart|"
    r"\bproduct|\bcandidate"
    r"|\bcode|\bproject)\s?(?:no\.?|number|name|番号)?[\s::は「]{0,3}([A-Za-z0-9][\w-]{1,20}\d[\w-]{0,10})",
    re.IGNORECASE | re.ASCII,
)
_TWO_CAPITALS = re.compile(r"(?<![\w.-])[A-Z][a-z]{2,14}(?:[A-Z][a-z]{2,14}){1,2}(?: \d{1,3})?(?![\w-])", re.ASCII)
_QUOTED = re.compile(
    r"「([^「」\n]{2,40})」|『([^『』\n]{2,40})』|[\"“]([^\"“”\n]{2,40})[\"”]|"
    r"(?<!\w)['‘]([A-Z][^'‘’\n]{1,39})['’](?!\w)"
)
_SOLD = re.compile(
    r"発売|販売|商品|製品|銘柄|ブランド|シリーズ|商標|上市|品名|愛称|当社の|弊社の|自社の|主力|新商品"
    r"|sold|brand|market(?:ed|s)|launch|trade ?mark|product|our (?:own|new|present|line)|called|known as|named|label",
    re.IGNORECASE,
)
_AROUND = 18
_CONCEPT = re.compile(r"[をがはにでとへもや]|する|ない|たい|[。、,;:!?]")


def products(text: Text) -> Iterator[Hit]:
    """Everything that looks like a brand or a model."""
    normal = text.normal
    for found in _REGISTERED.finditer(normal):
        yield Hit(*found.span(1), Kind.PRODUCT, CERTAIN)
    for pattern in _MODELS:
        for found in pattern.finditer(normal):
            word = re.split(r"[ \d-]", found[0])[0]
            known = word not in NAMES_IN_USE and not (word.istitle() and is_word(word))
            if known:
                yield Hit(*found.span(), Kind.MODEL_NUMBER, LIKELY, common_clears=True)
    for found in _MODEL_CUE.finditer(normal):
        yield Hit(*found.span(1), Kind.MODEL_NUMBER, LIKELY, common_clears=True)
    for found in _TWO_CAPITALS.finditer(normal):
        if found[0] not in NAMES_IN_USE:
            yield Hit(*found.span(), Kind.PRODUCT, LIKELY, common_clears=True)
    yield from _quoted(normal)


def _quoted(normal: str) -> Iterator[Hit]:
    for found in _QUOTED.finditer(normal):
        group = next(number for number in range(1, 5) if found[number] is not None)
        inner = found[group]
        if _CONCEPT.search(inner) or not any(character.isalpha() for character in inner):
            continue
        around = normal[max(0, found.start() - _AROUND) : found.start()] + " " + normal[found.end() :][:_AROUND]
        sold = _SOLD.search(around) is not None
        if inner.isascii():
            words = re.findall(r"[A-Za-z]+", inner)
            if not words or not words[0][0].isupper():
                continue
            unknown = any(not is_word(word) for word in words)
            likely = sold or (unknown and len(words) > 1)
            yield Hit(*found.span(group), Kind.PRODUCT, LIKELY if likely else POSSIBLE, common_clears=True)
        elif sold:
            yield Hit(*found.span(group), Kind.PRODUCT, LIKELY, common_clears=True)
