"""What a draft takes, what it refuses, and how a merge patch changes one."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from enmusubi.app.catalogue.rules import revised
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.schemas import (
    KEYWORD_LIMIT,
    LIST_LIMIT,
    TEXT_LIMIT,
    MatchQuery,
    NeedDraft,
    NeedRevision,
    OrganisationDraft,
    ReviewDraft,
    SeedDraft,
    SeedRevision,
)

SEED_TEXTS = ("title", "summary", "description", "advantages", "open_challenges", "expected_partner", "applications")
NEED_TEXTS = ("title", "summary", "expertise_sought", "description", "requirements", "constraints")


@pytest.mark.parametrize(
    ("draft", "field"), [(SeedDraft, name) for name in SEED_TEXTS] + [(NeedDraft, name) for name in NEED_TEXTS]
)
def test_texts_take_twenty_thousand_characters(draft: type[BaseModel], field: str) -> None:
    """20,000 characters are stored as they are, one more is refused, none is cut."""
    longest = "縁" * TEXT_LIMIT
    taken = draft.model_validate({"title": "T", field: longest})
    assert getattr(taken, field) == longest
    with pytest.raises(ValidationError, match="at most 20000 characters"):
        draft.model_validate({"title": "T", field: longest + "結"})


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "\udfff"])
@pytest.mark.parametrize(
    ("draft", "body"),
    [
        (SeedDraft, {"title": ...}),
        (SeedDraft, {"title": "T", "external_id": ...}),
        (SeedDraft, {"title": "T", "technology_keywords": [...]}),
        (SeedDraft, {"title": "T", "ipr_numbers": [...]}),
        (SeedDraft, {"title": "T", "regions": [...]}),
        (SeedDraft, {"title": "T", "field_codes": [...]}),
        (SeedDraft, {"title": "T", "researchers": [{"name": ...}]}),
        (SeedDraft, {"title": "T", "researchers": [{"name": "N", "orcid": ...}]}),
        (NeedDraft, {"title": "T", "requirements": ...}),
        (NeedDraft, {"title": "T", "excluded_organisations": [...]}),
        (OrganisationDraft, {"kind": "company", "name": ...}),
        (OrganisationDraft, {"kind": "company", "name": "N", "corporate_number": ...}),
        (MatchQuery, {"text": ...}),
        (ReviewDraft, {"verdict": "shortlist", "note": ...}),
    ],
)
def test_characters_that_no_text_can_hold_are_refused(draft: type[BaseModel], body: dict[str, Any], text: str) -> None:
    """NUL and lone surrogates are errors wherever a text goes."""

    def filled(value: Any) -> Any:
        if value is ...:
            return text
        if isinstance(value, list):
            return [filled(item) for item in value]
        return {name: filled(item) for name, item in value.items()} if isinstance(value, dict) else value

    with pytest.raises(ValidationError):
        draft.model_validate(filled(body))


def test_unknown_fields_are_refused() -> None:
    """A misspelt field is named, not lost."""
    with pytest.raises(ValidationError, match="titel"):
        SeedDraft.model_validate({"title": "T", "titel": "T"})
    with pytest.raises(ValidationError, match="orchid"):
        SeedDraft.model_validate({"title": "T", "researchers": [{"name": "N", "orchid": "x"}]})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"technology_keywords": []},
        {"expected_partner": "a maker of concrete"},
        {"title": "  "},
        {"trl": 0, "title": "T"},
        {"trl": 10, "title": "T"},
        {"sdgs": [18], "title": "T"},
        {"sdgs": [0], "title": "T"},
        {"title": "T", "status": "withdrawn"},
        {"title": "T", "status": "expired"},
        {"title": "T", "language": "fr"},
        {"title": "T", "technology_keywords": ["k" * (KEYWORD_LIMIT + 1)]},
        {"title": "T", "technology_keywords": ["k"] * (LIST_LIMIT + 1)},
        {"title": "T", "researchers": [{"name": "N", "erad_number": "１２３４５６７８"}]},
        {"title": "T", "researchers": [{"name": "N", "orcid": "0000-0002-1825-0098"}]},
        {"title": "T", "opened_to": ["not-an-id"]},
    ],
)
def test_seed_that_breaks_a_rule_is_refused(body: dict[str, Any]) -> None:
    """A seed says something about its technology, within the vocabularies and limits."""
    with pytest.raises(ValidationError):
        SeedDraft.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"description": "only confidential"},
        {"requirements": "only confidential"},
        {"title": "T", "budget_yen": -1},
        {"title": "T", "budget_yen": 10**13 + 1},
        {"title": "T", "cooperation": ["marriage"]},
        {"title": "T", "wanted_trl": 10},
    ],
)
def test_need_that_breaks_a_rule_is_refused(body: dict[str, Any]) -> None:
    """A need has at least one public text, or there would be nothing to match."""
    with pytest.raises(ValidationError):
        NeedDraft.model_validate(body)


def test_error_text_repeats_no_value() -> None:
    """What was sent may be confidential, so an error that reaches a log does not quote it."""
    with pytest.raises(ValidationError) as caught:
        NeedDraft.model_validate({"title": "T", "requirements": 12345678, "budget_yen": "hush-hush"})
    assert "12345678" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_prose_stays_verbatim_and_keywords_are_normalised() -> None:
    """10⁻³ is not 10-3; a keyword in full width is the same keyword."""
    draft = SeedDraft(title="誤差 10⁻³ の ｾﾝｻ", technology_keywords=["ｾﾝｻ", " ＬｉＤＡＲ "])
    assert draft.title == "誤差 10⁻³ の ｾﾝｻ"
    assert draft.technology_keywords == ["センサ", "LiDAR"]


def test_need_profile_holds_nothing_confidential() -> None:
    """What is embedded of a need is its public part."""
    draft = NeedDraft(
        title="T", description="secret-1", requirements="secret-2", constraints="secret-3", budget_yen=4711,
        excluded_organisations=["secret-4"],
    )  # fmt: skip
    assert draft.profile().matched_text() == "T"


def test_dismissal_needs_a_reason() -> None:
    """A coordinator who dismisses says why."""
    with pytest.raises(ValidationError, match="reason"):
        ReviewDraft.model_validate({"verdict": "dismiss"})
    assert ReviewDraft.model_validate({"verdict": "shortlist"}).reason is None


PRESENT = {"title": "Before", "summary": "Kept", "trl": 3, "technology_keywords": ["kept"], "status": "on_hold"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"title": "Before", "trl": 3}),
        ({"title": "After"}, {"title": "After", "summary": "Kept", "status": "on_hold"}),
        ({"title": None}, {"title": None, "summary": "Kept"}),
        ({"trl": None}, {"trl": None, "technology_keywords": ["kept"]}),
        ({"technology_keywords": None}, {"technology_keywords": []}),
        ({"technology_keywords": ["new"]}, {"technology_keywords": ["new"]}),
        ({"open_for_interest": None}, {"open_for_interest": True}),
    ],
)
def test_merge_patch(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fields not given stay, null brings back the default, lists are replaced as a whole (RFC 7396)."""
    draft = revised(SeedDraft, PRESENT, SeedRevision.model_validate(changes))
    assert {name: getattr(draft, name) for name in expected} == expected


@pytest.mark.parametrize(
    "changes",
    [{"title": None, "summary": None, "technology_keywords": None}, {"technology_keywords": ["k"] * (LIST_LIMIT + 1)}],
)
def test_merge_patch_must_leave_a_valid_draft(changes: dict[str, Any]) -> None:
    """A patch is judged by its result."""
    with pytest.raises(InvalidInputError):
        revised(SeedDraft, PRESENT, SeedRevision.model_validate(changes))


def test_null_makes_a_need_anonymous_again() -> None:
    """The default that null brings back is the careful one."""
    present = {"title": "T", "anonymous": False}
    assert revised(NeedDraft, present, NeedRevision.model_validate({"anonymous": None})).anonymous
