"""The check itself: every rule over every text, common terms cleared, the surest of overlapping hits kept."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from enmusubi.matching.identifying.english import english
from enmusubi.matching.identifying.findings import Finding, Hit, Kind, Owner, Statistics, Sureness, Uses
from enmusubi.matching.identifying.japanese import japanese
from enmusubi.matching.identifying.numbers import numbers
from enmusubi.matching.identifying.owners import own_names
from enmusubi.matching.identifying.products import products
from enmusubi.matching.identifying.suggesting import suggestion
from enmusubi.matching.identifying.technical import is_region, technical_spans
from enmusubi.matching.identifying.text import Text

_ORDER = {sureness: place for place, sureness in enumerate(Sureness)}
_KIND_ORDER = {kind: place for place, kind in enumerate(Kind)}
# By the owner's name, its form, or a check digit: no technical look clears these.
_CLEARED_BY_FORM = {
    Kind.MODEL_NUMBER,
    Kind.PRODUCT,
    Kind.RARE_TERM,
    Kind.REGISTRATION_NUMBER,
    Kind.POSTAL_CODE,
    Kind.WEB_ADDRESS,
}
_OWN_ENTRIES = 2  # a term in this many entries of the owner and in nobody else's ties them together
_COMMON = 1  # other organisations that make a term the field's own
TERMS_ASKED = 100
"""How many different terms the catalogue is asked about at most; further ones count as unknown to it."""


def check(texts: Mapping[str, str], owner: Owner | None = None, statistics: Statistics | None = None) -> list[Finding]:
    """What in the public texts, by field, may tell whose they are; in the order of the fields and of their text.

    `owner` is None where it is not known, `statistics` where there is no catalogue to ask. Findings never overlap.
    Deterministic, safe for concurrent threads, and linear in the length of the texts.
    """
    read = [Text(field, given) for field, given in texts.items() if given]
    hits = [list(_hits(text, owner)) for text in read]
    asked = sorted(
        {_term(text, hit) for text, found in zip(read, hits, strict=True) for hit in found if hit.common_clears}
    )
    uses = statistics(asked[:TERMS_ASKED]) if statistics is not None and asked else {}
    findings = []
    for text, found in zip(read, hits, strict=True):
        weighed = [each for hit in found if (each := _weighed(hit, uses.get(_term(text, hit), Uses()))) is not None]
        for hit in _apart(weighed):
            start, end = text.place(hit.start, hit.end)
            findings.append(
                Finding(
                    text.field, start, end, text.given[start:end], hit.kind, hit.sureness, suggestion(hit.kind, owner)
                )
            )
    return findings


def _hits(text: Text, owner: Owner | None) -> Iterator[Hit]:
    technical = sorted(technical_spans(text.normal))
    for hit in _all(text, owner):
        if hit.end <= hit.start or (hit.kind in _CLEARED_BY_FORM and _within(hit, technical)):
            continue
        place = text.normal[hit.start : hit.end]
        if hit.kind is not Kind.OWN_NAME and (is_region(place) or (owner and place == owner.region)):
            continue
        yield hit


def _all(text: Text, owner: Owner | None) -> Iterator[Hit]:
    yield from own_names(text, owner)
    yield from numbers(text)
    yield from products(text)
    yield from english(text)
    if not text.normal.isascii():
        yield from japanese(text)


def _within(hit: Hit, spans: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(spans, (hit.start, float("inf"))) - 1
    return place >= 0 and hit.end <= spans[place][1]


def _term(text: Text, hit: Hit) -> str:
    return text.normal[hit.start : hit.end].casefold()


def _weighed(hit: Hit, uses: Uses) -> Hit | None:
    """The hit after the catalogue was asked: nothing where others use the term, surer where only the owner does."""
    if not hit.common_clears:
        return hit
    if uses.others >= _COMMON:
        return None
    if uses.own >= _OWN_ENTRIES and hit.sureness is Sureness.POSSIBLE:
        return hit._replace(sureness=Sureness.LIKELY)
    return hit


def _apart(hits: Iterable[Hit]) -> list[Hit]:
    """The surest of overlapping hits, of equally sure ones the longest; in the order of the text."""
    kept: list[Hit] = []
    order = sorted(
        set(hits), key=lambda hit: (_ORDER[hit.sureness], hit.start - hit.end, _KIND_ORDER[hit.kind], hit.start)
    )
    starts: list[int] = []
    for hit in order:
        place = bisect_right(starts, hit.start)
        clear_before = place == 0 or kept[place - 1].end <= hit.start
        clear_after = place == len(kept) or hit.end <= kept[place].start
        if clear_before and clear_after:
            starts.insert(place, hit.start)
            kept.insert(place, hit)
    return kept
