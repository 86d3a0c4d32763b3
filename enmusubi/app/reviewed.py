"""What reviews and the sides' answers say of relevance: what ranking learns from, what probabilities are fitted to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, case, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enmusubi.app.models import Fitting, Match, MatchStep, Review
from enmusubi.app.stored_parts import parts_of
from enmusubi.app.vocabulary import FittingKind, ReasonCode, Side, Step, Verdict
from enmusubi.matching.calibration import DEPTH, JudgedList
from enmusubi.matching.learning import Decision
from enmusubi.matching.policy import DEFAULT, PARTS
from enmusubi.matching.ranking import Candidate, Part, Ranked, rank

NOT_RELEVANT: Final = frozenset({ReasonCode.OUT_OF_SCOPE, ReasonCode.BENEFIT_UNCLEAR, ReasonCode.SCIENTIFIC_CONCERN})
"""Dismissals for these reasons say that the seed does not answer the need: only they teach the ranking.

The others say something of maturity, rights, money, wording or circumstances, which the parts of a score cannot tell.
"""

BESIDE_THE_POINT: Final = frozenset(
    {ReasonCode.ALREADY_IN_CONTACT, ReasonCode.CAPACITY, ReasonCode.INTERNAL_PROJECT, ReasonCode.NO_ANSWER}
)
"""Dismissals for these reasons leave open whether the match was worth a look; for all others it was not."""

ANSWERS: Final = (Step.EXPRESS_INTEREST, Step.ACCEPT, Step.DECLINE, Step.CLOSE)
"""Steps by which a side says what it thinks of the other."""


@dataclass(frozen=True, slots=True)
class Model:
    """The encoder whose rankings count: parts of scores by another one are not comparable."""

    name: str
    revision: str


@dataclass(frozen=True, slots=True)
class Decisions:
    """What there is to learn from, and how many reviews were left out and why."""

    decisions: Sequence[Decision]
    other_reasons: int
    other_rankings: int


@dataclass(frozen=True, slots=True)
class JudgedLists:
    """The ranked lists of needs with what coordinators found worth a look, and how many reviews were left out."""

    lists: Sequence[JudgedList]
    other_reasons: int
    other_rankings: int

    @property
    def verdicts(self) -> tuple[int, int]:
        """How many entries were worth a look, and how many were not."""
        grades = [grade for one in self.lists for grade in one.grades if grade is not None]
        return sum(grade > 0 for grade in grades), sum(grade == 0 for grade in grades)


def decisions(session: Session, model: Model) -> Decisions:
    """Every last verdict on a match of this model's, except a "no" that says nothing of relevance.

    Of coordinators, and of the sides that were asked: who accepts an introduction finds the other worth a look.

    A part that a score lacked counts as 0, as it did in the score. Matches from before there were these parts, known
    by the name of their policy, are left out. Where a seed asked, needs are compared with each other.
    """
    policies = {DEFAULT.name, *session.scalars(select(Fitting.name).where(Fitting.kind == FittingKind.POLICY))}
    found: list[Decision] = []
    other_reasons = other_rankings = 0
    for review in _last_reviews(session):
        if Model(review.model, review.revision) != model or _policy_of(review.policy) not in policies:
            other_rankings += 1
        elif review.verdict == Verdict.DISMISS and review.reason not in NOT_RELEVANT:
            other_reasons += 1
        else:
            values = {part.name: part.value for part in parts_of(review.parts)}
            parts = {name: values.get(name, 0.0) for name in PARTS}
            accepted = review.verdict == Verdict.SHORTLIST
            need, seed = f"need {review.need_id}", f"seed {review.seed_id}"
            asking, candidate = (need, seed) if review.asking == "need" else (seed, need)
            found.append(Decision(asking, candidate, parts, accepted))
    return Decisions(found, other_reasons, other_rankings)


def judged_lists(session: Session, model: Model, policy: str) -> JudgedLists:
    """The stored matches of every reviewed need as this policy and model ranked them, best first, ten deep.

    An entry is worth a look where most last verdicts say so, of coordinators and of sides that were asked; one that
    nobody reviewed, or on which verdicts are even, has no grade. So has one that was dismissed for a reason beside the
    point.
    """
    balance: defaultdict[tuple[int, int], int] = defaultdict(int)
    other_reasons = other_rankings = 0
    for review in _last_reviews(session):
        if (
            Model(review.model, review.revision) != model
            or _policy_of(review.policy) != policy
            or review.asking != "need"
        ):
            other_rankings += 1
        elif review.verdict == Verdict.DISMISS and review.reason in BESIDE_THE_POINT:
            other_reasons += 1
        else:
            balance[review.need_id, review.seed_id] += 1 if review.verdict == Verdict.SHORTLIST else -1
    lists = [
        JudgedList(ranked, [_grade(balance.get((need, one.key), 0)) for one in ranked])
        for need, ranked in _rankings(session, model, policy)
    ]
    judged = [one for one in lists if any(grade is not None for grade in one.grades)]
    return JudgedLists(judged, other_reasons, other_rankings)


def _last_reviews(session: Session) -> Iterator[Row[Any]]:
    """The last verdict of each account on each match, and the last answer of each side: a later one is what counts."""
    verdicts = (
        select(Review.match_id, Review.verdict, Review.reason)
        .ext(distinct_on(Review.match_id, Review.account_id))
        .order_by(Review.match_id, Review.account_id, Review.id.desc())
        .subquery()
    )
    accepted = MatchStep.step.in_((Step.EXPRESS_INTEREST, Step.ACCEPT))
    answers = (
        select(
            MatchStep.match_id,
            case((accepted, literal(str(Verdict.SHORTLIST))), else_=literal(str(Verdict.DISMISS))).label("verdict"),
            MatchStep.reason,
        )
        .where(MatchStep.step.in_(ANSWERS), MatchStep.side.in_((Side.NEED, Side.SEED)))
        .ext(distinct_on(MatchStep.match_id, MatchStep.side))
        .order_by(MatchStep.match_id, MatchStep.side, MatchStep.id.desc())
        .subquery()
    )
    last = union_all(select(verdicts), select(answers)).subquery()
    yield from session.execute(
        select(
            Match.need_id,
            Match.seed_id,
            Match.parts,
            Match.model,
            Match.revision,
            Match.policy,
            Match.asking,
            last.c.verdict,
            last.c.reason,
        )
        .join(Match, Match.id == last.c.match_id)
        .order_by(Match.id, last.c.verdict, last.c.reason)
    )


def _rankings(session: Session, model: Model, policy: str) -> Iterator[tuple[int, list[Ranked]]]:
    """The ten best stored matches of each need that has a review or an answer, by the need's key.

    Best by the score that the policy alone gives: a probability is told from the ranking before a reranker's. Where a
    ranking that knew the cluster's needs has stored any, these alone: scores for a company are on another scale.
    """
    answered = select(MatchStep.match_id).where(MatchStep.step.in_(ANSWERS), MatchStep.side != Side.CLUSTER)
    reviewed = select(Match.need_id).where(or_(Match.id.in_(select(Review.match_id)), Match.id.in_(answered)))
    stored = session.execute(
        select(Match.need_id, Match.seed_id, Match.parts, Match.policy, Match.needs_unknown)
        .where(Match.model == model.name, Match.revision == model.revision, Match.need_id.in_(reviewed))
        .where(Match.asking == "need")
        .order_by(Match.need_id)
    )
    for need, grouped in groupby(stored, key=lambda row: row.need_id):
        rows = [row for row in grouped if _policy_of(row.policy) == policy]
        for_companies = all(row.needs_unknown for row in rows)
        candidates = [
            Candidate(row.seed_id, f"{row.seed_id:020}", _policy_parts(row.parts))
            for row in rows
            if row.needs_unknown == for_companies
        ]
        yield need, rank(candidates, DEPTH)


def _policy_of(name: str) -> str:
    """The policy in the name of what ranked, which names a reranker too where there was one."""
    return name.partition("+rerank:")[0]


def _policy_parts(stored: Mapping[str, Any]) -> tuple[Part, ...]:
    """Without a reranker's part."""
    return tuple(part for part in parts_of(stored) if part.name in PARTS)


def _grade(balance: int) -> int | None:
    return None if balance == 0 else int(balance > 0)
