"""What a request says about webhooks."""

import uuid
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from enmusubi.app.schemas import Schema, storable
from enmusubi.app.vocabulary import NoticeKind

Url = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(storable)]
Events = Annotated[
    set[NoticeKind], Field(max_length=len(NoticeKind), description="Which kinds of notices it takes; all if empty")
]


class WebhookDraft(Schema):
    """An address that is to take notices."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://hooks.example.org/enmusubi", "events": ["interest_asked"]}]}
    )

    url: Url
    events: Events = Field(default_factory=set)


class WebhookRevision(Schema):
    """What of a webhook is to change."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": True}, {"events": []}]})

    events: Events | None = None
    active: bool | None = Field(default=None, description="False: keep notices with what failed, and send none")


class ReplayDraft(Schema):
    """Which failed deliveries are to be sent again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    delivery: uuid.UUID | None = Field(default=None, description="The id of one; all if left out")
