"""Stop alerts: by the reader's settings, or by the link of a letter, without signing in."""

import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app import opaque
from enmusubi.app.alerting.drafts import AlertSettingsDraft
from enmusubi.app.caller import Caller
from enmusubi.app.errors import NotFoundError
from enmusubi.app.models import Alert, AlertSettings, AlertStop, Delivery
from enmusubi.app.signing_in import throttling
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.visits import Visit
from enmusubi.app.vocabulary import Action, AlertFrequency, Language, NoticeKind, Stopped

PATH: Final = "/api/v1/alerts/stop"
PAGE: Final = "/stop-alerts"
"""Where a person who opens the link in a browser is asked."""
_STOP = text("select stops, name, language from stop_alerts(:secret)")


@dataclass(frozen=True, slots=True)
class StoppedAlerts:
    """What a link has stopped: the name of a search, its own person's words."""

    stops: Stopped
    search: str | None
    language: Language


def read_settings(session: Session, caller: Caller) -> AlertFrequency:
    """When the caller is told of new partners of entries; once a day unless it says otherwise."""
    chosen = select(AlertSettings.frequency).where(AlertSettings.account_id == caller.id)
    return AlertFrequency(session.scalar(chosen) or AlertFrequency.DAILY)


def revise_settings(session: Session, caller: Caller, draft: AlertSettingsDraft) -> AlertFrequency:
    """Change it, which is recorded."""
    values = {"account_id": caller.id, "frequency": draft.frequency}
    chosen = insert(AlertSettings).values(values)
    session.execute(chosen.on_conflict_do_update(index_elements=["account_id"], set_={"frequency": draft.frequency}))
    note(session, caller, Action.REVISED, caller.id, fields=["alerts"])
    return draft.frequency


def stop_link(address: str, session: Session, delivery: Delivery) -> str | None:
    """The address that stops what a letter tells of; a secret of its own for each letter, of which a hash is kept."""
    notice, account_id = delivery.notice, delivery.account_id
    if account_id is None:
        return None
    search_id = None
    stops = Stopped.DAILY
    if notice.kind == NoticeKind.ALERT:
        told = Alert.public_id == uuid.UUID(notice.facts["alert"])
        alert = session.execute(select(Alert.saved_search_id).where(told)).one_or_none()
        if alert is None:
            return None  # its search was removed meanwhile: there is nothing left to stop
        search_id = alert.saved_search_id
        stops = Stopped.ENTRIES if search_id is None else Stopped.SEARCH
    secret = opaque.new(opaque.STOP)
    session.add(
        AlertStop(token_hash=opaque.digest(secret), account_id=account_id, stops=stops, saved_search_id=search_id)
    )
    session.flush()
    return f"{address}{PATH}?secret={secret}"


def stop(visit: Visit, secret: str) -> StoppedAlerts:
    """Stop exactly what the link says, once and again alike; NotFoundError for one that we never wrote."""
    with visit.desk.sessions() as session:
        found = session.execute(_STOP, {"secret": opaque.digest(secret)}).one_or_none()
        if found is None:
            session.rollback()
            # One that is right is never kept from stopping: mail programs call from few addresses.
            visit.take(session, throttling.LINKS)
            raise NotFoundError("the link is not one of ours, or what it would stop is gone already")
        session.commit()
    return StoppedAlerts(Stopped(found.stops), found.name, Language(found.language))
