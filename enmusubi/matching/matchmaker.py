"""Shortlist and rank: the algorithm on one screen.

A shortlist comes from vectors alone: the snapshot's rows and the fresh ones, which override them. What the
asker may see is known to the database alone, so a shortlist is taken a little longer than needed, put
through `visible`, and only when too little is left taken again among everything that is visible.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.fresh import FreshVectors
from enmusubi.matching.ranking import Candidate, Part, Ranked, rank
from enmusubi.matching.similarity import Keys, Scores, best
from enmusubi.matching.snapshot import Snapshot

__all__ = ["FreshVectors", "Shortlist", "propose", "shortlist"]

# So many times what was asked for, and at least so many: enough for one look-up of what is visible when a
# quarter of the rows is.
_MARGIN = 4
_LEAST = 64


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Keys and exact scores, best first; `exhausted` when no eligible row was left out."""

    keys: Keys
    scores: Scores
    exhausted: bool


def shortlist(
    vector: NDArray[np.floating],
    role: Role,
    k: int,
    snapshot: Snapshot | None,
    fresh: FreshVectors,
    among: Keys | None = None,
) -> Shortlist:
    """The k rows of the side `role` nearest to a unit vector (d,), and all that tie with the k-th.

    With no snapshot every row is a fresh one. `among` restricts to these keys. A score is the same to the
    last bit wherever its row lives. Raises ValueError when the two were made for vectors of another length.
    """
    view = fresh.view(role)
    found = [view.search(vector, k, among)]
    if snapshot is not None:
        overridden = view.overridden if len(view.overridden) else None
        found.append(snapshot.search(role, vector, k, among, excluding=overridden))
    keys, scores = best(
        np.concatenate([hits.keys for hits in found]), np.concatenate([hits.scores for hits in found]), k
    )
    return Shortlist(keys, scores, exhausted=len(keys) == sum(hits.eligible for hits in found))


def propose(
    vector: NDArray[np.floating],
    role: Role,
    n: int,
    snapshot: Snapshot | None,
    fresh: FreshVectors,
    visible: Callable[[Keys], Mapping[int, str]],
    all_visible: Callable[[], Keys],
    floor: float | None = None,
) -> list[Ranked]:
    """The n best visible rows of the side `role`, of all that there are; equal scores by public id.

    `visible` gives, of some keys, the visible and eligible ones with their public ids; `all_visible` every
    such key of the side, and is asked only when the first shortlist holds fewer than n.
    """
    if n <= 0:
        return []
    k = max(_MARGIN * n, _LEAST)
    nearest = shortlist(vector, role, k, snapshot, fresh)
    candidates = _visible_candidates(nearest, visible)
    # Whatever is not in the shortlist scores below all that is, so n visible ones in it are the n best.
    if len(candidates) < n and not nearest.exhausted and not _all_below(nearest, floor):
        nearest = shortlist(vector, role, k, snapshot, fresh, among=all_visible())
        candidates = _visible_candidates(nearest, visible)
    return rank(candidates, n, floor)


def _all_below(nearest: Shortlist, floor: float | None) -> bool:
    return floor is not None and float(nearest.scores[-1]) < floor


def _visible_candidates(nearest: Shortlist, visible: Callable[[Keys], Mapping[int, str]]) -> list[Candidate]:
    public_ids = visible(nearest.keys) if len(nearest.keys) else {}
    return [
        Candidate(key, public_ids[key], (Part("similarity", score),))
        for key, score in zip(nearest.keys.tolist(), nearest.scores.tolist(), strict=True)
        if key in public_ids
    ]
