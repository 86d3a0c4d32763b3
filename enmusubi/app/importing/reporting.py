"""What an import says of itself: how far it is, what is wrong, and that it has ended."""

from typing import Any, Final

from sqlalchemy.orm import Session

from enmusubi.app import posted_files
from enmusubi.app.importing.reading import Reading
from enmusubi.app.models import Account, Import
from enmusubi.app.notifying import notify
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, Audience, ImportState, NoticeKind, RecordedKind
from enmusubi.ingest.rows import Loaded
from enmusubi.ingest.sources import Problem

MOST_PROBLEMS: Final = 1_000
"""Problems that a report holds; it says how many there were."""


def note(made: Import, loaded: Loaded, total: int | None) -> None:
    """How far it is, and what is wrong so far: what the reader found, and what the catalogue refused."""
    unread = {problem.place.line for problem in loaded.rejected} - {None}
    problems = [told(problem) for problem in loaded.rejected] + list(made.refused)
    problems.sort(key=lambda problem: problem["line"] or 0)
    made.total = total
    made.read = made.new + made.changed + made.unchanged + len(made.refused) + len(unread)
    made.rejected = len(unread) + len(made.refused)
    made.problems, made.problems_found = problems[:MOST_PROBLEMS], len(problems)


def told(problem: Problem) -> dict[str, Any]:
    """A problem as a report holds it."""
    return {
        "line": problem.place.line, "column": problem.place.column, "value": problem.value, "reason": problem.reason
    }  # fmt: skip


def reasons(*found: list[dict[str, Any]]) -> dict[int, list[str]]:
    """What is wrong, by line."""
    by_line: dict[int, list[str]] = {}
    for problem in (problem for part in found for problem in part if problem["line"] is not None):
        column = f"{problem['column']}: " if problem["column"] else ""
        by_line.setdefault(problem["line"], []).append(column + problem["reason"])
    return by_line


def end(reading: Reading, session: Session, made: Import, state: ImportState, fault: str | None = None) -> None:
    """End it in that state, record it with its counts, and tell the account, and whoever has entries to review."""
    posted_files.end(made, state)
    made.fault = fault
    session.flush()
    counts = {name: getattr(made, name) for name in ("read", "new", "changed", "unchanged", "rejected")}
    record(
        *(session, reading.caller, Action.INGESTED, RecordedKind.IMPORT, made.public_id),
        state=str(state), of=made.kind, **counts,
    )  # fmt: skip
    notify(
        session,
        cluster_id=made.cluster_id,
        kind=NoticeKind.IMPORT_FINISHED,
        audience=Audience.ACCOUNT,
        account=session.get_one(Account, reading.caller.id),
        facts={"import": str(made.public_id), "state": str(state), "kind": made.kind, **counts},
    )
    if made.waiting:
        notify(
            session,
            cluster_id=made.cluster_id,
            kind=NoticeKind.ENTRY_SUBMITTED,
            audience=Audience.COORDINATORS,
            facts={"waiting": made.waiting, "kind": made.kind},
        )
