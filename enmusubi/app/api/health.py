"""Health: live (the process answers) and ready (database, migrations, model, snapshot)."""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from enmusubi.app import database as databases
from enmusubi.app import migrating
from enmusubi.app.dependencies import RuntimeNow
from enmusubi.app.runtime import Runtime

router = APIRouter(prefix="/health", tags=["health"])

_WAITING = "is waiting for database and model"


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """Whether requests can be served, part by part; `ok` or what is wrong and what to do."""

    status: Literal["ready", "not ready"]
    database: str
    migrations: str
    model: str
    snapshot: str
    entries: str
    fittings: str


@router.get("/live")
async def live() -> Live:
    """Answers as soon as the process does."""
    return Live()


@router.get("/ready", responses={503: {"model": Ready, "description": "Not ready"}})
def ready(runtime: RuntimeNow, response: Response) -> Ready:
    """503 until database (with its migrations) and model are there.

    A refused snapshot, entries that wait to be indexed and a fitting that cannot be used do not stop the service.
    """
    problems = dict(runtime.problems)
    if "database" not in problems and (runtime.database is None or not databases.reachable(runtime.database)):
        problems["database"] = "does not answer"
    migrations = _migrations(runtime) if "database" not in problems else "is waiting for the database"
    serving = runtime.is_serving and "database" not in problems and migrations == "ok"
    if not serving:
        response.status_code = 503
    return Ready(
        status="ready" if serving else "not ready",
        database=problems.get("database", "ok"),
        migrations=migrations,
        model=problems.get("model", "ok"),
        snapshot=_snapshots(runtime) if serving else problems.get("snapshot", _WAITING),
        entries=runtime.waiting_entries() if serving else _WAITING,
        fittings=runtime.unusable_fittings() if serving else _WAITING,
    )


def _snapshots(runtime: Runtime) -> str:
    """`ok`, or what is wrong with how many; which cluster's they are is nobody's business who asks from outside."""
    followed = runtime.followed_snapshots()
    refused = [each.problem for each in followed if each.problem]
    missing = [each for each in followed if not each.current and not each.problem]
    # Without a snapshot, or with a refused one, entries are scored exactly: slower, never wrong.
    said = []
    if refused:
        said.append(f"refused{_of(refused, followed)}: {refused[0]}")
    if missing or not followed:
        of = _of(missing, followed)
        said.append(f"none yet{of}; entries that are embedded are scored exactly (run `enmusubi index`)")
    return "; ".join(said) or "ok"


def _of(some: Sequence[object], followed: Sequence[object]) -> str:
    return f" for {len(some)} of {len(followed)} clusters" if len(followed) > 1 else ""


def _migrations(runtime: Runtime) -> str:
    database = runtime.database
    assert database is not None  # the caller has looked
    present, newest = migrating.present(database), migrating.newest()
    return "ok" if present == newest else f"at {present or 'none'}, {newest} is needed (run `enmusubi migrate`)"
