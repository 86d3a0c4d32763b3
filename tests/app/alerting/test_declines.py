"""Now and then owners are told that introductions of an entry were declined, and what for."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import Interest, Match, MatchStep, Seed
from enmusubi.app.vocabulary import Audience, InterestAnswer, MatchStatus, NoticeKind, ReasonCode, Side, Step
from tests.app.alerting.conftest import Work
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_seed


def _declined(people: People, session: Session, seed: Seed, reason: ReasonCode, *, asked: bool = True) -> Match:
    need = a_need(session, people.cluster, people.company.organisation)
    match = a_match(session, need, seed)
    if asked:
        session.add(Interest(match_id=match.id, side=Side.SEED, answer=InterestAnswer.YES))
    match.status = MatchStatus.DECLINED
    session.add(
        MatchStep(
            match_id=match.id, cluster_id=match.cluster_id, step=Step.DECLINE, side=Side.NEED, reason=reason,
            before=MatchStatus.INTRODUCED, after=MatchStatus.DECLINED,
        )
    )  # fmt: skip
    session.commit()
    return match


def test_an_owner_is_told_what_is_new(people: People, session: Session, work: Work) -> None:
    """The reasons of the other side's "no"s to introductions that it was asked about, once in thirty days."""
    seed = a_seed(session, people.cluster, people.university.organisation)
    _declined(people, session, seed, ReasonCode.TOO_EARLY)
    _declined(people, session, seed, ReasonCode.TERMS, asked=False)
    assert work.declines() == 1
    assert work.declines() == 0
    (notice,) = work.notices()
    assert (notice.kind, notice.audience, notice.seed_id) == (
        NoticeKind.DECLINES_DIGEST,
        Audience.SEED_SIDE,
        seed.id,
    )
    assert notice.facts == {"reasons": ["too_early"]}
    _declined(people, session, seed, ReasonCode.IP_POSITION)
    work.pass_days(29)
    assert work.declines() == 0
    work.pass_days(1)
    assert work.declines() == 1
    assert work.notices()[1].facts == {"reasons": ["ip_position"]}


def test_verdicts_are_told_to_nobody(people: People, session: Session, work: Work) -> None:
    """What a coordinator dismissed is in no notice."""
    seed = a_seed(session, people.cluster, people.university.organisation)
    match = a_match(session, a_need(session, people.cluster, people.company.organisation), seed)
    session.add(Interest(match_id=match.id, side=Side.SEED, answer=InterestAnswer.YES))
    session.commit()
    verdict = {"verdict": "dismiss", "reason": "too_early"}
    assert people.coordinator.post(f"/matches/{match.public_id}/reviews", verdict, If_Match="*").status_code == 201
    assert work.declines() == 0
    assert session.scalars(select(Match.status)).one() == MatchStatus.DISMISSED
