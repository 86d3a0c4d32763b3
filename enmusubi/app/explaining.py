"""Why matches were proposed, as their reader may see it: what is stored, read in bulk, given to `matching.reasons`."""

import math
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import passages, visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.needs import view_details
from enmusubi.app.embeddings import Kind, analysis, profile_of
from enmusubi.app.errors import InvalidInputError, Sentence
from enmusubi.app.freshness import Index
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import EntryPassages, Match, Need, Seed
from enmusubi.app.proposals import Proposals
from enmusubi.app.stored_parts import seen_parts, shown_parts
from enmusubi.matching.encoder import Role
from enmusubi.matching.lexical import language_of, phrases, spans, terms
from enmusubi.matching.lexical.index import Weighed
from enmusubi.matching.ranking import Part
from enmusubi.matching.reasons import (
    TEXT,
    Background,
    PassageVectors,
    Reasons,
    Side,
    Stated,
    encode_passages,
    explain,
    need_side,
    need_texts,
    passages_of,
    seed_side,
)
from enmusubi.matching.shared import Asked, Shared, shared

MOST_EXPLAINED = 10
"""So many entries of a ranking are explained in one request at most."""
BACKGROUND_SEEDS = 400
"""A support has to stand out from the sentences of so many published seeds: some 1,000 in each of two languages."""
_SECONDS = 10.0  # a background of fewer seeds is read again after so many seconds: more may be stored by then


@dataclass(frozen=True, slots=True)
class _Known:
    """One entry, or a text that is not stored: its texts, its stored vectors, its language and terms."""

    texts: Mapping[str, str]
    vectors: PassageVectors | None
    language: str
    terms: Sequence[str]


Pair = tuple[Need | str, Seed, Sequence[Part]]


class Explaining:
    """Explains matches of a running service; safe for concurrent requests."""

    def __init__(self, matchmaking: Matchmaking) -> None:
        self._encoder = matchmaking.encoder
        self._freshness = matchmaking.freshness
        self._lock = threading.Lock()
        self._backgrounds: dict[tuple[int, bool], _Cached] = {}

    def match(self, session: Session, caller: Caller, match: Match, *, public_only: bool = False) -> Reasons:
        """The reasons of a stored match that the caller sees.

        `public_only` leaves the need's confidential part alone also for those who may read it: nobody is recorded as
        having looked at it.
        """
        pair = (match.need, match.seed, shown_parts(match, caller))
        return self._explain(session, caller, [pair], public_only=public_only)[0]

    def of_need(self, session: Session, caller: Caller, need: Need | str, proposals: Proposals) -> dict[int, Reasons]:
        """The reasons of the seeds proposed for a need, or a text, by the seed's key; not of one withdrawn since."""
        query = select(Seed).where(Seed.id.in_(_keys(proposals)), visibility.seeds_visible_to(caller))
        seeds = {seed.id: seed for seed in session.scalars(query)}
        still = [each.ranked for each in proposals.found if each.ranked.key in seeds]
        pairs = [(need, seeds[ranked.key], seen_parts(ranked.parts, caller)) for ranked in still]
        explained = self._explain(session, caller, pairs)
        return {ranked.key: reasons for ranked, reasons in zip(still, explained, strict=True)}

    def of_seed(self, session: Session, caller: Caller, seed: Seed, proposals: Proposals) -> dict[int, Reasons]:
        """The reasons of the needs proposed for a seed, by the need's key; not of one withdrawn since."""
        query = select(Need).where(Need.id.in_(_keys(proposals)), visibility.needs_visible_to(caller))
        needs = {need.id: need for need in session.scalars(query)}
        still = [each.ranked for each in proposals.found if each.ranked.key in needs]
        pairs = [(needs[ranked.key], seed, seen_parts(ranked.parts, caller)) for ranked in still]
        explained = self._explain(session, caller, pairs)
        return {ranked.key: reasons for ranked, reasons in zip(still, explained, strict=True)}

    def _explain(
        self, session: Session, caller: Caller, pairs: Sequence[Pair], *, public_only: bool = False
    ) -> list[Reasons]:
        if not pairs:
            return []
        index = self._freshness.current(session, Seed, caller.cluster_id, needs_unknown=caller.knows_no_needs)
        lexicon = index.snapshot or index.fresh
        centre = index.statistics.centred
        asking = self._known_needs(session, caller, pairs, public_only=public_only)
        offering = self._known_seeds(session, pairs)
        needs, seeds = self._sides(asking, "need"), self._sides(offering, "seed")
        weights = {key: _weights(lexicon.weigh("seed", known.terms)) for key, known in asking.items()}
        background = self._background_of(session, index)
        return [
            explain(
                needs[_key(need)],
                seeds[seed.id],
                background=background,
                centre=centre,
                terms=_held(weights[_key(need)], offering[seed.id].terms),
                shared=_shared(need, seed),
                stated=_stated(need, seed),
                parts=parts,
            )
            for need, seed, parts in pairs
        ]

    def _known_needs(
        self, session: Session, caller: Caller, pairs: Sequence[Pair], *, public_only: bool
    ) -> dict[int, _Known]:
        stored = {need.id: need for need, _, _ in pairs if isinstance(need, Need)}
        # What is confidential is taken up for those alone who may read it, and for the time of one request.
        looks = bool(stored) and not public_only
        details = view_details(session, caller, stored.values(), through="reasons") if looks else {}
        known = self._known(session, Need, stored.values())
        for key, detail in details.items():
            profile = profile_of(stored[key])
            known[key] = replace(known[key], texts=need_texts(profile, detail.requirements, detail.constraints))
        for need, _, _ in pairs:
            if isinstance(need, str):
                language = language_of(need)
                known[_key(need)] = _Known({TEXT: need}, None, language, terms(need, language))
        return known

    def _known_seeds(self, session: Session, pairs: Sequence[Pair]) -> dict[int, _Known]:
        return self._known(session, Seed, {seed.id: seed for _, seed, _ in pairs}.values())

    def _known(self, session: Session, kind: Kind, entries: Collection[Seed | Need]) -> dict[int, _Known]:
        """Texts, vectors, language and terms of stored entries; what is not stored is computed, the vectors apart."""
        if not entries:
            return {}
        query = (
            select(kind.id, kind.terms, kind.terms_analysis, kind.text_language, EntryPassages.content)
            .outerjoin(EntryPassages, passages.entry_column(kind) == kind.id)
            .where(kind.id.in_([entry.id for entry in entries]))
        )
        rows = {row.id: row for row in session.execute(query)}
        known = {}
        for entry in entries:
            row = rows[entry.id]
            found, language = row.terms, row.text_language
            if found is None or language is None or row.terms_analysis != analysis():
                text = profile_of(entry).matched_text()
                language = language_of(text)
                found = " ".join(terms(text, language))
            vectors = passages.unpacked(row.content, entry, self._encoder)
            known[entry.id] = _Known(passages.public_texts(entry), vectors, language, found.split())
        return known

    def _sides(self, known: Mapping[int, _Known], role: Role) -> dict[int, Side]:
        make = need_side if role == "need" else seed_side
        vectors = encode_passages(
            self._encoder,
            role,
            [passages_of(each.texts, role) for each in known.values()],
            [each.vectors for each in known.values() if each.vectors is not None],
        )
        return {
            key: make(each.texts, encoded, each.language, partial(spans, language=each.language))
            for (key, each), encoded in zip(known.items(), vectors, strict=True)
        }

    def _background_of(self, session: Session, index: Index) -> Background:
        """Sentences of published seeds of the index's cluster, or opened to it: what others of it stand out from.

        Of those alone whose vectors are stored: where these are too few, support is unknown.
        """
        with self._lock:
            known = self._backgrounds.get((index.cluster_id, index.needs_unknown))
            now = time.monotonic()
            if known is None or known.snapshot != index.snapshot_id or now >= known.until:
                # Whoever of the cluster asks first may read all of these, and anybody else of it the same ones.
                found = self._stored_sentences(session, index.cluster_id)
                complete = len(found) >= BACKGROUND_SEEDS and index.snapshot is not None
                background = Background.of(found, index.statistics.centred)
                known = _Cached(index.snapshot_id, math.inf if complete else now + _SECONDS, background)
                self._backgrounds[index.cluster_id, index.needs_unknown] = known
            return known.background

    def _stored_sentences(self, session: Session, cluster_id: int) -> list[tuple[PassageVectors, str | None]]:
        query = (
            select(Seed, Seed.text_language, EntryPassages.content)
            .join(EntryPassages, EntryPassages.seed_id == Seed.id)
            .where(visibility.published(Seed), visibility.in_cluster(Seed, cluster_id))
            .where(EntryPassages.made_with == passages.made_with(self._encoder))
            # An order that has nothing to do with what the seeds are about, nor, as keys would, with how many entries
            # other clusters have; and is the same every time.
            .order_by(Seed.public_id)
            .limit(BACKGROUND_SEEDS)
        )
        found = []
        for seed, language, content in session.execute(query):
            vectors = passages.unpacked(content, seed, self._encoder)
            if vectors is not None:
                found.append((vectors, language))
        return found


@dataclass(frozen=True, slots=True)
class _Cached:
    """A background, the snapshot by whose means it is centred, and until when it is used."""

    snapshot: str | None
    until: float
    background: Background


def refuse_too_many(limit: int) -> None:
    """InvalidInputError where more reasons are asked for than are given at once."""
    if limit > MOST_EXPLAINED:
        raise InvalidInputError(
            Sentence("reasons are given for %(most)s at most: ask with limit=%(most)s", most=MOST_EXPLAINED)
        )


def _key(need: Need | str) -> int:
    """The need's key; 0, which no need has, for a text."""
    return need.id if isinstance(need, Need) else 0


def _keys(proposals: Proposals) -> list[int]:
    return [each.ranked.key for each in proposals.found]


def _weights(weighed: Weighed) -> dict[str, float]:
    """The share of each word and phrase; a phrase's words are joined by an underscore."""
    return {**dict(weighed.words), **{"_".join(phrase): weight for phrase, weight in weighed.phrases}}


def _held(weights: Mapping[str, float], found: Sequence[str]) -> list[tuple[str, float]]:
    held = {*found, *phrases(list(found))}
    return [(term, weight) for term, weight in weights.items() if term in held]


def _shared(need: Need | str, seed: Seed) -> Shared:
    asked = (
        Asked(need)
        if isinstance(need, str)
        else Asked(profile_of(need).matched_text(), tuple(need.field_codes), need.language)
    )
    return shared(asked, [*seed.technology_keywords, *seed.market_keywords], seed.field_codes, seed.language)


def _stated(need: Need | str, seed: Seed) -> Stated:
    return Stated(
        wanted_trl=None if isinstance(need, str) else need.wanted_trl,
        trl=seed.trl,
        preferred_regions=() if isinstance(need, str) else tuple(need.region_preference),
        regions=tuple(seed.regions),
        wanted_cooperation=() if isinstance(need, str) else tuple(need.cooperation),
        licensable=seed.licensable,
        transferable=seed.transferable,
        expected_partner=seed.expected_partner,
    )
