"""What stands in the way of the step that is waited for: shown to the match's coordinators, and refused by its name."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Text, func, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.errors import ConflictError, Sentence
from enmusubi.app.models import Match, Need, Seed, Wait
from enmusubi.app.stepping.telling import tell_nobody
from enmusubi.app.vocabulary import Awaited, EntryStatus, Hindrance, Side, Step

STANDING: Final = (EntryStatus.PUBLISHED, EntryStatus.ON_HOLD, EntryStatus.EXPIRED)
"""What an entry may be for two yeses to hold: on hold, or expired, it is only proposed no more."""
AWAITED_BY: Final = {Step.INTRODUCE: Awaited.INTRODUCTION, Step.DISCLOSE: Awaited.DISCLOSURE}
"""The steps of a coordinator that something may stand in the way of."""

_NOT_OPEN: Final = {Side.NEED: Hindrance.NEED_NOT_OPEN, Side.SEED: Hindrance.SEED_NOT_OPEN}
_NOBODY: Final = {Side.NEED: Hindrance.NOBODY_FOR_NEED, Side.SEED: Hindrance.NOBODY_FOR_SEED}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the two entries of a match stand."""

    open: Mapping[Side, bool]
    """Whether it may be introduced."""
    status: Mapping[Side, EntryStatus]
    """Which says whether a yes to it holds."""
    excluded: bool
    nobody: Collection[Side]
    """The sides whose organisation has nobody to answer."""

    def against(self, awaited: Awaited, side: Side) -> list[Hindrance]:
        """What stands in the way of what that side is waited for."""
        asked = {Awaited.INTRODUCTION: (Side.NEED, Side.SEED), Awaited.ANSWER: (side,), Awaited.DISCLOSURE: ()}
        if awaited not in asked:
            return []
        found = [_NOT_OPEN[each] for each in _NOT_OPEN if not self._fits(awaited, each)]
        found += [Hindrance.EXCLUDED] if self.excluded else []
        return found + [_NOBODY[each] for each in asked[awaited] if each in self.nobody]

    def _fits(self, awaited: Awaited, side: Side) -> bool:
        return self.open[side] if awaited is Awaited.INTRODUCTION else self.status[side] in STANDING


def standing_of(session: Session, caller: Caller, matches: Iterable[Match]) -> Mapping[int, Standing]:
    """How the entries of those of the matches stand that the caller coordinates; others are told nothing of it."""
    keys = [match.id for match in matches if caller.coordinates and match.cluster_id == caller.cluster_id]
    if not keys:
        return {}
    query = (
        select(
            Match.id,
            visibility.open_for_matching(Need),
            visibility.open_for_matching(Seed),
            Need.status,
            Seed.status,
            visibility.excluded_pair(),
        )
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(Match.id.in_(keys))
    )
    nobody = _sides_without_people(session, keys)
    return {
        key: Standing(
            {Side.NEED: need_open, Side.SEED: seed_open},
            {Side.NEED: EntryStatus(need_status), Side.SEED: EntryStatus(seed_status)},
            excluded,
            nobody.get(key, ()),
        )
        for key, need_open, seed_open, need_status, seed_status, excluded in session.execute(query)
    }


def hindrances_of(standings: Mapping[int, Standing], wait: Wait) -> list[Hindrance]:
    """What stands in the way of what is waited for, as far as its reader may know of it."""
    standing = standings.get(wait.match_id)
    return [] if standing is None else standing.against(Awaited(wait.awaited), Side(wait.side))


def legal_in(standings: Mapping[int, Standing], match: Match, steps: Iterable[Step]) -> list[Step]:
    """Of the steps that the state machine allows, those that nothing else stands in the way of."""
    standing = standings.get(match.id)
    if standing is None:
        return list(steps)
    return [step for step in steps if step not in AWAITED_BY or not standing.against(AWAITED_BY[step], Side.CLUSTER)]


def refuse_undisclosable(session: Session, caller: Caller, match: Match) -> None:
    """Raise ConflictError where what both sides agreed to stands no longer; it names what to do."""
    standing = standing_of(session, caller, [match]).get(match.id)
    if standing is None:
        # Of before such an entry could not become a draft any more.
        raise ConflictError(_OF_BEFORE, legal_steps=["close"])
    for hindrance in standing.against(Awaited.DISCLOSURE, Side.CLUSTER):
        if hindrance is Hindrance.EXCLUDED:
            told = _EXCLUDED
        else:
            side = Side.NEED if hindrance is Hindrance.NEED_NOT_OPEN else Side.SEED
            # As it is now: what the session read before the match was held may be older.
            told = _not_open(standing.status[side], side)
        raise ConflictError(told, legal_steps=[str(Step.CLOSE)])


_OF_BEFORE: Final = Sentence("one of the two entries is a draft; its owner may submit it, or close the introduction")
_EXCLUDED: Final = Sentence(
    "the need excludes the seed's organisation by now, so nothing is disclosed to it; close the introduction, or ask "
    "the company"
)


def _not_open(status: EntryStatus, side: Side) -> Sentence:
    match status:
        case EntryStatus.WITHDRAWN:
            return Sentence(
                "the %(side)s is withdrawn, so nothing is disclosed; a withdrawn entry does not come back: close the "
                "introduction",
                side=side,
            )
        case EntryStatus.ARCHIVED:
            return Sentence(
                "the %(side)s is archived, so nothing is disclosed; its owner may resume it, or close the introduction",
                side=side,
            )
        case EntryStatus.REJECTED:
            return Sentence(
                "the %(side)s is rejected, so nothing is disclosed; its owner may submit it again, or close the "
                "introduction",
                side=side,
            )
        case EntryStatus.UNDER_REVIEW:
            return Sentence(
                "the %(side)s is under review, so nothing is disclosed; approve it first, or close the introduction",
                side=side,
            )
        case _:
            return Sentence(
                "the %(side)s is not published, so nothing is disclosed; its owner may submit it, or close the "
                "introduction",
                side=side,
            )


_BOTH_ALONE: Final = Sentence(
    "nobody can answer for the need's organisation and the seed's organisation: invite somebody there to an account "
    "first, or have that cluster's administrators do so"
)
_ALONE_IS: Final = {
    Side.NEED: Sentence(
        "nobody can answer for the need's organisation: invite somebody there to an account first, or have that "
        "cluster's administrators do so"
    ),
    Side.SEED: Sentence(
        "nobody can answer for the seed's organisation: invite somebody there to an account first, or have that "
        "cluster's administrators do so"
    ),
}


def refuse_unanswerable(session: Session, match: Match) -> None:
    """Raise ConflictError where a side that is to be asked has nobody to answer, until the transaction ends."""
    alone = _alone(session, match)
    if alone:
        told = _BOTH_ALONE if len(alone) > 1 else _ALONE_IS[next(iter(alone))]
        raise ConflictError(told, legal_steps=[])


def tell_unanswerable(session: Session, match: Match, by: Side) -> None:
    """Tell the coordinators where the other side, asked by this one, has nobody to answer; the side learns nothing."""
    for side in _alone(session, match) - {by}:
        tell_nobody(session, match, match.cluster_id, side)


def _alone(session: Session, match: Match) -> set[Side]:
    with acting_as_service(session):
        sides = session.scalars(select(func.sides_without_people(match.id, True, type_=Text)))
        return {Side(side) for side in sides}


def _sides_without_people(session: Session, keys: Collection[int]) -> Mapping[int, set[Side]]:
    side = func.sides_without_people(Match.id, False, type_=Text).label("side")
    found: dict[int, set[Side]] = {}
    for key, name in session.execute(select(Match.id, side).where(Match.id.in_(keys))):
        found.setdefault(key, set()).add(Side(name))
    return found
