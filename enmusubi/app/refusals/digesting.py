"""What an owner learns of the "no"s to an entry: how many, why, and what would change the answer. Never whose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Row, Text, bindparam, column, func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.models import Match, Need, Seed
from enmusubi.app.refusals.mending import EntrySide, answers
from enmusubi.app.vocabulary import EntryChange, MatchStatus, ReasonCode, Side

FEWEST: Final = 3
"""Of coordinators' verdicts, which are hidden from the sides, an owner learns a cause that so many share at least."""
_BANDS: Final = (FEWEST, 10, 30, 100)
REFUSED: Final = (MatchStatus.DECLINED, MatchStatus.DISMISSED)

_COUNTED = select(
    func.declines_counted(
        bindparam("side", type_=Text),
        bindparam("entry", type_=BigInteger),
        bindparam("seen", type_=ARRAY(BigInteger)),
        bindparam("only_asked", type_=Boolean),
    ).table_valued(column("refused_by", Text), column("reason", Text), column("pairs", BigInteger))
)


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason that somebody gave, how often, and which changes of this entry would bring how many pairs back."""

    refused_by: Side
    reason: ReasonCode
    pairs: int
    exact: bool
    """Otherwise there are so many at least."""
    changes: tuple[EntryChange, ...]

    @property
    def returning(self) -> int:
        """How many pairs one of the changes brings back to the queue."""
        return self.pairs if self.changes else 0


def side_of(entry: Seed | Need) -> EntrySide:
    """Which side of a match the entry is."""
    return "seed" if isinstance(entry, Seed) else "need"


def causes(session: Session, caller: Caller, entry: Seed | Need) -> list[Cause]:
    """Why pairs with this entry were turned down and stand so, most frequent first.

    Who oversees the cluster counts all that it sees. An owner counts the introductions that it was asked about itself,
    and of coordinators' verdicts, roughly, what several pairs that it sees have in common: so no count tells of an
    entry that is hidden from it, nor of the verdict on one pair.
    """
    side, overseeing = side_of(entry), caller.oversees
    seen = _seen(session, caller, entry)
    with acting_as_service(session):
        values = {"side": side, "entry": entry.id, "seen": seen, "only_asked": not overseeing}
        rows = session.execute(_COUNTED, values).all()
    return sorted(_causes(rows, side, overseeing), key=lambda cause: (-cause.pairs, cause.reason, cause.refused_by))


def _seen(session: Session, caller: Caller, entry: Seed | Need) -> Sequence[int]:
    of = Match.seed_id if isinstance(entry, Seed) else Match.need_id
    query = (
        select(Match.id)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(of == entry.id, Match.status.in_(REFUSED), visibility.pairs_visible_to(caller))
    )
    if caller.oversees:
        # Verdicts of another cluster are not its to read, whatever side its organisation has.
        query = query.where(Match.cluster_id == caller.cluster_id)
    return session.scalars(query).all()


def _causes(rows: Iterable[Row[tuple[str, str, int]]], side: EntrySide, overseeing: bool) -> Iterable[Cause]:
    for row in rows:
        refused_by, reason = Side(row.refused_by), ReasonCode(row.reason)
        exact = overseeing or refused_by is not Side.CLUSTER
        pairs = row.pairs if exact else max((band for band in _BANDS if band <= row.pairs), default=0)
        if pairs:
            yield Cause(refused_by, reason, pairs, exact, answers(reason, refused_by, side))
