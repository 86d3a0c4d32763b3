"""Events of the record, as their reader sees them."""

import datetime
import json
import uuid
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Row

from enmusubi.app.models import RecordEvent
from enmusubi.app.representations import OrganisationNamed


class ActorOut(BaseModel):
    """Who did it."""

    role: str = Field(
        description="The account's role then; `operator` for who has a shell on the server, `service` for itself"
    )
    account: uuid.UUID | None = Field(description="Null for the operator, and for an account that was erased")
    name: str | None
    organisation: OrganisationNamed | None = Field(description="Its organisation then")


class ViewOut(BaseModel):
    """One look at a confidential part."""

    at: datetime.datetime
    by: ActorOut
    version: int | None = Field(description="The version of the entry that was shown")
    through: str | None = Field(
        description="Where it was shown: in the `need` or `seed` itself, in the `reasons` of a match, in a `list` "
        "asked for by owner, in the look before a `disclosure`, or in what was `disclosed`"
    )


class EventOut(BaseModel):
    """One event of the record."""

    sequence: int
    recorded: datetime.datetime
    chained: datetime.datetime
    hash: str
    by: ActorOut
    action: str
    kind: str | None
    object: uuid.UUID | None = Field(description="Id of what it was done to; of an account, its pseudonym")
    content: dict[str, Any] = Field(description="Names of fields, versions, statuses, codes and counts; no texts")


def view_out(row: Row[Any]) -> ViewOut:
    """A view as the entry's owner sees it."""
    event: RecordEvent = row.RecordEvent
    assert event.recorded is not None  # an emptied event is no view any more
    content = json.loads(event.content or "{}")
    return ViewOut(at=event.recorded, by=_actor(row), version=content.get("version"), through=content.get("through"))


def event_out(row: Row[Any]) -> EventOut:
    """An event as auditors see it."""
    event: RecordEvent = row.RecordEvent
    assert event.sequence is not None  # listed are linked events that have not been emptied
    assert event.recorded is not None
    assert event.chained is not None
    assert event.hash is not None
    assert event.action is not None
    return EventOut(
        sequence=event.sequence,
        recorded=event.recorded,
        chained=event.chained,
        hash=event.hash.hex(),
        by=_actor(row),
        action=event.action,
        kind=event.kind,
        object=event.object,
        content=json.loads(event.content or "{}"),
    )


def _actor(row: Row[Any]) -> ActorOut:
    organisation = None
    if row.organisation_id is not None:
        organisation = OrganisationNamed(
            public_id=row.organisation_id, name=row.organisation_name, name_en=row.organisation_name_en
        )
    return ActorOut(role=row.RecordEvent.role, account=row.account_id, name=row.account_name, organisation=organisation)
