"""What an entry cannot become once others were introduced to it: a draft again, or somebody else's."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.errors import ConflictError
from enmusubi.app.models import Match, Need, Seed
from enmusubi.app.visibility import NOT_INTRODUCED


def refuse_recall(session: Session, entry: Seed | Need) -> None:
    """Raise ConflictError where others go on reading the entry: a draft is for its owner's eyes alone."""
    if is_introduced(session, entry, lock=True):
        raise ConflictError(
            "status: the entry was introduced to others, who go on reading it, so it is no draft any more; put it on "
            "hold or withdraw it"
        )


def refuse_other_owner(session: Session, entry: Seed | Need) -> None:
    """Raise ConflictError where its owner has been asked, or told: nobody else answers, or reads, in its place."""
    if is_introduced(session, entry, lock=True):
        raise ConflictError(
            "organisation: the present one was asked about an introduction of the entry, and another has neither said "
            "yes nor may know of it; enter it anew for the other"
        )


def is_introduced(session: Session, entry: Seed | Need, *, lock: bool = False) -> bool:
    """Whether a match of the entry has come so far that both sides know of it, whatever became of it.

    With `lock` no match of the entry takes a step until the transaction ends. As the service: a seed's coordinator
    need not see its matches in other clusters.
    """
    of_entry, of_other = (Match.seed_id, Match.need_id) if isinstance(entry, Seed) else (Match.need_id, Match.seed_id)
    # In the order in which a ranking of the entry writes them.
    chosen = select(Match.status).where(of_entry == entry.id).order_by(of_other)
    with session.no_autoflush, acting_as_service(session):
        found = session.scalars(chosen.with_for_update() if lock else chosen).all()
    return any(status not in NOT_INTRODUCED for status in found)
