"""More seeds for a need than were proposed so far."""

import uuid
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.needs import owners_known, read_need
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Match
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.vocabulary import MatchStatus

MORE: Final = 10
"""So many further ones are looked for at a time."""
MOST: Final = 200
"""Beyond so many that nobody has decided on, the work is to decide."""


def find_more(session: Session, caller: Caller, matchmaking: Matchmaking, need_id: uuid.UUID) -> int:
    """Rank further seeds for a need and store them as suggestions; how many are new.

    Pairs that were decided on are not proposed again, so what is asked for are those that wait, and MORE.
    """
    need = read_need(session, caller, need_id)
    owner = caller.organisation_id if owners_known(session, caller, [need]) else None
    require(caller, Right.REVIEW_MATCH, relation_to(caller, need.cluster_id, owner))
    before = _suggested(session, need.id)
    proposals = matchmaking.for_need(session, caller, need, min(before + MORE, MOST))
    matchmaking.keep_for_need(session, caller, need, proposals)
    return _suggested(session, need.id) - before


def _suggested(session: Session, need_id: int) -> int:
    query = select(func.count()).where(Match.need_id == need_id, Match.status == MatchStatus.SUGGESTED)
    return session.scalar(query) or 0
