"""Propose matches, and keep them with where their score came from."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, and_, exists, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.embeddings import Kind, asking_of, asking_with, profile_of
from enmusubi.app.fittings import Following, InUse
from enmusubi.app.freshness import Freshness, Index
from enmusubi.app.models import Match, Need, Organisation, Seed
from enmusubi.app.recording import Service, record
from enmusubi.app.reviewed import Model
from enmusubi.app.verdicts import seen_as
from enmusubi.app.vocabulary import Action, MatchStatus, RecordedKind
from enmusubi.matching import calibration
from enmusubi.matching.calibration import Probability
from enmusubi.matching.encoder import Encoder, Role
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.reranking import FIRST, Reranker, policy_name, rerank
from enmusubi.matching.rows import Asking
from enmusubi.matching.shared import Asked

EXCERPT = 300  # characters of an entry's text shown in a list of matches


@dataclass(frozen=True, slots=True)
class Provenance:
    """What ranked: the snapshot (None: all scored exactly from stored vectors), the model and the policy."""

    snapshot: str | None
    model: str
    revision: str
    precision: str
    policy: str
    calibration: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """One ranked entry with what a list shows of it."""

    ranked: Ranked
    probability: Probability
    row: Row[Any]
    fresh: bool  # newer than the snapshot, and scored from its row


@dataclass(frozen=True, slots=True)
class Proposals:
    """Ranked entries, best first, and what ranked them."""

    found: Sequence[Proposal]
    asked: Asked
    provenance: Provenance
    any_open: bool  # whether there was anything at all that could have been proposed
    any_ranked: bool  # whether any of it has an up-to-date vector and terms, by which it is ranked
    misses: bool  # whether no entry is as probable as the floor: those found, if any, are the nearest misses


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
        index = self.freshness.current(session, kind, caller.cluster_id)
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
        ranked = propose(asking, depth, index.snapshot, index.fresh, used.policy, visible, all_visible)
        probabilities = used.calibration.probabilities(ranked)
        nothing_good = calibration.no_good_match(probabilities[: calibration.DEPTH], self.floor)
        # Told of the ranking that the calibration was fitted to, which is the one before reranking.
        sure = {each.key: probability for each, probability in zip(ranked, probabilities, strict=True)}
        shown = self._reranked(session, asking, kind, asked, ranked)[:limit] if misses or not nothing_good else []
        fresh = set(index.fresh.keys(asking.asked).tolist())
        found = [
            Proposal(each, sure[each.key], rows[each.key], index.snapshot is None or each.key in fresh)
            for each in shown
        ]
        any_open = bool(ranked) or session.scalar(select(kind.id).where(eligible).limit(1)) is not None
        return Proposals(found, asked, self.provenance(index, used), any_open, bool(ranked), nothing_good)

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
        return self._keep(session, caller, need, proposals, "seed", by)

    def keep_for_seed(self, session: Session, caller: Caller, seed: Seed, proposals: Proposals) -> dict[int, Match]:
        """Store the proposed pairs of a seed, unless the caller changes nothing; the matches by the need's key."""
        return self._keep(session, caller, seed, proposals, "need")

    def _keep(
        self,
        session: Session,
        caller: Caller,
        entry: Seed | Need,
        proposals: Proposals,
        other: Role,
        by: Service | None = None,
    ) -> dict[int, Match]:
        own: Role = "need" if other == "seed" else "seed"
        fixed = {f"{own}_id": entry.id, f"{own}_version": entry.version}
        if isinstance(entry, Need):
            fixed["cluster_id"] = entry.cluster_id
        if not proposals.found or proposals.misses:
            return {}
        if caller.changes_nothing:
            return self._kept(session, entry, proposals, other)
        source, here = proposals.provenance, caller.cluster_id
        values = [
            {
                **fixed,
                "asking": own,
                f"{other}_id": each.ranked.key,
                f"{other}_version": each.row.version,
                **({"cluster_id": each.row.cluster_id} if other == "need" else {}),
                "fresh": each.fresh,
                "public_id": uuid.uuid4(),
                "status": MatchStatus.SUGGESTED,
                "score": each.ranked.score,
                "parts": {
                    part.name: {"value": part.value, "weight": part.weight, "estimated": part.estimated}
                    for part in each.ranked.parts
                },
                "snapshot": source.snapshot,
                "ranked_in": None if fixed.get("cluster_id", each.row.cluster_id) == here else here,
                "model": source.model,
                "revision": source.revision,
                "precision": source.precision,
                "policy": source.policy,
                "probability": each.probability.value,
                "probability_low": each.probability.low,
                "probability_high": each.probability.high,
                "calibration": source.calibration,
                "version": 1,
            }
            # In one order everywhere, so that two requests that store the same pairs do not deadlock.
            for each in sorted(proposals.found, key=lambda each: each.ranked.key)
        ]
        statement = insert(Match)
        rescored = {
            name: statement.excluded[name]
            for name in values[0]
            if name not in ("need_id", "seed_id", "cluster_id", "public_id", "status", "version")
        }
        changed = or_(*(getattr(Match, name).is_distinct_from(value) for name, value in rescored.items()))
        # What a coordinator has decided on keeps the score that was decided on.
        # And a ranking by the index of the need's own cluster is not replaced by one of another's.
        of_its_own_cluster = or_(Match.ranked_in.is_not(None), statement.excluded.ranked_in.is_(None))
        overwritten = and_(Match.status == MatchStatus.SUGGESTED, changed, of_its_own_cluster)
        if other == "need":
            # A need's own ranking says more of the need than that of a seed, whoever looks at the seed.
            overwritten = and_(overwritten, Match.asking == "seed")
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[Match.need_id, Match.seed_id],
                set_={**rescored, "scored": func.now()},
                where=overwritten,
            ).values(values)
        )
        found = self._kept(session, entry, proposals, other)
        new = {value["public_id"] for value in values} & {match.public_id for match in found.values()}
        if new:
            # Rankings of what was proposed before change scores, and decide nothing.
            proposed = {"version": entry.version, "matches": len(new), "policy": source.policy}
            with nullcontext() if by is None else acting_as_service(session):
                record(session, by or caller, Action.PROPOSED, RecordedKind(own), entry.public_id, **proposed)
        return found

    def _kept(self, session: Session, entry: Seed | Need, proposals: Proposals, other: Role) -> dict[int, Match]:
        column, own_column = Match.seed_id, Match.need_id
        if other == "need":
            column, own_column = own_column, column
        query = select(Match).where(own_column == entry.id, column.in_([each.ranked.key for each in proposals.found]))
        found = session.scalars(query.execution_options(populate_existing=True))
        return {getattr(match, f"{other}_id"): match for match in found}


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
