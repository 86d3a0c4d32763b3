"""Shortlist and rank: the algorithm on one screen.

A shortlist comes from what is indexed alone: the snapshot's rows and the fresh ones, which override them. What the
asker may see is known to the database alone, so a shortlist is taken a little longer than needed, put through
`visible`, and only when too little is left taken again among everything that is visible.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from enmusubi.matching.evidence import Asked
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.policy import Policy
from enmusubi.matching.ranking import DECIMALS, Candidate, Part, Ranked, rank
from enmusubi.matching.rows import Asking
from enmusubi.matching.similarity import Keys, Scores, as_query
from enmusubi.matching.snapshot import Snapshot
from enmusubi.matching.statistics import Statistics

__all__ = ["Asking", "FreshStore", "Shortlist", "propose", "shortlist"]

# So many times what was asked for, and at least so many: enough for one look-up of what is visible when a
# quarter of the rows is.
_MARGIN = 4
_LEAST = 64


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Keys, scores and their parts, best first; `exhausted` when no eligible row was left out."""

    keys: Keys
    scores: Scores
    parts: tuple[tuple[Part, ...], ...]
    exhausted: bool


def shortlist(
    asking: Asking,
    k: int,
    snapshot: Snapshot | None,
    fresh: FreshStore,
    policy: Policy,
    among: Keys | None = None,
) -> Shortlist:
    """The k rows of the asked side with the highest scores, and all that tie with the k-th.

    With no snapshot every row is a fresh one. `among` restricts to these keys. Raises ValueError for a vector of
    another length than the rows', or that is not finite.
    """
    if snapshot is not None and fresh.given is not snapshot.statistics:
        raise ValueError(
            "fresh rows beside a snapshot are scored by that snapshot's statistics: give them to the store"
        )
    view = fresh.view(asking.asked)
    asked = _asked(asking, view.statistics, fresh if snapshot is None else snapshot, policy, fresh.dimension)
    chosen = None if among is None else np.isin(view.side.keys, among)
    found = [view.side.strongest(asked, k, chosen)]
    if snapshot is not None:
        overridden = view.overridden if len(view.overridden) else None
        found.append(snapshot.strongest(asking.asked, asked, k, among, excluding=overridden))
    keys = np.concatenate([evidence.keys for evidence in found])
    scores = np.concatenate([evidence.scores(policy.weights) for evidence in found])
    parts = [evidence.of(place, policy.weights) for evidence in found for place in range(len(evidence.keys))]
    order = np.lexsort((keys, -scores))
    if 0 < k < len(order):
        # What ties once scores are rounded ties here too: public ids decide among them.
        order = order[scores[order] >= scores[order[k - 1]] - 10**-DECIMALS]
    elif k <= 0:
        order = order[:0]
    exhausted = len(order) == sum(evidence.eligible for evidence in found)
    return Shortlist(keys[order], scores[order], tuple(parts[place] for place in order.tolist()), exhausted)


def _asked(
    asking: Asking, statistics: Statistics, lexicon: FreshStore | Snapshot, policy: Policy, dimension: int
) -> Asked:
    vectors = [as_query(asking.vector, dimension)]
    if asking.parts is not None:
        vectors += [as_query(part, dimension) for part in asking.parts]
    return Asked(
        asking,
        statistics.centred(np.array(vectors), asking.role, [asking.language] * len(vectors)),
        lexicon.weigh(asking.asked, asking.terms),
        statistics,
        policy.weights,
    )


def propose(
    asking: Asking,
    n: int,
    snapshot: Snapshot | None,
    fresh: FreshStore,
    policy: Policy,
    visible: Callable[[Keys], Mapping[int, str]],
    all_visible: Callable[[], Keys],
    floor: float | None = None,
) -> list[Ranked]:
    """The n best visible rows of the asked side, of all that there are; equal scores by public id.

    `visible` gives, of some keys, the visible and eligible ones with their public ids; `all_visible` every
    such key of the side, and is asked only when the first shortlist holds fewer than n.
    """
    if n <= 0:
        return []
    k = max(_MARGIN * n, _LEAST)
    nearest = shortlist(asking, k, snapshot, fresh, policy)
    candidates = _visible_candidates(nearest, visible)
    # Whatever is not in the shortlist scores below all that is, so n visible ones in it are the n best.
    if len(candidates) < n and not nearest.exhausted and not _all_below(nearest, floor):
        nearest = shortlist(asking, k, snapshot, fresh, policy, among=all_visible())
        candidates = _visible_candidates(nearest, visible)
    return rank(candidates, n, floor)


def _all_below(nearest: Shortlist, floor: float | None) -> bool:
    return floor is not None and round(float(nearest.scores[-1]), DECIMALS) < floor


def _visible_candidates(nearest: Shortlist, visible: Callable[[Keys], Mapping[int, str]]) -> list[Candidate]:
    public_ids = visible(nearest.keys) if len(nearest.keys) else {}
    return [
        Candidate(key, public_ids[key], parts)
        for key, parts in zip(nearest.keys.tolist(), nearest.parts, strict=True)
        if key in public_ids
    ]
