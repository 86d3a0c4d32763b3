"""The account that asks, and how the database learns of it: settings of the transaction that its policies read."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session, SessionTransaction

from enmusubi.app.vocabulary import Role

_SERVICE: Final = "service"
"""What policies call the service's own work: it reads what was ever submitted, of every cluster, to keep the index."""

_SET = text(
    "select set_config('enmusubi.account', :account, true), set_config('enmusubi.role', :role, true), "
    "set_config('enmusubi.cluster', :cluster, true), set_config('enmusubi.organisation', :organisation, true)"
)
AND_ACT: Final = (
    "set_config('enmusubi.account', account::text, true), set_config('enmusubi.role', role, true), "
    "set_config('enmusubi.cluster', cluster::text, true), "
    "set_config('enmusubi.organisation', coalesce(organisation::text, ''), true)"
)
"""The same as a part of the statement that finds out who asks, from its columns; followed by `acts_already`."""

_NOBODY: Final = {"account": "", "role": "", "cluster": "", "organisation": ""}
_ACTING: Final = "enmusubi_acting"


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that asks: its keys, cluster, organisation and role."""

    id: int
    public_id: uuid.UUID
    cluster_id: int
    organisation_id: int | None
    role: Role

    @property
    def coordinates(self) -> bool:
        """Whether this is a coordinator, who alone reviews matches and reads others' confidential texts."""
        return self.role is Role.COORDINATOR

    @property
    def oversees(self) -> bool:
        """Whether this account follows all entries of its cluster."""
        return self.role in (Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR)

    @property
    def knows_no_needs(self) -> bool:
        """Whether this is a company, which may not learn that others' needs exist: nor by how it is ranked."""
        return self.role is Role.COMPANY

    @property
    def changes_nothing(self) -> bool:
        """Whether this account only reads."""
        return self.role is Role.AUDITOR

    @property
    def settings(self) -> dict[str, str]:
        """What the database's policies read of it."""
        organisation = "" if self.organisation_id is None else str(self.organisation_id)
        return {
            "account": str(self.id),
            "role": str(self.role),
            "cluster": str(self.cluster_id),
            "organisation": organisation,
        }


def act_as(session: Session, caller: Caller) -> None:
    """From now on, in this and every later transaction of the session, the database answers as to this account."""
    _act(session, caller.settings)


def acts_already(session: Session, caller: Caller) -> None:
    """The statement that found the account has set it for this transaction; later ones of the session set it anew."""
    _note(session, caller.settings)


@contextmanager
def acting_as(session: Session, caller: Caller) -> Iterator[None]:
    """For the service's work on behalf of an account: what it finds is what that account may see."""
    before: dict[str, str] = session.info.get(_ACTING, _NOBODY)
    _act(session, caller.settings)
    yield
    _act(session, before)


@contextmanager
def acting_as_service(session: Session) -> Iterator[None]:
    """For the service's own work in the middle of a request, or in a session of its own."""
    before: dict[str, str] = session.info.get(_ACTING, _NOBODY)
    _act(session, {**_NOBODY, "role": _SERVICE})
    yield
    # Not where it failed: the transaction is over, and takes the settings with it.
    _act(session, before)


def _act(session: Session, settings: dict[str, str]) -> None:
    _note(session, settings)
    if session.in_transaction():
        session.execute(_SET, settings)


def _note(session: Session, settings: dict[str, str]) -> None:
    if _ACTING not in session.info:
        event.listen(session, "after_begin", _after_begin)
    session.info[_ACTING] = settings


def _after_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    # The settings end with their transaction, so that no connection carries them to the next request.
    connection.execute(_SET, session.info[_ACTING])
