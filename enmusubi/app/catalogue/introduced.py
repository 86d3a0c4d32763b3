"""What an entry cannot become once others were introduced to it: a draft again, or somebody else's."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.errors import ConflictError
from enmusubi.app.models import Match, Need, Seed
from enmusubi.app.visibility import NOT_INTRODUCED
from enmusubi.app.vocabulary import MatchStatus


def refuse_recall(session: Session, entry: Seed | Need) -> None:
    """Raise ConflictError where others go on reading the entry: a draft is for its owner's eyes alone."""
    if _is_held_introduced(session, entry):
        raise ConflictError(
            "status: the entry was introduced to others, who go on reading it, so it is no draft any more; put it on "
            "hold or withdraw it"
        )


def refuse_other_owner(session: Session, entry: Seed | Need) -> None:
    """Raise ConflictError where its owner has been asked, or told: nobody else answers, or reads, in its place."""
    if _is_held_introduced(session, entry):
        raise ConflictError(
            "organisation: the present one was asked about an introduction of the entry, and another has neither said "
            "yes nor may know of it; enter it anew for the other"
        )


def _is_held_introduced(session: Session, entry: Seed | Need) -> bool:
    return any(status not in NOT_INTRODUCED for status in hold_matches(session, entry))


def is_introduced(session: Session, entry: Seed | Need) -> bool:
    """Whether a match of the entry has come so far that both sides know of it, whatever became of it."""
    return any(status not in NOT_INTRODUCED for status in _statuses(session, entry))


def hold_matches(session: Session, entry: Seed | Need) -> list[str]:
    """Let no match of the entry take a step until the transaction ends; their statuses.

    Who introduces or discloses holds the match, and looks at the entries then: so that of these and a change which
    they would refuse, the second sees what the first has done.
    """
    return _statuses(session, entry, lock=True)


def hold_disclosures(session: Session, entry: Seed | Need) -> None:
    """Wait for a disclosure of the entry that is under way: one that comes later sees what this transaction does."""
    of_entry = Match.seed_id if isinstance(entry, Seed) else Match.need_id
    accepted = select(Match.id).where(of_entry == entry.id, Match.status == MatchStatus.ACCEPTED).order_by(Match.id)
    with session.no_autoflush, acting_as_service(session):
        session.execute(accepted.with_for_update())


def _statuses(session: Session, entry: Seed | Need, *, lock: bool = False) -> list[str]:
    # As the service: a seed's coordinator need not see its matches in other clusters.
    of_entry, of_other = (Match.seed_id, Match.need_id) if isinstance(entry, Seed) else (Match.need_id, Match.seed_id)
    # In the order in which a ranking of the entry writes them.
    chosen = select(Match.status).where(of_entry == entry.id).order_by(of_other)
    with session.no_autoflush, acting_as_service(session):
        return list(session.scalars(chosen.with_for_update() if lock else chosen))
