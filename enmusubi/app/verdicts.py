"""What a match's two sides learn of the verdicts on it: nothing, until one of them is asked for an introduction."""

from typing import Final

from sqlalchemy import ColumnElement, and_, false, or_

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.permissions import Relation, Right, may
from enmusubi.app.vocabulary import MatchStatus

UNTOLD: Final = frozenset({MatchStatus.SHORTLISTED, MatchStatus.DISMISSED})
"""What a verdict alone has made of a match; to its sides it looks as it did before."""

_BEFORE: Final = MatchStatus.SUGGESTED


def may_read_reviews(caller: Caller, match: Match) -> bool:
    """Whether the caller may read the verdicts on a match that he sees, and what they have made of it."""
    return match.cluster_id == caller.cluster_id and _reads_reviews_here(caller)


def seen_status(match: Match, caller: Caller) -> MatchStatus:
    """The status of a match as the caller may see it."""
    status = MatchStatus(match.status)
    return _BEFORE if status in UNTOLD and not may_read_reviews(caller, match) else status


def seen_as(caller: Caller, status: MatchStatus) -> ColumnElement[bool]:
    """Matches that look to the caller as if they had that status. Goes with Match."""
    told = Match.cluster_id == caller.cluster_id if _reads_reviews_here(caller) else false()
    looks_so = UNTOLD | {_BEFORE} if status is _BEFORE else {status} - UNTOLD
    return or_(and_(told, Match.status == status), and_(~told, Match.status.in_(sorted(looks_so))))


def _reads_reviews_here(caller: Caller) -> bool:
    return may(caller, Right.READ_REVIEWS, Relation.HERE)
