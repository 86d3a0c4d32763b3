"""The fields of the two forms: what they are called, what helps to fill them in, how long they should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from enmusubi.app.web.languages import N_


class As(StrEnum):
    """What a field is written in."""

    LINE = auto()
    TEXT = auto()
    LIST = auto()
    """A text whose lines are the items."""
    CHOICE = auto()
    TICKS = auto()
    TICK = auto()
    DAY = auto()
    ROWS = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """A field; its `length` in characters (of a list: items) is recommended, what is longer is taken all the same."""

    label: str
    hint: str | None = None
    written: As = As.TEXT
    length: int | None = None
    rows: int = 4
    choices: str | None = None
    """The vocabulary it is chosen from."""


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together, under one heading."""

    title: str
    fields: tuple[str, ...]
    hint: str | None = None


_KEYWORDS: Final = 5
_ONE_A_LINE: Final = N_("One on each line.")

_SHARED: Final[Mapping[str, Field]] = {
    "title": Field(N_("Title"), N_("The title decides whether somebody reads on."), As.LINE, 256),
    "summary": Field(N_("Summary"), N_("Everybody who may see the entry reads this."), length=500),
    "technology_keywords": Field(N_("Technology keywords"), _ONE_A_LINE, As.LIST, _KEYWORDS),
    "market_keywords": Field(N_("Market keywords"), _ONE_A_LINE, As.LIST, _KEYWORDS),
    "field_codes": Field(
        N_("Field codes"), N_("One on each line, for example IPC:A23L 3/36, FORD:2.11 or JSIC:E09."), As.LIST, rows=3
    ),
    "regions": Field(N_("Regions"), _ONE_A_LINE, As.LIST, rows=2),
    "language": Field(N_("Language of the texts above"), None, As.CHOICE, choices="Language"),
    "translation_title": Field(N_("Title in the other language"), None, As.LINE, 256),
    "translation_summary": Field(N_("Summary in the other language"), None, length=500),
    "sdgs": Field(N_("Sustainable Development Goals"), None, As.TICKS),
    "expires_on": Field(
        N_("Shown until"), N_("365 days from today if you leave it empty; two years at most."), As.DAY
    ),
    "reference": Field(N_("Your own reference"), N_("A number or name of your own."), As.LINE),
    "open_for_interest": Field(N_("Open for interest from partners"), None, As.TICK),
    "organisation": Field(
        N_("Organisation it belongs to"), N_("Its name as registered in the cluster; empty for none."), As.LINE
    ),
}  # fmt: skip

NEED: Final[Mapping[str, Field]] = {
    **_SHARED,
    "expertise_sought": Field(
        N_("Expertise or technology sought"), N_("What a partner should know or be able to do."), length=2_000, rows=6
    ),
    "applications": Field(N_("Intended applications"), N_("What it is to be used for."), length=2_000),
    "wanted_trl": Field(N_("Technology readiness wanted, at least"), None, As.CHOICE, choices="Trl"),
    "cooperation": Field(N_("Forms of cooperation"), None, As.TICKS, choices="Cooperation"),
    "region_preference": Field(N_("Preferred regions of partners"), _ONE_A_LINE, As.LIST, rows=2),
    "deadline": Field(N_("Answer wanted by"), None, As.DAY),
    "anonymous": Field(
        N_("Post anonymously"),
        N_("Universities see only the kind of your organisation, its size and its region, until you agree to more."),
        As.TICK,
    ),
    "description": Field(N_("Background and details"), None, length=4_000, rows=6),
    "requirements": Field(N_("Requirements"), None, length=2_000),
    "constraints": Field(N_("Constraints"), None, length=2_000),
    "budget_yen": Field(N_("Budget in yen"), N_("Digits only, for example 3000000."), As.LINE),
    "excluded_organisations": Field(
        N_("Organisations it must not be proposed to"),
        N_("One on each line, by name. They see nothing of this need, and are not told that they are excluded."),
        As.LIST,
        rows=3,
    ),
}

SEED: Final[Mapping[str, Field]] = {
    **_SHARED,
    "description": Field(N_("Description"), N_("How it works, what was shown so far."), length=4_000, rows=8),
    "advantages": Field(
        N_("Compared with existing technology"), N_("What is new, and how much better by what measure."), length=2_000
    ),
    "applications": Field(
        N_("Possible applications"), N_("Products, processes and markets you think of."), length=2_000
    ),
    "open_challenges": Field(N_("Challenges before practical use"), None, length=2_000),
    "expected_partner": Field(
        N_("What is expected of a company"), N_("Equipment, materials, fields of trial, kind of cooperation."),
        length=4_000,
    ),
    "trl": Field(N_("Technology readiness level"), None, As.CHOICE, choices="Trl"),
    "stage": Field(N_("Stage of development"), None, As.CHOICE, choices="Stage"),
    "ipr_status": Field(N_("Intellectual property"), None, As.CHOICE, choices="IprStatus"),
    "ipr_numbers": Field(
        N_("Numbers of applications and patents"),
        N_("One on each line, for example 特願2024-012345 or 特許第7123456号."), As.LIST, rows=3,
    ),
    "licensable": Field(N_("Can be licensed"), None, As.CHOICE, choices="YesNo"),
    "transferable": Field(N_("Can be transferred"), None, As.CHOICE, choices="YesNo"),
    "researchers": Field(N_("Researchers"), None, As.ROWS),
    "unpublished": Field(
        N_("Not published yet"), N_("What must not be disclosed before a patent is filed."), length=4_000, rows=6
    ),
    "filing_expected_on": Field(N_("Filing expected on"), None, As.DAY),
}  # fmt: skip

NEED_GROUPS: Final = (
    Group(N_("What you are looking for"), ("title", "summary", "expertise_sought", "applications")),
    Group(
        N_("How it is found"), ("technology_keywords", "market_keywords", "field_codes", "regions"),
        N_("Words that a search should find it by; up to five of a kind are recommended."),
    ),
    Group(N_("The cooperation you have in mind"), ("cooperation", "wanted_trl", "region_preference", "deadline")),
    Group(N_("Languages"), ("language", "translation_title", "translation_summary")),
    Group(N_("Your name"), ("anonymous",)),
)  # fmt: skip
NEED_CONFIDENTIAL: Final = ("description", "requirements", "constraints", "budget_yen", "excluded_organisations")

SEED_GROUPS: Final = (
    Group(N_("The technology"), ("title", "summary", "description", "advantages", "applications")),
    Group(N_("The way to practical use"), ("open_challenges", "expected_partner", "trl", "stage")),
    Group(
        N_("How it is found"), ("technology_keywords", "market_keywords", "field_codes", "regions"),
        N_("Words that a search should find it by; up to five of a kind are recommended."),
    ),
    Group(N_("Rights"), ("ipr_status", "ipr_numbers", "licensable", "transferable")),
    Group(N_("Researchers"), ("researchers",)),
    Group(N_("Languages"), ("language", "translation_title", "translation_summary")),
)  # fmt: skip
SEED_CONFIDENTIAL: Final = ("unpublished", "filing_expected_on")

FURTHER: Final = ("expires_on", "open_for_interest", "sdgs", "reference")
"""What is set rarely; folded away."""

TRL: Final = (
    N_("1: basic principles observed"),
    N_("2: concept formulated"),
    N_("3: proof of concept"),
    N_("4: validated in the laboratory"),
    N_("5: validated in a relevant environment"),
    N_("6: demonstrated in a relevant environment"),
    N_("7: prototype demonstrated in operation"),
    N_("8: complete and qualified"),
    N_("9: proven in operation"),
)
"""ISO 16290, in short."""

YES_NO: Final = (("true", N_("yes")), ("false", N_("no")))
