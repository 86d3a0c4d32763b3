"""Planted reviews: many ranked needs whose coordinators go by something that is known."""

from collections.abc import Callable, Sequence
from random import Random

from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.models import Account, Match, Review
from enmusubi.app.reviewed import Model
from enmusubi.app.vocabulary import MatchStatus, ReasonCode, Role, Verdict
from enmusubi.matching.calibration import shipped
from enmusubi.matching.policy import DEFAULT, PARTS, Policy
from enmusubi.matching.ranking import Part, Ranked
from tests.app.factories import ENCODER, a_caller, a_cluster, a_need, a_seed

MODEL = Model(ENCODER.model, ENCODER.revision)
WORDS_MATTER = Policy("planted", {"similarity": 1.0, "terms": 2.0, "hub_across": -0.5, "hub_alike": -0.2})
"""What some coordinators go by: the words matter far more to them than the default thinks."""

Accepts = Callable[[Sequence[dict[str, float]]], set[int]]
"""The places that are shortlisted, of the parts of ten candidates, best first by the default."""


def best_by(truth: Policy, count: int = 2) -> Accepts:
    """Coordinators who shortlist what another policy would put on top."""
    return lambda candidates: set(
        sorted(range(len(candidates)), key=lambda place: -truth.score(candidates[place]))[:count]
    )


def first(count: int) -> Accepts:
    """Coordinators who shortlist the first few of each list."""
    return lambda candidates: set(range(count))


def as_stated(seed: int) -> Accepts:
    """Coordinators whose verdicts come out as often as the shipped calibration states."""
    random = Random(seed)

    def accepted(candidates: Sequence[dict[str, float]]) -> set[int]:
        ranked = [
            Ranked(place, str(place), round(DEFAULT.score(parts), 6), (Part("hub_alike", parts["hub_alike"]),))
            for place, parts in enumerate(candidates)
        ]
        return {place for place, one in enumerate(shipped().probabilities(ranked)) if random.random() < one.value}

    return accepted


def plant(
    session: Session,
    needs: int,
    accepts: Accepts,
    *,
    reason: ReasonCode = ReasonCode.OUT_OF_SCOPE,
    model: Model = MODEL,
    policy: str = DEFAULT.name,
    seed: int = 1,
) -> Caller:
    """Needs with ten ranked and reviewed seeds each; the coordinator who reviewed them. Not committed."""
    random = Random(seed)
    cluster = a_cluster(session)
    caller = a_caller(session, cluster, Role.COORDINATOR)
    seeds = [a_seed(session, cluster, encoder=None) for _ in range(10)]
    for _ in range(needs):
        need = a_need(session, cluster, encoder=None)
        candidates = sorted(
            (
                {
                    "similarity": random.gauss(0.4, 0.1),
                    "terms": random.gauss(0.3, 0.1),
                    "hub_across": random.gauss(0.2, 0.05),
                    "hub_alike": random.gauss(0.2, 0.05),
                }
                for _ in range(10)
            ),
            key=lambda parts: -DEFAULT.score(parts),
        )
        accepted = accepts(candidates)
        matches = [
            Match(
                need_id=need.id,
                seed_id=one.id,
                cluster_id=need.cluster_id,
                status=MatchStatus.SHORTLISTED if place in accepted else MatchStatus.DISMISSED,
                score=round(DEFAULT.score(parts), 6),
                parts={
                    name: {"value": parts[name], "weight": DEFAULT.weights[name], "estimated": False} for name in PARTS
                },
                model=model.name,
                revision=model.revision,
                precision="float32",
                policy=policy,
            )
            for place, (one, parts) in enumerate(zip(seeds, candidates, strict=True))
        ]
        session.add_all(matches)
        session.flush()
        for match in matches:
            review(session, match, caller, reason=None if match.status == MatchStatus.SHORTLISTED else reason)
    session.flush()
    return caller


def review(session: Session, match: Match, caller: Caller, reason: ReasonCode | None) -> Review:
    """A verdict on a match: dismissed for the reason, or shortlisted for None."""
    assert session.get(Account, caller.id)
    verdict = Verdict.SHORTLIST if reason is None else Verdict.DISMISS
    made = Review(match_id=match.id, account_id=caller.id, verdict=verdict, reason=reason)
    session.add(made)
    return made
