"""Keep what a "no" was said for, and put the pair back into the queue when that has changed."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Row, Text, Uuid, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.models import Match, Need, Seed
from enmusubi.app.refusals.mending import EntrySide, Since, mended
from enmusubi.app.stepping.taking import Saying, hold_if_free, take_as_service
from enmusubi.app.vocabulary import EntryChange, EntryStatus, MatchStatus, ReasonCode, Side, Step

# Functions of the database: a side sees neither the other's refusals nor all the pairs that its change brings back.
_STANDING = select(
    func.standing_declines(
        bindparam("seeds", type_=ARRAY(BigInteger)), bindparam("needs", type_=ARRAY(BigInteger))
    ).table_valued(
        column("decline", BigInteger),
        column("match", Uuid),
        column("refused_by", Text),
        column("reason", Text),
        column("seed", BigInteger),
        column("need", BigInteger),
        *(column(name, JSONB) for name in ("seed_then", "need_then", "seed_now", "need_now")),
    )
)

READY: Final = frozenset({EntryChange.READY_AGAIN, EntryChange.HEARD_AGAIN})
"""What an owner tells who says so."""


@dataclass(frozen=True, slots=True)
class Before:
    """What of an entry has to be kept before it is revised, since nothing can tell it later."""

    open: bool
    terms: tuple[Any, ...]


def before(entry: Seed | Need) -> Before:
    """The entry as it is now, its detail loaded."""
    return Before(is_open(entry), _terms(entry))


def changes_since(earlier: Before, entry: Seed | Need, *, by_owner: bool) -> frozenset[EntryChange]:
    """What a revision has told: that its owner is heard of, that it is open again, that its terms are others."""
    terms = {EntryChange.TERMS_CHANGED} if _terms(entry) != earlier.terms else set()
    return told_by_step(entry, was_open=earlier.open, by_owner=by_owner) | terms


def told_by_step(entry: Seed | Need, *, was_open: bool, by_owner: bool) -> frozenset[EntryChange]:
    """What a step of its life has told, which changes none of its words."""
    told = {EntryChange.HEARD_AGAIN: by_owner, EntryChange.OPENED_AGAIN: is_open(entry) and not was_open}
    return frozenset(change for change, is_so in told.items() if is_so)


def reopen_mended(session: Session, changed: Iterable[tuple[Seed | Need, Collection[EntryChange]]]) -> list[uuid.UUID]:
    """Put back the declined and dismissed pairs of changed entries whose reason is answered; their public ids.

    Only pairs that may be proposed now: an exclusion or a withdrawal since stands in the way. Each returns once: the
    next "no" is compared with what the entries are then.
    """
    session.flush()
    now: datetime.datetime = session.scalars(select(func.now())).one()
    told: dict[tuple[EntrySide, int], Collection[EntryChange]] = {
        ("seed" if isinstance(entry, Seed) else "need", entry.id): changes for entry, changes in changed
    }
    keys = {f"{side}s": [key for of, key in told if of == side] for side in ("seed", "need")}
    with acting_as_service(session):
        standing = session.execute(_STANDING, keys).all()
        found = [(row, since) for row in standing if (since := _since(row, told)) is not None]
        return [row.match for row, since in found if _put_back(session, row, since, now)]


def _put_back(session: Session, row: Row[Any], since: Since, now: datetime.datetime) -> bool:
    match = session.scalars(select(Match).where(Match.public_id == row.match)).one()
    # Whoever takes a step of it at this moment decides where it is: this waits for nobody, who may wait for the entry.
    held = hold_if_free(session, match)
    if held is None or held.status not in (MatchStatus.DECLINED, MatchStatus.DISMISSED):
        return False
    if not session.scalar(select(func.end_decline(row.decline))):
        return False
    match.reopened_since = {**since.stored(), "refused_by": row.refused_by}
    take_as_service(session, held, Step.REOPEN, now, Saying(ReasonCode(row.reason), facts=since.stored()))
    return True


def _since(row: Row[Any], told: Mapping[tuple[EntrySide, int], Collection[EntryChange]]) -> Since | None:
    then: dict[EntrySide, Any] = {"seed": row.seed_then, "need": row.need_then}
    now: dict[EntrySide, Any] = {"seed": row.seed_now, "need": row.need_now}
    heard: dict[EntrySide, Collection[EntryChange]] = {
        "seed": told.get(("seed", row.seed), ()),
        "need": told.get(("need", row.need), ()),
    }
    return mended(ReasonCode(row.reason), Side(row.refused_by), then, now, heard)


def is_open(entry: Seed | Need) -> bool:
    """Whether its owner takes proposals now."""
    return entry.open_for_interest and entry.status == EntryStatus.PUBLISHED


def _terms(entry: Seed | Need) -> tuple[Any, ...]:
    return (entry.detail.budget_yen, tuple(entry.cooperation)) if isinstance(entry, Need) else ()
