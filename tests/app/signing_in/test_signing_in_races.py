"""What happens to an account while its person is being signed in: several connections, real commits."""

import dataclasses
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from enmusubi.app.auth import Identified
from enmusubi.app.caller import act_as
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.errors import UnauthenticatedError
from enmusubi.app.models import Account, Cluster
from enmusubi.app.recording import Operator
from enmusubi.app.signing_in import people, resets, sessions, tokens
from enmusubi.app.signing_in.drafts import NewPasswordDraft, TokenDraft
from enmusubi.app.signing_in.passwords import Passwords
from enmusubi.app.signing_in.visits import Desk, Visit, desk_for
from enmusubi.app.vocabulary import Role, Scope
from tests.app.browsers import PASSWORD
from tests.app.factories import a_caller, a_cluster

EMAIL = "hana@example.org"
NEW = "three unrelated words, 41"


class Meanwhile(Passwords):
    """Something happens while a password is verified, which takes its time."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def verify(self, stored: str | None, password: str) -> bool:
        """As usual, and then it happens."""
        right = super().verify(stored, password)
        self._happens()
        return right


@pytest.fixture
def cluster(committed: Database) -> Cluster:
    """A cluster with an account that has a password."""
    with committed.session() as session:
        made = a_cluster(session)
        account = session.get_one(Account, a_caller(session, made, Role.UNIVERSITY).id)
        account.email = account.email_key = EMAIL
        account.password_hash = Passwords().hash(PASSWORD)
        session.commit()
        session.refresh(made)
        session.expunge(made)
    return made


@pytest.fixture
def desk(service: Database, settings: Settings) -> Desk:
    """Where people sign in."""
    return desk_for(settings, service.session)


def _visit(desk: Desk) -> Visit:
    return Visit(desk, "192.0.2.1", "", None)


def _account(session: Session) -> Account:
    return session.query(Account).filter_by(email_key=EMAIL).one()


def _deactivate(committed: Database, cluster: Cluster) -> None:
    with committed.session() as session:
        people.end(session, Operator(cluster.id), _account(session))
        session.commit()


def _reset(committed: Database, desk: Desk) -> None:
    with committed.session() as session:
        link = resets.make_link(session, desk, _account(session))
        session.commit()
    resets.accept(_visit(desk), NewPasswordDraft.model_validate({"token": link.partition("#")[2], "password": NEW}))


def _live(committed: Database) -> int:
    with committed.engine.connect() as connection:
        return int(connection.scalar(text("select count(*) from sessions where revoked is null")) or 0)


@pytest.mark.parametrize("step", ["deactivated", "reset"])
def test_a_sign_in_is_overtaken(committed: Database, cluster: Cluster, desk: Desk, step: str) -> None:
    """By a deactivation or a new password while the old one is verified: no session is left."""

    def happens() -> None:
        if step == "deactivated":
            _deactivate(committed, cluster)
        else:
            _reset(committed, desk)

    before = _live(committed)
    overtaken = dataclasses.replace(desk, passwords=Meanwhile(happens))
    with pytest.raises(UnauthenticatedError, match="not right"):
        sessions.sign_in(_visit(overtaken), EMAIL, PASSWORD)
    assert _live(committed) - before == (1 if step == "reset" else 0)  # the one that the reset opened


def test_a_token_is_overtaken(committed: Database, service: Database, cluster: Cluster, desk: Desk) -> None:
    """By the end of the session that makes it, and by a deactivation."""
    opened = sessions.sign_in(_visit(desk), EMAIL, PASSWORD)
    draft = TokenDraft(name="t", scopes={Scope.READ})
    with service.session() as session:
        with committed.session() as other:
            row = other.execute(text("select id, account_id from sessions where revoked is null")).one()
            caller = sessions.caller_of(other.get_one(Account, row.account_id))
        act_as(session, caller)
        identified = Identified(caller, row.id, None, 0.0, due=False)
        assert tokens.make(session, desk, identified, draft)[1].startswith("enm_")
        session.rollback()
        _reset(committed, desk)
        with pytest.raises(UnauthenticatedError, match="has ended"):
            tokens.make(session, desk, identified, draft)
        session.rollback()
        _deactivate(committed, cluster)
        with pytest.raises(UnauthenticatedError):
            tokens.make(session, desk, identified, draft)
    assert opened.secret


@pytest.mark.usefixtures("cluster")
def test_what_ends_sessions_waits_for_a_sign_in(committed: Database, service: Database) -> None:
    """An account that is being signed in is held: nobody deactivates it between look and session."""
    with service.session() as session, committed.session() as other:
        account = _account(other)
        other.commit()
        act_as(session, sessions.caller_of(account))
        sessions.hold(session, account.id)
        with other.begin(), pytest.raises(OperationalError, match="could not obtain lock"):
            other.execute(text("select from accounts where id = :id for no key update nowait"), {"id": account.id})
