"""How steps, waits, disclosures and outcomes look to the account that asks."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from enmusubi.app.caller import Caller
from enmusubi.app.clock import JAPAN
from enmusubi.app.models import Disclosure, Match, MatchStep, Need, Outcome, Seed, StepActor, Wait
from enmusubi.app.stepping.machine import HIDDEN
from enmusubi.app.vocabulary import Awaited, Hindrance, MatchStatus, OutcomeKind, ReasonCode, Side, Step


class Whose(StrEnum):
    """Whose step it was, or who is waited for, seen from who reads."""

    YOU = "you"
    """The reader's own side: its organisation, or as a coordinator the cluster's."""
    OTHER_SIDE = "other_side"
    NEED_SIDE = "need_side"
    """To those who are on neither side."""
    SEED_SIDE = "seed_side"
    COORDINATOR = "coordinator"
    SERVICE = "service"
    """The clock, and what follows from a change elsewhere."""


class EntryNamed(BaseModel):
    """A seed or a need by its public title."""

    id: uuid.UUID
    title: str | None


class StepOut(BaseModel):
    """One step of a match."""

    id: uuid.UUID
    step: Step
    before: MatchStatus
    after: MatchStatus
    side: Side
    by: Whose
    name: str | None = Field(
        description="Who took it: for their own organisation; for who oversees the match, people of the own cluster"
    )
    reason: ReasonCode | None
    message: str | None = Field(description="To everybody who sees the step")
    note: str | None = Field(description="For the organisation of who wrote it, and the coordinators")
    facts: dict[str, Any] = Field(description="Of the step: a day, a kind, who was waited for")
    taken: datetime.datetime = Field(description="Of a step of the other side the day alone")


class WaitOut(BaseModel):
    """Who is waited for, for what, since when and until when."""

    awaited: Awaited
    on: Whose
    side: Side
    since: datetime.datetime = Field(description="To the sides the day alone")
    due_on: datetime.date = Field(description="The last day to do it, in Japan")
    overdue: bool
    hindered_by: list[Hindrance] = Field(
        description="What stands in the way of it, for the match's coordinators; empty for others"
    )


class OutcomeOut(BaseModel):
    """What came of a match."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID = Field(validation_alias=AliasChoices("public_id", "id"), serialization_alias="id")
    kind: OutcomeKind
    amount_yen: int | None
    agreed_on: datetime.date
    starts_on: datetime.date | None
    ends_on: datetime.date | None
    created: datetime.datetime


class OutcomesOut(BaseModel):
    """The outcomes of a match, in the order in which they were reported."""

    items: list[OutcomeOut]


class StepsOut(BaseModel):
    """Where a match is: what happened, who is waited for, and what the reader may do now."""

    match: uuid.UUID
    status: MatchStatus
    steps: list[StepOut] = Field(description="In their order")
    waiting: list[WaitOut]
    legal_steps: list[Step] = Field(description="What you may do now")


class StepTaken(BaseModel):
    """A step that was taken, and where the match is since then."""

    match: uuid.UUID
    step: StepOut
    status: MatchStatus
    waiting: list[WaitOut]
    legal_steps: list[Step] = Field(description="What you may do now")


class ContactOut(BaseModel):
    """A person to turn to."""

    name: str
    email: str | None


class DisclosedOrganisation(BaseModel):
    """The organisation on the other side."""

    name: str
    name_en: str | None


class ResearcherOut(BaseModel):
    """A researcher behind the seed."""

    name: str | None
    orcid: str | None


class DisclosureContent(BaseModel):
    """What a side is told of the other."""

    organisation: DisclosedOrganisation | None = Field(description="Null for an entry of no organisation")
    contacts: list[ContactOut]
    researchers: list[ResearcherOut] | None = Field(default=None, description="To the need's side")
    confidential: dict[str, Any] | None = Field(
        default=None, description="To the seed's side: the confidential fields of the need that its company allowed"
    )


class ToldOut(BaseModel):
    """What one side is told."""

    told: Side = Field(description="The side that is told")
    content: DisclosureContent


class PreviewOut(BaseModel):
    """What a disclosure would tell each side; its ETag is what the disclosure has to name."""

    items: list[ToldOut]


class DisclosedItem(ToldOut):
    """What one side was told, word for word, and when."""

    disclosed: datetime.datetime


class DisclosedOut(BaseModel):
    """What was disclosed: to one's own side; to coordinators, to both."""

    items: list[DisclosedItem]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads of a match: the account, and the sides whose steps it may take in it."""

    caller: Caller
    sides: Collection[Side]

    def sees_all_of(self, match: Match) -> bool:
        """Whether the reader oversees the match."""
        return self.caller.oversees and match.cluster_id == self.caller.cluster_id

    def whose(self, side: Side, *, service: bool = False) -> Whose:
        """Whose a step or a wait of that side is, to this reader."""
        if service:
            return Whose.SERVICE
        if side in self.sides:
            return Whose.YOU
        if side is Side.CLUSTER:
            return Whose.COORDINATOR
        if self.caller.oversees:
            return Whose.NEED_SIDE if side is Side.NEED else Whose.SEED_SIDE
        return Whose.OTHER_SIDE


def entry_named(entry: Seed | Need) -> EntryNamed:
    """An entry by its title."""
    return EntryNamed(id=entry.public_id, title=entry.title)


def status_seen(reader: Reader, match: Match, status: str) -> MatchStatus:
    """A status of a match as the reader may see it."""
    hidden = status in HIDDEN and not reader.sees_all_of(match)
    return MatchStatus.SUGGESTED if hidden else MatchStatus(status)


def step_out(reader: Reader, match: Match, step: MatchStep, actor: StepActor | None) -> StepOut:
    """A step as the reader may see it; `actor` is None for those who may not know who took it, and for the clock's."""
    side = Side(step.side)
    by = reader.whose(side, service=step.step in _BY_THE_SERVICE)
    note = None
    if actor is not None:
        own = actor.organisation_id is not None and actor.organisation_id == reader.caller.organisation_id
        # Written by one who reads confidential parts, it may hold what is in them.
        note = actor.note if own or reader.caller.coordinates else None
    return StepOut(
        id=step.public_id,
        step=Step(step.step),
        before=status_seen(reader, match, step.before),
        after=status_seen(reader, match, step.after),
        side=side,
        by=by,
        name=None if actor is None or actor.account is None else actor.account.name,
        reason=ReasonCode(step.reason) if step.reason else None,
        message=step.message,
        note=note,
        facts=step.facts,
        # What was answered in one go is one owner's.
        taken=_day(step.taken) if by is Whose.OTHER_SIDE else step.taken,
    )


_BY_THE_SERVICE = frozenset({Step.LAPSE, Step.REOPEN, Step.REMIND, Step.ESCALATE, Step.RAISE})


def _day(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)


def wait_since(caller: Caller, wait: Wait) -> datetime.datetime:
    """Since when somebody is waited for: to the sides the day, as it began with a step that may be the other's."""
    overseen = caller.oversees and wait.cluster_id == caller.cluster_id
    return wait.since if overseen else _day(wait.since)


def wait_out(reader: Reader, wait: Wait, today: datetime.date, hindered_by: Sequence[Hindrance] = ()) -> WaitOut:
    """Who is waited for, as the reader sees it."""
    side = Side(wait.side)
    return WaitOut(
        awaited=Awaited(wait.awaited),
        on=reader.whose(side),
        side=side,
        since=wait_since(reader.caller, wait),
        due_on=wait.due_on,
        overdue=wait.due_on < today,
        hindered_by=list(hindered_by),
    )


def outcomes_out(outcomes: Iterable[Outcome]) -> list[OutcomeOut]:
    """What came of a match."""
    return [OutcomeOut.model_validate(outcome) for outcome in outcomes]


def preview_out(told: Mapping[Side, Mapping[str, Any]]) -> PreviewOut:
    """What each side would be told."""
    items = [ToldOut(told=side, content=DisclosureContent.model_validate(content)) for side, content in told.items()]
    return PreviewOut(items=items)


def disclosed_out(found: Iterable[Disclosure]) -> DisclosedOut:
    """What sides were told."""
    items = [
        DisclosedItem(
            told=Side(each.told), content=DisclosureContent.model_validate(each.content), disclosed=each.disclosed
        )
        for each in found
    ]
    return DisclosedOut(items=items)
