"""What goes out of notices and webhooks: a secret only where it is made."""

import datetime
import uuid
from typing import Any

from pydantic import Field

from enmusubi.app.representations import PUBLIC_ID, Representation
from enmusubi.app.vocabulary import DeliveryState, NoticeKind


class _Identified(Representation):
    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")


class NoticeOut(Representation):
    """A notice to the account that asks, in its language."""

    id: uuid.UUID
    kind: NoticeKind
    subject: str
    text: str
    need: uuid.UUID | None = Field(description="The need that it is about")
    seed: uuid.UUID | None
    match: uuid.UUID | None
    facts: dict[str, Any] = Field(description="The same for programs: codes, days and counts")
    created: datetime.datetime
    read: datetime.datetime | None
    letter: DeliveryState = Field(description="How far its letter is; stopped where none is sent")


class WebhookOut(_Identified):
    """An address that takes notices."""

    url: str
    events: list[NoticeKind] = Field(description="Which kinds it takes; all if empty")
    active: bool
    failing_since: datetime.datetime | None = Field(description="Since when it has taken nothing")
    created: datetime.datetime


class WebhookMade(WebhookOut):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(description="What its signatures are checked with, after the Standard Webhooks specification")


class WebhooksOut(Representation):
    """Webhooks, the newest first."""

    items: list[WebhookOut]


class TriedOut(Representation):
    """How a try went."""

    delivered: bool
    error: str | None = Field(description="The kind of error, for example ConnectError or Status500")


class FailedDeliveryOut(_Identified):
    """A notice that a webhook did not take."""

    kind: NoticeKind
    created: datetime.datetime
    attempts: int
    error: str | None


class ReplayedOut(Representation):
    """How many are being sent again."""

    replayed: int
