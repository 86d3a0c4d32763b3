"""Seeds: read, register, revise, withdraw."""

import datetime
import uuid
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import introduced, lifecycle, origins, publishing
from enmusubi.app.catalogue.organisations import owner_of
from enmusubi.app.catalogue.rules import (
    NOT_COLUMNS,
    FromFile,
    api_source,
    asked_status,
    check_revisable,
    check_version,
    clusters_to_open,
    default_expiry,
    fill_life,
    keep_until,
    moved_source,
    refuse_hidden_draft,
    refuse_known,
    refuse_other_id,
    refuse_past,
    revised,
    search_text,
    status_to_show,
    stored,
    touch,
)
from enmusubi.app.embeddings import embed, forget
from enmusubi.app.errors import NotFoundError
from enmusubi.app.models import Seed, SeedDetail, SeedOpening
from enmusubi.app.permissions import Relation, Right, may, relation_to, require
from enmusubi.app.recording import record
from enmusubi.app.refusals import reopening
from enmusubi.app.refusals.digesting import Cause, causes
from enmusubi.app.schemas import SeedDraft, seed_profile
from enmusubi.app.vocabulary import Action, EntryStatus, EntryStep, RecordedKind
from enmusubi.matching.encoder import Encoder

CONFIDENTIAL = ("unpublished", "filing_expected_on")
COLUMNS = [name for name in SeedDraft.model_fields if name not in NOT_COLUMNS and name not in CONFIDENTIAL]


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


def view_detail(session: Session, caller: Caller, seed: Seed) -> SeedDetail | None:
    """The unpublished part, if there is one and the caller may read it; that it was looked at is recorded."""
    detail = posted_detail(session, caller, seed)
    if detail is not None:
        record(session, caller, Action.VIEWED, RecordedKind.SEED, seed.public_id, version=seed.version, through="seed")
    return detail


def posted_detail(session: Session, caller: Caller, seed: Seed) -> SeedDetail | None:
    """The unpublished part that the caller has just registered: its own words, so no view."""
    query = (
        select(SeedDetail)
        .join(Seed, SeedDetail.seed_id == Seed.id)
        .where(Seed.id == seed.id, visibility.seed_details_visible_to(caller))
    )
    return session.scalar(query.execution_options(populate_existing=True))


def register_seed(
    session: Session,
    caller: Caller,
    draft: SeedDraft,
    encoder: Encoder,
    today: datetime.date,
    file: FromFile | None = None,
) -> Seed:
    """Register a seed; the caller's own organisation owns it unless a coordinator names another."""
    require(caller, Right.REGISTER_SEED, Relation.OWN)
    owner = owner_of(session, caller, draft.organisation)
    refuse_hidden_draft(caller, draft.status, owner)
    refuse_past(draft.expires_on)
    seed = new_seed(caller.cluster_id, api_source(session, owner) if file is None else file.source)
    if file is not None:
        seed.source_digest, seed.created = file.digest, file.created
    fill_seed(seed, draft, owner)
    publishing.begin(session, caller, seed, today)
    _open_seed(session, seed, draft.opened_to)
    refuse_known(session, Seed, seed)
    embed(seed, encoder)
    session.add(seed)
    session.flush()
    if draft.grown_from:
        origins.put(session, caller, read_seed(session, caller, seed.public_id), draft.grown_from)
    record(
        session,
        caller,
        Action.CREATED,
        RecordedKind.SEED,
        seed.public_id,
        version=seed.version,
        status=str(seed.status),
    )
    # Of a whole file they are told once.
    publishing.tell_reviewers(session, caller, seed, waited=file is not None)
    return seed


def revise_seed(
    session: Session,
    caller: Caller,
    public_id: uuid.UUID,
    version: int | None,
    changes: BaseModel,
    encoder: Encoder,
    today: datetime.date,
) -> Seed:
    """Change the fields that `changes` sets; PreconditionFailedError where `version` is not the present one."""
    if "grown_from" in changes.model_fields_set:
        origins.lock(session)
    seed = to_change(session, caller, public_id)
    check_revisable(seed, version)
    refuse_other_id(seed, changes)
    detail = posted_detail(session, caller, seed)
    set_committed_value(seed, "detail", detail)
    earlier = reopening.before(seed)
    draft = revised(SeedDraft, as_draft(seed, detail), changes)
    owner = seed.organisation_id
    if "organisation" in changes.model_fields_set:
        owner = owner_of(session, caller, draft.organisation)
        if owner != seed.organisation_id:
            introduced.refuse_other_owner(session, seed)
        seed.source = moved_source(session, seed, owner)
    if "expires_on" in changes.model_fields_set:
        refuse_past(draft.expires_on)
        keep_until(seed, default_expiry())  # where the change takes the day away
    asked = asked_status(draft, changes)
    refuse_hidden_draft(caller, asked or EntryStatus(seed.status), owner)
    before, said, waited = seed.status, publishing.substance(seed), publishing.waits(seed)
    fill_seed(seed, draft, owner)
    changed = said != publishing.substance(seed)
    publishing.revise(session, caller, seed, before=before, asked=asked, changed=changed, today=today)
    refuse_known(session, Seed, seed)
    _open_seed(session, seed, draft.opened_to)
    touch(seed)
    embed(seed, encoder)
    session.flush()
    if "grown_from" in changes.model_fields_set:
        origins.put(session, caller, read_seed(session, caller, public_id), draft.grown_from)
    record(
        *(session, caller, Action.REVISED, RecordedKind.SEED, seed.public_id),
        version=seed.version,
        status=str(seed.status),
        fields=sorted(changes.model_fields_set),
    )
    publishing.tell_reviewers(session, caller, seed, waited=waited)
    by_owner = relation_to(caller, seed.cluster_id, seed.organisation_id) is Relation.OWN
    told = reopening.changes_since(earlier, seed, by_owner=by_owner)
    reopening.reopen_mended(session, [(seed, told)])
    return seed


def as_draft(seed: Seed, detail: SeedDetail | None) -> dict[str, Any]:
    """A stored seed as a draft would say it, for one who may read its unpublished part."""
    return {name: getattr(seed, name) for name in COLUMNS} | {
        **{name: getattr(detail, name, None) for name in CONFIDENTIAL},
        "status": status_to_show(seed.status),
        "expires_on": seed.expires_on,
        "organisation": seed.organisation.public_id if seed.organisation else None,
        "opened_to": [opening.cluster.public_id for opening in seed.openings],
    }


def ready_again(session: Session, caller: Caller, public_id: uuid.UUID) -> Seed:
    """Its owner has time and terms for it again: what its side turned down for want of these returns to the queue."""
    seed = to_change(session, caller, public_id)
    reopening.reopen_mended(session, [(seed, reopening.READY)])
    return seed


def withdraw_seed(session: Session, caller: Caller, public_id: uuid.UUID, version: int | None) -> Seed:
    """Withdraw a seed: it is kept, seen by its owner and coordinators, and never proposed again."""
    seed = to_change(session, caller, public_id)
    check_version(seed, version)
    seed.status = lifecycle.after(EntryStep.WITHDRAW, seed.status)
    touch(seed)
    session.flush()
    record(session, caller, Action.WITHDRAWN, RecordedKind.SEED, seed.public_id, version=seed.version)
    return seed


def declines(session: Session, caller: Caller, public_id: uuid.UUID) -> list[Cause]:
    """Why matches of the seed were turned down; for its own organisation and who oversees its cluster."""
    return declines_of(session, caller, read_seed(session, caller, public_id))


def declines_of(session: Session, caller: Caller, seed: Seed) -> list[Cause]:
    """The same of a seed that was read."""
    if not may(caller, Right.READ_SEED_DECLINES, relation_to(caller, seed.cluster_id, seed.organisation_id)):
        raise NotFoundError("no such seed, or it is not open to you")
    return causes(session, caller, seed)


def new_seed(cluster_id: int, source: str) -> Seed:
    """A seed with no content yet, not added to a session."""
    return Seed(
        cluster_id=cluster_id,
        source=source,
        expires_on=default_expiry(),
        technology_keywords=[],
        market_keywords=[],
        openings=[],
        detail=None,
    )


def fill_seed(seed: Seed, draft: SeedDraft, owner_id: int | None) -> None:
    """Put the draft's values into the seed, whose detail is loaded; what was computed from another text is dropped."""
    before = seed_profile(seed).matched_text()
    for name in COLUMNS:
        setattr(seed, name, stored(getattr(draft, name)))
    confidential = {name: getattr(draft, name) for name in CONFIDENTIAL}
    if all(value is None for value in confidential.values()):
        seed.detail = None
    else:
        seed.detail = seed.detail or SeedDetail()
        for name, value in confidential.items():
            setattr(seed.detail, name, value)
    seed.organisation_id = owner_id
    fill_life(seed, draft)
    seed.search_text = search_text(seed, ("description", "advantages", "open_challenges", "expected_partner"))
    if before != draft.profile().matched_text():
        forget(seed)


def read_to_change(session: Session, caller: Caller, public_id: uuid.UUID) -> tuple[Seed, SeedDetail | None]:
    """The seed and its unpublished part, not locked, for an account that may change it: nothing is shown by that."""
    seed = read_seed(session, caller, public_id)
    require(caller, Right.CHANGE_SEED, relation_to(caller, seed.cluster_id, seed.organisation_id))
    return seed, posted_detail(session, caller, seed)


def to_change(session: Session, caller: Caller, public_id: uuid.UUID) -> Seed:
    """The seed, locked, for an account that may change it; raises what the policy says otherwise."""
    # Asked before it is locked: the database locks nothing for those who may not change it, as if it were not there.
    seed = read_seed(session, caller, public_id)
    require(caller, Right.CHANGE_SEED, relation_to(caller, seed.cluster_id, seed.organisation_id))
    seed = read_seed(session, caller, public_id, lock=True)
    require(caller, Right.CHANGE_SEED, relation_to(caller, seed.cluster_id, seed.organisation_id))
    return seed


def _open_seed(session: Session, seed: Seed, public_ids: list[uuid.UUID]) -> None:
    with session.no_autoflush:
        clusters = clusters_to_open(session, seed.cluster_id, public_ids)
        present = {opening.cluster_id: opening for opening in seed.openings}
        seed.openings = [
            present.get(cluster.id) or SeedOpening(cluster_id=cluster.id, cluster=cluster) for cluster in clusters
        ]
