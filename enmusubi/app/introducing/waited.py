"""Who is waited for in the matches of several entries at once, for lists."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.models import Match, Need, Seed, Wait
from enmusubi.app.vocabulary import Side


@dataclass(frozen=True, slots=True)
class Waited:
    """So many steps that one side is waited for in an entry's matches, and when the first of them is due."""

    side: Side
    steps: int
    due_on: datetime.date
    overdue: bool


def waited_of(
    session: Session, caller: Caller, entries: Sequence[Seed | Need], today: datetime.date
) -> Mapping[int, Sequence[Waited]]:
    """By the entry's key, for each side that is waited for; the entries are all of one kind."""
    if not entries:
        return {}
    of_entry = Match.need_id if isinstance(entries[0], Need) else Match.seed_id
    query = (
        select(of_entry, Wait.side, func.count(), func.min(Wait.due_on))
        .join(Match, Wait.match_id == Match.id)
        .where(
            of_entry.in_([entry.id for entry in entries]),
            Wait.ended.is_(None),
            visibility.matches_visible_to(caller),
            visibility.waits_visible_to(caller),
        )
        .group_by(of_entry, Wait.side)
        .order_by(func.min(Wait.due_on), Wait.side)
    )
    found: dict[int, list[Waited]] = {}
    for key, side, steps, due_on in session.execute(query):
        found.setdefault(key, []).append(Waited(Side(side), steps, due_on, due_on < today))
    return found
