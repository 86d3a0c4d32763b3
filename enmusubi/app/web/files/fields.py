"""The fields that a column may fill, as people read them, and values as a preview shows them."""

from collections.abc import Mapping
from typing import Any, Final

from enmusubi.app.vocabulary import ImportKind
from enmusubi.app.web.languages import N_, Speech
from enmusubi.app.web.words import word

IGNORE: Final = "ignore"
_COMMON: Final[dict[str, str]] = {
    "external_id": N_("management number"),
    "title": N_("title"),
    "summary": N_("summary"),
    "description": N_("description"),
    "technology_keywords": N_("technology keywords"),
    "market_keywords": N_("market keywords"),
    "applications": N_("applications"),
    "field_codes": N_("field codes (IPC, JSIC …)"),
    "regions": N_("regions"),
    "sdgs": N_("SDGs"),
    "status": N_("status"),
    "expires_on": N_("shown until"),
    "language": N_("language of the text"),
    "translation_title": N_("title in the other language"),
    "translation_summary": N_("summary in the other language"),
    "organisation_name": N_("organisation"),
    "organisation_ror": N_("organisation's ROR"),
    "organisation_corporate_number": N_("organisation's corporate number"),
    "opened_to": N_("opened to clusters"),
    "open_for_interest": N_("open for interest"),
    "reference": N_("reference"),
}
_SEED: Final[dict[str, str]] = {
    "advantages": N_("advantages over what there is"),
    "open_challenges": N_("challenges on the way to use"),
    "expected_partner": N_("what is expected of a company"),
    "stage": N_("stage"),
    "trl": N_("TRL"),
    "ipr_status": N_("intellectual property"),
    "ipr_numbers": N_("patent numbers"),
    "filing_expected_on": N_("filing expected on (not public)"),
    "licensable": N_("can be licensed"),
    "transferable": N_("can be transferred"),
    "unpublished": N_("not public: unpublished results"),
    "researcher_names": N_("researchers"),
    "researcher_orcids": N_("researchers' ORCID"),
    "researcher_erad_numbers": N_("researchers' e-Rad numbers"),
    "researcher_researchmaps": N_("researchers' researchmap"),
    "researchers": N_("researchers, with their numbers"),
}
_NEED: Final[dict[str, str]] = {
    "description": N_("description (not public)"),
    "expertise_sought": N_("expertise sought"),
    "wanted_trl": N_("TRL wanted"),
    "cooperation": N_("form of cooperation"),
    "budget_yen": N_("budget in yen (not public)"),
    "deadline": N_("wanted by"),
    "region_preference": N_("preferred regions"),
    "requirements": N_("requirements (not public)"),
    "constraints": N_("constraints (not public)"),
    "excluded_organisations": N_("not to be proposed to (not public)"),
    "anonymous": N_("anonymous"),
    "owner_named": N_("name of the company shown"),
}
_LABELS: Final[dict[ImportKind, dict[str, str]]] = {
    ImportKind.SEEDS: {**_COMMON, **_SEED},
    ImportKind.NEEDS: {**_COMMON, **_NEED},
}
_WORDS: Final[Mapping[str, str]] = {
    "stage": "Stage", "ipr_status": "IprStatus", "cooperation": "Cooperation", "status": "EntryStatus",
    "language": "Language",
}  # fmt: skip


def choices(speech: Speech, kind: ImportKind, proposed: str) -> list[tuple[str, str]]:
    """What a column may fill; the proposal too where it says more than the field, as a unit."""
    found = [(name, speech.say(label)) for name, label in _LABELS[kind].items()]
    if ":" in proposed:
        field, _, detail = proposed.partition(":")
        found.append((proposed, f"{label(speech, kind, field)} ({_detail(speech, field, detail)})"))
    return found


def _detail(speech: Speech, field: str, detail: str) -> str:
    if field == "budget_yen":
        return speech.say(N_("in units of %(yen)s yen"), yen=speech.number(int(detail)))
    return word(speech, detail, _WORDS[field]) if field in _WORDS else detail


def is_field(kind: ImportKind, name: str) -> bool:
    """Whether a form may say that."""
    return name == IGNORE or name.partition(":")[0] in _LABELS[kind]


def label(speech: Speech, kind: ImportKind, field: str) -> str:
    """The field's name."""
    known = _LABELS[kind].get("organisation_name" if field == "organisation" else field)
    return field if known is None else speech.say(known)


def said(speech: Speech, field: str, value: Any) -> str:
    """A value that would be entered."""
    if isinstance(value, list):
        return ("、" if speech.language == "ja" else ", ").join(said(speech, field, item) for item in value)
    if isinstance(value, bool):
        return speech.say(N_("yes") if value else N_("no"))
    if field == "budget_yen":
        return speech.yen(value)
    if field in _WORDS and isinstance(value, str):
        return word(speech, value, _WORDS[field])
    return str(value)
