"""What goes out of alerts and saved searches, to their own person alone."""

import datetime
import uuid
from typing import Final, Literal

from pydantic import BaseModel, Field

from enmusubi.app.alerting.stopping import StoppedAlerts
from enmusubi.app.models import Alert
from enmusubi.app.representations import PUBLIC_ID, EntryShown, Representation
from enmusubi.app.representations.entries import entry_shown
from enmusubi.app.vocabulary import AlertFrequency, Language, Stopped

_STOPPED: Final = {
    Language.JA: {
        Stopped.ENTRIES: "登録内容についてのお知らせを停止しました。設定からいつでも再開できます。",
        Stopped.SEARCH: "この検索条件についてのお知らせを停止しました。設定からいつでも再開できます。",
        Stopped.DAILY: "毎日のお知らせを停止しました。設定からいつでも再開できます。",
    },
    Language.EN: {
        Stopped.ENTRIES: "You will get no more alerts about your entries. Your settings bring them back.",
        Stopped.SEARCH: "You will get no more alerts about this search. Your settings bring them back.",
        Stopped.DAILY: "You will get no more daily digests. Your settings bring them back.",
    },
}


class SavedSearchOut(Representation):
    """A saved search, as its own person sees it; nobody else does."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    name: str
    text: str
    against: Literal["seeds", "needs"]
    field: str | None
    language: Literal["ja", "en"] | None
    region: str | None
    trl_min: int | None
    trl_max: int | None
    floor: float | None
    frequency: AlertFrequency
    last_run: datetime.datetime | None = Field(description="When something new was last ranked for it")
    created: datetime.datetime


class AlertSettingsOut(BaseModel):
    """When the account is told of new partners of entries."""

    frequency: AlertFrequency


class SearchNamed(Representation):
    """A saved search as an alert names it."""

    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")
    name: str


class AlertOut(BaseModel):
    """Something new: a match, or an entry that a saved search has found."""

    id: uuid.UUID
    match: uuid.UUID | None
    search: SearchNamed | None
    seed: EntryShown | None
    need: EntryShown | None
    created: datetime.datetime
    sent: datetime.datetime


class StoppedOut(BaseModel):
    """What a link has stopped."""

    stops: Stopped
    search: str | None = Field(description="The name of the saved search")
    text: str = Field(description="The same in the language of its reader")


def alert_out(alert: Alert) -> AlertOut:
    """An alert as its reader sees it."""
    assert alert.sent is not None  # others are not listed
    seed = alert.match.seed if alert.match is not None else alert.seed
    need = alert.match.need if alert.match is not None else alert.need
    return AlertOut(
        id=alert.public_id,
        match=None if alert.match is None else alert.match.public_id,
        search=None if alert.saved_search is None else SearchNamed.model_validate(alert.saved_search),
        seed=None if seed is None else entry_shown(seed),
        need=None if need is None else entry_shown(need),
        created=alert.created,
        sent=alert.sent,
    )


def stopped_out(stopped: StoppedAlerts) -> StoppedOut:
    """What was stopped, in words."""
    return StoppedOut(stops=stopped.stops, search=stopped.search, text=_STOPPED[stopped.language][stopped.stops])
