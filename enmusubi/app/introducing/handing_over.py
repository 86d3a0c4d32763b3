"""A coordinator leaves: all that is under way goes to another one in one step."""

import datetime
import uuid
from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, Sentence
from enmusubi.app.introducing.drafts import HandOverDraft
from enmusubi.app.models import Account, Match, MatchStep, StepActor
from enmusubi.app.notifying import notify
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.recording import record_all
from enmusubi.app.stepping.machine import OPEN
from enmusubi.app.vocabulary import Action, Audience, NoticeKind, RecordedKind, Role, Side, Step


class HandedOver(BaseModel):
    """How many matches went from one coordinator to another."""

    matches: int


def handled_by(account: Account) -> ColumnElement[bool]:
    """Matches under way that a coordinator handles. Goes with Match."""
    return and_(
        Match.coordinator_id == account.id, Match.cluster_id == account.cluster_id, Match.status.in_(sorted(OPEN))
    )


def count_open(session: Session, account: Account) -> int:
    """How many matches under way a coordinator handles."""
    return session.scalar(select(func.count(Match.id)).where(handled_by(account))) or 0


def hand_over(
    session: Session, caller: Caller, public_id: uuid.UUID, draft: HandOverDraft, now: datetime.datetime
) -> HandedOver:
    """Give all open matches of a coordinator to another active one of the cluster, by himself or an administrator."""
    leaving = _account(session, caller, public_id)
    _require(caller, leaving)
    follower = _account(session, caller, draft.to, place="to: ")
    if follower.role != Role.COORDINATOR or not follower.active:
        raise ConflictError("to: is no active coordinator of the cluster")
    if follower.id == leaving.id:
        raise InvalidInputError("to: is the same account")
    matches = _moved(session, leaving, follower)
    steps = _written(session, caller, matches, draft, now)
    done = [(match.public_id, {"step": str(Step.HAND_OVER), "version": match.version}) for match in matches]
    record_all(session, caller, Action.STEPPED, RecordedKind.MATCH, done)
    if steps:
        for account in (leaving, follower):
            if account.id != caller.id:
                notify(
                    session, cluster_id=leaving.cluster_id, kind=NoticeKind.HANDED_OVER, audience=Audience.ACCOUNT,
                    account=account, facts={"matches": len(steps), "taken_over": account.id == follower.id},
                )  # fmt: skip
    return HandedOver(matches=len(steps))


def followers(session: Session, caller: Caller, leaving: uuid.UUID) -> Sequence[Account]:
    """Who may take over from a coordinator: the other active ones of the caller's cluster, by name."""
    others = (Account.role == Role.COORDINATOR, Account.active, Account.public_id != leaving)
    query = select(Account).where(Account.cluster_id == caller.cluster_id, *others)
    return session.scalars(query.order_by(Account.name, Account.id)).all()


def to_hand_over(session: Session, caller: Caller, public_id: uuid.UUID | None) -> tuple[Account, int]:
    """Whose matches are to be handed over, the caller's own unless said, and how many; raises what the policy says."""
    leaving = _account(session, caller, public_id or caller.public_id)
    _require(caller, leaving)
    return leaving, count_open(session, leaving)


def _require(caller: Caller, leaving: Account) -> None:
    if leaving.id != caller.id or caller.role is not Role.COORDINATOR:
        require(caller, Right.HAND_OVER, relation_to(caller, leaving.cluster_id, leaving.organisation_id))


def _account(session: Session, caller: Caller, public_id: uuid.UUID, place: str = "") -> Account:
    here = Account.cluster_id == caller.cluster_id
    own = Account.organisation_id == caller.organisation_id
    seen = here if caller.oversees else and_(here, own)
    account = session.scalar(select(Account).where(Account.public_id == public_id, seen))
    if account is None:
        raise NotFoundError(Sentence("%(place)sno such account, or it is not open to you", place=place))
    return account


def _moved(session: Session, leaving: Account, follower: Account) -> Sequence[Match]:
    """The matches, locked and given away; as the service, in the order of their keys, so that two do not deadlock."""
    with acting_as_service(session):
        query = select(Match).where(handled_by(leaving)).order_by(Match.id).with_for_update()
        matches = session.scalars(query.execution_options(populate_existing=True)).all()
        for match in matches:
            match.coordinator_id = follower.id
            flag_modified(match, "status")
        session.flush()
    return matches


def _written(
    session: Session, caller: Caller, matches: Sequence[Match], draft: HandOverDraft, now: datetime.datetime
) -> Sequence[MatchStep]:
    steps = [
        MatchStep(
            match_id=match.id,
            cluster_id=match.cluster_id,
            step=Step.HAND_OVER,
            before=match.status,
            after=match.status,
            side=Side.CLUSTER,
            taken=now,
        )
        for match in matches
    ]
    session.add_all(steps)
    session.flush()
    session.add_all(
        StepActor(
            step_id=step.id, cluster_id=step.cluster_id, account_id=caller.id, organisation_id=None, veiled=False,
            note=draft.note,
        )
        for step in steps
    )  # fmt: skip
    session.flush()
    return steps
