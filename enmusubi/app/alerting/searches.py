"""Saved searches: kept by one person for that person alone, and run over what is open to it."""

import uuid
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from enmusubi.app.alerting.drafts import SavedSearchDraft, SavedSearchRevision
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, any_starts_with, holds, page
from enmusubi.app.catalogue.rules import revised
from enmusubi.app.embeddings import Kind
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, PreconditionFailedError, Sentence
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Need, SavedSearch, Seed
from enmusubi.app.proposals import Proposals
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, RecordedKind, Role

MOST: Final = 50
"""Saved searches of one person: each is run for whatever is published."""
_FIELDS: Final = tuple(SavedSearchDraft.model_fields)


def list_searches(session: Session, caller: Caller, query: PageQuery) -> Listed:
    """A page of the caller's saved searches, newest first."""
    return page(session, select(SavedSearch).where(SavedSearch.account_id == caller.id), SavedSearch, query)


def read_search(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> SavedSearch:
    """A saved search of the caller's; NotFoundError for everybody else's."""
    query = select(SavedSearch).where(SavedSearch.account_id == caller.id, SavedSearch.public_id == public_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFoundError("no such saved search of yours")
    return found


def save_search(session: Session, caller: Caller, draft: SavedSearchDraft) -> SavedSearch:
    """Keep a search; ConflictError where the caller has too many."""
    if caller.role is Role.COMPANY and draft.against == "needs":
        raise InvalidInputError("against: a company sees no needs of others; search seeds")
    count = select(func.count()).select_from(SavedSearch).where(SavedSearch.account_id == caller.id)
    if (session.scalar(count) or 0) >= MOST:
        raise ConflictError(Sentence("you have %(most)s saved searches already; remove one first", most=MOST))
    search = SavedSearch(account_id=caller.id, **draft.model_dump())
    session.add(search)
    session.flush()
    _record(session, caller, Action.CREATED, search)
    return search


def revise_search(
    session: Session, caller: Caller, public_id: uuid.UUID, version: int | None, changes: SavedSearchRevision
) -> SavedSearch:
    """Change the fields that `changes` sets; PreconditionFailedError where `version` is not the present one."""
    search = read_search(session, caller, public_id, lock=True)
    _check_version(search, version)
    draft = revised(SavedSearchDraft, {name: getattr(search, name) for name in _FIELDS}, changes)
    for name in _FIELDS:
        setattr(search, name, getattr(draft, name))
    session.flush()
    _record(session, caller, Action.REVISED, search, fields=sorted(changes.model_fields_set))
    return search


def remove_search(session: Session, caller: Caller, public_id: uuid.UUID, version: int | None) -> None:
    """Remove a saved search with its alerts; nothing of its text is kept."""
    search = read_search(session, caller, public_id, lock=True)
    _check_version(search, version)
    _record(session, caller, Action.REMOVED, search)
    session.delete(search)
    session.flush()


def run_search(
    session: Session, caller: Caller, search: SavedSearch, matchmaking: Matchmaking, limit: int, *, misses: bool = False
) -> Proposals:
    """Rank what is open to the caller now; its text is encoded for this time alone."""
    kind = kind_of(search)
    where = chosen_by(search)
    return matchmaking.for_text(session, caller, search.text, kind, limit, misses=misses, where=where)


def kind_of(search: SavedSearch) -> Kind:
    """What it searches."""
    return Seed if search.against == "seeds" else Need


def chosen_by(search: SavedSearch) -> ColumnElement[bool]:
    """The entries that its filters let through. Goes with the kind that it searches."""
    kind = kind_of(search)
    level = Seed.trl if kind is Seed else Need.wanted_trl
    conditions: list[ColumnElement[bool]] = [true()]
    if search.field is not None:
        conditions.append(any_starts_with(kind.field_codes, search.field))
    if search.language is not None:
        conditions.append(kind.language == search.language)
    if search.region is not None:
        conditions.append(holds(kind.regions, search.region))
    if search.trl_min is not None:
        conditions.append(level >= search.trl_min)
    if search.trl_max is not None:
        conditions.append(level <= search.trl_max)
    return and_(*conditions)


def _check_version(search: SavedSearch, version: int | None) -> None:
    if version is not None and search.version != version:
        raise PreconditionFailedError(
            "it was changed after you read it; read it again and repeat your change", present=f'"{search.version}"'
        )


def _record(session: Session, caller: Caller, action: Action, search: SavedSearch, **content: Any) -> None:
    # That there is one, and which fields were changed: what is looked for is in no event.
    record(session, caller, action, RecordedKind.SAVED_SEARCH, search.public_id, version=search.version, **content)
