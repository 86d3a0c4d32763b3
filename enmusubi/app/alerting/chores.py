"""What the worker does of this, again and again."""

import datetime

from sqlalchemy.orm import Session

from enmusubi.app.alerting.declines import tell_declines
from enmusubi.app.alerting.digest import send_digests
from enmusubi.app.alerting.partners import match_new
from enmusubi.app.config import Settings
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.working.chores import Chore


def chores_for(settings: Settings, matchmaking: Matchmaking) -> tuple[Chore, ...]:
    """The chores of alerts; they share nothing but the matchmaker."""

    def match(session: Session, now: datetime.datetime) -> None:
        match_new(session, matchmaking, settings, now)

    def digest(session: Session, now: datetime.datetime) -> None:
        send_digests(session, settings, now)

    def declines(session: Session, now: datetime.datetime) -> None:
        tell_declines(session, settings, now)

    # Digests are looked for more often than they are due: a worker that was away makes up for it.
    return (
        Chore("match-new", 1, match),
        Chore("alert-digest", 15, digest),
        Chore("declines-digest", 60, declines),
    )
