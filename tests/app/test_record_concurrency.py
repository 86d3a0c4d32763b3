"""Many who write and many who link, on a database where commits are real: one chain, no event lost, nobody stuck."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enmusubi.app.database import Database
from enmusubi.app.models import RecordEvent
from enmusubi.app.recording import BackgroundChaining, Operator, chain, head, record
from enmusubi.app.vocabulary import Action, RecordedKind
from tests.app.conftest import Serve, people_of
from tests.app.records import found_fault
from tests.running import wait_for

WRITERS, LINKERS, TIMES = 6, 2, 30


def _write(database: Database, writer: int) -> None:
    for number in range(TIMES):
        with database.session() as session:
            record(session, Operator(), Action.VIEWED, RecordedKind.NEED, uuid.UUID(int=number), version=writer)
            if number % 5 == 4:
                session.rollback()
            else:
                session.commit()


def test_many_write_and_link_at_once(committed: Database) -> None:
    """Every committed event is in the chain once, without a gap; what was rolled back is not."""
    writing = threading.Event()

    def link() -> int:
        linked = 0
        while not writing.is_set():
            linked += chain(committed)
        return linked + chain(committed)

    with ThreadPoolExecutor(WRITERS + LINKERS) as pool:
        linkers = [pool.submit(link) for _ in range(LINKERS)]
        writers = [pool.submit(_write, committed, writer) for writer in range(WRITERS)]
        try:
            for each in writers:
                each.result()
        finally:
            writing.set()
        linked = sum(each.result() for each in linkers)
    expected = WRITERS * TIMES * 4 // 5
    with committed.session() as session:
        assert linked == expected
        assert head(session).sequence == expected
        assert found_fault(session) is None
        per_writer = session.execute(select(RecordEvent.content, func.count()).group_by(RecordEvent.content)).all()
        assert sorted(count for _, count in per_writer) == [TIMES * 4 // 5] * WRITERS


def test_a_long_request_keeps_nobody_from_writing_or_linking(committed: Database) -> None:
    """An event that is not committed yet holds no lock; it is linked later, after those that overtook it."""
    with committed.session() as slow, committed.session() as quick:
        record(slow, Operator(), Action.CREATED, RecordedKind.NEED, uuid.UUID(int=1))
        record(quick, Operator(), Action.CREATED, RecordedKind.NEED, uuid.UUID(int=2))
        quick.commit()
        assert chain(committed) == 1
        slow.commit()
    assert chain(committed) == 1
    with committed.session() as session:
        found = session.scalars(select(RecordEvent.object).order_by(RecordEvent.sequence)).all()
        assert found == [uuid.UUID(int=2), uuid.UUID(int=1)]
        assert found_fault(session) is None


def test_linking_waits_for_nothing_but_linking(committed: Database) -> None:
    """While somebody links, others go on recording."""
    with committed.session() as linking, committed.session() as session:
        linking.execute(text("select record_chain(10)"))
        record(session, Operator(), Action.VIEWED, RecordedKind.NEED, None)
        session.commit()
        linking.commit()
    assert chain(committed) == 1


def _linked(session: Session) -> int:
    session.rollback()
    return head(session).sequence


def test_a_running_service_links_what_is_recorded(committed: Database, serve: Serve) -> None:
    """Two of them, of what either or a command has recorded; what is left is linked at the end."""
    linking = [BackgroundChaining(committed, 0.01) for _ in range(2)]
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
        made = people.company.create("/needs", {"title": "T"})
        people.company.read(f"/needs/{made['id']}")
        count = session.scalar(select(func.count()).select_from(RecordEvent))
        wait_for(lambda: _linked(session) == count, "the events to be linked")
        for each in linking:
            each.close()
        assert found_fault(session) is None
    last = BackgroundChaining(committed, 60.0)
    with committed.session() as session:
        record(session, Operator(), Action.VIEWED, RecordedKind.NEED, None)
        session.commit()
        last.close()
        assert _linked(session) == (count or 0) + 1
