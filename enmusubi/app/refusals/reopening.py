"""Keep what a "no" was said for, and put the pair back into the queue when that has changed."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Row, Text, Uuid, bindparam, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.models import Need, Seed
from enmusubi.app.recording import Actor, record_all
from enmusubi.app.refusals.mending import EntrySide, Since, mended
from enmusubi.app.vocabulary import Action, EntryChange, EntryStatus, ReasonCode, RecordedKind, Side

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
    return Before(_is_open(entry), _terms(entry))


def changes_since(earlier: Before, entry: Seed | Need, *, by_owner: bool) -> frozenset[EntryChange]:
    """What a revision has told: that its owner is heard of, that it is open again, that its terms are others."""
    told = {
        EntryChange.HEARD_AGAIN: by_owner,
        EntryChange.OPENED_AGAIN: _is_open(entry) and not earlier.open,
        EntryChange.TERMS_CHANGED: _terms(entry) != earlier.terms,
    }
    return frozenset(change for change, is_so in told.items() if is_so)


def note(session: Session, match_id: int, refused_by: Side, reason: ReasonCode) -> None:
    """Keep a "no" with what both entries are now, in the transaction that says it; it takes the place of an earlier."""
    session.flush()
    with acting_as_service(session):
        session.execute(select(func.note_decline(match_id, str(refused_by), str(reason))))


def reopen_mended(
    session: Session, by: Actor, changed: Iterable[tuple[Seed | Need, Collection[EntryChange]]]
) -> list[uuid.UUID]:
    """Put back the declined and dismissed pairs of changed entries whose reason is answered; their public ids.

    Only pairs that may be proposed now: an exclusion or a withdrawal since stands in the way. Each returns once: the
    next "no" is compared with what the entries are then.
    """
    session.flush()
    told: dict[tuple[EntrySide, int], Collection[EntryChange]] = {
        ("seed" if isinstance(entry, Seed) else "need", entry.id): changes for entry, changes in changed
    }
    keys = {f"{side}s": [key for of, key in told if of == side] for side in ("seed", "need")}
    done: list[tuple[uuid.UUID, Mapping[str, Any]]] = []
    with acting_as_service(session):
        for row in session.execute(_STANDING, keys).all():
            since = _since(row, told)
            if since is not None and session.scalar(select(func.put_back(row.decline, literal(since.stored(), JSONB)))):
                done.append((row.match, {"reason": row.reason, "change": str(since.change), "entry": since.entry}))
    record_all(session, by, Action.REOPENED, RecordedKind.MATCH, done)
    return [public_id for public_id, _ in done]


def _since(row: Row[Any], told: Mapping[tuple[EntrySide, int], Collection[EntryChange]]) -> Since | None:
    then: dict[EntrySide, Any] = {"seed": row.seed_then, "need": row.need_then}
    now: dict[EntrySide, Any] = {"seed": row.seed_now, "need": row.need_now}
    heard: dict[EntrySide, Collection[EntryChange]] = {
        "seed": told.get(("seed", row.seed), ()),
        "need": told.get(("need", row.need), ()),
    }
    return mended(ReasonCode(row.reason), Side(row.refused_by), then, now, heard)


def _is_open(entry: Seed | Need) -> bool:
    return entry.open_for_interest and entry.status == EntryStatus.PUBLISHED


def _terms(entry: Seed | Need) -> tuple[Any, ...]:
    return (entry.detail.budget_yen, tuple(entry.cooperation)) if isinstance(entry, Need) else ()
