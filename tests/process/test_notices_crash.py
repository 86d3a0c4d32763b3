"""Workers and databases killed at random moments: every notice arrives, and none twice but with the same id.

`--kills N` says how many kills there are in all.
"""

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from enmusubi.app import migrating
from enmusubi.app.cli.accounts import add_cluster, new_account
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.delivering import signing
from enmusubi.app.models import Account, Cluster, Delivery, Notice, WebhookEndpoint
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, DeliveryState, NoticeKind, Role
from tests.mailbox import Mailbox, mailbox
from tests.receiving import Receiver, a_receiver
from tests.running import Home, kill, wait_for

__all__ = ["mailbox"]
pytestmark = pytest.mark.process

OF_POSTGRES = 5  # one kill of so many is of the database
AHEAD = 20  # notices that wait to be sent: enough for every moment, and soon done in the end
Pairs = list[tuple[str, int]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes webhooks."""
    with a_receiver() as receiver:
        yield receiver


@dataclass
class Writer:
    """Writes one notice after another, each with a number; knows which of them were committed."""

    database: Database
    came: Receiver
    acknowledged: set[int] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        """Until it is stopped; a number whose commit was not confirmed may be there or not, and is not used again."""
        number = 0
        while not self.stopping.wait(0.02):
            if len(self.acknowledged) > len(self.came.requests) + AHEAD:
                continue
            number += 1
            try:
                with self.database.session() as session:
                    cluster = session.scalars(select(Cluster)).one()
                    notify(
                        session, cluster_id=cluster.id, kind=NoticeKind.STEP_DUE, audience=Audience.COORDINATORS,
                        facts={"count": number},
                    )  # fmt: skip
                    session.commit()
            except OperationalError:
                continue
            self.acknowledged.add(number)


@contextmanager
def writing(database: Database, came: Receiver) -> Iterator[Writer]:
    """A writer at work."""
    writer = Writer(database, came)
    thread = threading.Thread(target=writer.write)
    thread.start()
    try:
        yield writer
    finally:
        writer.stopping.set()
        thread.join()


def set_up(database: Database, receiver: Receiver) -> None:
    """A cluster with a coordinator who gets letters, and a webhook."""
    migrating.upgrade(database)
    with database.session() as session:
        cluster = add_cluster(session, "北星湾")
        account: Account = new_account(session, cluster, "Sato", Role.COORDINATOR, None, "sato@example.org")
        account.language = "en"
        session.flush()
        session.add(
            WebhookEndpoint(
                cluster_id=cluster.id, created_by_id=account.id, url=receiver.url, secret=signing.new_secret()
            )
        )
        session.commit()


def letters_in(box: Mailbox) -> Pairs:
    """The Message-ID of each letter, with the number of its notice."""
    found = []
    for letter in list(box.letters):
        (line,) = [line for line in str(letter.get_content()).splitlines() if line.startswith("Number: ")]
        found.append((str(letter["Message-ID"]), int(line.removeprefix("Number: "))))
    return found


def webhooks_at(receiver: Receiver) -> Pairs:
    """The id of each webhook, with the number of its notice."""
    return [
        (request.headers["webhook-id"], json.loads(request.body)["data"]["facts"]["count"])
        for request in list(receiver.requests)
    ]


def numbers(pairs: Pairs) -> set[int]:
    """Which notices have come."""
    return {number for _, number in pairs}


def wait_for_a_moment(chance: random.Random, process: subprocess.Popen[str], came: Receiver) -> None:
    """Any moment: while the worker starts, or soon after it has sent something."""
    if chance.random() < 0.25:
        time.sleep(chance.uniform(0, 2.0))
        return
    before = len(came.requests)
    wait_for(lambda: len(came.requests) > before or process.poll() is not None, "a webhook")
    time.sleep(chance.uniform(0, 0.3))


def kill_postgres(home: Home) -> None:
    """SIGKILL to the embedded server; whoever uses it starts it again."""
    postmaster = home.postmaster()
    if postmaster is not None:
        psutil.Process(postmaster).send_signal(signal.SIGKILL)


def test_killed_workers_lose_no_notice_and_repeat_none_but_with_its_id(
    home: Home, mailbox: Mailbox, receiver: Receiver, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every committed notice arrives by letter and webhook; whoever drops known ids has each of them once."""
    home = home.with_settings(
        smtp_url=f"smtp://127.0.0.1:{mailbox.port}", mail_from="enmusubi@example.org", webhooks_may_reach="127.0.0.0/8"
    )
    kills: int = request.config.getoption("--kills")
    chance = random.Random(3)
    began = time.monotonic()
    with connect(Settings(home=home.folder)) as database:
        set_up(database, receiver)
        worker = home.begin("worker")
        try:
            with writing(database, receiver) as writer:
                for number in range(1, kills + 1):
                    wait_for_a_moment(chance, worker, receiver)
                    if number % OF_POSTGRES == 0:
                        kill_postgres(home)
                        continue
                    kill(worker)
                    worker = home.begin("worker")
            seconds = time.monotonic() - began
            wanted = writer.acknowledged
            wait_for(lambda: wanted <= numbers(letters_in(mailbox)), "all letters")
            wait_for(lambda: wanted <= numbers(webhooks_at(receiver)), "all webhooks")
            wait_for(lambda: _all_are_told(database), "nothing left to send")
            worker.terminate()
            assert worker.wait(60) == 0
        finally:
            kill(worker)
    assert len(wanted) > kills
    for came in (letters_in(mailbox), webhooks_at(receiver)):
        by_id = dict(came)
        assert set(came) == set(by_id.items())  # an id always names the same notice
        assert len(set(by_id.values())) == len(by_id)  # and a notice has one id
    repeats = (
        len(mailbox.letters) - len(dict(letters_in(mailbox))),
        (len(receiver.requests) - len(dict(webhooks_at(receiver)))),
    )
    with capsys.disabled():
        told = f"{kills} kills in {seconds:.0f} s, {len(wanted)} notices, repeated letters and webhooks: {repeats}"
        capsys.readouterr()
        request.config.get_terminal_writer().line(f"\n{told}")


def _all_are_told(database: Database) -> bool:
    try:
        with database.session() as session:
            waiting = session.scalar(select(Notice.id).where(Notice.dispatched.is_(None)).limit(1))
            unsent = session.scalar(select(Delivery.id).where(Delivery.state != DeliveryState.SENT).limit(1))
    except OperationalError:  # a connection from before the database was killed
        return False
    return waiting is None and unsent is None
