"""Write the record: one insert in the transaction of what is recorded; linked into the chain shortly afterwards."""

import logging
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import ARRAY, BigInteger, Integer, LargeBinary, Table, Text, Uuid, column, func, insert, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.chain import Head, content_text
from enmusubi.app.database import Database
from enmusubi.app.models import Account, Cluster, Organisation, RecordActor, RecordEvent
from enmusubi.app.vocabulary import Action, RecordedKind

logger = logging.getLogger(__name__)

OPERATOR: Final = "operator"
"""The role of who has a shell on the server; no account stands behind it."""
SERVICE: Final = "service"
"""The role of the service by itself."""
OPERATOR_ID: Final = 0
"""The key of no account: that of the caller on whose behalf commands read."""

LINKED_AT_ONCE: Final = 1_000
_HEAD_TOLD_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Operator:
    """Who works on the server, on a cluster or on all."""

    cluster_id: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """The service by itself, in a matter of a cluster: its clock, and what follows from a change elsewhere."""

    cluster_id: int


Actor = Caller | Operator | Service
Done = tuple[uuid.UUID | None, Mapping[str, Any]]
"""What something was done to, and what there is to say of it."""


def record(
    session: Session, by: Actor, action: Action, kind: RecordedKind, public_id: uuid.UUID | None, **content: Any
) -> None:
    """Record one event, committed with what it is about.

    `content` holds names of fields, versions, statuses, codes and counts: never a text that somebody wrote, nor a name.
    """
    record_all(session, by, action, kind, [(public_id, content)])


def record_all(session: Session, by: Actor, action: Action, kind: RecordedKind, done: Iterable[Done]) -> None:
    """Record the same of several things, in one statement."""
    of, said = [], []
    for public_id, content in done:
        of.append(public_id)
        said.append(content_text(content))
    if not of:
        return
    each = func.unnest(literal(of, ARRAY(Uuid)), literal(said, ARRAY(Text))).table_valued("object", "content")
    each = each.render_derived()
    values = {
        **_who(by),
        "action": literal(str(action), Text),
        "kind": literal(str(kind), Text),
        "object": each.c.object,
        "content": each.c.content,
    }
    # Nothing is asked back: whoever writes an event need not be allowed to read it.
    table = cast(Table, RecordEvent.__table__)
    session.connection().execute(insert(table).from_select(list(values), select(*values.values())).inline())


def actor_of(session: Session, account: Account) -> uuid.UUID | None:
    """The pseudonym under which an account's deeds are recorded, and what is done to it; None once it is erased."""
    return session.scalar(select(RecordActor.actor).where(RecordActor.account_id == account.id))


def _who(by: Actor) -> dict[str, Any]:
    cluster = select(Cluster.public_id).where(Cluster.id == by.cluster_id).scalar_subquery()
    if isinstance(by, Service):
        return {"cluster": cluster, "role": literal(SERVICE, Text)}
    if isinstance(by, Operator) or by.id == OPERATOR_ID:
        return {"cluster": cluster, "role": literal(OPERATOR, Text)}
    return {
        "cluster": cluster,
        "role": literal(str(by.role), Text),
        "actor": select(RecordActor.actor).where(RecordActor.account_id == by.id).scalar_subquery(),
        "organisation": select(Organisation.public_id).where(Organisation.id == by.organisation_id).scalar_subquery(),
    }


def chain(database: Database) -> int:
    """Link what has been committed and is not linked yet; how many events that were."""
    linked = 0
    while True:
        with database.session() as session:
            now = session.scalar(select(func.record_chain(LINKED_AT_ONCE, type_=Integer))) or 0
            session.commit()
        linked += now
        if now < LINKED_AT_ONCE:
            return linked


_HEAD = select(func.record_head().table_valued(column("sequence", BigInteger), column("hash", LargeBinary)))


def head(session: Session) -> Head:
    """How far the chain goes now."""
    last = session.execute(_HEAD).one_or_none()
    return Head(last.sequence, last.hash) if last is not None else Head()


class BackgroundChaining:
    """Links new events from a thread of its own, and tells the log now and then how far the chain goes."""

    def __init__(self, database: Database, seconds: float) -> None:
        """Start; linked is every so many seconds."""
        self._database = database
        self._seconds = seconds
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="record", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it, after what is there has been linked once more."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        told: str | None = None
        since_head = _HEAD_TOLD_SECONDS
        last = True
        while last:
            last = not self._closing.wait(self._seconds)
            since_head += self._seconds
            try:
                if chain(self._database) and since_head >= _HEAD_TOLD_SECONDS:
                    since_head = 0.0
                    with self._database.session() as session:
                        # Kept with the log, it shows later whether the record was rewritten or cut before it.
                        logger.info("the record is at %s", head(session))
                told = None
            except SQLAlchemyError as error:
                if type(error).__name__ != told:
                    told = type(error).__name__
                    logger.warning("the record could not be chained (%s); trying again", told)
