"""Decisions at the same moment, on a database where commits are real: never do both win."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from httpx2 import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.database import Database
from enmusubi.app.models import Disclosure, Interest, Match, MatchStep, Notice, Wait
from enmusubi.app.vocabulary import NoticeKind, Role, Step
from tests.app.clocks import MovedClock, tick_of
from tests.app.conftest import Serve, people_of
from tests.app.factories import a_person
from tests.app.introducing.conftest import Pair, a_pair

TIMES = 4
"""How often each race is run: who is first differs."""


@pytest.fixture
def pairs(serve: Serve, committed: Database) -> list[Pair]:
    """Suggested matches of the same two organisations."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
        return [a_pair(people, session) for _ in range(TIMES)]


def at_once(*calls: Callable[[], Response]) -> list[int]:
    """The statuses of calls that start together."""
    barrier = Barrier(len(calls))

    def call(each: Callable[[], Response]) -> int:
        barrier.wait()
        return each().status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def stored(session: Session, pair: Pair) -> Match:
    """The match as it is now."""
    return session.scalars(select(Match).where(Match.id == pair.row.id)).one()


def count(session: Session, pair: Pair, step: Step) -> int:
    """How often a step was taken."""
    query = select(func.count()).where(MatchStep.match_id == pair.row.id, MatchStep.step == step)
    return session.scalar(query) or 0


def test_both_sides_say_yes_at_once(pairs: list[Pair], committed: Database) -> None:
    """Both count, and the second makes it accepted."""
    for pair in pairs:
        pair.introduce()
        statuses = at_once(partial(pair.ask, pair.company, "accept"), partial(pair.ask, pair.university, "accept"))
        assert statuses == [201, 201]
        with committed.session() as session:
            assert stored(session, pair).status == "accepted"
            waits = session.scalars(select(Wait.awaited).where(Wait.match_id == pair.row.id, Wait.ended.is_(None)))
            assert list(waits) == ["disclosure"]


def test_two_people_of_one_side_answer_at_once(pairs: list[Pair], committed: Database) -> None:
    """One answer of the side is taken, the other is told that there is one."""
    with committed.session() as session:
        colleague = a_person(
            pairs[0].company.client, session, pairs[0].people.cluster, Role.COMPANY, pairs[0].company.organisation
        )
        session.commit()
    for pair in pairs:
        pair.introduce()
        statuses = at_once(
            partial(pair.ask, pair.company, "accept"),
            partial(pair.ask, colleague, "decline", {"reason": "terms"}),
        )
        assert sorted(statuses) == [201, 409]
        with committed.session() as session:
            yes, no = count(session, pair, Step.ACCEPT), count(session, pair, Step.DECLINE)
            assert yes + no == 1
            answer = session.scalars(
                select(Interest.answer).where(Interest.match_id == pair.row.id, Interest.side == "need")
            ).one()
            assert (answer, stored(session, pair).status) == (("yes", "introduced") if yes else ("no", "declined"))


def test_a_yes_and_a_close_at_once(pairs: list[Pair], committed: Database) -> None:
    """Where it is closed first, the yes comes too late; otherwise both are taken, the close after the yes."""
    for pair in pairs:
        pair.introduce()
        pair.take(pair.university, "accept")
        yes, close = at_once(
            partial(pair.ask, pair.company, "accept"),
            partial(pair.ask, pair.coordinator, "close", {"reason": "out_of_scope"}),
        )
        assert close == 201
        assert yes in (201, 409)
        with committed.session() as session:
            assert stored(session, pair).status == "declined"
            steps = session.scalars(
                select(MatchStep.step).where(MatchStep.match_id == pair.row.id).order_by(MatchStep.id)
            )
            assert list(steps)[-1] == "close"
            assert count(session, pair, Step.ACCEPT) == 1 + (yes == 201)


def test_disclosing_twice_at_once(pairs: list[Pair], committed: Database) -> None:
    """Each side is told once."""
    for pair in pairs:
        pair.introduce()
        pair.take(pair.university, "accept")
        pair.take(pair.company, "accept")
        path = f"/matches/{pair.match}/disclosure"
        tag = pair.coordinator.get(path).headers["ETag"]
        statuses = at_once(*[partial(pair.coordinator.post, path, {}, If_Match=tag)] * 2)
        assert sorted(statuses) == [201, 409]
        with committed.session() as session:
            told = session.scalars(select(Disclosure.told).where(Disclosure.match_id == pair.row.id))
            assert sorted(told) == ["need", "seed"]


def test_interest_of_both_sides_at_once(pairs: list[Pair], committed: Database) -> None:
    """One is first; the other was asked at that moment, and says yes by answering."""
    for pair in pairs:
        statuses = at_once(
            partial(pair.ask, pair.company, "interest"),
            partial(pair.ask, pair.university, "interest"),
        )
        assert sorted(statuses) == [201, 409]
        with committed.session() as session:
            answers = session.scalars(select(Interest.answer).where(Interest.match_id == pair.row.id))
            assert sorted(answers) == ["waiting", "yes"]


def test_two_clocks_at_once(pairs: list[Pair], service: Database, committed: Database) -> None:
    """Everything that is due is done once."""
    clock = MovedClock()
    for pair in pairs:
        pair.introduce()
    clock.pass_working_days(15)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: tick_of(service, clock), range(2)))
    assert sum(steps.get(Step.REMIND, 0) for steps in done) == 2 * TIMES
    with committed.session() as session:
        assert [count(session, pair, Step.REMIND) for pair in pairs] == [2] * TIMES


def test_two_clocks_warn_once(pairs: list[Pair], service: Database, committed: Database) -> None:
    """Each side of each match is told once that the last day is near."""
    clock = MovedClock()
    for pair in pairs:
        pair.introduce()
    clock.pass_working_days(8)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: tick_of(service, clock), range(2)))
    with committed.session() as session:
        told = session.execute(select(Notice.match_id, Notice.audience).where(Notice.kind == NoticeKind.STEP_DUE)).all()
    keys = [pair.row.id for pair in pairs]
    assert sorted(told) == sorted((key, side) for key in keys for side in ("need_side", "seed_side"))


def test_the_last_one_leaves_while_the_side_is_asked(pairs: list[Pair], committed: Database) -> None:
    """Either nobody is asked, or the coordinators are told that nobody is left to answer."""
    path = f"/accounts/{pairs[0].university.caller.public_id}"
    for pair in pairs:
        pair.shortlist()
        asked, left = at_once(
            partial(pair.ask, pair.coordinator, "introduce"),
            partial(pair.administrator.post, f"{path}/deactivate"),
        )
        assert (asked in (201, 409), left) == (True, 200)
        with committed.session() as session:
            told = session.scalar(
                select(func.count()).where(Notice.kind == NoticeKind.NOBODY_ANSWERS, Notice.match_id == pair.row.id)
            )
        assert told == (asked == 201)
        assert pair.administrator.post(f"{path}/reactivate").status_code == 200


def test_the_last_two_leave_at_once(pairs: list[Pair], committed: Database) -> None:
    """Whoever is the last, the coordinators are told once of each answer."""
    client, people = pairs[0].company.client, pairs[0].people
    with committed.session() as session:
        colleague = a_person(client, session, people.cluster, Role.UNIVERSITY, people.university.organisation)
        session.commit()
    for pair in pairs:
        pair.introduce()
    calls = [
        partial(people.administrator.post, f"/accounts/{person.caller.public_id}/deactivate")
        for person in (people.university, colleague)
    ]
    assert at_once(*calls) == [200, 200]
    with committed.session() as session:
        told = session.scalars(select(Notice.match_id).where(Notice.kind == NoticeKind.NOBODY_ANSWERS)).all()
        assert (len(told), set(told)) == (TIMES, {pair.row.id for pair in pairs})


def test_a_disclosure_and_a_withdrawal_at_once(pairs: list[Pair]) -> None:
    """What is withdrawn first is not disclosed."""
    for pair in pairs:
        pair.introduce()
        pair.take(pair.university, "accept")
        pair.take(pair.company, "accept")
        path = f"/matches/{pair.match}/disclosure"
        tag = pair.coordinator.get(path).headers["ETag"]
        disclosed, withdrawn = at_once(
            partial(pair.coordinator.post, path, {}, If_Match=tag),
            partial(pair.university.withdraw, f"/seeds/{pair.seed}"),
        )
        assert (disclosed, withdrawn) in ((201, 200), (409, 200))
        told = pair.company.read(f"/matches/{pair.match}/disclosed")["items"]
        assert len(told) == (disclosed == 201)


def test_the_clock_and_an_answer_at_once(pairs: list[Pair], service: Database, committed: Database) -> None:
    """Either it lapses or the answer counts."""
    clock = MovedClock()
    for pair in pairs:
        pair.introduce()
        pair.take(pair.university, "accept")
    for days in (15, 5, 5):
        clock.pass_working_days(days)
        tick_of(service, clock)
    clock.pass_working_days(5)
    barrier = Barrier(2)

    def lapse() -> None:
        barrier.wait()
        tick_of(service, clock)

    with ThreadPoolExecutor(1) as pool:
        ticking = pool.submit(lapse)
        barrier.wait()
        statuses = [pair.ask(pair.company, "accept").status_code for pair in pairs]
        ticking.result()
    with committed.session() as session:
        for pair, status in zip(pairs, statuses, strict=True):
            found = stored(session, pair).status
            assert found == ("accepted" if status == 201 else "declined")
            assert count(session, pair, Step.LAPSE) == (status != 201)


@pytest.mark.parametrize("kind", ["needs", "seeds"])
def test_an_introduction_and_a_recall_at_once(pairs: list[Pair], kind: str) -> None:
    """Never is anybody introduced to a draft."""
    for pair in pairs:
        pair.shortlist()
        owner, entry = (pair.company, pair.need) if kind == "needs" else (pair.university, pair.seed)
        statuses = at_once(
            partial(pair.ask, pair.coordinator, "introduce"),
            partial(owner.patch, f"/{kind}/{entry}", {"status": "draft"}),
        )
        # A coordinator does not see a pair with a draft.
        assert statuses in ([201, 409], [409, 200], [404, 200])
        assert pair.coordinator.get("/matches").status_code == 200


def test_a_disclosure_and_an_exclusion_at_once(pairs: list[Pair]) -> None:
    """Who is excluded first is told nothing."""
    for pair in pairs:
        pair.introduce()
        pair.take(pair.university, "accept")
        pair.take(pair.company, "accept")
        path = f"/matches/{pair.match}/disclosure"
        tag = pair.coordinator.get(path).headers["ETag"]
        assert pair.university.organisation is not None
        excluded = {"excluded_organisations": [pair.university.organisation.name]}
        disclosed, revised = at_once(
            partial(pair.coordinator.post, path, {}, If_Match=tag),
            partial(pair.company.patch, f"/needs/{pair.need}", excluded),
        )
        assert (disclosed in (201, 409), revised) == (True, 200)
        told = pair.university.read(f"/matches/{pair.match}/disclosed")["items"]
        assert len(told) == (disclosed == 201)
