"""Alerts: written down once for each reader and pair, and told at once, or with the digest, up to so many a week."""

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.alerting.readers import Reader
from enmusubi.app.caller import Caller, acting_as, acting_as_service
from enmusubi.app.config import Settings
from enmusubi.app.embeddings import Kind
from enmusubi.app.models import Alert, Match, Need, Seed
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import AlertFrequency, Audience, MatchStatus, NoticeKind

WEEK: Final = datetime.timedelta(days=7)
_PROPOSED: Final = (MatchStatus.SUGGESTED, MatchStatus.SHORTLISTED)


@dataclass(frozen=True, slots=True)
class Found:
    """A match that a new entry has brought, and which side of it is new."""

    match_id: int
    new: Kind


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something to tell of: a match, or the entry that a saved search has found."""

    match_id: int | None = None
    saved_search_id: int | None = None
    seed_id: int | None = None
    need_id: int | None = None


def tell_of_matches(
    session: Session, found: Iterable[Found], everybody: Sequence[Reader], settings: Settings, now: datetime.datetime
) -> None:
    """Tell coordinators of their cluster's matches, and owners of those with what is new on the other side."""
    by_new: dict[Kind, list[int]] = {Seed: [], Need: []}
    for each in found:
        by_new[each.new].append(each.match_id)
    if not any(by_new.values()):
        return
    for reader in everybody:
        if reader.frequency is AlertFrequency.NEVER:
            continue
        with acting_as(session, reader.caller):
            keys = session.scalars(_open_to(reader.caller, by_new)).all()
        wanted = [Wanted(match_id=key) for key in keys]
        tell(session, reader.caller, wanted, settings, now, at_once=reader.frequency is AlertFrequency.AT_ONCE)


def tell(
    session: Session,
    caller: Caller,
    wanted: Collection[Wanted],
    settings: Settings,
    now: datetime.datetime,
    *,
    at_once: bool,
) -> None:
    """Write alerts down, those that there are not yet, and send them where they are wanted at once, up to the cap."""
    if not wanted:
        return
    with acting_as_service(session):
        new = [alert for each in wanted if (alert := _added(session, caller, each)) is not None]
        if not at_once:
            return
        for alert in new[: left(session, caller.id, settings, now)]:
            _send(session, caller, alert, now)


def left(session: Session, account_id: int, settings: Settings, now: datetime.datetime) -> int:
    """How many more alerts a person may get now: so many in seven days at most. For the service."""
    sent = select(func.count()).select_from(Alert).where(Alert.account_id == account_id, Alert.sent > now - WEEK)
    return max(0, settings.alerts_per_week - (session.scalar(sent) or 0))


def still_proposed(caller: Caller) -> ColumnElement[bool]:
    """Pairs that the caller may see now, and that are neither closed, excluded nor turned down.

    Goes with Match, Need and Seed.
    """
    return and_(
        visibility.pairs_visible_to(caller),
        visibility.open_for_matching(Need),
        visibility.open_for_matching(Seed),
        ~visibility.excluded_pair(),
        Match.status.in_(_PROPOSED),
    )


def _open_to(caller: Caller, by_new: dict[Kind, list[int]]) -> Any:
    query = (
        select(Match.id)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(still_proposed(caller))
        .order_by(Match.id)
    )
    if caller.coordinates:
        return query.where(Match.cluster_id == caller.cluster_id, Match.id.in_([*by_new[Seed], *by_new[Need]]))
    # Who has published it knows: its own ranking tells.
    return query.where(
        or_(
            and_(Match.id.in_(by_new[Seed]), visibility.own(caller, Need)),
            and_(Match.id.in_(by_new[Need]), visibility.own(caller, Seed)),
        )
    )


def _added(session: Session, caller: Caller, wanted: Wanted) -> Alert | None:
    values = {
        "match_id": wanted.match_id,
        "saved_search_id": wanted.saved_search_id,
        "seed_id": wanted.seed_id,
        "need_id": wanted.need_id,
    }
    added = insert(Alert).values(account_id=caller.id, public_id=uuid.uuid4(), **values).on_conflict_do_nothing()
    return session.scalar(added.returning(Alert))


def _send(session: Session, caller: Caller, alert: Alert, now: datetime.datetime) -> None:
    notify(
        session,
        cluster_id=caller.cluster_id,
        kind=NoticeKind.ALERT,
        audience=Audience.ACCOUNT,
        account=caller.id,
        match=alert.match_id,
        need=alert.need_id,
        seed=alert.seed_id,
        facts={"alert": str(alert.public_id)},
    )
    session.execute(update(Alert).where(Alert.id == alert.id).values(sent=now))
