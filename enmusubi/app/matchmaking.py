"""Propose matches, and keep them with where their score came from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, and_, exists, func, literal, select, true
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.embeddings import Kind, analysis, asking_of, asking_with, profile_of
from enmusubi.app.fittings import Following, InUse
from enmusubi.app.freshness import Freshness, Index
from enmusubi.app.keeping import keep
from enmusubi.app.models import Match, Need, Organisation, Seed
from enmusubi.app.proposals import EXCERPT, Proposal, Proposals, Provenance
from enmusubi.app.recording import Service
from enmusubi.app.reviewed import Model
from enmusubi.app.verdicts import seen_as
from enmusubi.app.vocabulary import MatchStatus
from enmusubi.matching import calibration
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.reranking import FIRST, Reranker, policy_name, rerank
from enmusubi.matching.rows import Asking
from enmusubi.matching.shared import Asked


class Matchmaking:
    """The matchmaker of a running service: an encoder, the live indexes, what is fitted to reviews, and the floor.

    Where no entry is as probable as the floor, the answer is that there is no good match yet; `misses` asks for the
    nearest ones all the same.
    """

    def __init__(
        self,
        encoder: Encoder,
        freshness: Freshness,
        floor: float,
        reranker: Reranker | None = None,
        reranked: int = FIRST,
    ) -> None:
        self.encoder = encoder
        self.freshness = freshness
        self.floor = floor
        self.reranker = reranker
        self.reranked = reranked
        self._fittings = Following(Model(encoder.model, encoder.revision))

    def provenance(self, index: Index, used: InUse) -> Provenance:
        """What a ranking from this index came from."""
        encoder = self.encoder
        return Provenance(
            index.snapshot_id,
            encoder.model,
            encoder.revision,
            encoder.precision,
            policy_name(used.policy.name, self.reranker),
            used.calibration.name,
            index.needs_unknown,
        )

    def for_text(
        self,
        session: Session,
        caller: Caller,
        text: str,
        against: Kind,
        limit: int,
        *,
        misses: bool = False,
        where: ColumnElement[bool] | None = None,
    ) -> Proposals:
        """Rank the open entries the caller may see, and that `where` chooses, for a text that is not stored."""
        asking = asking_with(text, "need" if against is Seed else "seed", self.encoder)
        seen = visibility.seeds_visible_to(caller) if against is Seed else visibility.needs_visible_to(caller)
        chosen = and_(seen, ~visibility.own(caller, against), true() if where is None else where)
        return self._propose(session, caller, asking, against, limit, chosen, Asked(text), misses)

    def for_need(self, session: Session, caller: Caller, need: Need, limit: int, *, misses: bool = False) -> Proposals:
        """Rank the seeds for a stored need, as far as the caller may see these matches."""
        asking = asking_of(need, self.encoder)
        excluded = visibility.excluded_from(need)
        pair = and_(Need.id == need.id, visibility.pairs_visible_to(caller, excluded), _eligible_pair(caller, excluded))
        return self._propose(
            session, caller, asking, Seed, limit, exists().where(pair).correlate(Seed), _asked(need), misses
        )

    def for_seed(self, session: Session, caller: Caller, seed: Seed, limit: int, *, misses: bool = False) -> Proposals:
        """Rank the needs that a stored seed could serve, as far as the caller may see these matches."""
        asking = asking_of(seed, self.encoder)
        excluded = visibility.excluding(seed)
        pair = and_(Seed.id == seed.id, visibility.pairs_visible_to(caller, excluded), _eligible_pair(caller, excluded))
        return self._propose(
            session, caller, asking, Need, limit, exists().where(pair).correlate(Need), _asked(seed), misses
        )

    def for_pair(self, session: Session, caller: Caller, need: Need, seed: Seed) -> Proposals:
        """Rank one seed alone for a stored need, however little speaks for it; nothing where that may not be."""
        excluded = visibility.excluded_from(need)
        pair = and_(
            Need.id == need.id,
            visibility.pairs_visible_to(caller, excluded),
            visibility.open_for_matching(Need),
            ~excluded,
        )
        eligible = and_(Seed.id == seed.id, exists().where(pair).correlate(Seed))
        asking = asking_of(need, self.encoder)
        return replace(
            self._propose(session, caller, asking, Seed, 1, eligible, _asked(need), misses=True), misses=False
        )

    def _propose(
        self,
        session: Session,
        caller: Caller,
        asking: Asking,
        kind: Kind,
        limit: int,
        seen: ColumnElement[bool],
        asked: Asked,
        misses: bool,
    ) -> Proposals:
        used = self._fittings.current(session)
        # The caller's own cluster's, whosever the need: its statistics are of nothing that the cluster may not know.
        # A company's knows no needs: their statistics would tell it, in thousands of calls, what others look for.
        index = self.freshness.current(session, kind, caller.cluster_id, needs_unknown=caller.knows_no_needs)
        eligible = and_(visibility.open_for_matching(kind), seen)
        rows: dict[int, Row[Any]] = {}

        def visible(keys: NDArray[np.int64]) -> Mapping[int, str]:
            # One array, not a list of parameters: the statement stays the same however many keys there are.
            chosen = kind.id == func.any(literal(keys.tolist(), ARRAY(BigInteger)))
            found = session.connection().execute(_shown(kind).where(chosen, eligible))
            rows.update({row.id: row for row in found})
            return {key: str(row.public_id) for key, row in rows.items()}

        def all_visible() -> NDArray[np.int64]:
            return np.array(session.scalars(select(kind.id).where(eligible)).all(), dtype=np.int64)

        # At least as many as a probability is told from and as are reranked, however few are asked for.
        depth = max(limit, calibration.DEPTH, self.reranked if self.reranker else 0)
        snapshot, fresh = index.snapshot, index.fresh
        if index.needs_unknown and kind is Need:
            snapshot, fresh = None, self._alone(session, index, kind, eligible)
        ranked = propose(asking, depth, snapshot, fresh, used.policy, visible, all_visible)
        probabilities = used.calibration.probabilities(ranked)
        nothing_good = calibration.no_good_match(probabilities[: calibration.DEPTH], self.floor)
        # Told of the ranking that the calibration was fitted to, which is the one before reranking.
        sure = {each.key: probability for each, probability in zip(ranked, probabilities, strict=True)}
        shown = self._reranked(session, asking, kind, asked, ranked)[:limit] if misses or not nothing_good else []
        newer = set(fresh.keys(asking.asked).tolist())
        found = [
            Proposal(each, sure[each.key], rows[each.key], snapshot is None or each.key in newer) for each in shown
        ]
        any_open = bool(ranked) or session.scalar(select(kind.id).where(eligible).limit(1)) is not None
        return Proposals(found, asked, self.provenance(index, used), any_open, bool(ranked), nothing_good)

    def _alone(self, session: Session, index: Index, kind: Kind, eligible: ColumnElement[bool]) -> FreshStore:
        """The rows themselves, where an index has none of their kind: of a company's own needs."""
        query = (
            select(kind.id, kind.embedding, kind.text_language, kind.terms)
            .where(eligible, kind.embedding_encoder == self.encoder.fingerprint)
            .where(kind.embedding.is_not(None), kind.terms_analysis == analysis())
        )
        return self.freshness.alone(index, kind, session.execute(query).all())

    def _reranked(
        self, session: Session, asking: Asking, kind: Kind, asked: Asked, ranked: Sequence[Ranked]
    ) -> Sequence[Ranked]:
        if self.reranker is None:
            return ranked
        keys = [each.key for each in ranked[: self.reranked]]
        chosen = kind.id == func.any(literal(keys, ARRAY(BigInteger)))
        entries: list[Seed | Need] = list(session.scalars(select(kind).where(chosen)))
        texts = {entry.id: profile_of(entry).matched_text() for entry in entries}
        return rerank(asked.text, asking.role, ranked, texts, self.reranker, self.reranked)

    def keep_for_need(
        self, session: Session, caller: Caller, need: Need, proposals: Proposals, *, by: Service | None = None
    ) -> dict[int, Match]:
        """Store the proposed pairs of a need, unless the caller changes nothing; the matches by the seed's key.

        `by` is who has them proposed where that is not the caller.
        """
        return keep(session, caller, need, proposals, "seed", by)

    def keep_for_seed(self, session: Session, caller: Caller, seed: Seed, proposals: Proposals) -> dict[int, Match]:
        """Store the proposed pairs of a seed, unless the caller changes nothing; the matches by the need's key."""
        return keep(session, caller, seed, proposals, "need")


def _asked(entry: Seed | Need) -> Asked:
    return Asked(profile_of(entry).matched_text(), tuple(entry.field_codes), entry.language)


def _shown(kind: Kind) -> Any:
    text = func.coalesce(kind.summary, kind.description if kind is Seed else Need.expertise_sought, kind.applications)
    level = Seed.trl if kind is Seed else Need.wanted_trl
    return (
        select(
            kind.id,
            kind.public_id,
            kind.version,
            kind.cluster_id,
            kind.title,
            func.left(text, EXCERPT + 1).label("excerpt"),
            kind.language,
            kind.technology_keywords,
            kind.market_keywords,
            kind.field_codes,
            kind.regions,
            level.label("trl"),
            Organisation.public_id.label("organisation_id"),
            Organisation.name.label("organisation_name"),
            Organisation.name_en.label("organisation_name_en"),
        )
        .select_from(kind)
        .outerjoin(Organisation, kind.organisation_id == Organisation.id)
    )


def _eligible_pair(caller: Caller, excluded: ColumnElement[bool]) -> ColumnElement[bool]:
    """Pairs that may be proposed: both open, not of one owner nor excluded, not decided on. Goes with Need and Seed.

    To a side that is not told of a verdict its pair is proposed as before: to leave the list would tell of it.
    """
    decided = (
        exists()
        .where(Match.need_id == Need.id, Match.seed_id == Seed.id, ~seen_as(caller, MatchStatus.SUGGESTED))
        .correlate(Need, Seed)
    )
    return and_(
        visibility.open_for_matching(Need),
        visibility.open_for_matching(Seed),
        ~excluded,
        ~decided,
    )
