"""Steps of an entry's life that its owner takes, and the look of a second pair of eyes."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import introduced, lifecycle, listing, needs, publishing, seeds
from enmusubi.app.catalogue.lifecycle import By
from enmusubi.app.catalogue.rules import DEFAULT_LIFE, LONGEST_LIFE, check_version, keep_until, touch
from enmusubi.app.embeddings import embed
from enmusubi.app.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, PreconditionFailedError
from enmusubi.app.models import Need, NeedDetail, PublicationReview, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.permissions import Relation, Right, may, relation_to, require
from enmusubi.app.recording import record
from enmusubi.app.refusals import reopening
from enmusubi.app.vocabulary import (
    Action,
    Audience,
    EntryStatus,
    EntryStep,
    NoticeKind,
    PublicationVerdict,
    RecordedKind,
)
from enmusubi.matching.encoder import Encoder

Kind = type[Seed] | type[Need]
_CHANGE = {Seed: Right.CHANGE_SEED, Need: Right.CHANGE_NEED}
_REVIEW = {Seed: Right.REVIEW_SEED, Need: Right.REVIEW_NEED}
_FOLLOW = {Seed: Right.READ_SEED_LIFE, Need: Right.READ_NEED_LIFE}


@dataclass(frozen=True, slots=True)
class Life:
    """Where an entry stands, what can be done with it by who asks, and what was said of it."""

    entry: Seed | Need
    steps: list[EntryStep]
    reviews: list[PublicationReview]
    reads_reasons: bool
    """Whether reasons of others are for the one who asks: they may quote a confidential part."""


def take(
    session: Session,
    caller: Caller,
    kind: Kind,
    public_id: uuid.UUID,
    version: int | None,
    step: EntryStep,
    encoder: Encoder,
    today: datetime.date,
    until: datetime.date | None = None,
) -> None:
    """Take an owner's step; `until` is the last day that a renewal asks for, 365 days from today if it names none."""
    entry, owner_id = _to_change(session, caller, kind, public_id)
    check_version(entry, version)
    lifecycle.after(step, entry.status)  # refused before anything is touched
    waited, was_open = publishing.waits(entry), reopening.is_open(entry)
    if step is EntryStep.RENEW:
        keep_until(entry, _last_day(until, today))
    publishing.move(session, caller, entry, step, today)
    touch(entry)
    with session.no_autoflush:  # one change, one version
        embed(entry, encoder)
    session.flush()
    record(
        *(session, caller, Action.MOVED, recorded(kind), entry.public_id),
        version=entry.version,
        step=str(step),
        status=str(entry.status),
    )
    publishing.tell_reviewers(session, caller, entry, waited=waited)
    _reopen(session, entry, was_open=was_open, by_owner=owner_id is not None and owner_id == caller.organisation_id)


def review(
    session: Session,
    caller: Caller,
    kind: Kind,
    public_id: uuid.UUID,
    version: int | None,
    verdict: PublicationVerdict,
    reason: str | None,
    today: datetime.date,
) -> None:
    """Approve or reject an entry that waits for it; ForbiddenError for whoever's words they are."""
    entry, detail = _read(session, caller, kind, public_id)
    require(caller, _REVIEW[kind], relation_to(caller, entry.cluster_id, _owner(entry, detail)))
    if publishing.submitted_by(entry, detail) == caller.id:
        raise ForbiddenError("you submitted it; somebody else of your cluster has to look at it")
    check_version(entry, version)
    step = EntryStep.APPROVE if verdict is PublicationVerdict.APPROVE else EntryStep.REJECT
    lifecycle.after(step, entry.status, review_due=entry.review_due)
    if step is EntryStep.APPROVE and entry.status == EntryStatus.UNDER_REVIEW and entry.expires_on < today:
        raise ConflictError("approve: its last day is past; its owner has to renew it first")
    was_open = reopening.is_open(entry)
    if step is EntryStep.REJECT:
        introduced.hold_disclosures(session, entry)
    put = func.review_seed if kind is Seed else func.review_need
    stored = session.scalar(select(put(entry.id, entry.version, str(verdict), today, type_=Integer)))
    if stored is None:
        raise PreconditionFailedError("somebody changed it after you read it; read it again and repeat your verdict")
    said = PublicationReview(
        seed_id=entry.id if kind is Seed else None,
        need_id=entry.id if kind is Need else None,
        account_id=caller.id,
        verdict=verdict,
        reason=reason,
        entry_version=entry.version,
    )
    session.add(said)
    session.flush()
    session.refresh(entry, ["status", "version", "review_due", "published_on", "last_modified"])
    record(
        *(session, caller, Action.REVIEWED, recorded(kind), entry.public_id),
        version=entry.version,
        verdict=str(verdict),
        status=str(entry.status),
    )
    notify(
        session,
        cluster_id=entry.cluster_id,
        kind=NoticeKind.ENTRY_REVIEWED,
        audience=Audience.SEED_SIDE if kind is Seed else Audience.NEED_SIDE,
        seed=entry if isinstance(entry, Seed) else None,
        need=entry if isinstance(entry, Need) else None,
        facts={"verdict": str(verdict), "status": str(entry.status)},
    )
    _reopen(session, entry, was_open=was_open, by_owner=False)


def _to_change(session: Session, caller: Caller, kind: Kind, public_id: uuid.UUID) -> tuple[Seed | Need, int | None]:
    """The entry, locked, and the key of its owner."""
    if kind is Need:
        need, detail = needs.to_change(session, caller, public_id)
        return need, detail.owner_id
    seed = seeds.to_change(session, caller, public_id)
    return seed, seed.organisation_id


def _reopen(session: Session, entry: Seed | Need, *, was_open: bool, by_owner: bool) -> None:
    told = reopening.told_by_step(entry, was_open=was_open, by_owner=by_owner)
    reopening.reopen_mended(session, [(entry, told)])


def read_life(session: Session, caller: Caller, kind: Kind, public_id: uuid.UUID) -> Life:
    """Where an entry stands, for its own organisation and those who oversee its cluster; NotFoundError otherwise."""
    return life_of(session, caller, *_read(session, caller, kind, public_id))


def life_of(session: Session, caller: Caller, entry: Seed | Need, detail: NeedDetail | None) -> Life:
    """The same of an entry that was read, and of a need its confidential part, as far as the caller may read it."""
    kind: Kind = Seed if isinstance(entry, Seed) else Need
    relation = relation_to(caller, entry.cluster_id, _owner(entry, detail))
    if not may(caller, _FOLLOW[kind], relation):
        # In the words for one that is not there: those who see a published one need not learn more of it.
        raise NotFoundError(f"no such {recorded(kind)}, or it is not open to you")
    column = PublicationReview.seed_id if kind is Seed else PublicationReview.need_id
    said = session.scalars(select(PublicationReview).where(column == entry.id).order_by(PublicationReview.id))
    return Life(
        entry,
        _steps(session, caller, kind, entry, detail, relation),
        list(said),
        reads_reasons=relation is Relation.OWN or caller.coordinates,
    )


def list_waiting(session: Session, caller: Caller, kind: Kind, query: listing.PageQuery) -> listing.Listed:
    """A page of the entries of the caller's cluster that wait for a second pair of eyes, the newest first."""
    require(caller, Right.READ_WAITING, Relation.HERE)
    visible = visibility.seeds_visible_to(caller) if kind is Seed else visibility.needs_visible_to(caller)
    waiting = (kind.status == EntryStatus.UNDER_REVIEW) | (
        kind.review_due & kind.status.in_((EntryStatus.PUBLISHED, EntryStatus.ON_HOLD))
    )
    chosen: Any = select(kind).where(kind.cluster_id == caller.cluster_id, visible, waiting)
    return listing.page(session, chosen, kind, query)


def recorded(kind: Kind) -> RecordedKind:
    """What the record calls a kind of entry."""
    return RecordedKind.SEED if kind is Seed else RecordedKind.NEED


def _steps(
    session: Session, caller: Caller, kind: Kind, entry: Seed | Need, detail: NeedDetail | None, relation: Relation
) -> list[EntryStep]:
    steps: list[EntryStep] = []
    if may(caller, _CHANGE[kind], relation):
        steps += lifecycle.possible(entry.status, By.OWNER)
        # A draft of others is nobody's else to see, nor one's own to make of what others read.
        if relation is not Relation.OWN or introduced.is_introduced(session, entry):
            steps = [step for step in steps if step is not EntryStep.RECALL]
    if may(caller, _REVIEW[kind], relation) and publishing.submitted_by(entry, detail) != caller.id:
        steps += lifecycle.possible(entry.status, By.REVIEWER, review_due=entry.review_due)
    return steps


def _read(session: Session, caller: Caller, kind: Kind, public_id: uuid.UUID) -> tuple[Seed | Need, NeedDetail | None]:
    if kind is Seed:
        return seeds.read_seed(session, caller, public_id), None
    need = needs.read_need(session, caller, public_id)
    # Whose it is, and who submitted it; nothing of it is shown, so it is no view.
    return need, needs.posted_detail(session, caller, need)


def _owner(entry: Seed | Need, detail: NeedDetail | None) -> int | None:
    if isinstance(entry, Seed):
        return entry.organisation_id
    return None if detail is None else detail.owner_id


def _last_day(until: datetime.date | None, today: datetime.date) -> datetime.date:
    day = until or today + DEFAULT_LIFE
    if day < today:
        raise InvalidInputError(f"expires_on: {day.isoformat()} is past")
    if day > today + LONGEST_LIFE:
        raise InvalidInputError("expires_on: an entry is kept for two years at most; renew it later")
    return day
