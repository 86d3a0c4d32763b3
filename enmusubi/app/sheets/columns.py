"""The columns of the tables: what a list tells its reader, in words."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from enmusubi.app.caller import Caller
from enmusubi.app.clock import day_of
from enmusubi.app.introducing.work import WorkItem
from enmusubi.app.models import Match, Organisation, Wait
from enmusubi.app.representations import EntryOut, NeedOut, SeedOut
from enmusubi.app.sheets.tables import Cell, Column
from enmusubi.app.sheets.wording import N_, Wording, listed, named
from enmusubi.app.stored_parts import shown_probability, shown_score
from enmusubi.app.verdicts import may_read_reviews, seen_status
from enmusubi.app.vocabulary import Awaited, Language, ReasonCode, Role, Side, Verdict

_ID, _SHORT, _MIDDLE, _TITLE, _TEXT = 38, 12, 24, 48, 60
_Cell = Callable[[Wording, Any], Cell]

YES: Final = N_("yes")
NO: Final = N_("no")
ANONYMOUS: Final = N_("anonymous")


def _text(name: str) -> _Cell:
    return lambda wording, row: getattr(row, name)


def _words(name: str) -> _Cell:
    return lambda wording, row: listed(wording, [str(value) for value in getattr(row, name)]) or None


def _coded(name: str) -> _Cell:
    def cell(wording: Wording, row: Any) -> Cell:
        value = getattr(row, name)
        if isinstance(value, list):
            return listed(wording, [wording.word(code) for code in value]) or None
        return None if value is None else wording.word(value)

    return cell


def _yes(name: str) -> _Cell:
    def cell(wording: Wording, row: Any) -> Cell:
        value = getattr(row, name)
        return None if value is None else wording.say(YES if value else NO)

    return cell


def _day(name: str) -> _Cell:
    def cell(wording: Wording, row: Any) -> Cell:
        value = getattr(row, name)
        return day_of(value) if isinstance(value, datetime.datetime) else value

    return cell


def _language(wording: Wording, row: EntryOut) -> Cell:
    return wording.word(Language(row.language)) if row.language in tuple(Language) else row.language


def _owner(wording: Wording, row: EntryOut) -> Cell:
    return named(wording, row.organisation.name, row.organisation.name_en) if row.organisation else None


def outline(wording: Wording, need: NeedOut) -> str | None:
    """All that readers learn of the company behind an anonymous need."""
    told = need.owner_outline
    if told is None:
        return wording.say(ANONYMOUS) if need.anonymous else None
    parts: Iterable[str | None] = (
        wording.word(told.kind), wording.word(told.size_band) if told.size_band else None, told.region
    )  # fmt: skip
    return f"{wording.say(ANONYMOUS)} ({listed(wording, [part for part in parts if part])})"


def _need_owner(wording: Wording, row: NeedOut) -> Cell:
    return _owner(wording, row) or outline(wording, row)


def _researchers(wording: Wording, row: SeedOut) -> Cell:
    return listed(wording, [each.name for each in row.researchers if each.name]) or None


_COMMON: Final[list[Column[Any]]] = [
    Column(N_("Id"), _ID, lambda _, row: str(row.id)),
    Column(N_("Title"), _TITLE, _text("title")),
    Column(N_("Status"), _SHORT, _coded("status")),
    Column(N_("Summary"), _TEXT, _text("summary")),
    Column(N_("Title in the other language"), _TITLE, _text("translation_title")),
    Column(N_("Summary in the other language"), _TEXT, _text("translation_summary")),
    Column(N_("Applications"), _TEXT, _text("applications")),
]
_CLASSED: Final[list[Column[Any]]] = [
    Column(N_("Technology keywords"), _MIDDLE, _words("technology_keywords")),
    Column(N_("Market keywords"), _MIDDLE, _words("market_keywords")),
    Column(N_("Fields"), _MIDDLE, _words("field_codes")),
    Column(N_("SDGs"), _SHORT, _words("sdgs")),
    Column(N_("Regions"), _MIDDLE, _words("regions")),
    Column(N_("Language"), _SHORT, _language),
]
_LIFE: Final[list[Column[Any]]] = [
    Column(N_("Open for interest"), _SHORT, _yes("open_for_interest")),
    Column(N_("Reference"), _SHORT, _text("reference")),
    Column(N_("External id"), _SHORT, _text("external_id")),
    Column(N_("Expires on"), _SHORT, _day("expires_on")),
    Column(N_("Entered on"), _SHORT, _day("created")),
    Column(N_("Changed on"), _SHORT, _day("last_modified")),
]

SEEDS: Final[list[Column[SeedOut]]] = [
    *_COMMON,
    Column(N_("Description"), _TEXT, _text("description")),
    Column(N_("Advantages over what exists"), _TEXT, _text("advantages")),
    Column(N_("Open challenges"), _TEXT, _text("open_challenges")),
    Column(N_("Expected of partners"), _TEXT, _text("expected_partner")),
    *_CLASSED,
    Column(N_("TRL"), 6, _text("trl")),
    Column(N_("Stage"), _MIDDLE, _coded("stage")),
    Column(N_("Intellectual property"), _MIDDLE, _coded("ipr_status")),
    Column(N_("Patent numbers"), _MIDDLE, _words("ipr_numbers")),
    Column(N_("Licensable"), _SHORT, _yes("licensable")),
    Column(N_("Transferable"), _SHORT, _yes("transferable")),
    Column(N_("Organisation"), _MIDDLE, _owner),
    Column(N_("Researchers"), _MIDDLE, _researchers),
    *_LIFE,
]
NEEDS: Final[list[Column[NeedOut]]] = [
    *_COMMON,
    Column(N_("Expertise sought"), _TEXT, _text("expertise_sought")),
    *_CLASSED,
    Column(N_("Wanted TRL"), 6, _text("wanted_trl")),
    Column(N_("Forms of cooperation"), _MIDDLE, _coded("cooperation")),
    Column(N_("Preferred regions"), _MIDDLE, _words("region_preference")),
    Column(N_("Wanted by"), _SHORT, _day("deadline")),
    Column(N_("Organisation"), _MIDDLE, _need_owner),
    *_LIFE,
]


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A match with who is waited for in it, and who reads."""

    match: Match
    caller: Caller
    waits: tuple[Wait, ...]
    today: datetime.date


def _named(wording: Wording, organisation: Organisation | None) -> Cell:
    return named(wording, organisation.name, organisation.name_en) if organisation else None


def _awaited(wording: Wording, row: MatchRow) -> Cell:
    said = [f"{wording.word(Side(wait.side))}: {wording.word(Awaited(wait.awaited))}" for wait in row.waits]
    return listed(wording, said) or None


def _due(wording: Wording, row: MatchRow) -> Cell:
    return min((wait.due_on for wait in row.waits), default=None)


def _overdue(wording: Wording, row: MatchRow) -> Cell:
    return wording.say(YES if any(wait.due_on < row.today for wait in row.waits) else NO) if row.waits else None


def _probability(wording: Wording, row: MatchRow) -> Cell:
    shown = shown_probability(row.match, row.caller)
    return None if shown is None else round(shown.value, 4)


def _score(wording: Wording, row: MatchRow) -> Cell:
    shown = shown_score(row.match, row.caller)
    return None if shown is None else round(shown, 4)


def _verdict(of: Callable[[Any], str | None], vocabulary: type[StrEnum]) -> _Cell:
    def cell(wording: Wording, row: MatchRow) -> Cell:
        if not row.match.reviews or not may_read_reviews(row.caller, row.match):
            return None
        code = of(row.match.reviews[-1])
        return None if code is None else wording.word(vocabulary(code))

    return cell


_MATCHES: Final[list[Column[MatchRow]]] = [
    Column(N_("Id"), _ID, lambda _, row: str(row.match.public_id)),
    Column(N_("Status"), _SHORT, lambda wording, row: wording.word(seen_status(row.match, row.caller))),
    Column(N_("Need"), _TITLE, lambda _, row: row.match.need.title),
    Column(N_("Organisation of the need"), _MIDDLE, lambda wording, row: (
        _named(wording, row.match.need.organisation) or (wording.say(ANONYMOUS) if row.match.need.anonymous else None)
    )),
    Column(N_("Seed"), _TITLE, lambda _, row: row.match.seed.title),
    Column(N_("Organisation of the seed"), _MIDDLE, lambda wording, row: _named(wording, row.match.seed.organisation)),
    Column(N_("Probability of being worth a look"), _SHORT, _probability),
    Column(N_("Waiting for"), _MIDDLE, _awaited),
    Column(N_("Due on"), _SHORT, _due),
    Column(N_("Overdue"), _SHORT, _overdue),
    Column(N_("Proposed on"), _SHORT, lambda _, row: day_of(row.match.created)),
    Column(N_("Id of the need"), _ID, lambda _, row: str(row.match.need.public_id)),
    Column(N_("Id of the seed"), _ID, lambda _, row: str(row.match.seed.public_id)),
]  # fmt: skip
_SCORED: Final[list[Column[MatchRow]]] = [Column(N_("Score"), _SHORT, _score)]
_REVIEWED: Final[list[Column[MatchRow]]] = [
    Column(N_("Last verdict"), _SHORT, _verdict(lambda review: review.verdict, Verdict)),
    Column(N_("Reason of it"), _MIDDLE, _verdict(lambda review: review.reason, ReasonCode)),
]


def matches_for(caller: Caller) -> list[Column[MatchRow]]:
    """Of the columns of matches those that can hold anything for this reader: companies are told no scores."""
    scored = [] if caller.role is Role.COMPANY else _SCORED
    return [*_MATCHES, *scored, *(_REVIEWED if caller.oversees else [])]


WORK: Final[list[Column[WorkItem]]] = [
    Column(N_("Due on"), _SHORT, _day("due_on")),
    Column(N_("Overdue"), _SHORT, _yes("overdue")),
    Column(N_("Waiting for"), _MIDDLE, _coded("awaited")),
    Column(N_("Who is to take it"), _MIDDLE, _coded("side")),
    Column(N_("Waiting since"), _SHORT, _day("since")),
    Column(N_("Status"), _SHORT, _coded("status")),
    Column(N_("Need"), _TITLE, lambda _, row: row.need.title),
    Column(N_("Seed"), _TITLE, lambda _, row: row.seed.title),
    Column(N_("Id"), _ID, lambda _, row: str(row.match)),
]
