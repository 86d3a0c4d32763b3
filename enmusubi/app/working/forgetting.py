"""What is forgotten every night: notices that were read long ago, and reports of posted files."""

import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.importing.running import KEPT
from enmusubi.app.working.chores import DAY, Chore

AT_ONCE: Final = 1_000
"""Rows of a transaction."""


def forgetting(settings: Settings) -> Chore:
    """The chore that forgets what is older than the settings say."""

    def forget(session: Session, now: datetime.datetime) -> None:
        session.execute(select(func.forget_old_imports(KEPT)))
        session.commit()
        forget_notices(session, datetime.timedelta(days=settings.notices_days))

    return Chore("forget", DAY, forget)


def forget_notices(session: Session, age: datetime.timedelta, at_once: int = AT_ONCE) -> int:
    """Forget deliveries that were read or sent, and notices without any, of that age; unread ones at twice the age.

    What is to be sent still is kept. How many rows went. Commits after each part; of two at once, each passes over what
    the other is at.
    """
    forgotten = 0
    while part := session.scalar(select(func.forget_old_notices(age, at_once))) or 0:
        session.commit()
        forgotten += part
    return forgotten
