"""Why a need and a seed were matched, and what speaks against it: `explain`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from enmusubi.matching.ranking import Part
from enmusubi.matching.reasons.alignment import Aligned, Background, Centre, align
from enmusubi.matching.reasons.facts import (
    Cooperation,
    RegionFit,
    Stated,
    TrlFit,
    cooperation,
    region_fit,
    trl_fit,
)
from enmusubi.matching.reasons.passages import Requirement, requirements_of
from enmusubi.matching.reasons.shared_terms import Places, SharedTerm, Spans, places_of, shared_terms
from enmusubi.matching.reasons.vectors import PassageVectors, passages_of
from enmusubi.matching.shared import Shared

Missing = Literal[
    "requirements",
    "seed_sentences",
    "background",
    "terms",
    "wanted_trl",
    "trl",
    "regions",
    "cooperation",
    "field_codes",
]


@dataclass(frozen=True, slots=True)
class Side:
    """One entry made ready to be explained, once for all its pairs: `need_side` and `seed_side` make it."""

    texts: Mapping[str, str]
    vectors: PassageVectors
    language: str | None
    places: Places
    requirements: tuple[Requirement, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Against:
    """One thing that counts against the match: what it is, and what it took off the score where it did.

    `what` is the name of a part of the score, or `not_addressed`, `open_challenges`, `trl`, `regions` or
    `licence`; `count` says of how many requirements or levels.
    """

    what: str
    contribution: float | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Reasons:
    """Everything that can be said for and against a match; what is not known stands in `missing`, never as zero."""

    aligned: tuple[Aligned, ...]
    not_addressed: tuple[Requirement, ...]
    """What is wanted and no sentence of the seed supports; a situation that is only told is not among it."""
    left_out: int
    """How many further requirements were not looked at."""
    shared_terms: tuple[SharedTerm, ...]
    keywords: tuple[str, ...]
    field_codes: tuple[str, ...]
    trl: TrlFit
    region: RegionFit
    cooperation: Cooperation
    parts: tuple[Part, ...]
    other_language: bool
    against: tuple[Against, ...]
    missing: tuple[Missing, ...]

    def as_dict(self) -> dict[str, Any]:
        """The reasons as dictionaries, lists, strings, numbers, booleans and None, for JSON."""
        plain: dict[str, Any] = asdict(self)
        for part, written in zip(self.parts, plain["parts"], strict=True):
            written["contribution"] = part.contribution
        listed: dict[str, Any] = _listed(plain)
        return listed


def need_side(texts: Mapping[str, str], vectors: PassageVectors, language: str | None, spans: Spans) -> Side:
    """A need made ready: its texts by field, the vectors of its requirements, its language, the spans of terms.

    ValueError where the vectors are not those of the requirements of these texts.
    """
    requirements, left_out = requirements_of(texts)
    if vectors.passages != tuple(requirement.passage for requirement in requirements):
        raise ValueError("these vectors are not of the requirements of these texts; encode passages_of(texts, 'need')")
    return Side(texts, vectors, language, places_of(texts, spans), requirements, left_out)


def seed_side(texts: Mapping[str, str], vectors: PassageVectors, language: str | None, spans: Spans) -> Side:
    """A seed made ready: its texts by field, the vectors of its sentences, its language, the spans of terms.

    ValueError where the vectors are not those of the sentences of these texts.
    """
    if vectors.passages != passages_of(texts, "seed"):
        raise ValueError("these vectors are not of the sentences of these texts; encode passages_of(texts, 'seed')")
    return Side(texts, vectors, language, places_of(texts, spans))


def explain(
    need: Side,
    seed: Side,
    *,
    background: Background,
    centre: Centre | None = None,
    terms: Iterable[tuple[str, float]] = (),
    shared: Shared | None = None,
    stated: Stated | None = None,
    parts: Sequence[Part] = (),
) -> Reasons:
    """Why this need and this seed were matched, in whichever direction.

    `centre` takes the mean of side and language off vectors, as it was for the ranking. `terms` are the terms that both
    texts have, with their weights; `shared` is what `shared.shared` found, None where nobody looked; `parts` are
    those of the score.
    """
    aligned = align(need.requirements, need.vectors, seed.vectors, background, centre, need.language, seed.language)
    stated = stated or Stated()
    trl, region, working = trl_fit(stated), region_fit(stated), cooperation(stated)
    missing = _missing(need, seed, background, shared, trl, region, working, parts)
    # Where nothing can be compared, nothing can be said to be left open.
    compared = background.suffices and bool(seed.vectors.passages)
    not_addressed = _not_addressed(aligned) if compared else ()
    return Reasons(
        aligned=aligned,
        not_addressed=not_addressed,
        left_out=need.left_out,
        shared_terms=shared_terms(terms, (need.texts, need.places), (seed.texts, seed.places)),
        keywords=shared.keywords if shared else (),
        field_codes=shared.field_codes if shared else (),
        trl=trl,
        region=region,
        cooperation=working,
        parts=tuple(parts),
        other_language=shared.other_language if shared else False,
        against=_against(aligned, not_addressed, trl, region, working, parts),
        missing=missing,
    )


def _against(
    aligned: tuple[Aligned, ...],
    not_addressed: tuple[Requirement, ...],
    trl: TrlFit,
    region: RegionFit,
    working: Cooperation,
    parts: Sequence[Part],
) -> tuple[Against, ...]:
    taken = sorted((part for part in parts if part.contribution < 0), key=lambda part: (part.contribution, part.name))
    found = [Against(part.name, contribution=part.contribution) for part in taken]
    if not_addressed:
        found.append(Against("not_addressed", count=len(not_addressed)))
    # What the seed itself lists among its challenges (実用化に向けた課題) it speaks of, but has not solved.
    unsolved = [each for each in aligned if each.support and each.support[0].passage.field == "open_challenges"]
    if count := sum(each.requirement.wanted for each in unsolved):
        found.append(Against("open_challenges", count=count))
    if trl.fit == "below":
        found.append(Against("trl", count=trl.short_by))
    if region.fit == "other":
        found.append(Against("regions"))
    if any(asked.kind == "licence" and asked.offer == "not_offered" for asked in working.asked):
        found.append(Against("licence"))
    return tuple(found)


def _missing(
    need: Side,
    seed: Side,
    background: Background,
    shared: Shared | None,
    trl: TrlFit,
    region: RegionFit,
    working: Cooperation,
    parts: Sequence[Part],
) -> tuple[Missing, ...]:
    known: dict[Missing, bool] = {
        "requirements": bool(need.requirements),
        "seed_sentences": bool(seed.vectors.passages),
        "background": background.suffices,
        "terms": not any(part.name == "terms" and part.estimated for part in parts),
        "wanted_trl": trl.wanted is not None,
        "trl": trl.offered is not None,
        "regions": region.fit != "unknown",
        "cooperation": all(asked.offer != "unknown" for asked in working.asked),
        "field_codes": shared is not None,
    }
    return tuple(name for name, is_known in known.items() if not is_known)


def _not_addressed(aligned: tuple[Aligned, ...]) -> tuple[Requirement, ...]:
    return tuple(each.requirement for each in aligned if each.requirement.wanted and not each.support)


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _listed(each) for name, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value
