"""How it looks what was turned down, why, and what has changed since."""

import datetime
from collections.abc import Sequence

from pydantic import BaseModel, Field

from enmusubi.app.clock import JAPAN
from enmusubi.app.models import Match
from enmusubi.app.refusals.digesting import Cause
from enmusubi.app.refusals.words import ADVICE, REASONS, since_words
from enmusubi.app.representations.representation import Representation
from enmusubi.app.vocabulary import EntryChange, ReasonCode, Side


class WordsOut(Representation):
    """A text in Japanese and English."""

    ja: str
    en: str


class ReopenedOut(BaseModel):
    """That a pair was turned down once, and what has brought it back."""

    on: datetime.datetime = Field(description="For those who do not oversee the cluster the day alone")
    reason: ReasonCode | None = Field(description="What it was turned down for; for those who oversee the cluster")
    change: EntryChange
    entry: str = Field(description="Which entry has changed: seed or need")
    before: int | str | None
    after: int | str | None
    words: WordsOut


class ChangeOut(BaseModel):
    """A change of the entry that would bring pairs back."""

    change: EntryChange
    words: WordsOut


class CauseOut(BaseModel):
    """A reason that was given for a "no"."""

    refused_by: Side = Field(description="The side of the seed, the side of the need, or the cluster's coordinators")
    reason: ReasonCode
    words: WordsOut
    pairs: int
    exact: bool = Field(description="False: so many at least, of the pairs that you see")
    returning: int = Field(description="How many pairs each of the changes would bring back to the queue")
    changes: list[ChangeOut] = Field(description="Of this entry; none: nothing that it says could change the answer")


class DeclinesOut(BaseModel):
    """Why pairs with an entry were turned down and stand so; never who did, nor which pairs."""

    causes: list[CauseOut]


def _day(moment: datetime.datetime) -> datetime.datetime:
    # It is when the other side's entry was changed: what was changed in one go is one owner's.
    return moment.astimezone(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)


def reopened_out(match: Match, *, overseeing: bool) -> ReopenedOut | None:
    """What has brought a match back, None where it was never turned down."""
    since = match.reopened_since
    if since is None or match.reopened is None:
        return None
    return ReopenedOut(
        on=match.reopened if overseeing else _day(match.reopened),
        reason=ReasonCode(match.reopened_for) if overseeing and match.reopened_for else None,
        change=EntryChange(since["change"]),
        entry=since["entry"],
        before=since["before"],
        after=since["after"],
        words=WordsOut.model_validate(since_words(since)),
    )


def declines_out(causes: Sequence[Cause]) -> DeclinesOut:
    """The digest as it is shown."""
    return DeclinesOut(causes=[_cause_out(cause) for cause in causes])


def _cause_out(cause: Cause) -> CauseOut:
    return CauseOut(
        refused_by=cause.refused_by,
        reason=cause.reason,
        words=WordsOut.model_validate(REASONS[cause.reason]),
        pairs=cause.pairs,
        exact=cause.exact,
        returning=cause.returning,
        changes=[ChangeOut(change=change, words=WordsOut.model_validate(ADVICE[change])) for change in cause.changes],
    )
