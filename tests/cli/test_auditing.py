"""`enmusubi audit` and `account erase`: heads, verification, exports, retention, what commands themselves record."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from enmusubi.app.database import Database
from enmusubi.app.models import Account, RecordEvent
from tests.cli.conftest import Command
from tests.ingest.loads import a_file
from tests.running import Home

NEED = {"external_id": "N-1", "title": "Concrete that does not freeze", "requirements": "TSUBAKI-17 sets in a day."}
SEED = {"external_id": "S-1", "title": "Concrete that does not freeze"}


def _events(own: Database) -> list[tuple[str | None, str | None, str | None, dict[str, object]]]:
    with own.session() as session:
        events = session.scalars(select(RecordEvent).order_by(RecordEvent.sequence)).all()
    return [(event.role, event.action, event.kind, json.loads(event.content or "{}")) for event in events]


def _tamper(own: Database, statement: str) -> None:
    with own.engine.begin() as connection:
        connection.execute(text("alter table record_events disable trigger user"))
        connection.execute(text(statement))
        connection.execute(text("alter table record_events enable trigger user"))


@pytest.fixture
def account(command: Command, own: Database) -> str:
    """A cluster with one account, made by commands; the account's id."""
    assert command("cluster", "create", "北星湾").status == 0
    assert command("account", "create", "Hana Mori", "--role", "coordinator").status == 0
    with own.session() as session:
        return str(session.scalars(select(Account.public_id)).one())


ALL_SCOPES = {"scopes": ["administer", "read", "review", "write"]}


def test_what_commands_do_is_recorded_and_linked(command: Command, own: Database, account: str, tmp_path: Path) -> None:
    """By the operator, with counts and versions, neither names nor texts; linked when the command ends."""
    command("account", "token", account)
    command("account", "token", account, "--revoke")
    assert command("ingest", "seeds", a_file(tmp_path, [SEED]), "--source", "s").status == 0
    assert command("ingest", "needs", a_file(tmp_path, [NEED], name="needs.jsonl")).status == 0
    revised = a_file(tmp_path, [{**NEED, "title": "Concrete"}], name="needs.jsonl")
    assert command("ingest", "needs", revised, "--no-index").status == 0
    gone = a_file(tmp_path, [{**NEED, "external_id": "N-2"}], name="needs.jsonl")
    assert command("ingest", "needs", gone, "--complete", "--no-index").status == 0
    assert command("match", "--need", "N-2", "--explain").status == 0
    version = {"version": 1, "through": "ingest"}
    counts = {"read": 1, "new": 0, "changed": 0, "unchanged": 0, "withdrawn": 0, "rejected": 0}
    events = _events(own)
    assert {role for role, *_ in events} == {"operator"}
    assert [each[1:] for each in events[:12]] == [
        ("created", "cluster", {}),
        ("created", "account", {"role": "coordinator"}),
        ("token_issued", "account", ALL_SCOPES),
        ("token_issued", "account", ALL_SCOPES),
        ("tokens_revoked", "account", {"tokens": 2}),
        ("created", "seed", version),
        ("ingested", "seed", {**counts, "new": 1}),
        ("created", "need", version),
        ("ingested", "need", {**counts, "new": 1}),
        ("revised", "need", {"version": 2, "through": "ingest"}),
        ("ingested", "need", {**counts, "changed": 1}),
        ("created", "need", version),
    ]
    assert ("operator", "withdrawn", "need", {"version": 3, "through": "ingest"}) in events
    with own.session() as session:
        everything = "".join(session.scalars(text("select record_events::text from record_events")))
        assert not session.scalar(select(RecordEvent.id).where(RecordEvent.sequence.is_(None)).limit(1))
    for telling in ("TSUBAKI", "Hana", "N-1", "needs.jsonl", "北星湾"):
        assert telling not in everything


def test_explaining_on_the_server_is_a_view(command: Command, own: Database, account: str, tmp_path: Path) -> None:
    """Who has a shell looks as coordinators do, and is recorded as the operator."""
    command("ingest", "seeds", a_file(tmp_path, [SEED]))
    command("ingest", "needs", a_file(tmp_path, [NEED], name="needs.jsonl"))
    command("match", "--need", "N-1", "--misses")
    assert "viewed" not in [action for _, action, _, _ in _events(own)]
    assert "TSUBAKI" in command("match", "--need", "N-1", "--explain", "--misses").out
    assert ("operator", "viewed", "need", {"version": 1, "through": "reasons"}) in _events(own)


def test_a_head_and_a_whole_record(command: Command, account: str, tmp_path: Path) -> None:
    """`head` prints what `verify` takes, as it is or in a file of several."""
    heads = tmp_path / "heads.txt"
    heads.write_text(command("audit", "head").out)
    command("account", "token", account)
    head = command("audit", "head").out.split()[0]
    heads.write_text(heads.read_text() + head + "\n")
    for given in ([], ["--head", head], ["--head", str(heads)]):
        verified = command("audit", "verify", *given)
        assert (verified.status, verified.errors) == (0, "")
        assert verified.out.startswith(f"4 events hold; the head is {head}")


def test_a_broken_link_is_named_with_the_exit_status(command: Command, own: Database, account: str) -> None:
    """Changed, cut off, rewritten: one line that says which event and what."""
    command("account", "token", account)
    head = command("audit", "head").out.split()[0]
    _tamper(own, "delete from record_events where sequence = 4")
    cut = command("audit", "verify", "--head", head)
    assert cut.status == 1
    assert "broken at event 4: truncated: the record ends at 3, but a head was noted at 4" in cut.out
    assert command("audit", "verify").status == 0
    command("account", "token", account)
    rewritten = command("audit", "verify", "--head", head)
    assert rewritten.status == 1
    assert "broken at event 4: rewritten" in rewritten.out
    _tamper(own, "update record_events set role = 'company' where sequence = 2")
    changed = command("audit", "verify")
    assert changed.status == 1
    assert "broken at event 2: content: what it says was changed; the 1 before it hold" in changed.out
    _tamper(own, "update record_events set role = 'operator' where sequence = 2")
    with own.engine.begin() as connection:
        connection.execute(text("alter table record_actors disable trigger user"))
        connection.execute(
            text(
                "insert into record_events (role, actor, action, content) values "
                "('coordinator', gen_random_uuid(), 'viewed', '{}')"
            )
        )
    unknown = command("audit", "verify")
    assert unknown.status == 1
    assert "1 pseudonyms of events belong to no account" in unknown.out


@pytest.mark.parametrize("given", ["x", "1:00", "missing.txt"])
def test_what_is_no_head_is_refused(command: Command, account: str, given: str) -> None:
    """Before anything is verified."""
    refused = command("audit", "verify", "--head", given)
    assert refused.status == 2
    assert "neither SEQUENCE:HASH nor a file" in refused.errors


FAULTS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "nothing": (lambda lines: lines, ""),
    "no head": (lambda lines: lines[:-1], "broken at event 4: truncated"),
    "cut and the head kept": (lambda lines: [*lines[:2], lines[-1]], "broken at event 3: truncated"),
    "one left out": (lambda lines: [lines[0], *lines[2:]], "broken at event 2: gap"),
    "one changed": (
        lambda lines: [lines[0], lines[1].replace("account", "cluster"), *lines[2:]],
        "broken at event 2: content",
    ),
    "another head": (
        lambda lines: [*lines[:-1], lines[-1].replace("3:", "3:0")[:-4] + '"}\n'],
        "broken at event 3: rewritten",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_export_is_verified_by_itself(
    command: Command, home: Home, account: str, tmp_path: Path, fault: str
) -> None:
    """Anywhere, with no database; its own end counts as a head."""
    file = tmp_path / "record.jsonl"
    assert command("audit", "export", file).status == 0
    assert file.stat().st_mode & 0o077 == 0
    assert "Hana" not in file.read_text()
    change, told = FAULTS[fault]
    file.write_text("".join(change(file.read_text().splitlines(keepends=True))))
    elsewhere = home.with_settings(database_url="postgresql://nobody@127.0.0.1:1/none")
    verified = command("audit", "verify", "--file", file, home=elsewhere)
    assert verified.status == bool(told)
    assert (told or "3 events hold") in verified.out


def test_a_head_in_an_export_serves_for_the_database(
    command: Command, own: Database, account: str, tmp_path: Path
) -> None:
    """Who keeps exports keeps heads."""
    file = tmp_path / "record.jsonl"
    command("audit", "export", file)
    assert command("audit", "verify", "--head", file).status == 0
    _tamper(own, "delete from record_events where sequence >= 3")
    assert command("audit", "verify", "--head", file).status == 1


def test_retention_by_day_and_by_setting(
    command: Command, home: Home, own: Database, account: str, tmp_path: Path
) -> None:
    """Emptied before a day; by default nothing is; the record and an export still hold."""
    assert "ENMUSUBI_RECORD_DAYS" in command("audit", "retain").errors
    assert "still to come" in command("audit", "retain", "--before", "2999-01-01").errors
    head = command("audit", "head").out.split()[0]
    assert command("audit", "retain", "--before", "2020-01-01").out.startswith("0 events")
    assert command("audit", "retain", home=home.with_settings(record_days="1")).out.startswith("0 events")
    with own.session() as session:
        assert session.scalar(text("select record_retain(clock_timestamp())")) == 3
        session.commit()
    verified = command("audit", "verify", "--head", head)
    assert (verified.status, verified.out.split(";")[0]) == (0, "3 events hold, 3 of them emptied in time")
    file = tmp_path / "record.jsonl"
    command("audit", "export", file)
    exported = command("audit", "verify", "--file", file, "--head", head)
    assert (exported.status, exported.out.split(";")[0]) == (0, "4 events hold, 3 of them emptied in time")


def test_an_erased_account_is_nobody_s(command: Command, own: Database, account: str) -> None:
    """Name, tokens and pseudonym are gone; the record holds."""
    head = command("audit", "head").out.split()[0]
    assert "pseudonym are gone" in command("account", "erase", account).out
    listed = command("account", "list").out
    assert "erased account" in listed
    assert "Hana" not in listed
    assert command("audit", "verify", "--head", head).status == 0
    again = command("account", "erase", account)
    assert (again.status, "erased before" in again.errors) == (2, True)
    assert command("account", "erase", "x").status == 2
    with own.session() as session:
        assert session.scalar(text("select count(*) from api_tokens")) == 0
