"""Seeds: read, register, revise, withdraw."""

import uuid

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.organisations import owner_of
from enmusubi.app.catalogue.rules import (
    NOT_COLUMNS,
    api_source,
    check_may_write,
    check_revisable,
    check_version,
    clusters_to_open,
    default_expiry,
    fill_life,
    refuse_hidden_draft,
    refuse_known,
    refuse_past,
    revised,
    search_text,
    stored,
    touch,
)
from enmusubi.app.embeddings import embed, forget
from enmusubi.app.errors import ForbiddenError, NotFoundError
from enmusubi.app.models import Seed, SeedOpening
from enmusubi.app.recording import record
from enmusubi.app.schemas import SeedDraft, seed_profile
from enmusubi.app.vocabulary import Action, EntryStatus, RecordedKind, Role
from enmusubi.matching.encoder import Encoder

COLUMNS = [name for name in SeedDraft.model_fields if name not in NOT_COLUMNS]


def read_seed(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> Seed:
    """The seed, if the caller may see it; NotFoundError otherwise."""
    query = (
        select(Seed)
        .where(Seed.public_id == public_id, visibility.seeds_visible_to(caller))
        .options(joinedload(Seed.organisation), selectinload(Seed.openings).joinedload(SeedOpening.cluster))
    )
    query = query.with_for_update(of=Seed) if lock else query
    seed = session.scalar(query.execution_options(populate_existing=True))
    if seed is None:
        raise NotFoundError("no such seed, or it is not open to you")
    return seed


def register_seed(session: Session, caller: Caller, draft: SeedDraft, encoder: Encoder) -> Seed:
    """Register a seed; the caller's own organisation owns it unless a coordinator names another."""
    if caller.role not in (Role.UNIVERSITY, Role.COORDINATOR):
        raise ForbiddenError("seeds are registered by universities and coordinators")
    owner = owner_of(session, caller, draft.organisation)
    refuse_hidden_draft(caller, draft.status, owner)
    refuse_past(draft.expires_on)
    seed = new_seed(caller.cluster_id, api_source(session, owner))
    fill_seed(seed, draft, owner)
    _open_seed(session, seed, draft.opened_to)
    refuse_known(session, Seed, seed)
    embed(seed, encoder)
    session.add(seed)
    session.flush()
    record(
        session,
        caller,
        Action.CREATED,
        RecordedKind.SEED,
        seed.public_id,
        version=seed.version,
        status=str(seed.status),
    )
    return seed


def revise_seed(
    session: Session, caller: Caller, public_id: uuid.UUID, version: int | None, changes: BaseModel, encoder: Encoder
) -> Seed:
    """Change the fields that `changes` sets; PreconditionFailedError where `version` is not the present one."""
    seed = read_seed(session, caller, public_id, lock=True)
    check_may_write(caller, seed, seed.organisation_id, Role.UNIVERSITY)
    check_revisable(seed, version)
    present = {name: getattr(seed, name) for name in COLUMNS} | {
        "status": seed.status,
        "expires_on": seed.expires_on,
        "organisation": seed.organisation.public_id if seed.organisation else None,
        "opened_to": [opening.cluster.public_id for opening in seed.openings],
    }
    draft = revised(SeedDraft, present, changes)
    owner = seed.organisation_id
    if "organisation" in changes.model_fields_set:
        owner = owner_of(session, caller, draft.organisation)
    if "expires_on" in changes.model_fields_set:
        refuse_past(draft.expires_on)
        seed.expires_on = default_expiry()  # where the change takes the day away
    refuse_hidden_draft(caller, draft.status, owner)
    fill_seed(seed, draft, owner)
    refuse_known(session, Seed, seed)
    _open_seed(session, seed, draft.opened_to)
    touch(seed)
    embed(seed, encoder)
    session.flush()
    record(
        *(session, caller, Action.REVISED, RecordedKind.SEED, seed.public_id),
        version=seed.version,
        status=str(seed.status),
        fields=sorted(changes.model_fields_set),
    )
    return seed


def withdraw_seed(session: Session, caller: Caller, public_id: uuid.UUID, version: int | None) -> Seed:
    """Withdraw a seed: it is kept, seen by its owner and coordinators, and never proposed again."""
    seed = read_seed(session, caller, public_id, lock=True)
    check_may_write(caller, seed, seed.organisation_id, Role.UNIVERSITY)
    check_version(seed, version)
    seed.status = EntryStatus.WITHDRAWN
    touch(seed)
    session.flush()
    record(session, caller, Action.WITHDRAWN, RecordedKind.SEED, seed.public_id, version=seed.version)
    return seed


def new_seed(cluster_id: int, source: str) -> Seed:
    """A seed with no content yet, not added to a session."""
    return Seed(
        cluster_id=cluster_id,
        source=source,
        expires_on=default_expiry(),
        technology_keywords=[],
        market_keywords=[],
        openings=[],
    )


def fill_seed(seed: Seed, draft: SeedDraft, owner_id: int | None) -> None:
    """Put the draft's values into the seed; the stored embedding is dropped where the matched text changes."""
    before = seed_profile(seed).matched_text()
    for name in COLUMNS:
        setattr(seed, name, stored(getattr(draft, name)))
    seed.organisation_id = owner_id
    fill_life(seed, draft)
    seed.search_text = search_text(seed, ("description", "advantages", "open_challenges", "expected_partner"))
    if before != draft.profile().matched_text():
        forget(seed)


def _open_seed(session: Session, seed: Seed, public_ids: list[uuid.UUID]) -> None:
    with session.no_autoflush:
        clusters = clusters_to_open(session, seed.cluster_id, public_ids)
        present = {opening.cluster_id: opening for opening in seed.openings}
        seed.openings = [
            present.get(cluster.id) or SeedOpening(cluster_id=cluster.id, cluster=cluster) for cluster in clusters
        ]
