"""A coordinator pairs a need and a seed by hand, whatever the ranking says of them."""

import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.needs import owners_known, read_need
from enmusubi.app.catalogue.seeds import read_seed
from enmusubi.app.errors import ConflictError
from enmusubi.app.introducing.drafts import PairDraft
from enmusubi.app.introducing.steps import refuse_closed_entries
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Match, MatchStep, Need, Seed
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.reviewing import read_match
from enmusubi.app.stepping.machine import RULES
from enmusubi.app.stepping.taking import Saying, hold, take
from enmusubi.app.vocabulary import Step


def pair(
    session: Session, caller: Caller, matchmaking: Matchmaking, draft: PairDraft, now: datetime.datetime
) -> MatchStep:
    """Shortlist a pair: a stored match of it, or a new one with the score that the ranking gives it.

    Raises NotFoundError for an entry that the caller does not see, ConflictError where one is not open, where the
    seed's organisation is the need's own or excluded by it, and where the pair is under way already.
    """
    need = read_need(session, caller, draft.need)
    seed = read_seed(session, caller, draft.seed)
    owner = caller.organisation_id if owners_known(session, caller, [need]) else None
    require(caller, Right.PAIR, relation_to(caller, need.cluster_id, owner))
    stored = _stored(session, need, seed) or _new(session, caller, matchmaking, need, seed)
    match = read_match(session, caller, stored.public_id)
    held = hold(session, match)
    if held.status in RULES[Step.PAIR].before:
        refuse_closed_entries(session, match)
    return take(session, caller, held, Step.PAIR, now, Saying(note=draft.note))


def _stored(session: Session, need: Need, seed: Seed) -> Match | None:
    return session.scalar(select(Match).where(Match.need_id == need.id, Match.seed_id == seed.id))


def _new(session: Session, caller: Caller, matchmaking: Matchmaking, need: Need, seed: Seed) -> Match:
    proposals = matchmaking.for_pair(session, caller, need, seed)
    if not proposals.any_open:
        raise ConflictError(
            "the pair cannot be matched: one of the two is not open, or they are of one owner, or the need excludes "
            "the seed's organisation",
            legal_steps=[],
        )
    if not proposals.found:
        raise ConflictError("the pair is not ready to be matched yet; try again when it is indexed", legal_steps=[])
    return matchmaking.keep_for_need(session, caller, need, proposals)[seed.id]
