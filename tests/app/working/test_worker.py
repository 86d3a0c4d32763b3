"""A worker beside a real database: sends what is written, takes up what the dead have left, and does chores."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, select, text
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.delivering.dispatching import dispatch
from enmusubi.app.delivering.outbound import Outbound, outbound_for
from enmusubi.app.mail import post_office
from enmusubi.app.models import Account, Cluster, Notice
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, NoticeKind, Role
from enmusubi.app.working import backlog
from enmusubi.app.working.chores import Chore
from enmusubi.app.working.worker import CONNECTIONS, Worker
from tests.app.factories import a_caller, a_cluster
from tests.databases import as_superuser
from tests.mailbox import Mailbox, mailbox
from tests.running import wait_for

__all__ = ["mailbox"]
CUT = text(
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = :database and application_name = 'enmusubi worker'"
)


@pytest.fixture
def cluster(committed: Database) -> Cluster:
    """A cluster with a coordinator who has an address."""
    with committed.session() as session:
        cluster = a_cluster(session)
        caller = a_caller(session, cluster, Role.COORDINATOR)
        session.get_one(Account, caller.id).email = "sato@example.org"
        session.commit()
    return cluster


@pytest.fixture
def outbound(service: Database, settings: Settings, mailbox: Mailbox) -> Outbound:
    """Sends to the mail server that was started here."""
    posting = settings.model_copy(
        update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{mailbox.port}"), "mail_from": "enmusubi@example.org"}
    )
    return outbound_for(posting, service.session, post_office(posting))


@contextmanager
def working(service: Database, outbound: Outbound, *chores: Chore) -> Iterator[None]:
    """While a worker runs, on connections of its own."""
    beside = service.beside(CONNECTIONS)
    worker = Worker(beside, outbound, chores)
    try:
        yield
    finally:
        worker.close()
        beside.close()


def _a_notice(committed: Database, cluster: Cluster) -> Notice:
    with committed.session() as session:
        notice = notify(session, cluster_id=cluster.id, kind=NoticeKind.STEP_DUE, audience=Audience.COORDINATORS)
        session.commit()
    return notice


def test_it_sends_what_was_and_what_is_written(
    committed: Database, service: Database, outbound: Outbound, cluster: Cluster, mailbox: Mailbox
) -> None:
    """Before it started, and while it runs; nothing is left in its queue."""
    _a_notice(committed, cluster)
    with working(service, outbound):
        wait_for(lambda: len(mailbox.letters) == 1, "the first letter")
        _a_notice(committed, cluster)
        wait_for(lambda: len(mailbox.letters) == 2, "the second letter")
    found = backlog.of(committed)
    assert (found.workers, found.waiting, found.late, found.failed) == (0, 0, 0, 0)


def test_it_takes_up_what_a_killed_one_was_doing(
    committed: Database, service: Database, outbound: Outbound, cluster: Cluster, mailbox: Mailbox
) -> None:
    """The job of the dead is still marked as begun; the delivery's row says that it waits."""
    dispatch(outbound, _a_notice(committed, cluster).id)
    with committed.engine.begin() as connection:
        connection.execute(text("update procrastinate_jobs set status = 'doing'"))
    with working(service, outbound):
        wait_for(lambda: len(mailbox.letters) == 1, "the letter")


def test_it_goes_on_after_its_connections_were_cut(
    server: Database, committed: Database, service: Database, outbound: Outbound, cluster: Cluster, mailbox: Mailbox
) -> None:
    """Those of its queue, as by a database that is started again."""
    with working(service, outbound):
        _a_notice(committed, cluster)
        wait_for(lambda: len(mailbox.letters) == 1, "the first letter")
        with as_superuser(server) as connection:
            connection.execute(CUT, {"database": make_url(committed.url).database})
        _a_notice(committed, cluster)
        wait_for(lambda: len(mailbox.letters) == 2, "the second letter")


def test_it_does_chores(service: Database, outbound: Outbound) -> None:
    """Also one whose time came while no worker ran."""
    done: list[datetime.datetime] = []

    def look(session: Session, now: datetime.datetime) -> None:
        assert session.scalar(select(text("caller_role()"))) == "service"
        done.append(now)

    with working(service, outbound, Chore("look", 1440, look)):
        wait_for(lambda: done, "the chore")


def test_the_backlog_tells_what_is_late(committed: Database, cluster: Cluster) -> None:
    """While no worker runs."""
    _a_notice(committed, cluster)
    found = backlog.of(committed)
    assert (found.workers, found.waiting, found.late) == (0, 1, 0)
    with committed.engine.begin() as connection:
        connection.execute(text("update notices set created = created - interval '1 hour'"))
    assert backlog.of(committed).late == 1
