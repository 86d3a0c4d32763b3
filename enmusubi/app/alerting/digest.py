"""The daily digest: what has waited, in one notice a person, and how much more waits."""

import datetime
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.alerting.readers import Reader, readers
from enmusubi.app.alerting.sending import left, still_proposed
from enmusubi.app.caller import Caller, acting_as, acting_as_service
from enmusubi.app.clock import JAPAN, day_of
from enmusubi.app.config import Settings
from enmusubi.app.models import Alert, AlertSettings, Match, Need, SavedSearch, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import AlertFrequency, Audience, NoticeKind


def send_digests(session: Session, settings: Settings, now: datetime.datetime) -> int:
    """Send what waits to everybody who has not had a digest today, from the set hour on; how many digests that were."""
    if now.astimezone(JAPAN).hour < settings.alerts_hour:
        return 0
    today = day_of(now)
    sent = 0
    everybody = [*readers(session, searching=True), *readers(session, searching=False)]
    for reader in {reader.caller.id: reader for reader in everybody}.values():
        if reader.digested_on is None or reader.digested_on < today:
            sent += _digest(session, reader, settings, now)
    return sent


def _digest(session: Session, reader: Reader, settings: Settings, now: datetime.datetime) -> bool:
    caller = reader.caller
    waiting = _waiting(session, caller)
    if not waiting:
        return False
    with acting_as(session, caller):
        valid = _still_told(session, reader, waiting)
    with acting_as_service(session):
        gone = [alert.id for alert in waiting if alert.id not in valid]
        session.execute(update(Alert).where(Alert.id.in_(gone)).values(dropped=now))
        told = [alert for alert in waiting if alert.id in valid]
        now_told = told[: left(session, caller.id, settings, now)]
        if not now_told:
            # Nobody is told that there is more to tell.
            return False
        session.execute(update(Alert).where(Alert.id.in_([alert.id for alert in now_told])).values(sent=now))
        notify(
            session,
            cluster_id=caller.cluster_id,
            kind=NoticeKind.ALERT_DIGEST,
            audience=Audience.ACCOUNT,
            account=caller.id,
            facts={
                "count": len(now_told),
                "more": len(told) - len(now_told) or None,
                "alerts": [str(alert.public_id) for alert in now_told],
            },
        )
        _note_day(session, caller, day_of(now))
    return True


def _waiting(session: Session, caller: Caller) -> Sequence[Alert]:
    chosen = select(Alert).where(Alert.account_id == caller.id, Alert.sent.is_(None), Alert.dropped.is_(None))
    with acting_as_service(session):
        # Populated anew: what was written at once may be known to the session as it was before.
        query = chosen.order_by(Alert.id).execution_options(populate_existing=True)
        return session.scalars(query).all()


def _still_told(session: Session, reader: Reader, waiting: Sequence[Alert]) -> set[int]:
    """Those that their reader still wants, may see, and that have not been decided on meanwhile."""
    caller, keys = reader.caller, [alert.id for alert in waiting]
    valid: set[int] = set()
    if reader.frequency is not AlertFrequency.NEVER:
        pairs = (
            select(Alert.id)
            .join(Match, Alert.match_id == Match.id)
            .join(Need, Match.need_id == Need.id)
            .join(Seed, Match.seed_id == Seed.id)
        )
        valid |= set(session.scalars(pairs.where(Alert.id.in_(keys), still_proposed(caller))))
    for kind, column in ((Seed, Alert.seed_id), (Need, Alert.need_id)):
        seen = visibility.seeds_visible_to(caller) if kind is Seed else visibility.needs_visible_to(caller)
        found = (
            select(Alert.id)
            .join(SavedSearch, Alert.saved_search_id == SavedSearch.id)
            .join(kind, column == kind.id)
            .where(Alert.id.in_(keys), SavedSearch.frequency != AlertFrequency.NEVER)
            .where(seen, visibility.open_for_matching(kind))
        )
        valid |= set(session.scalars(found))
    return valid


def _note_day(session: Session, caller: Caller, day: datetime.date) -> None:
    values = {"account_id": caller.id, "frequency": AlertFrequency.DAILY, "digested_on": day}
    noted = insert(AlertSettings).values(values)
    session.execute(noted.on_conflict_do_update(index_elements=["account_id"], set_={"digested_on": day}))
