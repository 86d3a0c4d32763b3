"""Lists of matches and work are read by indexes: where PostgreSQL may do without, no statement reads a whole table.

How they are read where there is much of everything, `benchmarks/introductions.py` looks at; of few rows PostgreSQL
reads all, unless it is told not to. Then it still does so for what no index serves.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, act_as
from enmusubi.app.clock import day_of
from enmusubi.app.database import Database
from enmusubi.app.introducing import progress, work
from enmusubi.app.models import Match, Need, Organisation, Seed
from enmusubi.app.reviewing import MatchListQuery, list_matches
from enmusubi.app.vocabulary import MatchStatus, Role, Side
from tests.app.factories import a_caller, a_cluster, a_match, a_need, a_seed, put_match_into
from tests.conftest import RolledBackDatabase, rolled_back

TABLES: Final = ("matches", "match_steps", "waits", "interests", "outcomes")
"""Of what seeds and needs are looked up for, few rows say nothing: to find one of three, PostgreSQL reads all three."""
NOW: Final = datetime.datetime.now(datetime.UTC)
Use = Callable[[Session, Caller, Need, Seed], Any]


def _matches(**query: Any) -> Use:
    return lambda session, caller, need, seed: list_matches(
        session, caller, MatchListQuery.model_validate(query), day_of(NOW)
    )


def _matches_of(kind: str) -> Use:
    return lambda session, caller, need, seed: _matches(**{kind: (need if kind == "need" else seed).public_id})(
        session, caller, need, seed
    )


def _work(**query: Any) -> Use:
    return lambda session, caller, need, seed: work.list_work(
        session, caller, work.WorkQuery.model_validate(query), NOW
    )  # fmt: skip


OF_ALL: Final[dict[str, Use]] = {
    "matches": _matches(),
    **{f"matches of a {kind}": _matches_of(kind) for kind in ("need", "seed")},
    **{f"matches in {status}": _matches(status=status) for status in MatchStatus},
    **{f"matches waiting on {side}": _matches(waiting_on=side) for side in Side},
    **{f"matches overdue: {overdue}": _matches(overdue=overdue) for overdue in (True, False)},
    "matches that are back": _matches(reopened=True),
    "matches by their entries": _matches(field="IPC:C04B", region="東北", language="ja", trl_min=3),
    "work": _work(),
    "work that is overdue": _work(overdue=True),
}
OF_OVERSEERS: Final[dict[str, Use]] = {
    "work of everybody": _work(everybody=True),
    "matches need by need": _matches(order="need"),
    "matches by score": _matches(score_min=0.5),
    "progress of a need": lambda session, caller, need, seed: progress.need_progress(
        session, caller, need.public_id, NOW
    ),
    "progress of a seed": lambda session, caller, need, seed: progress.seed_progress(
        session, caller, seed.public_id, NOW
    ),
}
CALLS: Final = [
    *((role, name) for role in (Role.COMPANY, Role.UNIVERSITY) for name in OF_ALL),
    *(
        (role, name)
        for role in (Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR)
        for name in OF_ALL | OF_OVERSEERS
    ),
]


@dataclass(frozen=True)
class Made:
    """An account of each role, and a match of the company and the university that is under way."""

    database: RolledBackDatabase
    callers: Mapping[Role, Caller]
    need: Need
    seed: Seed


@pytest.fixture(scope="module")
def made(server: Database) -> Iterator[Made]:
    """Made once: nothing is changed."""
    with rolled_back(server) as database, database.session() as session:
        cluster = a_cluster(session)
        callers = {role: a_caller(session, cluster, role) for role in Role}
        company, university = (
            session.get_one(Organisation, callers[role].organisation_id) for role in (Role.COMPANY, Role.UNIVERSITY)
        )
        need, seed = a_need(session, cluster, company), a_seed(session, cluster, university)
        put_match_into(session, a_match(session, need, seed), MatchStatus.INTRODUCED)
        for table in TABLES:
            # What was counted after other tests' rows would say that there are none.
            session.execute(text("select pg_clear_relation_stats('public', :table)"), {"table": table})
        session.commit()
        yield Made(database, callers, need, seed)


def whole_tables(session: Session, use: Callable[[], Any]) -> list[str]:
    """The statements of a use case whose plan reads the whole of a table, where indexes are preferred."""
    connection = session.connection()
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().lower().startswith("select") and "set_config" not in statement:
            statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    use()
    event.remove(connection, "before_cursor_execute", note)
    assert statements
    connection.execute(text("set local enable_seqscan = off"))
    found = []
    for statement, parameters in statements:
        plan = connection.exec_driver_sql(f"explain (format json) {statement}", parameters).scalar_one()
        found += [f"{node['Relation Name']} in {statement}" for node in _nodes(plan[0]["Plan"]) if _reads_all(node)]
    return found


def _reads_all(node: dict[str, Any]) -> bool:
    is_scan = node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan")
    return is_scan and node["Relation Name"] in TABLES and "Index Cond" not in node


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


@pytest.mark.parametrize(("role", "name"), CALLS)
def test_no_whole_table_is_read(made: Made, role: Role, name: str) -> None:
    """Every statement of the call finds its rows by an index, as its role executes it."""
    caller, use = made.callers[role], (OF_ALL | OF_OVERSEERS)[name]
    with made.database.for_service.session() as session:
        act_as(session, caller)
        assert whole_tables(session, lambda: use(session, caller, made.need, made.seed)) == []
        session.rollback()


def test_a_whole_table_is_noticed(made: Made) -> None:
    """What is asserted above could fail."""
    with made.database.for_service.session() as session:
        act_as(session, made.callers[Role.COORDINATOR])
        assert whole_tables(session, lambda: session.scalars(select(Match).where(Match.model == "m")).all()) != []
        session.rollback()
