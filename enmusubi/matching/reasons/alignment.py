"""Which sentences of a seed support what a need requires: contrast with sentences of random other seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from enmusubi.matching.encoder.protocol import Role, Vectors
from enmusubi.matching.reasons.passages import Passage, Requirement, languages_of
from enmusubi.matching.reasons.vectors import PassageVectors

Moments = NDArray[np.float64]

Centre = Callable[[Vectors, Role, Sequence[str]], Vectors]
"""Unit vectors (n, d), their side and languages in; vectors less the mean of side and language, at length 1, out."""

SUPPORTED: Final = 2.5
"""A sentence supports a requirement from so many standard deviations on above sentences of random other seeds."""
CERTAIN: Final = 5.0
"""From so many on, the strength of a support is 1: nine of ten translations of a sentence are as near to it."""
MOST: Final = 3
"""So many sentences are shown for a requirement at most, the strongest."""
LEAST_KNOWN: Final = 30
"""With fewer sentences of other seeds, nothing can stand out from them, and support is unknown."""

# The more sentences a seed has, the nearer its nearest is by chance; the tail of the contrast falls by a factor e over
# half a standard deviation. With this, a requirement finds support in 5 % of random seeds, whatever their length.
_USUAL_LENGTH: Final = 7
_PER_LENGTH: Final = 0.5
_PRIOR: Final = 20
"""The figures of all languages together count as so many sentences of each."""
_NARROWEST: Final = 0.05
"""Least standard deviation: real catalogues have 0.07 to 0.09, and sentences all alike must not make all stand out."""
_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence of the seed that supports a requirement, how strongly (0 to 1), and their cosine after centring."""

    passage: Passage
    strength: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Aligned:
    """A requirement with the sentences that support it, strongest first; none where it is not addressed."""

    requirement: Requirement
    support: tuple[Support, ...]


@dataclass(frozen=True)
class Background:
    """Sentences of random seeds that a support has to stand out from: centred unit vectors by language, (n, d) each."""

    rows: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, known: Sequence[tuple[PassageVectors, str | None]], centre: Centre | None, most: int = 1000
    ) -> "Background":
        """At most `most` sentences in each language, evenly taken from entries given with their languages."""
        gathered: dict[str, list[Vectors]] = {}
        for entry, language in known:
            spoken = np.array(languages_of(entry.passages, language))
            for name in dict.fromkeys(spoken.tolist()):
                gathered.setdefault(name, []).append(entry.vectors[spoken == name])
        rows: dict[str, NDArray[np.floating]] = {}
        for name, parts in gathered.items():
            every = np.vstack(parts)
            chosen = every[np.linspace(0, len(every) - 1, min(most, len(every))).astype(np.intp)]
            centred = chosen if centre is None else centre(chosen, "seed", [name] * len(chosen))
            rows[name] = centred.astype(np.float64)
        return cls(rows)

    @property
    def suffices(self) -> bool:
        """Whether enough sentences are known for a support to stand out from."""
        return sum(map(len, self.rows.values())) >= LEAST_KNOWN

    def usual(self, wanted: Vectors, language: str) -> tuple[Moments, Moments]:
        """Mean and standard deviation (m,) of the cosines of `wanted` (m, d) with sentences in this language.

        A language of which few sentences are known is shrunk towards all languages together.
        """
        exact = wanted.astype(np.float64)
        cosines = {name: exact @ rows.astype(np.float64, copy=False).T for name, rows in self.rows.items()}
        everything = np.hstack(list(cosines.values()))
        own = cosines.get(language, everything[:, :0])
        prior, count = everything.mean(axis=1), own.shape[1] + _PRIOR
        mean = (own.sum(axis=1) + _PRIOR * prior) / count
        squares = ((own**2).sum(axis=1) + _PRIOR * (everything**2).mean(axis=1)) / count
        return mean, np.sqrt(np.maximum(squares - mean**2, _NARROWEST**2))


def align(
    requirements: Sequence[Requirement],
    need: PassageVectors,
    seed: PassageVectors,
    background: Background,
    centre: Centre | None = None,
    need_language: str | None = None,
    seed_language: str | None = None,
) -> tuple[Aligned, ...]:
    """Each requirement, in order, with the one to three sentences of the seed that support it.

    `need` holds the vectors of the requirements' passages, row by row, and `seed` those of the seed's sentences. What
    one pair gets depends on nothing but the pair and the background; where that does not suffice, nothing is supported.
    ValueError where there are not as many vectors as requirements.
    """
    if len(requirements) != len(need.passages):
        raise ValueError(f"{len(requirements)} requirements, but vectors of {len(need.passages)} passages")
    if not requirements or not seed.passages or not background.suffices:
        return tuple(Aligned(requirement, ()) for requirement in requirements)
    spoken = languages_of(seed.passages, seed_language)
    wanted, offered = need.vectors, seed.vectors
    if centre is not None:
        wanted = centre(wanted, "need", languages_of(need.passages, need_language))
        offered = centre(offered, "seed", spoken)
    # In double precision, rounded below: the last bits of a matrix product depend on what lies beside a row.
    cosines = wanted.astype(np.float64) @ offered.astype(np.float64).T
    contrast = np.empty_like(cosines)
    for language in dict.fromkeys(spoken):
        columns = np.flatnonzero(np.array(spoken) == language)
        mean, deviation = background.usual(wanted, language)
        contrast[:, columns] = (cosines[:, columns] - mean[:, None]) / deviation[:, None]
    contrast, cosines = np.round(contrast, _DECIMALS), np.round(cosines, _DECIMALS)
    supported = contrast >= SUPPORTED + _PER_LENGTH * np.log(max(1.0, len(seed.passages) / _USUAL_LENGTH))
    strengths = np.round(np.clip(contrast / CERTAIN, 0, 1), _DECIMALS)
    return tuple(
        Aligned(requirement, _strongest(seed.passages, strengths[row], cosines[row], supported[row]))
        for row, requirement in enumerate(requirements)
    )


def _strongest(
    passages: Sequence[Passage],
    strengths: NDArray[np.float64],
    cosines: NDArray[np.float64],
    supported: NDArray[np.bool_],
) -> tuple[Support, ...]:
    def order(column: int) -> tuple[float, float, str, int]:
        # Two sentences may be equal to the last rounded digit: then by their place in the text, not in the list.
        return -strengths[column], -cosines[column], passages[column].field, passages[column].start

    columns = sorted(np.flatnonzero(supported).tolist(), key=order)
    return tuple(
        Support(passages[column], float(strengths[column]), float(cosines[column])) for column in columns[:MOST]
    )
