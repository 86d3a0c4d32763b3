"""Saved views of the queue: sets of filters under a name, each one person's alone."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.errors import ConflictError, NotFoundError, Sentence
from enmusubi.app.models import QueueView
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.queueing.drafts import QueueFilters, ViewDraft
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, RecordedKind

MOST: Final = 20
"""Saved views of one person: more are no longer found at a glance."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view; its filters are None where a later release knows them no more."""

    id: uuid.UUID
    name: str
    filters: QueueFilters | None


def list_views(session: Session, caller: Caller) -> Sequence[View]:
    """The caller's saved views, by name."""
    query = select(QueueView).where(QueueView.account_id == caller.id).order_by(QueueView.name)
    return [View(view.public_id, view.name, _filters(view.filters)) for view in session.scalars(query)]


def save_view(session: Session, caller: Caller, draft: ViewDraft) -> QueueView:
    """Keep the filters under a name, in the place of what that name had; ConflictError where there are too many."""
    require(caller, Right.READ_REVIEWS, Relation.HERE)
    own = QueueView.account_id == caller.id
    # One at a time of a person, so that two at once are both counted.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"queue-views/{caller.id}", 0))))
    view = session.scalar(select(QueueView).where(own, QueueView.name == draft.name))
    if view is None:
        if (session.scalar(select(func.count()).select_from(QueueView).where(own)) or 0) >= MOST:
            raise ConflictError(Sentence("you have %(most)s saved views already; remove one first", most=MOST))
        view = QueueView(account_id=caller.id, name=draft.name)
        session.add(view)
    is_new = view.id is None
    view.filters = draft.filters.kept
    session.flush()
    record(session, caller, Action.CREATED if is_new else Action.REVISED, RecordedKind.QUEUE_VIEW, view.public_id)
    return view


def remove_view(session: Session, caller: Caller, public_id: uuid.UUID) -> None:
    """Remove a saved view of the caller's; NotFoundError for everybody else's."""
    query = select(QueueView).where(QueueView.account_id == caller.id, QueueView.public_id == public_id)
    view = session.scalar(query.with_for_update())
    if view is None:
        raise NotFoundError("no such saved view of yours")
    record(session, caller, Action.REMOVED, RecordedKind.QUEUE_VIEW, view.public_id)
    session.delete(view)
    session.flush()


def _filters(kept: dict[str, Any]) -> QueueFilters | None:
    try:
        return QueueFilters.model_validate(kept)
    except ValidationError:
        return None
