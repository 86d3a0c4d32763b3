"""Propose matches, and keep them with where their score came from."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, and_, exists, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.embeddings import Kind, profile_of, role_of, vector_of
from enmusubi.app.freshness import Freshness, Index
from enmusubi.app.models import Match, Need, NeedDetail, Organisation, Seed
from enmusubi.app.visibility import Caller
from enmusubi.app.vocabulary import MatchStatus
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.shared import Asked

POLICY = "dense-1"  # the ranking in use; every match names the one that ranked it
EXCERPT = 300  # characters of an entry's text shown in a list of matches


@dataclass(frozen=True, slots=True)
class Provenance:
    """What ranked: the snapshot (None: all scored exactly from stored vectors), the model and the policy."""

    snapshot: str | None
    model: str
    revision: str
    precision: str
    policy: str = POLICY


@dataclass(frozen=True, slots=True)
class Proposal:
    """One ranked entry with what a list shows of it."""

    ranked: Ranked
    row: Row[Any]


@dataclass(frozen=True, slots=True)
class Proposals:
    """Ranked entries, best first, and what ranked them."""

    found: Sequence[Proposal]
    asked: Asked
    provenance: Provenance
    any_open: bool  # whether there was anything at all that could have been proposed


class Matchmaking:
    """The matchmaker of a running service: an encoder, the live index and the floor."""

    def __init__(self, encoder: Encoder, freshness: Freshness, floor: float) -> None:
        self.encoder = encoder
        self.freshness = freshness
        self.floor = floor

    def provenance(self, index: Index) -> Provenance:
        """What a ranking from this index came from."""
        return Provenance(index.snapshot_id, self.encoder.model, self.encoder.revision, self.encoder.precision)

    def for_text(self, session: Session, caller: Caller, text: str, against: Kind, limit: int) -> Proposals:
        """Rank the open entries the caller may see for a text that is not stored."""
        vector = self.encoder.encode([text], "need" if against is Seed else "seed")[0]
        seen = visibility.seeds_visible_to(caller) if against is Seed else visibility.needs_visible_to(caller)
        return self._propose(session, vector, against, limit, and_(seen, ~visibility.own(caller, against)), Asked(text))

    def for_need(self, session: Session, caller: Caller, need: Need, limit: int) -> Proposals:
        """Rank the seeds for a stored need, as far as the caller may see these matches."""
        vector = vector_of(need, self.encoder)
        pair = and_(Need.id == need.id, visibility.pairs_visible_to(caller), _eligible_pair())
        return self._propose(session, vector, Seed, limit, exists().where(pair).correlate(Seed), _asked(need))

    def for_seed(self, session: Session, caller: Caller, seed: Seed, limit: int) -> Proposals:
        """Rank the needs that a stored seed could serve, as far as the caller may see these matches."""
        vector = vector_of(seed, self.encoder)
        pair = and_(Seed.id == seed.id, visibility.pairs_visible_to(caller), _eligible_pair())
        return self._propose(session, vector, Need, limit, exists().where(pair).correlate(Need), _asked(seed))

    def _propose(
        self,
        session: Session,
        vector: NDArray[np.float32],
        kind: Kind,
        limit: int,
        seen: ColumnElement[bool],
        asked: Asked,
    ) -> Proposals:
        index = self.freshness.current(session, kind)
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

        ranked = propose(
            vector, role_of(kind), limit, index.snapshot, index.fresh, visible, all_visible, floor=self.floor
        )
        found = [Proposal(each, rows[each.key]) for each in ranked]
        any_open = bool(found) or session.scalar(select(kind.id).where(eligible).limit(1)) is not None
        return Proposals(found, asked, self.provenance(index), any_open)

    def keep_for_need(self, session: Session, need: Need, proposals: Proposals) -> dict[int, Match]:
        """Store the proposed pairs of a need; the matches by the seed's key."""
        return self._keep(session, proposals, {"need_id": need.id}, "seed_id")

    def keep_for_seed(self, session: Session, seed: Seed, proposals: Proposals) -> dict[int, Match]:
        """Store the proposed pairs of a seed; the matches by the need's key."""
        return self._keep(session, proposals, {"seed_id": seed.id}, "need_id")

    def _keep(self, session: Session, proposals: Proposals, fixed: dict[str, int], other: str) -> dict[int, Match]:
        if not proposals.found:
            return {}
        source = proposals.provenance
        values = [
            {
                **fixed,
                other: each.ranked.key,
                "public_id": uuid.uuid4(),
                "status": MatchStatus.SUGGESTED,
                "score": each.ranked.score,
                "parts": {part.name: part.value for part in each.ranked.parts},
                "snapshot": source.snapshot,
                "model": source.model,
                "revision": source.revision,
                "precision": source.precision,
                "policy": source.policy,
                "version": 1,
            }
            # In one order everywhere, so that two requests that store the same pairs do not deadlock.
            for each in sorted(proposals.found, key=lambda each: each.ranked.key)
        ]
        statement = insert(Match)
        rescored = {
            name: statement.excluded[name]
            for name in ("score", "parts", "snapshot", "model", "revision", "precision", "policy")
        }
        changed = or_(*(getattr(Match, name).is_distinct_from(value) for name, value in rescored.items()))
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[Match.need_id, Match.seed_id],
                set_={**rescored, "scored": func.now()},
                # What a coordinator has decided on keeps the score that was decided on.
                where=and_(Match.status == MatchStatus.SUGGESTED, changed),
            ).values(values)
        )
        column = Match.seed_id if other == "seed_id" else Match.need_id
        fixed_column = Match.need_id if other == "seed_id" else Match.seed_id
        query = select(Match).where(
            fixed_column == next(iter(fixed.values())), column.in_([value[other] for value in values])
        )
        found = session.scalars(query.execution_options(populate_existing=True))
        return {getattr(match, other): match for match in found}


def _asked(entry: Seed | Need) -> Asked:
    return Asked(profile_of(entry).matched_text(), tuple(entry.field_codes), entry.language)


def _shown(kind: Kind) -> Any:
    text = func.coalesce(kind.summary, kind.description if kind is Seed else Need.expertise_sought, kind.applications)
    level = Seed.trl if kind is Seed else Need.wanted_trl
    return (
        select(
            kind.id,
            kind.public_id,
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


def _eligible_pair() -> ColumnElement[bool]:
    """Pairs that may be proposed: both open, other owner, not excluded, not reviewed. Goes with Need and Seed."""
    owner = select(NeedDetail.owner_id).where(NeedDetail.need_id == Need.id).correlate(Need).scalar_subquery()
    reviewed = (
        exists()
        .where(Match.need_id == Need.id, Match.seed_id == Seed.id, Match.status != MatchStatus.SUGGESTED)
        .correlate(Need, Seed)
    )
    return and_(
        visibility.open_for_matching(Need),
        visibility.open_for_matching(Seed),
        func.coalesce(Seed.organisation_id != owner, true()),
        ~visibility.excluded_pair(),
        ~reviewed,
    )
