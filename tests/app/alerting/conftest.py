"""The service's own work on the rolled-back database, at a time that tests set."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enmusubi.app.alerting import digest, partners
from enmusubi.app.alerting.declines import tell_declines
from enmusubi.app.caller import acting_as_service
from enmusubi.app.config import Settings
from enmusubi.app.freshness import Freshness
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Alert, Notice, ToMatch
from enmusubi.matching.snapshot import LiveSnapshots
from tests.app.factories import ENCODER
from tests.conftest import RolledBackDatabase
from tests.mailbox import mailbox

__all__ = ["mailbox"]

MORNING = datetime.datetime(2027, 1, 12, 0, 30, tzinfo=datetime.UTC)
"""Half past nine in Japan."""


@dataclass
class Work:
    """What the worker does, without one."""

    database: RolledBackDatabase
    settings: Settings
    matchmaking: Matchmaking
    now: datetime.datetime = field(default=MORNING)

    def _done(self, work: Callable[[Session], int]) -> int:
        with self.database.for_service.session() as session, acting_as_service(session):
            count = work(session)
            session.commit()
            return count

    def match(self) -> int:
        """Match what waits."""
        return self._done(lambda session: partners.match_new(session, self.matchmaking, self.settings, self.now))

    def digest(self) -> int:
        """Send the digests that are due."""
        return self._done(lambda session: digest.send_digests(session, self.settings, self.now))

    def declines(self) -> int:
        """Send the digests of why entries were declined."""
        return self._done(lambda session: tell_declines(session, self.settings, self.now))

    def pass_days(self, days: float) -> None:
        """Let time go by."""
        self.now += datetime.timedelta(days=days)

    def forget_what_waits(self) -> None:
        """Nothing is new any more."""
        with self.database.session() as session:
            session.execute(delete(ToMatch))
            session.commit()

    def alerts(self) -> list[Alert]:
        """All alerts, in the order in which they were written."""
        with self.database.session() as session:
            return list(session.scalars(select(Alert).order_by(Alert.id)))

    def notices(self) -> list[Notice]:
        """All notices, in the order in which they were written."""
        with self.database.session() as session:
            return list(session.scalars(select(Notice).order_by(Notice.id)))


@pytest.fixture
def work(database: RolledBackDatabase, settings: Settings) -> Iterator[Work]:
    """The worker's work, with the deterministic encoder and no snapshot."""
    live = LiveSnapshots(settings.snapshots, expect_fingerprint=ENCODER.fingerprint)
    given = settings.model_copy(update={"alerts_hour": 8, "alerts_per_week": 3})
    yield Work(database, given, Matchmaking(ENCODER, Freshness(live, ENCODER), settings.floor))
    live.close()
