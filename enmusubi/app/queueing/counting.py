"""How many matches the queue holds in each state, as far as people count."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.queueing.choosing import chosen, in_states
from enmusubi.app.queueing.drafts import QueueFilters
from enmusubi.app.vocabulary import MatchStatus

MOST: Final = 300
"""Counting ends here: whoever has more to do has enough to do."""
_OVERDUE: Final = "overdue"


@dataclass(frozen=True, slots=True)
class Counts:
    """Matches by state, and those of which somebody is waited for too long; MOST says as many or more."""

    states: Mapping[MatchStatus, int]
    overdue: int


def count_queue(session: Session, caller: Caller, filters: QueueFilters, today: datetime.date) -> Counts:
    """The counts under these filters, but for that of the state; the overdue in whatever state."""
    rules = chosen(caller, filters, today)
    of_state = [
        select(Match.id).where(in_states([state]), *rules).limit(MOST).subquery(f"of_{state}") for state in MatchStatus
    ]
    late = filters.model_copy(update={"overdue": True})
    overdue = select(Match.id).where(*chosen(caller, late, today)).limit(MOST).subquery("late")
    named = [*((str(state), found) for state, found in zip(MatchStatus, of_state, strict=True)), (_OVERDUE, overdue)]
    counted = union_all(*(select(literal(name), func.count()).select_from(found) for name, found in named))
    numbers: dict[str, int] = {row[0]: row[1] for row in session.execute(counted)}
    return Counts({state: numbers[state] for state in MatchStatus}, numbers[_OVERDUE])
