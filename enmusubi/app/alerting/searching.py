"""Saved searches over what has been published, each on behalf of its own person."""

import datetime
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enmusubi.app.alerting.readers import readers
from enmusubi.app.alerting.searches import kind_of, run_search
from enmusubi.app.alerting.sending import Wanted, tell
from enmusubi.app.caller import Caller, acting_as
from enmusubi.app.config import Settings
from enmusubi.app.embeddings import Kind
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Need, SavedSearch, Seed
from enmusubi.app.proposals import Proposal
from enmusubi.app.stored_parts import seen_probability
from enmusubi.app.vocabulary import AlertFrequency

SEARCHED: Final = 20
"""What is new has to be among so many best."""


def search_for(
    session: Session,
    matchmaking: Matchmaking,
    entries: Sequence[Seed | Need],
    settings: Settings,
    now: datetime.datetime,
) -> None:
    """Run every saved search that is on, and tell its person which of the new entries are among its best.

    Their texts are read, and encoded, one person at a time, as that person: they are nobody else's, and no vector of
    them is kept.
    """
    new: dict[Kind, set[int]] = {
        kind: {entry.id for entry in entries if isinstance(entry, kind)} for kind in (Seed, Need)
    }
    if not entries:
        return
    for reader in readers(session, searching=True):
        told: dict[AlertFrequency, list[Wanted]] = {AlertFrequency.AT_ONCE: [], AlertFrequency.DAILY: []}
        with acting_as(session, reader.caller):
            for search in session.scalars(_active(reader.caller)).all():
                if keys := new[kind_of(search)]:
                    told[AlertFrequency(search.frequency)] += _found(session, reader.caller, search, matchmaking, keys)
                    _note_run(session, search, now)
        for frequency, wanted in told.items():
            at_once = frequency is AlertFrequency.AT_ONCE
            tell(session, reader.caller, wanted, settings, now, at_once=at_once)


def _active(caller: Caller) -> Any:
    own = select(SavedSearch).where(SavedSearch.account_id == caller.id)
    return own.where(SavedSearch.frequency != AlertFrequency.NEVER).order_by(SavedSearch.id)


def _found(
    session: Session, caller: Caller, search: SavedSearch, matchmaking: Matchmaking, new: Collection[int]
) -> list[Wanted]:
    floor = max(matchmaking.floor, search.floor or 0.0)
    proposals = run_search(session, caller, search, matchmaking, SEARCHED)
    keys = [each.ranked.key for each in proposals.found if each.ranked.key in new and _is_above(caller, each, floor)]
    column = "seed_id" if kind_of(search) is Seed else "need_id"
    return [Wanted(saved_search_id=search.id, **{column: key}) for key in keys]


def _is_above(caller: Caller, proposal: Proposal, floor: float) -> bool:
    # As it is shown to its reader: a floor of one's own is no way to learn it more exactly.
    return seen_probability(proposal.probability, caller).value >= floor


def _note_run(session: Session, search: SavedSearch, now: datetime.datetime) -> None:
    # Not as a new version: its person has changed nothing.
    noted = update(SavedSearch).where(SavedSearch.id == search.id).values(last_run=now)
    session.execute(noted, execution_options={"synchronize_session": False})
