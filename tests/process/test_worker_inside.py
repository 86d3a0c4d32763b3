"""A service on the embedded server sends notices by itself, and stops in order."""

import pytest

from enmusubi.app import migrating
from enmusubi.app.cli.accounts import add_cluster, new_account
from enmusubi.app.config import Settings
from enmusubi.app.database import connect
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, NoticeKind, Role
from tests.mailbox import Mailbox, mailbox
from tests.running import Home, Server, wait_for

__all__ = ["mailbox"]
pytestmark = pytest.mark.process


def test_serve_sends_notices_and_doctor_sees_its_worker(home: Home, mailbox: Mailbox) -> None:
    """Without a further command; told to end, it ends what it has begun."""
    home = home.with_settings(smtp_url=f"smtp://127.0.0.1:{mailbox.port}", mail_from="enmusubi@example.org")
    with connect(Settings(home=home.folder)) as database:
        migrating.upgrade(database)
        with database.session() as session:
            cluster = add_cluster(session, "北星湾")
            new_account(session, cluster, "Sato", Role.COORDINATOR, None, "sato@example.org")
            notify(session, cluster_id=cluster.id, kind=NoticeKind.HANDED_OVER, audience=Audience.COORDINATORS)
            session.commit()
        server = Server(home).ready()
        try:
            wait_for(lambda: mailbox.letters, "the letter")
            wait_for(lambda: "1 workers alive, 0 notices wait" in home.run("doctor").out, "an empty outbox")
            assert server.terminate() == 0
        finally:
            server.kill()
    assert home.postmaster() is None
