"""Which field a heading names: the field's usual Japanese and English words, per kind."""

import re
import unicodedata
from dataclasses import dataclass

from enmusubi.ingest.sources.heading_words import COMMON, NEED, SEED
from enmusubi.ingest.sources.report import Kind

IGNORE = "ignore"


@dataclass(frozen=True)
class Target:
    """A field of the draft, or of its owner or researchers; `detail` is a scheme, a unit or a choice."""

    field: str
    detail: str | None = None


_PROSE = (
    "title summary translation_title translation_summary applications description advantages open_challenges "
    "expected_partner expertise_sought requirements constraints unpublished"
)
PROSE = frozenset(_PROSE.split())
# Several columns may fill these: their values are joined in the order of the file.
_LISTS = (
    "technology_keywords market_keywords regions region_preference excluded_organisations field_codes ipr_numbers "
    "sdgs cooperation opened_to researcher_names researcher_orcids researcher_erad_numbers researcher_researchmaps"
)
LISTS = frozenset(_LISTS.split())
OWNER = frozenset({"organisation", "organisation_name", "organisation_ror", "organisation_corporate_number"})
# Never shown in a report, nor filled into anything public.
CONFIDENTIAL: dict[Kind, frozenset[str]] = {
    "need": OWNER | {"description", "requirements", "constraints", "budget_yen", "excluded_organisations"},
    "seed": frozenset({"unpublished", "filing_expected_on"}),
}
# Switches about the entry: a remark that they are not shown takes nothing from their meaning.
SWITCHES = frozenset({"anonymous", "owner_named", "status", "open_for_interest"})
TEXTS: dict[Kind, frozenset[str]] = {
    "seed": frozenset({"title", "summary", "description", "advantages", "applications"}),
    "need": frozenset({"title", "summary", "expertise_sought", "applications"}),
}

# Without its group these say too little: 概要 under 連携先 is not the summary of the seed.
_GENERIC = "氏名 名前 名称 概要 番号 内容 詳細 状態 地域 分野 所属 課題 機関 企業 大学 name"
GENERIC = frozenset(_GENERIC.split())

_DASHES = re.compile(r"[\s・･_\-‐‑–—―/:、,。.'’`&|*※?!~〜#\"\u200b\ufeff]+")
_BRACKETS = re.compile(r"[()\[\]【】〔〕<>《》「」{}]")


def key(heading: str) -> str:
    """A heading as the dictionary compares it: NFKC, case folded, without blanks, signs, brackets and の."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    return _BRACKETS.sub("", _DASHES.sub("", text)).replace("の", "")


def _dictionary(kind: Kind) -> dict[str, Target]:
    found: dict[str, Target] = {}
    for words in (COMMON, SEED if kind == "seed" else NEED):
        for target, headings in words.items():
            field, _, detail = target.partition(":")
            for heading in (*headings.split("|"), *(() if detail else (field,))):
                found[key(heading)] = Target(field, detail or None)
    return found


DICTIONARY: dict[Kind, dict[str, Target]] = {"seed": _dictionary("seed"), "need": _dictionary("need")}
FIELDS: dict[Kind, list[str]] = {
    kind: sorted({target.field for target in DICTIONARY[kind].values()}) for kind in ("seed", "need")
}


def target_named(name: str, kind: Kind) -> Target:
    """The target a `--map` names, as `budget_yen` or `field_codes:JSIC`; ValueError where there is none."""
    field, _, detail = name.strip().partition(":")
    if field == IGNORE:
        return Target(IGNORE)
    if field not in FIELDS[kind]:
        raise ValueError(f"{field!r} is not a field of a {kind}; known are {', '.join(FIELDS[kind])} and {IGNORE}")
    return Target(field, detail or None)
