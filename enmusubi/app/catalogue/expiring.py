"""Entries whose last day is past or near: what the service's clock does every day, in every cluster."""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Date, Integer, Row, Text, Uuid, column, func, select
from sqlalchemy.orm import Session

from enmusubi.app.catalogue.steps import Kind, recorded
from enmusubi.app.models import Need, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.recording import Service, record_all
from enmusubi.app.vocabulary import Action, Audience, EntryStatus, EntryStep, NoticeKind

NOTICE: Final = datetime.timedelta(days=14)
"""So long before its end the owner of an entry is told."""
AT_ONCE: Final = 1_000
"""Entries of a kind in one statement."""


def expire(session: Session, today: datetime.date, most: int = AT_ONCE) -> int:
    """Let up to `most` published or held entries of each kind expire whose last day is before today; how many did.

    Idempotent: call it, a transaction each time, until it says 0. The service acts as itself (`acting_as_service`).
    """
    return sum(_expire(session, kind, today, most) for kind in (Seed, Need))


def expiring(session: Session, today: datetime.date, most: int = AT_ONCE) -> int:
    """Tell the owners of up to `most` entries of each kind that end within 14 days, once; how many were told."""
    return sum(_expiring(session, kind, today, most) for kind in (Seed, Need))


def _expire(session: Session, kind: Kind, today: datetime.date, most: int) -> int:
    put = func.expire_seeds if kind is Seed else func.expire_needs
    ended = _rows(
        session,
        put(today, most),
        id=BigInteger, public_id=Uuid, version=Integer, cluster_id=BigInteger, owned=Boolean, before=Text,
    )  # fmt: skip
    of_cluster = defaultdict(list)
    _tell(session, kind, NoticeKind.ENTRY_EXPIRED, ended)
    for row in ended:
        said = {
            "version": row.version,
            "step": str(EntryStep.EXPIRE),
            "status": str(EntryStatus.EXPIRED),
            "before": row.before,
        }
        of_cluster[row.cluster_id].append((row.public_id, said))
    for cluster_id, done in of_cluster.items():
        record_all(session, Service(cluster_id), Action.MOVED, recorded(kind), done)
    return len(ended)


def _expiring(session: Session, kind: Kind, today: datetime.date, most: int) -> int:
    until = today + NOTICE
    put = func.notice_expiring_seeds if kind is Seed else func.notice_expiring_needs
    due = _rows(
        session,
        put(today, until, most),
        id=BigInteger, cluster_id=BigInteger, owned=Boolean, expires_on=Date,
    )  # fmt: skip
    _tell(session, kind, NoticeKind.ENTRY_EXPIRING, due)
    return len(due)


def _tell(session: Session, kind: Kind, notice: NoticeKind, rows: Sequence[Row[Any]]) -> None:
    """Tell whose each entry is, or the coordinators where it is nobody's."""
    chosen = select(kind).where(kind.id.in_([row.id for row in rows])).execution_options(populate_existing=True)
    found: list[Seed | Need] = list(session.scalars(chosen))
    entries = {entry.id: entry for entry in found}
    side = Audience.SEED_SIDE if kind is Seed else Audience.NEED_SIDE
    for row in rows:
        entry = entries[row.id]
        notify(
            session,
            cluster_id=row.cluster_id,
            kind=notice,
            audience=side if row.owned else Audience.COORDINATORS,
            seed=entry if isinstance(entry, Seed) else None,
            need=entry if isinstance(entry, Need) else None,
            facts={"expires_on": entry.expires_on.isoformat()},
        )


def _rows(session: Session, called: Any, **columns: Any) -> Sequence[Row[Any]]:
    table = called.table_valued(*(column(name, kind) for name, kind in columns.items()))
    return session.execute(select(table)).all()
