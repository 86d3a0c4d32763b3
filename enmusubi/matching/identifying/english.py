"""Names in English text: firms and institutions, persons, places, capitalised words that no dictionary has."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import Stemmer

from enmusubi.matching.identifying.findings import Hit, Kind, Sureness
from enmusubi.matching.identifying.technical import NAMES_IN_USE, is_region, is_scientific_name
from enmusubi.matching.identifying.text import Text
from enmusubi.matching.lexical.japanese import tagged_words

CERTAIN, LIKELY, POSSIBLE = Sureness.CERTAIN, Sureness.LIKELY, Sureness.POSSIBLE

_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿĀ-ſ]+(?:['’-][A-Za-zÀ-ÖØ-öø-ÿĀ-ſ]+)*")
# Bounded and begun at a word's start, so that no text takes more than linear time.
_CAPITALISED = r"(?<![A-Za-zÀ-ÖØ-öø-ÿ0-9'&-])[A-ZÀ-Þ][A-Za-zÀ-ÖØ-öø-ÿĀ-ſ0-9'&-]{0,40}+"
_ORGANISATION = re.compile(
    rf"(?:{_CAPITALISED} ){{1,6}}?(?:Co\.?,? ?Ltd\.?|Company(?: Limited)?|Ltd\.?|Limited|Inc\.?|Corp\.?|"
    rf"Corporation|LLC|K\.K\.|GmbH|"
    r"plc|Holdings)(?![\w])",
    re.ASCII,
)
_INSTITUTION = re.compile(
    rf"(?:{_CAPITALISED} (?:for |and )?){{1,6}}?(?:University|Institute|College|Hospital|Clinic|Polytechnic|"
    rf"Cooperative|Co-operative|"
    r"Foundation|Laboratory|Laboratories|Association|Union|Bank|Brewery|Dairy|Foods|Works|Industries|Chemicals|Pharma|"
    rf"Fisheries|Farms?)(?: of(?: {_CAPITALISED}){{1,3}})?(?!\w)"
    rf"|\b(?:University|Institute|College|Bank|City|Town|Port) of (?:{_CAPITALISED} ?){{1,3}}(?<! )",
    re.ASCII,
)
_STATE = re.compile(
    r"\b(?:Ministry|Agency|Government|Cabinet|United Nations|European Union|Parliament|Diet|Standards?)\b"
)
_TITLED = re.compile(
    rf"\b(?:Mr|Ms|Mrs|Miss|Dr|Prof|Professor|Doctor|President|Director|Manager|Engineer|"
    rf"Chairman)\b\.? ?(?:[A-Z]\. ?){{0,2}}"
    rf"{_CAPITALISED}(?: {_CAPITALISED})?|\b{_CAPITALISED}[ -](?:san|sensei|sama)\b",
    re.ASCII,
)
_CALLED_FOR = re.compile(
    rf"\b(?:[Cc]ontact|[Aa]sk for|[Cc]all|[Ww]rite to|[Ss]peak to|led by|headed by|headed up by|"
    r"managed by|run by|developed by|our (?:engineer|director|"
    rf"president|founder|manager|chemist|researcher|colleague))[:,]? ({_CAPITALISED}(?: {_CAPITALISED})?)",
    re.ASCII,
)
_ROLE_FOLLOWS = re.compile(
    rf"({_CAPITALISED} {_CAPITALISED})(?=,? (?:who|leads|heads|of our|from our|in our|our |is (?:our|in charge)))"
)
_PLACE = re.compile(
    rf"({_CAPITALISED}(?: (?!Town|City|Village|Bay|Port){_CAPITALISED})?)[ -](?:Town|City|Village|Ward|Bay|"
    rf"Harbou?r|Port|Island|District|County|"
    r"plant|factory|works|mill|branch|site|warehouse|office|headquarters|farm|harbour|airport|cho|machi|mura|shi|ku)\b",
    re.ASCII,
)
_PLACE_BEFORE = re.compile(
    rf"\b(?:in|near|at|from|off|around|outside|of|between|to)(?: the (?:town|city|village|port) of)? ({_CAPITALISED})",
    re.ASCII,
)
_ADDRESS = re.compile(
    r"\b\d{1,4}(?:-\d{1,4}){0,3},? (?:[A-Z][\w'-]+[ ,-]+){0,3}(?:\d{1,2}-)?(?:chome|Street|Road|Avenue|Lane|"
    r"Drive|Boulevard|St\.|Rd\.|Ave\.)"
    r"|\b\d{1,2}-chome\b(?: \d{1,3}(?:-\d{1,3})*)?|\bP\.?O\.? Box \d+",
    re.ASCII,
)
_OWN_WORD = re.compile(
    rf"\b(?:we call|call it|is called|are called|called|known (?:here|in[- ]house|to us|internally)?(?: ?as)|"
    rf"nicknamed|named|branded(?: as)?|brand(?: name)?|"
    rf"sold as|sold under the name|marketed as|trade name|trademark|in-house name|under the name(?: of)?|"
    rf"our (?:own |present |patented |proprietary )?)"
    rf"(?: the| our)? [\"“'‘]?({_CAPITALISED}(?: (?:{_CAPITALISED}|\d{{1,3}}\b))?)",
    re.ASCII,
)
_MONTHS_AND_DAYS = """
January February March April May June July August September October November December Monday Tuesday Wednesday Thursday
Friday Saturday Sunday English Japanese Chinese European American Asian German French Korean Latin Greek I Mr Mrs
"""
_CALENDAR = frozenset(_MONTHS_AND_DAYS.split())
_SHORTEST = 4
_FIGURE = re.compile(r"-?\d")
_BRITISH = (
    ("isation", "ization"),
    ("ise", "ize"),
    ("yse", "yze"),
    ("our", "or"),
    ("re", "er"),
    ("ae", "e"),
    ("oe", "e"),
    ("ph", "f"),
)
_PARTS = re.compile(
    r"^(?:micro|nano|bio|photo|electro|thermo|hydro|hygro|poly|multi|anti|auto|cyber|cryo|psychro|meso|macro|"
    r"tele|ultra|inter|intra|"
    r"fluoro|chloro|cyclo|phospho|methyl|ethyl|amino|oxy|hemo|immuno|geo|aero|agri|aqua|opto|magneto|piezo|"
    r"radio|sono|spectro)"
    r"|(?:ase|ose|ine|ane|ene|yne|ol|al|ide|ite|ate|oid|gen|mer|lysis|lytic|meter|metry|scope|scopy|graphy|"
    r"logy|phore|phile|"
    r"philic|phobic|philia|genic|tropic|zyme|sorb|sorption|cycline|mycin|cillin|idine|azole|amide|imide|"
    r"nitrile|cyte|some|derm|itis|emia)s?$"
)


class _Word(NamedTuple):
    start: int
    end: int
    surface: str
    first: bool  # of its sentence


def english(text: Text) -> Iterator[Hit]:
    """Names in the Latin letters of a text."""
    normal = text.normal
    yield from _organisations(normal)
    yield from _persons(normal)
    yield from _places(normal)
    for found in _ADDRESS.finditer(normal):
        yield Hit(*found.span(), Kind.ADDRESS, LIKELY)
    for found in _OWN_WORD.finditer(normal):
        words = found[1].split()
        coined = not is_word(words[0]) or (len(words) > 1 and not found[0].startswith("our"))
        if coined and words[0] not in NAMES_IN_USE and not words[0].isupper():
            yield Hit(*found.span(1), Kind.PRODUCT, LIKELY, common_clears=True)
    yield from _unknown(text)


@lru_cache(maxsize=65_536)
def is_word(word: str) -> bool:
    """Whether English writes the word in small letters, or it is built like a term of chemistry, biology or physics."""
    lowered = word.lower().removesuffix("'s").removesuffix("’s")
    known = _dictionary()
    if lowered in known or word in _CALENDAR or _stem(lowered) in _stems():
        return True
    for part in re.split(r"[-'’]", lowered):
        american = part
        for british, us in _BRITISH:
            american = american.replace(british, us)
        if len(part) > 1 and part not in known and american not in known and _stem(part) not in _stems():
            return _PARTS.search(part) is not None and len(part) > _SHORTEST
    return True


def _organisations(normal: str) -> Iterator[Hit]:
    for found in _ORGANISATION.finditer(normal):
        yield Hit(*found.span(), Kind.ORGANISATION, CERTAIN)
    for found in _INSTITUTION.finditer(normal):
        words = found[0].split()
        # "Our University", "The Hospital" name nobody.
        names = [word for word in words if word[0].isupper()]
        telling = (len(names) > 1 and any(not is_word(word) for word in names)) or " of " in found[0] or len(names) > 2
        if telling and not _STATE.search(found[0]) and not all(is_region(word) or is_word(word) for word in names):
            yield Hit(*found.span(), Kind.ORGANISATION, LIKELY)


def _persons(normal: str) -> Iterator[Hit]:
    for found in _TITLED.finditer(normal):
        name = re.split(r"[ .-]", found[0])
        if found[0].endswith(("san", "sensei", "sama")) or name[0] in ("Mr", "Ms", "Mrs", "Miss", "Dr", "Prof"):
            yield Hit(*found.span(), Kind.PERSON, CERTAIN)
        elif not is_word(name[-1]):
            yield Hit(*found.span(), Kind.PERSON, LIKELY)
    for pattern in (_CALLED_FOR, _ROLE_FOLLOWS):
        for found in pattern.finditer(normal):
            words = found[1].split()
            named = len(words) > 1 or any(not is_word(word) or _is_personal(word) for word in words)
            if named and not words[0].isupper():
                yield Hit(*found.span(1), Kind.PERSON, LIKELY)


def _places(normal: str) -> Iterator[Hit]:
    for found in _PLACE.finditer(normal):
        name = found[1].split()[-1]
        place = found[0].split()[-1].split("-")[-1]
        telling = not is_word(name) or (
            place[0].isupper() and found.start() > 0 and normal[found.start() - 1] == " " and len(name) > _SHORTEST
        )
        if telling and not is_region(name) and not name.isupper():
            yield Hit(*found.span(1), Kind.PLACE, LIKELY)
    for found in _PLACE_BEFORE.finditer(normal):
        name = found[1]
        following = _following(normal, found.end())
        if (
            (is_word(name) and not _is_place(name))
            or is_region(name)
            or not name.isalpha()
            or name.isupper()
            or is_scientific_name(name, following)
        ):
            continue
        yield Hit(*found.span(1), Kind.PLACE, LIKELY, common_clears=True)


@lru_cache(maxsize=4096)
def _is_place(name: str) -> bool:
    """Whether Sudachi knows the word as the name of a place that is no country: the English word list has some."""
    words = tagged_words(name)
    return (
        len(words) == 1 and words[0].tags[1] == "固有名詞" and "国" not in words[0].tags and "人名" not in words[0].tags
    )


@lru_cache(maxsize=4096)
def _is_personal(name: str) -> bool:
    """Whether Sudachi knows the word as a person's name, such as those that units and effects are named after."""
    words = tagged_words(name)
    return len(words) == 1 and words[0].tags[2] == "人名"


def _unknown(text: Text) -> Iterator[Hit]:
    """Capitalised words that no dictionary has: names of something, and only seldom known to everybody."""
    words = list(_words(text.normal))
    for place, word in enumerate(words):
        surface = word.surface
        plain = surface[:1].isupper() and surface[1:].islower() and len(surface.split("-")[0]) >= _SHORTEST
        if not plain or is_word(surface) or is_region(surface) or surface in NAMES_IN_USE:
            continue
        following = words[place + 1].surface if place + 1 < len(words) else ""
        # With a figure it is a cell line or a model, which other rules know.
        numbered = _FIGURE.match(text.normal, word.end)
        if numbered or is_scientific_name(surface, following) or _is_personal(surface):
            continue
        # Two such words are a name also where the sentence begins with them.
        paired = following[:1].isupper() and following[1:].islower() and not is_word(following)
        prose = not text.lists_terms and (not word.first or (paired and words[place + 1].start == word.end + 1))
        yield Hit(word.start, word.end, Kind.RARE_TERM, LIKELY if prose else POSSIBLE, common_clears=True)


def _words(normal: str) -> Iterator[_Word]:
    end = 0
    for found in _WORD.finditer(normal):
        between = normal[end : found.start()]
        first = end == 0 or re.search(r"[.!?:;\n/•-]|[。「『・]", between) is not None
        yield _Word(found.start(), found.end(), found[0], first)
        end = found.end()


def _following(normal: str, end: int) -> str:
    found = _WORD.match(normal, end + 1) if normal[end : end + 1] == " " else None
    return found[0] if found else ""


def _stem(word: str) -> str:
    # A stemmer of one's own: one cannot be used by two threads at once, and costs microseconds to make.
    stem: str = Stemmer.Stemmer("english").stemWord(word)
    return stem


@cache
def _dictionary() -> frozenset[str]:
    """82,765 English words, none of them a name: SCOWL's, as far as books use them (symspellpy, MIT)."""
    listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
    return frozenset(line.split(" ", 1)[0] for line in listed.splitlines())


@cache
def _stems() -> frozenset[str]:
    stemmer = Stemmer.Stemmer("english")
    return frozenset(stemmer.stemWords(sorted(_dictionary())))
