"""Write a notice down, in the transaction of what it tells of; a worker finds out later whom it goes to, and sends it.

Whoever notifies names an audience and never learns who stands behind it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from enmusubi.app.models import Account, Match, Need, Notice, Seed
from enmusubi.app.vocabulary import Audience, NoticeKind


def notify(
    session: Session,
    *,
    cluster_id: int,
    kind: NoticeKind,
    audience: Audience,
    need: Need | None = None,
    seed: Seed | None = None,
    match: Match | None = None,
    account: Account | int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Notice:
    """Add a notice to the caller's transaction: committed with the change, or gone with it.

    `cluster_id` is the cluster whose matter it is: the caller's own, or that of a match that the caller may see. The
    things named are stored already; the service's own work, which reads no accounts, names one by its key. `facts` are
    for every reader to see: codes, days and counts, never a text that somebody wrote nor who is on the other side.
    Nobody but a worker can read a notice back, so what the database fills in (`created`) stays unknown.
    """
    notice = Notice(
        cluster_id=cluster_id,
        kind=kind,
        audience=audience,
        need_id=None if need is None else need.id,
        seed_id=None if seed is None else seed.id,
        match_id=None if match is None else match.id,
        account_id=account.id if isinstance(account, Account) else account,
        facts=dict(facts or {}),
    )
    session.add(notice)
    # At once: written on behalf of whoever acts now.
    session.flush()
    return notice
