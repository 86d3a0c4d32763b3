"""Now and then an owner is told that more of an entry's introductions were declined, and what for."""

import datetime
from collections import defaultdict

from sqlalchemy import ARRAY, BigInteger, DateTime, Interval, Text, bindparam, column, func, literal, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.config import Settings
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, NoticeKind

_UNTOLD = select(
    func.untold_declines(
        bindparam("now", type_=DateTime(timezone=True)), bindparam("apart", type_=Interval)
    ).table_valued(
        column("decline", BigInteger),
        column("cluster", BigInteger),
        column("side", Text),
        column("entry", BigInteger),
        column("reason", Text),
    )
)


def tell_declines(session: Session, settings: Settings, now: datetime.datetime) -> int:
    """Tell owners of entries with new "no"s of the other side, unless told of that entry of late; how many entries.

    Only where the owner was asked too, as the digest itself counts. Reasons alone: no pair, and nobody.
    """
    reasons: defaultdict[tuple[int, str, int], set[str]] = defaultdict(set)
    keys: list[int] = []
    with acting_as_service(session):
        apart = datetime.timedelta(days=settings.declines_digest_days)
        for row in session.execute(_UNTOLD, {"now": now, "apart": apart}):
            reasons[row.cluster, row.side, row.entry].add(row.reason)
            keys.append(row.decline)
        for (cluster_id, side, entry), given in reasons.items():
            is_seed = side == "seed"
            notify(
                session,
                cluster_id=cluster_id,
                kind=NoticeKind.DECLINES_DIGEST,
                audience=Audience.SEED_SIDE if is_seed else Audience.NEED_SIDE,
                seed=entry if is_seed else None,
                need=None if is_seed else entry,
                facts={"reasons": sorted(given)},
            )
        session.execute(select(func.note_declines_told(literal(keys, ARRAY(BigInteger)), now)))
    return len(reasons)
