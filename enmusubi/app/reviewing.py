"""Stored matches: list, read, review."""

import uuid

from pydantic import Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.errors import ConflictError, NotFoundError, PreconditionFailedError
from enmusubi.app.models import Match, Need, Review, Seed
from enmusubi.app.permissions import Relation, Right, relation_to, require
from enmusubi.app.recording import record
from enmusubi.app.refusals import back, reopening
from enmusubi.app.schemas import ReviewDraft
from enmusubi.app.verdicts import seen_as
from enmusubi.app.vocabulary import Action, MatchStatus, RecordedKind, Side, Verdict


def _matches(caller: Caller) -> Select[Match]:
    """The matches that the caller may see, with both sides and the reviews."""
    return (
        select(Match)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(visibility.pairs_visible_to(caller))
        .options(
            contains_eager(Match.need).joinedload(Need.organisation),
            contains_eager(Match.seed).joinedload(Seed.organisation),
            selectinload(Match.reviews),
        )
    )


def read_match(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> Match:
    """The match with its two sides and reviews, if the caller may see it; NotFoundError otherwise."""
    query = _matches(caller).where(Match.public_id == public_id)
    query = query.with_for_update(of=Match) if lock else query
    match = session.scalar(query.execution_options(populate_existing=True))
    if match is None:
        raise NotFoundError("no such match, or it is not open to you")
    return match


class MatchListQuery(PageQuery):
    """Filters of stored matches; all given ones must hold."""

    status: MatchStatus | None = None
    need: uuid.UUID | None = None
    seed: uuid.UUID | None = None
    reopened: bool | None = Field(
        default=None,
        description="Whether it was turned down and is back, since what it was turned down for changed",
    )


def list_matches(session: Session, caller: Caller, query: MatchListQuery) -> Listed:
    """A page of the stored matches that the caller may see, newest first."""
    chosen = _matches(caller)
    if query.status is not None:
        chosen = chosen.where(seen_as(caller, query.status))
    if query.need is not None:
        chosen = chosen.where(Need.public_id == query.need)
    if query.seed is not None:
        chosen = chosen.where(Seed.public_id == query.seed)
    if query.reopened is not None:
        chosen = chosen.where(back.told_to(caller) if query.reopened else ~back.told_to(caller))
    return page(session, chosen, Match, query)


def review(session: Session, caller: Caller, public_id: uuid.UUID, draft: ReviewDraft, version: int | None) -> Review:
    """Take a coordinator's verdict; a pair with a verdict is no longer proposed."""
    match = read_match(session, caller, public_id)
    # Who sees a match without overseeing a cluster has a side in it.
    relation = relation_to(caller, match.cluster_id, None) if caller.oversees else Relation.OWN
    require(caller, Right.REVIEW_MATCH, relation)
    match = read_match(session, caller, public_id, lock=True)
    if version is not None and match.version != version:
        raise PreconditionFailedError(
            "somebody reviewed it after you read it; read it again", present=f'"{match.version}"'
        )
    if match.status not in (MatchStatus.SUGGESTED, MatchStatus.SHORTLISTED, MatchStatus.DISMISSED):
        raise ConflictError(f"the match is {match.status}; a verdict is given before the introduction")
    match.status = MatchStatus.SHORTLISTED if draft.verdict is Verdict.SHORTLIST else MatchStatus.DISMISSED
    verdict = Review(
        match_id=match.id, account_id=caller.id, verdict=draft.verdict, reason=draft.reason, note=draft.note
    )
    session.add(verdict)
    session.flush()
    if draft.reason is not None and draft.verdict is Verdict.DISMISS:
        reopening.note(session, match.id, Side.CLUSTER, draft.reason)
    record(
        *(session, caller, Action.REVIEWED, RecordedKind.MATCH, match.public_id),
        version=match.version,
        verdict=str(draft.verdict),
        reason=str(draft.reason) if draft.reason else None,
        status=str(match.status),
    )
    return verdict
