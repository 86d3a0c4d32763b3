"""Where an entry's status comes from: the steps of `lifecycle`, and what a cluster wants looked at first."""

import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import introduced, lifecycle
from enmusubi.app.catalogue.lifecycle import By
from enmusubi.app.errors import ConflictError
from enmusubi.app.models import ClusterSettings, Need, NeedDetail, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, EntryStatus, EntryStep, NoticeKind, ReviewedKinds

_READ = (
    *("title", "summary", "translation_title", "translation_summary", "applications", "technology_keywords"),
    *("market_keywords", "field_codes", "regions"),
)
_READ_OF = {
    Seed: (
        *("description", "advantages", "open_challenges", "expected_partner", "trl", "stage", "ipr_status"),
        *("ipr_numbers", "licensable", "transferable", "researchers"),
    ),
    Need: ("expertise_sought", "wanted_trl", "cooperation", "region_preference", "deadline", "anonymous"),
}


def substance(entry: Seed | Need) -> tuple[Any, ...]:
    """What readers learn from an entry, and reviewers look at: not its owner's own references, nor its last day."""
    return tuple(getattr(entry, name) for name in (*_READ, *_READ_OF[type(entry)]))


def needs_review(session: Session, entry: Seed | Need) -> bool:
    """Whether the entry's cluster wants such entries looked at before they are published."""
    chosen = session.scalar(
        select(ClusterSettings.review_before_publication).where(ClusterSettings.cluster_id == entry.cluster_id)
    )
    kind = ReviewedKinds.SEEDS if isinstance(entry, Seed) else ReviewedKinds.NEEDS
    return chosen in (kind, ReviewedKinds.BOTH)


def begin(session: Session, caller: Caller, entry: Seed | Need, today: datetime.date) -> None:
    """Put a new entry into the status that its draft asks for, or under review."""
    if entry.status == EntryStatus.PUBLISHED:
        with session.no_autoflush:
            _publish(session, entry, today)
    _submitter(entry).submitted_by_id = caller.id


def move(session: Session, caller: Caller, entry: Seed | Need, step: EntryStep, today: datetime.date) -> None:
    """Take an owner's step with an entry, whose detail is loaded; ConflictError where it is not possible now."""
    before = entry.status
    end = lifecycle.after(step, before)
    if step is EntryStep.RECALL:
        introduced.refuse_recall(session, entry)
    if end in lifecycle.CLOSED:
        introduced.hold_disclosures(session, entry)
    entry.status = end
    if step is EntryStep.RECALL:
        entry.published_on, entry.review_due = None, False
    if end is EntryStatus.PUBLISHED and before != EntryStatus.PUBLISHED:
        if entry.expires_on < today:
            raise ConflictError(
                f"{step}: its last day is past; renew it, or give it another expires_on",
                possible=lifecycle.possible(before, By.OWNER),
            )
        with session.no_autoflush:
            _publish(session, entry, today)
        _submitter(entry).submitted_by_id = caller.id
    entry.submitted = entry.submitted or end is not EntryStatus.DRAFT


def revise(
    session: Session,
    caller: Caller,
    entry: Seed | Need,
    *,
    before: str,
    asked: EntryStatus | None,
    changed: bool,
    today: datetime.date,
) -> None:
    """The status of an entry that its draft has been put into: `before` it was that, `asked` is what is wanted of it.

    Where its cluster reviews such entries and what it says has `changed`, a published one stays so, and somebody is to
    look at it again; one under review waits on, with the new words.
    """
    entry.status = before
    if asked is not None and (step := lifecycle.towards(before, asked)) is not None:
        move(session, caller, entry, step, today)
    elif asked is None and before == EntryStatus.EXPIRED and entry.expires_on >= today:
        move(session, caller, entry, EntryStep.RENEW, today)
    if not changed:
        return
    _submitter(entry).submitted_by_id = caller.id
    if entry.published_on is not None and entry.status in (EntryStatus.PUBLISHED, EntryStatus.ON_HOLD):
        with session.no_autoflush:
            entry.review_due = needs_review(session, entry)


def waits(entry: Seed | Need) -> bool:
    """Whether somebody is to look at it."""
    return entry.status == EntryStatus.UNDER_REVIEW or entry.review_due


def tell_reviewers(session: Session, caller: Caller, entry: Seed | Need, *, waited: bool) -> None:
    """Tell those who review of an entry that waits for it, where it did not before; it is stored already."""
    if waited or not waits(entry):
        return
    audiences = [Audience.COORDINATORS]
    if caller.coordinates:
        # Who is told of it among the coordinators may be nobody but the one whose words they are.
        audiences.append(Audience.ADMINISTRATORS)
    for audience in audiences:
        notify(
            session,
            cluster_id=entry.cluster_id,
            kind=NoticeKind.ENTRY_SUBMITTED,
            audience=audience,
            seed=entry if isinstance(entry, Seed) else None,
            need=entry if isinstance(entry, Need) else None,
            facts={"status": str(entry.status)},
        )


def _publish(session: Session, entry: Seed | Need, today: datetime.date) -> None:
    """Publish it, or put it under review; what was looked at once, and taken off by its owner, comes back as it was."""
    if entry.published_on is None and needs_review(session, entry):
        entry.status = EntryStatus.UNDER_REVIEW
    else:
        entry.status = EntryStatus.PUBLISHED
        entry.published_on = entry.published_on or today


def _submitter(entry: Seed | Need) -> Seed | NeedDetail:
    return entry if isinstance(entry, Seed) else entry.detail


def submitted_by(entry: Seed | Need, detail: NeedDetail | None) -> int | None:
    """The key of the account whose words were submitted last, as far as the caller may read whose they are."""
    if isinstance(entry, Seed):
        return entry.submitted_by_id
    return None if detail is None else detail.submitted_by_id
