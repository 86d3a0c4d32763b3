"""The sentences of a seed's public texts, and what a need requires, each with its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from enmusubi.matching.profile import Profile
from enmusubi.matching.reasons.splitting import LONGEST, split

TEXT: Final = "text"
"""Name of the field of a need that is one text."""

# The order is that of the matched text. Keywords have no sentences: they are told as shared terms.
_SEED: Final = (
    "title", "translation_title", "summary", "description", "advantages", "applications", "open_challenges",
    "translation_summary",
)  # fmt: skip
_NEED: Final = (
    "title", "translation_title", "summary", "expertise_sought", "description", "applications", "translation_summary",
)  # fmt: skip
_TITLES: Final = frozenset({"title", "translation_title"})
MOST_REQUIREMENTS: Final = 100
"""So many requirements of one need are looked at; beyond them, what only tells the situation goes first."""
_LISTS: Final = frozenset({"expertise_sought", "applications", "requirements", "constraints"})

_ITEMISED: Final = _LISTS - {"applications"}

_KANA_OR_KANJI = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_LIST_COMMA = re.compile(r"\s*[;；]\s*|\s*、\s*")
_NOUN_END = re.compile(r"(?:[^\u3041-\u309f]|もの|こと|組み|扱い|違い|取り|使い|づけ|付け|通し|直し)[。．]?$")
_HEADING = re.compile(r"^[【■◆●□＜<#*]*[^。．.!?！？]{1,40}(?:[】＞>]|[:：])$")
_GREETING = re.compile(
    r"^(?:いつもお世話|お世話に|はじめまして|初めまして|こんにちは|よろしく|宜しく|どうぞよろしく|拝啓|敬具|以上です"
    r"|dear\b|hello\b|hi\b|thank you\b|thanks\b|(?:best|kind) regards|sincerely)",
    re.IGNORECASE,
)
_WANTED = re.compile(
    r"たい|ほしい|欲しい|求め|探し|探索|必要|望|ないか|できれば|目標|目指|関心|検討|企画|以内|以下|以上|よい。?$|ください"
    r"|\b(?:seek(?:s|ing)?|look(?:ing)? for|want(?:s|ed)?|need(?:s|ed)?|would like|wish|hope|require[sd]?|must|shall"
    r"|should|sought|interested|goal|aim|objective|at least|at most|less than|more than|develop|demonstrate)\b|\?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a field's text: `text` is exactly the characters `start` to `end` of that field."""

    field: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a need says; `wanted` where it asks for something, not where it only tells the situation."""

    passage: Passage
    wanted: bool


def seed_texts(profile: Profile) -> dict[str, str]:
    """The public fields of a seed that have sentences, by name, in the order of the matched text; no empty ones."""
    return _texts(profile, _SEED)


def need_texts(profile: Profile, requirements: str | None = None, constraints: str | None = None) -> dict[str, str]:
    """The fields of a need that have sentences, by name, in the order of the matched text; no empty ones.

    `requirements` and `constraints` are confidential: pass them only for a reader who may see them, and never store
    vectors of them.
    """
    confidential = {"requirements": requirements, "constraints": constraints}
    return _texts(profile, _NEED) | {name: text for name, text in confidential.items() if text}


def sentences(texts: Mapping[str, str]) -> tuple[Passage, ...]:
    """The sentences of every field, in order; nothing but white space lies between those of a field."""
    return tuple(
        Passage(name, start, end, text[start:end]) for name, text in texts.items() for start, end in split(text)
    )


def requirements_of(texts: Mapping[str, str], most: int = MOST_REQUIREMENTS) -> tuple[tuple[Requirement, ...], int]:
    """What the need requires, in order, and how many requirements were left out because there are more than `most`.

    Those are the sentences of its fields but titles, and the items of lists in the fields that are lists. Titles,
    headings and greetings count only where there is nothing else. Where no sentence asks for anything, all do.
    """
    told = {name: text for name, text in texts.items() if name not in _TITLES}
    passages = [item for sentence in sentences(told) or sentences(texts) for item in _items(sentence)]
    said = [passage for passage in passages if not _HEADING.match(passage.text) and not _GREETING.match(passage.text)]
    kept = said or passages
    wanted = [passage.field in _LISTS or _WANTED.search(passage.text) is not None for passage in kept]
    if not any(wanted):
        wanted = [True] * len(kept)
    first = sorted(range(len(kept)), key=lambda place: (not wanted[place], place))[:most]
    return tuple(Requirement(kept[place], wanted[place]) for place in sorted(first)), len(kept) - len(first)


def languages_of(passages: Sequence[Passage], language: str | None) -> list[str]:
    """The language of each passage of an entry in `language`: `ja` where Japanese characters prevail, elsewhere that of
    the entry, or `en` where the entry is Japanese or says nothing.
    """
    latin = "en" if language in (None, "ja", "zh", "und") else str(language)
    return [("zh" if language == "zh" else "ja") if _is_japanese(passage.text) else latin for passage in passages]


def _is_japanese(text: str) -> bool:
    # An English word has some five letters, a Japanese one some two characters.
    return 2.5 * len(_KANA_OR_KANJI.findall(text)) > len(_LATIN.findall(text))


def _texts(profile: Profile, names: tuple[str, ...]) -> dict[str, str]:
    return {name: text for name in names if (text := getattr(profile, name))}


def _items(sentence: Passage) -> list[Passage]:
    """The items of a list of nouns (小型化、校正、耐久性; or parts between semicolons), else the sentence."""
    text = sentence.text
    if sentence.field not in _ITEMISED or len(text) > LONGEST:
        return [sentence]
    cuts = [match for match in _LIST_COMMA.finditer(text) if not _within_brackets(text, match.start())]
    starts = [0, *(match.end() for match in cuts)]
    ends = [*(match.start() for match in cuts), len(text)]
    items = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    if any(len(item) < 2 for item in items) or ("、" in text and not all(map(_NOUN_END.search, items))):
        return [sentence]
    return [
        Passage(sentence.field, sentence.start + start, sentence.start + end, item)
        for start, end, item in zip(starts, ends, items, strict=True)
    ]


def _within_brackets(text: str, place: int) -> bool:
    before = text[:place]
    return sum(map(before.count, "(（「『")) > sum(map(before.count, ")）」』"))
