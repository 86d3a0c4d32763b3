"""The work of a cluster with 100,000 matches in all states: queue, progress, indicators and the chain, over HTTP.

A coordinator, a university and a company with 5,000 matches each ask `enmusubi serve`, which connects as the role that
bypasses nothing. After that the statements of the same calls are explained, as that role and on behalf of who asked,
and the script fails where a plan reads the whole of a table of 10,000 rows or more. Of the 2,000 needs, and of the
chain, which is one reading of all origins of a cluster, full scans are told and no fault. What a function of the
database executes is not among the plans: `indicators_count`, which counts in the background, reads a cluster's history
from end to end.
"""

import argparse
import datetime
import json
import re
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from benchmarks import results
from benchmarks.introduced import Filled, fill
from benchmarks.prepared import Prepared
from benchmarks.results import Part, Target
from benchmarks.servers import Load, Server
from enmusubi.app import auth, indicators, lineage, reviewing
from enmusubi.app.caller import Caller, act_as
from enmusubi.app.clock import day_of
from enmusubi.app.config import Settings
from enmusubi.app.database import connect_for_service
from enmusubi.app.introducing import progress, work
from enmusubi.app.vocabulary import Breakdown, Side

WATCHED: Final = ("matches", "match_steps", "waits", "interests", "outcomes", "seeds", "needs", "need_details")
LARGE_ROWS: Final = 10_000
BOUND: Final = 50.0
_STATUSES: Final = ("suggested", "introduced", "declined", "outcome")
_FIELDS: Final = ("IPC:A23L", "KAKENHI:D")
_LISTS: Final = {
    "GET /work": ["/work", "/work?overdue=true"],
    "GET /matches": ["/matches"],
    "GET /matches?status": [f"/matches?status={status}" for status in _STATUSES],
    "GET /matches?overdue": ["/matches?overdue=true", "/matches?overdue=false"],
    "GET /matches?waiting_on": [f"/matches?waiting_on={side}" for side in Side],
}


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and with which addresses in turns."""

    token: str
    paths: list[str]


def calls(filled: Filled) -> dict[str, Call]:
    """The calls that are measured."""
    sides = {"university": filled.university, "company": filled.company}
    return {
        **{name: Call(filled.token, paths) for name, paths in _of_coordinator(filled).items()},
        **{f"{name} ({side})": Call(token, paths) for name, paths in _LISTS.items() for side, token in sides.items()},
    }


def _of_coordinator(filled: Filled) -> dict[str, list[str]]:
    indicated = f"/clusters/{filled.cluster}/indicators"
    return {
        **_LISTS,
        "GET /work": ["/work", "/work?overdue=true", "/work?everybody=true"],
        "GET /matches?order": ["/matches?order=need", "/matches?order=need&status=suggested"],
        "GET /matches?field": [f"/matches?field={field}" for field in _FIELDS],
        "GET /needs/{id}/progress": [f"/needs/{need}/progress" for need in filled.needs],
        "GET /clusters/{id}/indicators": [indicated],
        **{
            f"GET /clusters/{{id}}/indicators?by={by}": [f"{indicated}?by={by}"]
            for by in (Breakdown.ORGANISATION, Breakdown.FIELD, Breakdown.COORDINATOR)
        },
        "GET /clusters/{id}/chain": [f"/clusters/{filled.cluster}/chain"],
    }


def measure(given: argparse.Namespace, home: Path) -> Part:
    """Fill the database once, ask the service in turns, then look at the plans."""
    filled = _filled(given, home)
    replies = _asked(given, home, filled)
    faults = sequential_scans(home, filled)
    for name, found in faults.items():
        for fault in found:
            print(f"full scan in {name}: {fault.what}", flush=True)
    rows, measured, targets = [], {}, []
    for name, seconds in replies.items():
        load = Load(seconds, sum(seconds))
        median, p95 = 1_000 * statistics.median(seconds), load.percentile(95)
        measured[name] = {"p50": median, "p95": p95, "full_scans": len(faults.get(name, []))}
        rows.append([name, f"{median:.1f}", f"{p95:.1f}", str(len(faults.get(name, [])))])
        if _is_bound(name):
            targets.append(Target(f"p50 of {name}, ms", median, BOUND, "<="))
    wrong = [f"{name}: {each.what}" for name in faults for each in faults[name] if each.is_large and _is_bound(name)]
    targets.append(Target("full scans of large tables", float(len(wrong)), 0, "<="))
    part = Part(
        "introductions",
        {"matches": given.matches, "seeds": given.seeds, "requests": given.requests, "calls": measured},
        ("call", "p50 ms", "p95 ms", "full scans"),
        rows,
        targets,
    )
    if wrong:
        results.show(part)
        raise SystemExit("\n".join(["PLANS READ THE WHOLE OF A LARGE TABLE", *wrong]))
    return part


def _is_bound(name: str) -> bool:
    return "/chain" not in name


@dataclass(frozen=True, slots=True)
class Scan:
    """A full scan in the plan of a statement."""

    table: str
    is_large: bool
    statement: str

    @property
    def what(self) -> str:
        """In words."""
        return f"all of {self.table} in {self.statement[:90]!r}"


def _filled(given: argparse.Namespace, home: Path) -> Filled:
    kept = home / "introduced.json"
    if not kept.exists():
        print(f"filling a database with {given.matches:,} matches (some minutes)", flush=True)
        kept.write_text(json.dumps(asdict(fill(home, given.matches, given.seeds))), encoding="utf-8")
        kept.chmod(0o600)
    return Filled(**json.loads(kept.read_text(encoding="utf-8")))


def _asked(given: argparse.Namespace, home: Path, filled: Filled) -> dict[str, list[float]]:
    """The seconds of each reply, by call."""
    asked = calls(filled)
    replies: dict[str, list[float]] = {name: [] for name in asked}
    nothing = Path()
    server = Server.start_ours(Prepared(home, nothing, nothing, nothing, filled.token, []))
    try:
        server.wait("GET", "/health/live")
        for call in asked.values():  # what is counted at its first reading, and plans of functions
            for path in call.paths:
                _reply(_on_behalf(server, call), path)
        for name, call in asked.items():
            asking = _on_behalf(server, call)
            replies[name] = [_reply(asking, path) for path in islice(cycle(call.paths), given.requests)]
            print(f"{name}: {1_000 * statistics.median(replies[name]):.1f} ms", flush=True)
    finally:
        server.stop()
    return replies


def _on_behalf(server: Server, call: Call) -> Server:
    return replace(server, headers={"Authorization": f"Bearer {call.token}"})


def _reply(server: Server, path: str) -> float:
    began = time.perf_counter()
    while True:
        status, _ = server.ask("GET", f"/api/v1{path}")
        if status != 503:  # still starting
            break
        time.sleep(0.1)
        began = time.perf_counter()
    if status != 200:
        raise RuntimeError(f"{path} was answered with {status}")
    return time.perf_counter() - began


def sequential_scans(home: Path, filled: Filled) -> dict[str, list[Scan]]:
    """Of each call, the statements whose plan reads the whole of a large table."""
    found: dict[str, list[Scan]] = {}
    with connect_for_service(Settings(home=home)) as database:
        for name, call in calls(filled).items():
            with database.session() as session:
                caller = auth.identify(session, call.token).caller
            with database.session() as session:
                act_as(session, caller)
                with _noted(session.connection()) as statements:
                    _use(session, caller, filled, name)
                found[name] = [fault for each in statements for fault in _scans(session.connection(), *each)]
                session.rollback()
    return found


def _use(session: Session, caller: Caller, filled: Filled, name: str) -> None:
    """The use case behind a call."""
    cluster, now = uuid.UUID(filled.cluster), datetime.datetime.now(datetime.UTC)
    if name.startswith("GET /work"):
        asked: list[dict[str, Any]] = [{}, {"overdue": True}, {"everybody": caller.oversees}]
        for each in asked:
            work.list_work(session, caller, work.WorkQuery.model_validate(each), now)
    elif name.startswith("GET /matches"):
        filters: dict[str, list[Any]] = {
            "status": list(_STATUSES),
            "overdue": [True, False],
            "waiting_on": list(Side),
            "order": ["need"],
            "field": list(_FIELDS),
        }
        given = re.search(r"\?(\w+)", name)
        for each in [{given[1]: value} for value in filters[given[1]]] if given else [{}]:
            query = reviewing.MatchListQuery.model_validate(each)
            reviewing.list_matches(session, caller, query, day_of(now))
    elif "progress" in name:
        progress.need_progress(session, caller, uuid.UUID(filled.needs[0]), now)
    elif "indicators" in name:
        by = re.search(r"by=(\w+)", name)
        wanted = indicators.IndicatorsQuery.model_validate({"by": by[1] if by else None})
        indicators.read(session, caller, cluster, wanted, 3_600, "read")
    else:
        lineage.read(session, caller, cluster, lineage.ChainQuery())


Noted = tuple[str, Any]


@contextmanager
def _noted(connection: Connection) -> Iterator[list[Noted]]:
    """The statements that are executed meanwhile, with their parameters."""
    statements: list[Noted] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().lower().startswith(("select", "with", "update")):
            statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    yield statements
    event.remove(connection, "before_cursor_execute", note)


def _scans(connection: Connection, statement: str, parameters: Any) -> list[Scan]:
    """Sequential scans of tables in the plan of a statement, as its role executes it."""
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    nodes = [node for node in _nodes(explained[0]["Plan"]) if node["Node Type"] == "Seq Scan"]
    tables = [node["Relation Name"] for node in nodes if node["Relation Name"] in WATCHED]
    rows = text("select relname::text, reltuples from pg_class where relname = any(:tables) and relkind = 'r'")
    sizes = {row.relname: row.reltuples for row in connection.execute(rows, {"tables": tables})}
    return [Scan(table, sizes[table] >= LARGE_ROWS, statement) for table in tables]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    inner: Sequence[dict[str, Any]] = plan.get("Plans", ())
    for each in inner:
        yield from _nodes(each)


def options() -> argparse.ArgumentParser:
    """The options of this script."""
    parser = results.options(__doc__)
    parser.add_argument("--matches", type=int, default=100_000, help="fewer for a trial, which says little of plans")
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=100)
    return parser


if __name__ == "__main__":
    results.run(options(), measure)
