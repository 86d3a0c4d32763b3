"""Whoever has every right on the database and no trigger in the way: what is changed is found, and named."""

import datetime
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from enmusubi.app import chain_file, record_reading
from enmusubi.app.chain import Head, Verifier
from enmusubi.app.erasing import ERASED, erase_account
from enmusubi.app.errors import ConflictError
from enmusubi.app.models import Account
from enmusubi.app.recording import Operator, actor_of, head, record
from enmusubi.app.vocabulary import Action, RecordedKind, Role
from tests.app.conftest import People
from tests.app.factories import a_caller, a_cluster, tokens_of
from tests.app.records import fault_of, found_fault, link_all, said

EVENTS = 6
LINKS = "sequence, chained, previous, digest, hash"


@pytest.fixture
def chained(session: Session) -> Head:
    """A few linked events of a coordinator; the head after the last."""
    cluster = a_cluster(session)
    caller = a_caller(session, cluster, Role.COORDINATOR)
    for number in range(EVENTS):
        record(session, caller, Action.VIEWED, RecordedKind.NEED, uuid.UUID(int=number), version=number)
    assert link_all(session) == EVENTS
    session.execute(text("alter table record_events disable trigger user"))
    session.execute(text("alter table record_actors disable trigger user"))
    return head(session)


def test_what_the_database_chains_python_verifies(session: Session, chained: Head) -> None:
    """Two implementations of one encoding agree, texts of every kind included."""
    session.execute(text("alter table record_events enable trigger user"))
    record(session, Operator(), Action.FITTED, RecordedKind.FITTING, None, was='縁結び " \\ \n', adopted=False, n=None)
    link_all(session)
    assert chained.sequence == EVENTS
    assert found_fault(session, chained, head(session)) is None


CHANGED = {
    "sequence": "sequence + 100",
    "chained": "chained + interval '1 microsecond'",
    "previous": "sha256(previous)",
    "digest": "sha256(digest)",
    "hash": "sha256(hash)",
    "salt": "sha256(salt)",
    "recorded": "recorded - interval '1 day'",
    "cluster": "gen_random_uuid()",
    "role": "'auditor'",
    "actor": "gen_random_uuid()",
    "organisation": "gen_random_uuid()",
    "action": "'revised'",
    "kind": "'seed'",
    "object": "null",
    "content": "'{}'",
}


@pytest.mark.parametrize("column", CHANGED)
@pytest.mark.parametrize("place", [1, 3, EVENTS])
def test_a_changed_column_is_found(session: Session, chained: Head, column: str, place: int) -> None:
    """At the event itself, whichever it is; the last one moved away leaves an end that only a head tells of."""
    session.execute(text(f"update record_events set {column} = {CHANGED[column]} where sequence = {place}"))
    fault = found_fault(session, chained)
    assert fault is not None
    assert fault.sequence == place


@pytest.mark.parametrize(
    "values", ["chained = 'infinity'", "recorded = '-infinity'", "recorded = null", "hash = null", "content = null"]
)
def test_what_no_constraint_would_allow_is_found_too(session: Session, chained: Head, values: str) -> None:
    """Constraints can be removed like triggers; the verifier names the event all the same."""
    for name in ("whole", "link", "words"):
        session.execute(text(f"alter table record_events drop constraint ck_record_events_{name}"))
    session.execute(text(f"update record_events set {values} where sequence = 3"))
    fault = found_fault(session, chained)
    assert fault is not None
    assert fault.sequence == 3


def test_every_column_is_tried(session: Session) -> None:
    """But the key, which only says in which order events waited."""
    columns = session.scalars(
        text("select column_name from information_schema.columns where table_name = 'record_events'")
    )
    assert set(columns) == {*CHANGED, "id"}


_INSERT = (
    f"insert into record_events ({LINKS}, salt, recorded, role, action, content) select 3, chained, previous, digest, "
    "hash, salt, recorded, role, 'exported', content from record_events where sequence = 3 + 100"
)
TAMPERED: dict[str, tuple[list[str], int, str]] = {
    "delete the first": (["delete from record_events where sequence = 1"], 1, "gap"),
    "delete one": (["delete from record_events where sequence = 3"], 3, "gap"),
    "delete the last": ([f"delete from record_events where sequence = {EVENTS}"], EVENTS, "truncated"),
    "delete the end": (["delete from record_events where sequence >= 3"], 3, "truncated"),
    "delete all": (["delete from record_events"], 1, "truncated"),
    "swap two": (
        [
            "update record_events set sequence = -1 where sequence = 2",
            "update record_events set sequence = 2 where sequence = 4",
            "update record_events set sequence = 4 where sequence = -1",
        ],
        2,
        "link",
    ),
    "insert one": (
        [
            "update record_events set sequence = sequence + 100 where sequence >= 3",
            _INSERT,
            "update record_events set sequence = sequence - 99 where sequence > 100",
        ],
        3,
        "content",
    ),
    "insert a copy": (
        [
            "update record_events set sequence = sequence + 100 where sequence >= 3",
            _INSERT.replace("'exported'", "action").replace("role,", "cluster, role, actor, kind, object,"),
            "update record_events set sequence = sequence - 99 where sequence > 100",
        ],
        4,
        "link",
    ),
    "unlink one": (
        [f"update record_events set ({LINKS}) = row(null, null, null, null, null) where sequence = 2"],
        2,
        "gap",
    ),
    "empty one": (
        [
            "update record_events set salt = null, recorded = null, cluster = null, role = null, actor = null, "
            "organisation = null, action = null, kind = null, object = null, content = null where sequence = 5"
        ],
        5,
        "removed",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found_and_named(session: Session, chained: Head, how: str) -> None:
    """Deleted, exchanged, put in, cut off, emptied without a word."""
    statements, place, kind = TAMPERED[how]
    for statement in statements:
        session.execute(text(statement))
    fault = found_fault(session, chained)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (place, kind)


def _rewrite(session: Session) -> None:
    """Change an event and let the database chain everything from it on anew, as its owner can."""
    session.execute(text("update record_events set role = 'company' where sequence = 4"))
    session.execute(text(f"update record_events set ({LINKS}) = row(null, null, null, null, null) where sequence >= 4"))
    link_all(session)


def test_rewriting_is_found_by_a_head_alone(session: Session, chained: Head) -> None:
    """A chain that was made anew holds by itself; a head that was kept elsewhere does not fit it."""
    before = session.scalar(text("select hash from record_events where sequence = 3"))
    _rewrite(session)
    assert found_fault(session) is None
    assert found_fault(session, Head(3, before or b"")) is None
    fault = found_fault(session, chained)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (EVENTS, "rewritten")


def test_cut_off_and_gone_on_is_found_by_a_head(session: Session, chained: Head) -> None:
    """The numbers are the same again, the hashes are not."""
    session.execute(text("delete from record_events where sequence > 3"))
    session.execute(text("alter table record_events enable trigger user"))
    for number in range(EVENTS):
        record(session, Operator(), Action.VIEWED, RecordedKind.NEED, uuid.UUID(int=number))
    link_all(session)
    assert found_fault(session) is None
    fault = found_fault(session, chained)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (EVENTS, "rewritten")


def test_an_actor_taken_away_or_exchanged_is_found(session: Session, chained: Head) -> None:
    """Outside the chain, since it has to be erasable: missing without an erasure, or another account's."""
    assert record_reading.unexplained_actors(session) == record_reading.false_actors(session) == 0
    other = a_caller(session, a_cluster(session), Role.COORDINATOR)
    session.execute(text(f"delete from record_actors where account_id = {other.id}"))
    theirs = "actor in (select actor from record_events)"
    session.execute(text(f"update record_actors set account_id = {other.id} where {theirs}"))
    assert record_reading.false_actors(session) == 1
    session.execute(text("delete from record_actors"))
    assert record_reading.unexplained_actors(session) == 1
    assert found_fault(session, chained) is None


def _chained_at(session: Session, place: int) -> datetime.datetime:
    moment = session.scalar(text(f"select chained from record_events where sequence = {place}"))
    assert isinstance(moment, datetime.datetime)
    return moment


RETAIN = text("select record_retain(:before)")


def test_retention_keeps_the_chain_valid(session: Session, chained: Head) -> None:
    """Old events say nothing any more, their hashes stay, an event says so, and the heads of before still fit."""
    session.execute(text("alter table record_events enable trigger user"))
    before = _chained_at(session, 4)
    assert session.scalar(RETAIN, {"before": before}) == 3
    assert session.scalar(RETAIN, {"before": before}) == 0
    link_all(session)
    assert said(session, action="retained")[0][2]["events"] == 3
    left = session.execute(
        text("select count(salt), count(actor), count(object), count(hash) from record_events")
    ).one()
    assert tuple(left) == (4, 3, 3, 7)
    assert found_fault(session, chained) is None
    # Also emptied in turn, the words of a retention are covered by those of the next.
    assert session.scalar(RETAIN, {"before": datetime.datetime.now(datetime.UTC)}) == 4
    link_all(session)
    assert found_fault(session, chained) is None
    point = session.begin_nested()
    with pytest.raises(DBAPIError, match="only what has been recorded"):
        session.scalar(RETAIN, {"before": datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)})
    point.rollback()


def test_what_was_emptied_after_a_retention_is_found(session: Session, chained: Head) -> None:
    """An event of after the day that the retention names has no excuse; nor has a part of one."""
    session.execute(text("alter table record_events enable trigger user"))
    session.scalar(RETAIN, {"before": _chained_at(session, 4)})
    link_all(session)
    session.execute(text("alter table record_events disable trigger user"))
    session.execute(text(TAMPERED["empty one"][0][0]))
    fault = found_fault(session, chained)
    assert fault is not None
    assert (fault.sequence, fault.kind) == (5, "removed")


@pytest.mark.parametrize("linked", [True, False])
def test_erasure_keeps_the_chain_valid(people: People, session: Session, linked: bool) -> None:
    """The person is gone everywhere, what the account did is there, and everything still holds."""
    seed = people.university.create("/seeds", {"title": "Drying of granules"})
    need = people.company.create("/needs", {"title": "Drying of granules", "description": "TSUBAKI-16"})
    match = need["matches"]["ranking"][0]["match"]
    people.coordinator.post(f"/matches/{match}/reviews", {"verdict": "shortlist"}, If_Match="*", Idempotency_Key="k")
    people.coordinator.read(f"/needs/{need['id']}")
    if linked:
        link_all(session)
    noted = head(session)
    account = session.get_one(Account, people.coordinator.caller.id)
    actor = actor_of(session, account)
    erase_account(session, account)
    session.commit()
    link_all(session)
    assert found_fault(session, noted) is None
    assert record_reading.unexplained_actors(session) == record_reading.false_actors(session) == 0
    assert (account.name, account.active, actor_of(session, account)) == (ERASED, False, None)
    assert tokens_of(session, people.coordinator.caller) == []
    assert people.coordinator.get(f"/seeds/{seed['id']}").status_code == 401
    assert session.scalar(text("select count(*) from idempotent_replies")) == 0
    assert session.scalar(text(f"select count(*) from reviews where account_id = {account.id}")) == 1
    assert said(session, action="erased", object=actor) == [("erased", "account", {})]
    assert len(said(session, actor=actor)) == 2
    (view,) = people.company.read(f"/needs/{need['id']}/views")["items"]
    assert view["by"] == {"role": "coordinator", "account": None, "name": None, "organisation": None}
    with pytest.raises(ConflictError, match="erased before"):
        erase_account(session, account)


def test_a_whole_export_is_verified_without_the_database(session: Session, chained: Head) -> None:
    """Line by line, what was read is what was written."""
    parse: Callable[[str], object] = chain_file.parse
    lines = [chain_file.as_line(link) for link in record_reading.links(session)]
    assert [parse(line) for line in lines] == list(record_reading.links(session))
    assert fault_of(record_reading.links(session), Verifier({chained.sequence: chained.hash})) is None
