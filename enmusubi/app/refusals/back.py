"""Pairs that were turned down and are back: who is told so."""

from sqlalchemy import ColumnElement, and_, false, or_

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.permissions import Relation, Right, may
from enmusubi.app.vocabulary import Side


def told_to(caller: Caller) -> ColumnElement[bool]:
    """Matches that the caller may know to be back: the sides learn nothing of verdicts. Goes with Match."""
    since = Match.reopened_since["refused_by"].astext
    here = Match.cluster_id == caller.cluster_id if _reads_verdicts(caller) else false()
    return and_(
        Match.reopened.is_not(None),
        or_(since != Side.CLUSTER, here),
    )


def is_told(caller: Caller, match: Match) -> bool:
    """Whether the caller, who sees the match, may know that it is back."""
    if match.reopened_since is None:
        return False
    if match.reopened_since["refused_by"] != Side.CLUSTER:
        return True
    return match.cluster_id == caller.cluster_id and _reads_verdicts(caller)


def _reads_verdicts(caller: Caller) -> bool:
    return may(caller, Right.READ_REVIEWS, Relation.HERE)
