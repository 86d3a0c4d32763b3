"""How it looks what in a need may tell whose it is."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from enmusubi.app.representations.representation import Representation
from enmusubi.matching.identifying import Finding, Kind, Sureness


class SuggestionOut(Representation):
    """What to write instead, in Japanese and English."""

    ja: str
    en: str


class FindingOut(Representation):
    """What may tell whose an anonymous need is: the characters (Unicode code points) `start` to `end` of a field."""

    field: str = Field(description="A public field; an item of a list as technology_keywords/0")
    start: int
    end: int
    text: str
    kind: Kind
    sureness: Sureness
    suggestion: SuggestionOut


class NeedChecked(BaseModel):
    """What would identify the owner of a need, in the order of its fields; nothing is stored or changed."""

    findings: list[FindingOut]


Findings = Annotated[
    list[FindingOut] | None,
    Field(description="What may tell whose it is, for you to decide; null where it is not anonymous"),
]


def findings_out(findings: Sequence[Finding]) -> list[FindingOut]:
    """What was found, as the one who posts sees it."""
    return [FindingOut.model_validate(finding) for finding in findings]
