"""Who may be told of something new, as the service's own work finds them."""

import datetime
import uuid
from dataclasses import dataclass

from sqlalchemy import BigInteger, Date, Text, Uuid, bindparam, column, func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.recording import OPERATOR_ID
from enmusubi.app.vocabulary import AlertFrequency, Role

_READERS = select(
    func.alert_readers(bindparam("searching")).table_valued(
        column("id", BigInteger),
        column("public_id", Uuid),
        column("cluster", BigInteger),
        column("organisation", BigInteger),
        column("role", Text),
        column("frequency", Text),
        column("digested_on", Date),
    )
)


@dataclass(frozen=True, slots=True)
class Reader:
    """An account, as the one that would ask, and when it wants to be told of new partners of entries."""

    caller: Caller
    frequency: AlertFrequency
    digested_on: datetime.date | None


def readers(session: Session, *, searching: bool) -> list[Reader]:
    """Everybody who may be told of matches; with `searching`, everybody with a saved search that is on."""
    with acting_as_service(session):
        found = session.execute(_READERS, {"searching": searching}).all()
    return [
        Reader(
            Caller(row.id, row.public_id, row.cluster, row.organisation, Role(row.role)),
            AlertFrequency(row.frequency),
            row.digested_on,
        )
        for row in found
    ]


def any_coordinator(cluster_id: int) -> Caller:
    """What every coordinator of a cluster sees, on behalf of none of them."""
    return Caller(OPERATOR_ID, uuid.UUID(int=0), cluster_id, None, Role.COORDINATOR)
