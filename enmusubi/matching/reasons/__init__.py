"""Reasons of a match: what a need requires beside the sentences of the seed that support it, and what is missing."""

from enmusubi.matching.reasons.alignment import Aligned, Background, Centre, Support
from enmusubi.matching.reasons.explaining import Against, Reasons, Side, explain, need_side, seed_side
from enmusubi.matching.reasons.facts import Cooperation, CooperationFit, RegionFit, Stated, TrlFit
from enmusubi.matching.reasons.passages import TEXT, Passage, Requirement, need_texts, seed_texts
from enmusubi.matching.reasons.shared_terms import SharedTerm, Spans
from enmusubi.matching.reasons.vectors import (
    PackedVectorsError,
    PassageVectors,
    encode_passages,
    pack,
    packed_key,
    passages_key,
    passages_of,
    unpack,
)

__all__ = [
    "TEXT",
    "Against",
    "Aligned",
    "Background",
    "Centre",
    "Cooperation",
    "CooperationFit",
    "PackedVectorsError",
    "Passage",
    "PassageVectors",
    "Reasons",
    "RegionFit",
    "Requirement",
    "SharedTerm",
    "Side",
    "Spans",
    "Stated",
    "Support",
    "TrlFit",
    "encode_passages",
    "explain",
    "need_side",
    "need_texts",
    "pack",
    "packed_key",
    "passages_key",
    "passages_of",
    "seed_side",
    "seed_texts",
    "unpack",
]
