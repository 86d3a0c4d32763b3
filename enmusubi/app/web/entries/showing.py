"""What the page of an entry shows beside its text: where it stands, its matches, and why some came to nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from enmusubi.app.errors import NotReadyError
from enmusubi.app.models import Need, Seed
from enmusubi.app.representations import RankingOut, ranking_out
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.app.web.asking import Screen, text_of

FEW: Final = 5
"""So many matches are shown with their reasons at first."""
MANY: Final = 30
MORE: Final = "more"
"""Query parameter that asks for many."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The entries ranked for one: None where they are not, since it is not published or the service is starting."""

    ranking: RankingOut | None
    starting: bool = False
    more: bool = False
    """Whether there are more than are shown."""


def seeds_for(screen: Screen, need: Need) -> Ranked:
    """The seeds ranked for a need now, as far as the reader may see these matches; stored, as by the API."""

    def ranked(most: int) -> RankingOut:
        session, caller, matchmaking = screen.session, screen.caller, screen.runtime.matchmaking
        proposals = matchmaking.for_need(session, caller, need, most)
        matches = matchmaking.keep_for_need(session, caller, need, proposals)
        few = replace(proposals, found=proposals.found[:FEW])
        reasons = screen.runtime.explaining.of_need(session, caller, need, few)
        return ranking_out(caller, proposals, matches, "seed", reasons)

    return _ranked(screen, need, ranked)


def needs_for(screen: Screen, seed: Seed) -> Ranked:
    """The needs that a seed could serve, in the same way."""

    def ranked(most: int) -> RankingOut:
        session, caller, matchmaking = screen.session, screen.caller, screen.runtime.matchmaking
        proposals = matchmaking.for_seed(session, caller, seed, most)
        matches = matchmaking.keep_for_seed(session, caller, seed, proposals)
        few = replace(proposals, found=proposals.found[:FEW])
        reasons = screen.runtime.explaining.of_seed(session, caller, seed, few)
        return ranking_out(caller, proposals, matches, "need", reasons)

    return _ranked(screen, seed, ranked)


def _ranked(screen: Screen, entry: Seed | Need, rank: Callable[[int], RankingOut]) -> Ranked:
    if entry.status != EntryStatus.PUBLISHED:
        return Ranked(None)
    wanted = MANY if screen.request.query_params.get(MORE) else FEW
    try:
        found = rank(wanted + 1)
    except NotReadyError:
        return Ranked(None, starting=True)
    more = len(found.ranking) > wanted
    return Ranked(found.model_copy(update={"ranking": found.ranking[:wanted]}), more=more and wanted < MANY)


def version_of(screen: Screen) -> int:
    """The version that the form was made from; 0, which is none, where it says nothing of the kind."""
    said = text_of(screen.form, "version")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0
