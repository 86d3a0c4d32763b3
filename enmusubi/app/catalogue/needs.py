"""Needs: read, post, revise, withdraw; the public row and its confidential detail."""

import contextlib
import datetime
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, column, func, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import introduced, lifecycle, origins, publishing
from enmusubi.app.catalogue.organisations import find_organisation, name_key, owner_of
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
from enmusubi.app.models import Need, NeedDetail, NeedExclusion, NeedOpening
from enmusubi.app.permissions import Relation, Right, may, relation_to, require
from enmusubi.app.recording import record, record_all
from enmusubi.app.refusals import reopening
from enmusubi.app.refusals.digesting import Cause, causes
from enmusubi.app.schemas import NeedDraft, need_profile
from enmusubi.app.vocabulary import Action, EntryStatus, EntryStep, RecordedKind
from enmusubi.matching.encoder import Encoder

CONFIDENTIAL = ("description", "requirements", "constraints", "budget_yen")
COLUMNS = [name for name in NeedDraft.model_fields if name not in NOT_COLUMNS and name not in CONFIDENTIAL]


@dataclass(frozen=True, slots=True)
class OwnerOutline:
    """All that readers learn of the company behind an anonymous need."""

    kind: str
    size_band: str | None
    region: str | None


# A function of the database: the company itself is not the caller's to read.
_OUTLINED = select(
    func.owners_outlined(bindparam("keys", type_=ARRAY(BigInteger))).table_valued(
        column("need_id", BigInteger), column("kind", Text), column("size_band", Text), column("region", Text)
    )
)


def read_need(session: Session, caller: Caller, public_id: uuid.UUID, *, lock: bool = False) -> Need:
    """The need's public part, if the caller may see it; NotFoundError otherwise."""
    query = (
        select(Need)
        .where(Need.public_id == public_id, visibility.needs_visible_to(caller))
        .options(joinedload(Need.organisation), selectinload(Need.openings).joinedload(NeedOpening.cluster))
    )
    query = query.with_for_update(of=Need) if lock else query
    need = session.scalar(query.execution_options(populate_existing=True))
    if need is None:
        raise NotFoundError("no such need, or it is not open to you")
    return need


def view_details(
    session: Session, caller: Caller, needs: Iterable[Need], *, through: Literal["need", "reasons", "disclosure"]
) -> Mapping[int, NeedDetail]:
    """The confidential parts the caller may read, by the need's key; that they were looked at is recorded.

    `through` says where they are shown: in the need itself, in the reasons of a match, or in what is disclosed to the
    other side of one. Nothing else gives a confidential part to a reader.
    """
    by_key = {need.id: need for need in needs}
    details = _read_details(session, caller, by_key)
    viewed = [(by_key[key].public_id, {"version": by_key[key].version, "through": through}) for key in sorted(details)]
    record_all(session, caller, Action.VIEWED, RecordedKind.NEED, viewed)
    return details


def posted_detail(session: Session, caller: Caller, need: Need) -> NeedDetail | None:
    """The confidential part for one who has just posted it, or to see whose it is: nothing is shown, so no view."""
    return _read_details(session, caller, [need.id]).get(need.id)


def owners_known(session: Session, caller: Caller, needs: Iterable[Need]) -> set[int]:
    """The keys of those needs that are the caller's own: a list tells nobody else whose they are."""
    keys = [need.id for need in needs]
    if caller.organisation_id is None:
        return set()
    own = select(NeedDetail.need_id).where(NeedDetail.need_id.in_(keys), NeedDetail.owner_id == caller.organisation_id)
    return set(session.scalars(own))


def note_owner_asked(session: Session, caller: Caller, needs: Iterable[Need]) -> None:
    """Record that anonymous needs were listed by whose they are, or where they come from, which tells the same."""
    own = owners_known(session, caller, needs)
    told = [need for need in needs if need.anonymous and need.id not in own]
    viewed = [(need.public_id, {"version": need.version, "through": "list"}) for need in told]
    record_all(session, caller, Action.VIEWED, RecordedKind.NEED, viewed)


def _read_details(session: Session, caller: Caller, need_ids: Iterable[int]) -> dict[int, NeedDetail]:
    query = (
        select(NeedDetail)
        .where(NeedDetail.need_id.in_(list(need_ids)), visibility.need_details_visible_to(caller))
        .options(
            joinedload(NeedDetail.owner),
            selectinload(NeedDetail.exclusions),
        )
    )
    found = session.scalars(query.execution_options(populate_existing=True))
    return {detail.need_id: detail for detail in found}


def outline_owners(session: Session, needs: Iterable[Need]) -> dict[int, OwnerOutline]:
    """What may be told of the companies behind anonymous needs, by the need's key; of a need without one, nothing."""
    keys = [need.id for need in needs if need.anonymous]
    if not keys:
        return {}
    return {
        row.need_id: OwnerOutline(row.kind, row.size_band, row.region)
        for row in session.execute(_OUTLINED, {"keys": keys})
    }


def post_need(
    session: Session,
    caller: Caller,
    draft: NeedDraft,
    encoder: Encoder,
    today: datetime.date,
    file: FromFile | None = None,
) -> Need:
    """Post a need; the caller's own company owns it unless a coordinator names another."""
    require(caller, Right.POST_NEED, Relation.OWN)
    owner = owner_of(session, caller, draft.organisation)
    refuse_hidden_draft(caller, draft.status, owner)
    refuse_past(draft.expires_on)
    refuse_past(draft.deadline, "deadline")
    need = new_need(caller.cluster_id, api_source(session, owner) if file is None else file.source)
    if file is not None:
        need.source_digest, need.created = file.digest, file.created
    fill_need(session, need, draft, owner)
    publishing.begin(session, caller, need, today)
    _open_need(session, need, draft.opened_to)
    refuse_known(session, Need, need)
    embed(need, encoder)
    session.add(need)
    session.flush()
    if draft.grown_from:
        origins.put(session, caller, need, draft.grown_from)
    record(
        session,
        caller,
        Action.CREATED,
        RecordedKind.NEED,
        need.public_id,
        version=need.version,
        status=str(need.status),
    )
    # Of a whole file they are told once.
    publishing.tell_reviewers(session, caller, need, waited=file is not None)
    return need


def revise_need(
    session: Session,
    caller: Caller,
    public_id: uuid.UUID,
    version: int | None,
    changes: BaseModel,
    encoder: Encoder,
    today: datetime.date,
) -> Need:
    """Change the fields that `changes` sets; PreconditionFailedError where `version` is not the present one."""
    if "grown_from" in changes.model_fields_set:
        origins.lock(session)
    need, detail = to_change(session, caller, public_id)
    set_committed_value(need, "detail", detail)
    earlier = reopening.before(need)
    check_revisable(need, version)
    refuse_other_id(need, changes)
    draft = revised(NeedDraft, as_draft(need, detail), changes)
    owner = detail.owner_id
    if "organisation" in changes.model_fields_set:
        owner = owner_of(session, caller, draft.organisation)
        if owner != detail.owner_id:
            introduced.refuse_other_owner(session, need)
        source = moved_source(session, need, owner)
        if source != need.source:
            need.source = source
            # Its numbers there would tell the new owner of the former one.
            former = {name for name in ("external_id", "reference") if name not in changes.model_fields_set}
            draft = draft.model_copy(update=dict.fromkeys(former))
    if "excluded_organisations" in changes.model_fields_set:
        introduced.hold_matches(session, need)
    if "expires_on" in changes.model_fields_set:
        refuse_past(draft.expires_on)
        keep_until(need, default_expiry())  # where the change takes the day away
    if "deadline" in changes.model_fields_set:
        refuse_past(draft.deadline, "deadline")
    asked = asked_status(draft, changes)
    refuse_hidden_draft(caller, asked or EntryStatus(need.status), owner)
    before, said, waited = need.status, publishing.substance(need), publishing.waits(need)
    fill_need(session, need, draft, owner, detail)
    changed = said != publishing.substance(need)
    publishing.revise(session, caller, need, before=before, asked=asked, changed=changed, today=today)
    refuse_known(session, Need, need)
    _open_need(session, need, draft.opened_to)
    touch(need)
    embed(need, encoder)
    session.flush()
    if "grown_from" in changes.model_fields_set:
        origins.put(session, caller, need, draft.grown_from)
    record(
        *(session, caller, Action.REVISED, RecordedKind.NEED, need.public_id),
        version=need.version,
        status=str(need.status),
        fields=sorted(changes.model_fields_set),
    )
    publishing.tell_reviewers(session, caller, need, waited=waited)
    by_owner = relation_to(caller, need.cluster_id, detail.owner_id) is Relation.OWN
    told = reopening.changes_since(earlier, need, by_owner=by_owner)
    reopening.reopen_mended(session, [(need, told)])
    return need


def as_draft(need: Need, detail: NeedDetail) -> dict[str, Any]:
    """A stored need as a draft would say it, for one who may read its confidential part."""
    return (
        {name: getattr(need, name) for name in COLUMNS}
        | {name: getattr(detail, name) for name in CONFIDENTIAL}
        | {
            "status": status_to_show(need.status),
            "expires_on": need.expires_on,
            "organisation": detail.owner.public_id if detail.owner else None,
            "opened_to": [opening.cluster.public_id for opening in need.openings],
            "excluded_organisations": [exclusion.name for exclusion in detail.exclusions],
        }
    )


def ready_again(session: Session, caller: Caller, public_id: uuid.UUID) -> Need:
    """Its owner has time and terms for it again: what its side turned down for want of these returns to the queue."""
    need, _ = to_change(session, caller, public_id)
    reopening.reopen_mended(session, [(need, reopening.READY)])
    return need


def withdraw_need(session: Session, caller: Caller, public_id: uuid.UUID, version: int | None) -> Need:
    """Withdraw a need: it is kept, seen by its owner and coordinators, and never proposed again."""
    need, _ = to_change(session, caller, public_id)
    check_version(need, version)
    need.status = lifecycle.after(EntryStep.WITHDRAW, need.status)
    touch(need)
    session.flush()
    record(session, caller, Action.WITHDRAWN, RecordedKind.NEED, need.public_id, version=need.version)
    return need


def declines(session: Session, caller: Caller, public_id: uuid.UUID) -> list[Cause]:
    """Why matches of the need were turned down; for its own organisation and who oversees its cluster."""
    need = read_need(session, caller, public_id)
    return declines_of(session, caller, need, posted_detail(session, caller, need))


def declines_of(session: Session, caller: Caller, need: Need, detail: NeedDetail | None) -> list[Cause]:
    """The same of a need that was read, with its confidential part, as far as the caller may read it."""
    owner = detail.owner_id if detail else None
    if not may(caller, Right.READ_NEED_DECLINES, relation_to(caller, need.cluster_id, owner)):
        raise NotFoundError("no such need, or it is not open to you")
    return causes(session, caller, need)


def new_need(cluster_id: int, source: str) -> Need:
    """A need with no content yet, not added to a session."""
    return Need(
        cluster_id=cluster_id,
        source=source,
        expires_on=default_expiry(),
        technology_keywords=[],
        market_keywords=[],
        openings=[],
        detail=NeedDetail(exclusions=[]),
    )


def fill_need(
    session: Session, need: Need, draft: NeedDraft, owner_id: int | None, detail: NeedDetail | None = None
) -> None:
    """Put the draft's values into the need and its detail; the public row names the owner only if not anonymous."""
    detail = detail or need.detail
    before = need_profile(need).matched_text()
    for name in COLUMNS:
        setattr(need, name, stored(getattr(draft, name)))
    need.organisation_id = None if draft.anonymous else owner_id
    fill_life(need, draft)
    need.search_text = search_text(need, ("expertise_sought",))
    detail.owner_id = owner_id
    for name in CONFIDENTIAL:
        setattr(detail, name, getattr(draft, name))
    if [exclusion.name for exclusion in detail.exclusions] != draft.excluded_organisations:
        with session.no_autoflush:  # a half-filled need is not written, nor counted as a version
            detail.exclusions = _exclusions(session, need.cluster_id, draft.excluded_organisations, detail)
    if before != draft.profile().matched_text():
        forget(need)


def _exclusions(session: Session, cluster_id: int, names: Iterable[str], detail: NeedDetail) -> list[NeedExclusion]:
    # One that was there stays as it is: its organisation may have another name by now.
    present = {exclusion.name: exclusion for exclusion in detail.exclusions}
    exclusions = []
    for name in names:
        if name in present:
            exclusions.append(present[name])
            continue
        organisation = find_organisation(session, cluster_id, name=name)
        # A name that is no id is kept as a name until such an organisation registers. An id may be of any cluster, and
        # of an organisation that the caller does not see yet; whose it is, and its name, is then not ours to tell.
        key = organisation.id if organisation else _organisation_of(session, name)
        known_name = organisation.name if organisation else name
        exclusions.append(NeedExclusion(organisation_id=key, name=known_name, name_key=name_key(known_name)))
    return exclusions


def _organisation_of(session: Session, public_id: str) -> int | None:
    with contextlib.suppress(ValueError):
        key: int | None = session.scalar(select(func.organisation_of(uuid.UUID(public_id), type_=BigInteger)))
        return key
    return None


def read_to_change(session: Session, caller: Caller, public_id: uuid.UUID) -> tuple[Need, NeedDetail]:
    """The need and its confidential part, not locked, for an account that may change it: nothing is shown by that."""
    need = read_need(session, caller, public_id)
    detail = _writable_detail(session, caller, need)
    set_committed_value(need, "detail", detail)
    return need, detail


def to_change(session: Session, caller: Caller, public_id: uuid.UUID) -> tuple[Need, NeedDetail]:
    """The need and its confidential part, locked, for an account that may change it; raises what the policy says."""
    # Asked before it is locked: the database locks nothing for those who may not change it, as if it were not there.
    _writable_detail(session, caller, read_need(session, caller, public_id))
    need = read_need(session, caller, public_id, lock=True)
    detail = _writable_detail(session, caller, need)
    set_committed_value(need, "detail", detail)
    return need, detail


def _writable_detail(session: Session, caller: Caller, need: Need) -> NeedDetail:
    detail = _read_details(session, caller, [need.id]).get(need.id)
    owner = detail.owner_id if detail else None
    require(caller, Right.CHANGE_NEED, relation_to(caller, need.cluster_id, owner))
    assert detail is not None  # whoever may change a need reads its detail
    return detail


def _open_need(session: Session, need: Need, public_ids: list[uuid.UUID]) -> None:
    with session.no_autoflush:
        clusters = clusters_to_open(session, need.cluster_id, public_ids)
        present = {opening.cluster_id: opening for opening in need.openings}
        need.openings = [
            present.get(cluster.id) or NeedOpening(cluster_id=cluster.id, cluster=cluster) for cluster in clusters
        ]
