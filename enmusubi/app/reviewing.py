"""Stored matches: list, read, review."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Select, select, true, tuple_
from sqlalchemy.orm import Session, selectinload

from enmusubi.app import match_filters, visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, listed, newest, page, read_cursor
from enmusubi.app.errors import ForbiddenError, InvalidInputError, NotFoundError
from enmusubi.app.match_filters import MatchFilters
from enmusubi.app.models import Match, Need, Review, Seed
from enmusubi.app.permissions import Relation, Right, relation_to, require
from enmusubi.app.recording import record
from enmusubi.app.schemas import ReviewDraft
from enmusubi.app.stepping.taking import Saying, check_version, hold, take
from enmusubi.app.vocabulary import Action, RecordedKind, Step, Verdict


def _with_sides(matches: Select[Match], caller: Caller) -> Select[Match]:
    """Matches with both sides, and with the reviews for those who oversee a cluster.

    These are read afterwards: joined, all of a cluster would be put together before a page of it is cut off.
    """
    read = [
        selectinload(Match.need).joinedload(Need.organisation),
        selectinload(Match.seed).joinedload(Seed.organisation),
        *((selectinload(Match.reviews),) if caller.oversees else ()),
    ]
    return matches.options(*read)


def read_match(session: Session, caller: Caller, public_id: uuid.UUID) -> Match:
    """The match with its two sides and reviews, if the caller may see it; NotFoundError otherwise."""
    query = select(Match).where(Match.public_id == public_id, visibility.matches_visible_to(caller))
    match = session.scalar(_with_sides(query, caller).execution_options(populate_existing=True))
    if match is None:
        raise NotFoundError("no such match, or it is not open to you")
    return match


class MatchListQuery(MatchFilters):
    """Filters of stored matches, and their order."""

    order: Literal["newest", "need"] = Field(
        default="newest",
        description="`need`: need by need, the one that was entered last first, and of each the best match first; for "
        "those who oversee the cluster",
    )


def list_matches(session: Session, caller: Caller, query: MatchListQuery, today: datetime.date) -> Listed:
    """A page of the stored matches that the caller may see, newest first or need by need.

    Raises ForbiddenError where what is asked for would tell scores to one who does not oversee a cluster.
    """
    conditions = (visibility.matches_visible_to(caller), *match_filters.chosen(session, caller, query, today))
    if not caller.oversees:
        return _own(session, caller, conditions, query)
    matches = _with_sides(select(Match).where(*conditions), caller)
    if caller.organisation_id is None:
        # Said once more of the match itself: the indexes of lists have the cluster first.
        matches = matches.where(Match.cluster_id == caller.cluster_id)
    if query.order == "need":
        return _by_need(session, caller, matches, query)
    return page(session, matches, Match, query)


def _own(
    session: Session, caller: Caller, conditions: Sequence[ColumnElement[bool]], query: MatchListQuery
) -> Listed:  # fmt: skip
    """A page of the matches of a side: put into their order first, and then looked at until the page is full.

    All of a university's are many, and of each it would have to be asked whether the other side is seen.
    """
    if query.order == "need":
        raise ForbiddenError("order=need is for those who oversee a cluster: an order by score tells of scores")
    own = visibility.own_matches()
    seen = select(true()).where(Match.id == own.c.id, *conditions).correlate(own).scalar_subquery()
    keys = newest(select(own.c.id).where(seen), own.c, query)
    matches = select(Match).where(Match.id == visibility.any_of(keys))
    ordered = matches.order_by(Match.created.desc(), Match.public_id.desc())
    return listed(session.scalars(_with_sides(ordered, caller)).all(), query)


def _by_need(session: Session, caller: Caller, matches: Select[Match], query: MatchListQuery) -> Listed:
    """Need by need. The cursor names the last match that was seen: no score goes out with it, and no key."""
    place = (Match.need_id, Match.score, Match.public_id)
    matches = matches.where(Match.cluster_id == caller.cluster_id)
    if query.cursor is not None:
        seen = visibility.matches_visible_to(caller)
        named = select(*place).where(Match.public_id == read_cursor(query.cursor)[1], seen)
        last = session.execute(named).one_or_none()
        if last is None:
            raise InvalidInputError("cursor: not one that a page of this list gave; start without it")
        matches = matches.where(tuple_(*place) < tuple_(*last))
    rows = session.scalars(matches.order_by(*(each.desc() for each in place)).limit(query.limit + 1)).all()
    return listed(rows, query)


def review(
    session: Session,
    caller: Caller,
    public_id: uuid.UUID,
    draft: ReviewDraft,
    version: int | None,
    now: datetime.datetime,
) -> Review:
    """Take a coordinator's verdict; a pair with a verdict is no longer proposed."""
    match = read_match(session, caller, public_id)
    # Who sees a match without overseeing a cluster has a side in it.
    relation = relation_to(caller, match.cluster_id, None) if caller.oversees else Relation.OWN
    require(caller, Right.REVIEW_MATCH, relation)
    held = hold(session, match)
    check_version(session, caller, match, version)
    step = Step.SHORTLIST if draft.verdict is Verdict.SHORTLIST else Step.DISMISS
    take(session, caller, held, step, now, Saying(draft.reason, draft.note))
    verdict = Review(
        match_id=match.id, account_id=caller.id, verdict=draft.verdict, reason=draft.reason, note=draft.note,
        created=now,
    )  # fmt: skip
    session.add(verdict)
    session.flush()
    record(
        *(session, caller, Action.REVIEWED, RecordedKind.MATCH, match.public_id),
        version=match.version,
        verdict=str(draft.verdict),
        reason=str(draft.reason) if draft.reason else None,
        status=str(match.status),
    )
    return verdict
