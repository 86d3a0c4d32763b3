"""What is recorded of signing in and of accounts: by whom, to which account, under its pseudonym."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.models import RecordActor
from enmusubi.app.recording import Actor, record
from enmusubi.app.vocabulary import Action, RecordedKind


def note(session: Session, by: Actor, action: Action, account_id: int, **content: Any) -> None:
    """Record what was done to an account: never its name or address, so that it can be forgotten."""
    pseudonym = session.scalar(select(RecordActor.actor).where(RecordActor.account_id == account_id))
    record(session, by, action, RecordedKind.ACCOUNT, pseudonym, **content)
