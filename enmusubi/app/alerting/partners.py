"""What has been published is matched against the open entries of the other side; nobody has to ask."""

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Select, and_, delete, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.alerting import sending
from enmusubi.app.alerting.readers import Reader, any_coordinator, readers
from enmusubi.app.alerting.searching import search_for
from enmusubi.app.alerting.sending import Found
from enmusubi.app.caller import Caller, acting_as, acting_as_service
from enmusubi.app.config import Settings
from enmusubi.app.embeddings import Kind, analysis
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Match, Need, NeedOpening, Seed, SeedOpening, ToMatch
from enmusubi.app.proposals import Proposals
from enmusubi.app.recording import Service
from enmusubi.app.vocabulary import Role

logger = logging.getLogger(__name__)

AT_ONCE: Final = 50
"""Entries in one transaction: a large import is matched bit by bit, and alerts of one bit are told together."""
PROPOSED: Final = 10
"""As many partners of a new entry as a list shows at first."""
_CONSIDERED: Final = 20
"""So many needs are asked whether a new seed is among their best."""
_TRIES: Final = 5


def match_new(session: Session, matchmaking: Matchmaking, settings: Settings, now: datetime.datetime) -> int:
    """Match what waits and is ready for it, run the saved searches over it, and tell who wants to know.

    Returns how many entries that were. What has no up-to-date vector waits for it.
    """
    waiting = _waiting(session, matchmaking)
    everybody = readers(session, searching=False) if waiting else []
    found: set[Found] = set()
    done: list[int] = []
    for row, entry in waiting:
        try:
            with session.begin_nested():
                found.update(_partners(session, matchmaking, entry, everybody))
        except OperationalError:
            raise
        except Exception as error:
            # Its message may quote a text. The entry makes room for others, and is tried again.
            logger.error("an entry could not be matched (%s)", type(error).__name__)  # noqa: TRY400
            _put_off(session, row)
        else:
            done.append(row.id)
    if waiting:
        sending.tell_of_matches(session, found, everybody, settings, now)
        entries = [entry for row, entry in waiting if row.id in done]
        search_for(session, matchmaking, entries, settings, now)
        with acting_as_service(session):
            session.execute(delete(ToMatch).where(ToMatch.id.in_(done)))
    return len(done)


def _waiting(session: Session, matchmaking: Matchmaking) -> list[tuple[ToMatch, Seed | Need]]:
    """The next entries that are open and ready; those that are not open any more are forgotten."""
    chosen: list[tuple[ToMatch, Seed | Need]] = []
    with acting_as_service(session):
        for kind, column in ((Seed, ToMatch.seed_id), (Need, ToMatch.need_id)):
            closed = select(kind.id).where(~visibility.open_for_matching(kind))
            session.execute(delete(ToMatch).where(column.in_(closed)), execution_options={"synchronize_session": False})
            ready = and_(
                kind.embedding.is_not(None),
                kind.embedding_encoder == matchmaking.encoder.fingerprint,
                kind.terms_analysis == analysis(),
            )
            query = select(ToMatch, kind).join(kind, column == kind.id).where(ready, ToMatch.tries < _TRIES)
            query = query.order_by(ToMatch.tries, ToMatch.id).limit(AT_ONCE - len(chosen))
            for row, entry in session.execute(query.with_for_update(of=ToMatch, skip_locked=True)):
                assert isinstance(entry, Seed | Need)
                chosen.append((row, entry))
    return chosen


def _put_off(session: Session, row: ToMatch) -> None:
    with acting_as_service(session):
        session.execute(update(ToMatch).where(ToMatch.id == row.id).values(tries=ToMatch.tries + 1))


def _partners(
    session: Session, matchmaking: Matchmaking, entry: Seed | Need, everybody: Sequence[Reader]
) -> list[Found]:
    found: list[Found] = []
    if isinstance(entry, Need):
        for caller in _who_asks(session, entry, everybody):
            with acting_as(session, caller):
                ranked = matchmaking.for_need(session, caller, entry, PROPOSED)
                found += _kept(session, matchmaking, caller, entry, _above(ranked, matchmaking.floor), Need)
        return found
    for cluster_id in _clusters_of(session, entry):
        caller = any_coordinator(cluster_id)
        with acting_as(session, caller):
            # A need's own ranking says whether the seed is among its best: the seed's ranking only says whom to ask.
            candidates = matchmaking.for_seed(session, caller, entry, _CONSIDERED, misses=True)
            keys = [each.ranked.key for each in candidates.found]
            needs = session.scalars(select(Need).where(Need.id.in_(keys)).order_by(Need.id)).all()
            for need in needs:
                ranked = _above(matchmaking.for_need(session, caller, need, PROPOSED), matchmaking.floor)
                ours = replace(ranked, found=[each for each in ranked.found if each.ranked.key == entry.id])
                found += _kept(session, matchmaking, caller, need, ours, Seed)
    return found


def _who_asks(session: Session, need: Need, everybody: Sequence[Reader]) -> list[Caller]:
    """Coordinators of its cluster; and where it is opened to others, one account of each university there.

    What these see of it nobody else does: their own seeds, which need not be opened to the need's cluster.
    """
    with acting_as_service(session):
        opened = set(session.scalars(_opened_to(need)).all())
    others: dict[int | None, Caller] = {}
    for reader in everybody:
        if reader.caller.role is Role.UNIVERSITY and reader.caller.cluster_id in opened:
            others.setdefault(reader.caller.organisation_id, reader.caller)
    return [any_coordinator(need.cluster_id), *others.values()]


def _clusters_of(session: Session, seed: Seed) -> list[int]:
    with acting_as_service(session):
        return [seed.cluster_id, *session.scalars(_opened_to(seed)).all()]


def _opened_to(entry: Seed | Need) -> Select[int]:
    if isinstance(entry, Seed):
        return select(SeedOpening.cluster_id).where(SeedOpening.seed_id == entry.id).order_by(SeedOpening.cluster_id)
    return select(NeedOpening.cluster_id).where(NeedOpening.need_id == entry.id).order_by(NeedOpening.cluster_id)


def _above(proposals: Proposals, floor: float) -> Proposals:
    found = [each for each in proposals.found if each.probability.value >= floor]
    return replace(proposals, found=[] if proposals.misses else found)


def _kept(
    session: Session, matchmaking: Matchmaking, caller: Caller, need: Need, proposals: Proposals, new: Kind
) -> list[Found]:
    by = Service(need.cluster_id)
    kept: Mapping[int, Match] = matchmaking.keep_for_need(session, caller, need, proposals, by=by)
    return [Found(match.id, new) for match in kept.values()]
