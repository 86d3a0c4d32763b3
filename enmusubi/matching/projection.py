"""Entries on a plane, near to each other where their meanings are; as little as possible moves from one to the next.

A sample of landmarks is laid out by t-SNE (van der Maaten and Hinton, 2008), which begins where they were before, and
is turned back onto that by an orthogonal Procrustes analysis (Schönemann, 1966). All others lie among their nearest
landmarks. A few newcomers move nobody: they are placed, and the plane is laid out anew when there are many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from threadpoolctl import threadpool_limits

from enmusubi.matching.similarity import Matrix

Plane = NDArray[np.float64]
"""Positions (n, 2); a row of NaN: not placed."""

LANDMARKS: Final = 3_000
"""So many at most are laid out; bounds time and memory."""
NEIGHBOURS: Final = 8
"""Landmarks that place an entry."""
NEWCOMERS: Final = 0.05
"""As large a share of entries that were only placed moves the others."""
_FEW_NEWCOMERS: Final = 20
_PERPLEXITY: Final = 30.0
_LEAST: Final = 5  # entries that t-SNE makes sense for
_CHUNK: Final = 2_048
_LEAST_OF_GROUP: Final = 10
_FIRST: Final = 750  # steps of a first layout
_NEXT: Final = 300  # steps of one that begins where it was


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions (n, 2), and of each (n) whether it had a part in the layout, or was placed among the others since."""

    positions: Plane
    settled: NDArray[np.bool_]


def lay_out(
    names: Sequence[str], matrix: Matrix, groups: Sequence[str], before: Plane, settled: NDArray[np.bool_]
) -> Layout:
    """Place entries: their names (n), unit vectors (n, d) and groups (n), and where they were before, NaN for new ones.

    A group is a side and a language: models set these apart from each other, whatever is said, so that a plane would
    show first who says it, and in which language. Each group's mean is taken away. The same input gives the same plane.
    """
    known = _known(before)
    vectors = _centred(matrix, groups)
    unsettled = int((~(known & settled)).sum())
    if known.any() and unsettled <= max(_FEW_NEWCOMERS, NEWCOMERS * len(names)) and (known & settled).sum() >= _LEAST:
        return _placed(vectors, before, known, known & settled)
    chosen = _landmarks(names)
    laid = _landmarks_laid_out(vectors[chosen], before[chosen])
    positions = np.empty((len(names), 2))
    positions[chosen] = laid
    others = np.ones(len(names), dtype=bool)
    others[chosen] = False
    if others.any():
        positions[others] = _among(vectors[others], vectors[chosen], laid)
    return Layout(positions, np.ones(len(names), dtype=np.bool_))


def _known(before: Plane) -> NDArray[np.bool_]:
    """Which were placed before."""
    return np.asarray(np.isfinite(before).all(axis=1), dtype=np.bool_)


def _placed(vectors: Matrix, before: Plane, known: NDArray[np.bool_], settled: NDArray[np.bool_]) -> Layout:
    positions = before.copy()
    if not known.all():
        positions[~known] = _among(vectors[~known], vectors[settled], before[settled])
    return Layout(positions, settled)


def _centred(matrix: Matrix, groups: Sequence[str]) -> Matrix:
    """The vectors without the mean of their group, of unit length again; a small group's mean is that of all."""
    vectors = np.array(matrix, dtype=np.float32)
    names = np.array(groups, dtype=object)
    overall = vectors.mean(axis=0) if len(vectors) else 0.0
    means = {name: vectors[names == name].mean(axis=0) for name in sorted(set(groups))}
    for name, mean in means.items():
        of_group = names == name
        vectors[of_group] -= mean if of_group.sum() >= _LEAST_OF_GROUP else overall
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths < 1e-6] = 1.0
    centred: Matrix = vectors / lengths
    return centred


def _landmarks(names: Sequence[str]) -> NDArray[np.int64]:
    """Those with the smallest hashes: nearly the same from one layout to the next, whatever was added or taken away."""
    hashes = [blake2b(name.encode(), digest_size=8).digest() for name in names]
    return np.array(sorted(range(len(names)), key=lambda place: (hashes[place], names[place]))[:LANDMARKS], np.int64)


def _landmarks_laid_out(vectors: Matrix, before: Plane) -> Plane:
    # Here, as below: loaded by who draws a map, and by no other process.
    from sklearn.manifold import TSNE

    count = len(vectors)
    if count < _LEAST:
        return _by_components(vectors)
    known = _known(before)
    begun = known.sum() >= max(_LEAST, count // 10)
    if begun:
        start = before.copy()
        if not known.all():
            start[~known] = _among(vectors[~known], vectors[known], before[known])
    else:
        start = _by_components(vectors)
        # So small that all can still pass each other.
        start *= 1e-4 / max(float(start[:, 0].std()), 1e-12)
    made = TSNE(
        perplexity=min(_PERPLEXITY, (count - 1) / 3), init=start.astype(np.float32), random_state=0,
        early_exaggeration=1.0 if begun else 12.0, max_iter=_NEXT if begun else _FIRST,
    )  # fmt: skip
    # In one thread the sums are added in one order: the same plane every time, and requests keep their processor.
    with threadpool_limits(limits=1, user_api="openmp"):
        laid = np.asarray(made.fit_transform(vectors), dtype=np.float64)
    return _turned(laid, before, known) if begun else laid - laid.mean(axis=0)


def _turned(laid: Plane, before: Plane, known: NDArray[np.bool_]) -> Plane:
    """Turned, mirrored, moved and stretched so that those known lie as near as they can to where they were."""
    there, here = before[known], laid[known]
    middle, centre = there.mean(axis=0), here.mean(axis=0)
    spread = float(np.square(here - centre).sum())
    rotation, scale = orthogonal_procrustes(here - centre, there - middle)
    stretched: Plane = (laid - centre) @ rotation * (scale / spread if spread > 0 else 1.0) + middle
    return stretched


def _by_components(vectors: Matrix) -> Plane:
    """The two principal components; fewer where there are fewer entries than these need."""
    from sklearn.decomposition import PCA

    positions: Plane = np.zeros((len(vectors), 2))
    components = min(2, *vectors.shape) if len(vectors) > 1 else 0
    if components and np.ptp(vectors, axis=0).any():
        fitted: NDArray[Any] = PCA(n_components=components, svd_solver="full").fit_transform(vectors)
        positions[:, :components] = fitted
    return positions


def _among(vectors: Matrix, landmarks: Matrix, positions: Plane) -> Plane:
    """Each at the mean of its nearest landmarks, the nearer the heavier."""
    nearest = min(NEIGHBOURS, len(landmarks))
    placed = np.empty((len(vectors), 2))
    for start in range(0, len(vectors), _CHUNK):
        part = vectors[start : start + _CHUNK]
        distances = 1.0 - part @ landmarks.T
        found = np.argpartition(distances, nearest - 1, axis=1)[:, :nearest]
        far = np.take_along_axis(distances, found, axis=1).astype(np.float64)
        # By rank of distance within the neighbours: what "near" is differs from one region to another.
        first, last = far.min(axis=1, keepdims=True), far.max(axis=1, keepdims=True)
        weights = np.exp(-4.0 * (far - first) / np.maximum(last - first, 1e-9))
        weights /= weights.sum(axis=1, keepdims=True)
        placed[start : start + _CHUNK] = np.einsum("nk,nkd->nd", weights, positions[found])
    return placed
