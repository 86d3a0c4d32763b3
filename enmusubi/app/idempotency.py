"""Idempotency-Key: the first reply to a creating call is kept with the write itself, in one transaction."""

import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import IdempotentReply

KEPT = datetime.timedelta(hours=24)


def claim(session: Session, caller: Caller, key: str, request_digest: bytes) -> IdempotentReply | None:
    """The earlier reply to this key, or None: then the key is ours for this transaction.

    A second call that arrives while the first is under way waits here for its end. Raises InvalidInputError
    where the key was used for another request.
    """
    purge(session)
    claimed = session.execute(
        insert(IdempotentReply)
        .values(account_id=caller.id, key=key, request_digest=request_digest)
        .on_conflict_do_nothing()
        .returning(IdempotentReply.key)
    ).one_or_none()
    if claimed is not None:
        return None
    earlier = session.scalars(
        select(IdempotentReply).where(IdempotentReply.account_id == caller.id, IdempotentReply.key == key)
    ).one()
    if earlier.request_digest != request_digest:
        raise InvalidInputError("Idempotency-Key: was used for another request; take a new one")
    return earlier


def purge(session: Session) -> None:
    """Forget everybody's old replies: they may hold confidential texts, and their accounts may never call again."""
    session.execute(select(func.forget_old_replies(KEPT)))


def keep(
    session: Session, caller: Caller, key: str, status: int, headers: dict[str, str], body: dict[str, Any]
) -> None:
    """Keep the reply beside the write, committed together."""
    session.execute(
        update(IdempotentReply)
        .where(IdempotentReply.account_id == caller.id, IdempotentReply.key == key)
        .values(status=status, headers=headers, body=body)
    )
