"""Confidential parts carry words that stand nowhere else; then all that the service gave away or wrote is searched."""

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from enmusubi.app import auth
from enmusubi.app.catalogue.organisations import find_organisation
from enmusubi.app.cli.accounts import add_cluster
from enmusubi.app.cli.opening import find_cluster
from enmusubi.app.config import Settings
from enmusubi.app.database import connect
from enmusubi.app.main import create_app
from enmusubi.app.vocabulary import Role
from tests.ingest.loads import Row, a_file
from tests.running import Home, Server, wait_for

pytestmark = pytest.mark.process

COMPANY, COMPETITOR, UNIVERSITY, BYSTANDER = "凍沢製氷", "岬架空食品", "北星湾大学", "南星湾大学"
PUBLIC = "seaweed"
NEED = {
    "description": "canary-fuji",
    "requirements": "canary-kiku\ncanary-hagi within a week",
    "constraints": "canary-ajisai",
    "budget_yen": 48_151_623,
    "excluded_organisations": ["canary-ran Institute"],
    "external_id": "canary-sumire/2026/3",
    "reference": "canary-botan",
}
UNPUBLISHED = "canary-tsubaki before the filing"
MISTYPED = "canary-yuri yen"
"""A budget that is none: the row is refused."""
NOTE = "canary-momo"
"""What a coordinator notes with a verdict."""
POSTED = "canary-asagao"
"""What a company posts over the API."""
OF_NEED = ("fuji", "kiku", "hagi", "ajisai", "48151623", "ran", "sumire", "botan", "yuri")
ALL = (*OF_NEED, "tsubaki", "momo", "asagao")
KEPT_FROM = {
    "company": ("tsubaki", "momo", "yuri"),
    "competitor": ALL,
    "university": (*OF_NEED, "momo", "asagao"),
    "bystander": ALL,
    "coordinator": ("yuri",),
    "administrator": ALL,
    "auditor": ALL,
    "far coordinator": ALL,
    "nobody": ALL,
}
"""Which canaries each reader must never be shown."""


def canaries_in(content: bytes | str) -> set[str]:
    """The canaries that bytes or a text hold, however their letters and escapes are written."""
    text = content if isinstance(content, str) else written(content)
    plain = text.lower()
    return {word for word in ALL if (word if word.isdigit() else f"canary-{word}") in plain}


def written(content: bytes) -> str:
    """Bytes as text, also where four stand for one letter, as in arrays of the index."""
    return content.replace(b"\0", b"").decode("utf-8", "replace")


@dataclass(frozen=True)
class Reader:
    """Somebody with a token, or without a right one."""

    name: str
    token: str
    server: Server

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A call whose reply holds nothing that this reader must not see."""
        reply = self.server.call(method, path, self.token, body, **headers)
        self.check(reply, f"{method} {path}")
        return reply

    def check(self, reply: httpx.Response, told: str) -> None:
        """Search body and headers."""
        found = canaries_in(reply.content) | canaries_in(str(reply.headers))
        assert not found & set(KEPT_FROM[self.name]), (self.name, told, reply.text)
        assert reply.status_code < 500, (self.name, told, reply.text)

    def ids(self, noun: str) -> list[str]:
        """The public ids of a list."""
        return [item["id"] for item in self.call("GET", f"/{noun}?limit=200").json()["items"]]


@pytest.fixture
def readers(home: Home, tmp_path: Path) -> Iterator[dict[str, Reader]]:
    """A running server that logs all it can, over ingested and published files, and people of every role."""
    home = home.with_settings(log_level="debug")
    home.must("migrate")
    home.must("cluster", "create", "北星湾")
    first = {"external_id": "S-1", "title": f"{PUBLIC} as animal feed", "organisation": UNIVERSITY}
    seeds: list[Row] = [
        {**first, "unpublished": UNPUBLISHED},
        {"external_id": "S-2", "title": f"{PUBLIC} as paint", "organisation": BYSTANDER},
    ]
    needs: list[Row] = [
        {"title": f"feed made of {PUBLIC}", "summary": "A lasting feed", "organisation": COMPANY, **NEED},
        {"external_id": "N-2", "title": f"{PUBLIC} paint", "organisation": COMPETITOR},
        {"external_id": "N-3", "title": "refused", "organisation": COMPANY, "budget_yen": MISTYPED},
    ]
    home.must("ingest", "seeds", a_file(tmp_path, seeds), "--no-index")
    ingested = home.run("ingest", "needs", a_file(tmp_path, needs, "needs.jsonl"))
    assert ingested.status == 1, ingested.errors  # the refused row
    server = Server(home)
    server.ready()
    people = {
        "company": (Role.COMPANY, COMPANY), "competitor": (Role.COMPANY, COMPETITOR),
        "university": (Role.UNIVERSITY, UNIVERSITY), "bystander": (Role.UNIVERSITY, BYSTANDER),
        "coordinator": (Role.COORDINATOR, None), "administrator": (Role.CLUSTER_ADMINISTRATOR, None),
        "auditor": (Role.AUDITOR, None), "far coordinator": (Role.COORDINATOR, None),
    }  # fmt: skip
    made = {"nobody": Reader("nobody", "enm_wrong", server)}
    with connect(Settings(home=home.folder)) as database, database.session() as session:
        add_cluster(session, "南星湾")
        for name, (role, organisation) in people.items():
            cluster = find_cluster(session, "南星湾" if name.startswith("far") else "北星湾")
            owner = find_organisation(session, cluster.id, name=organisation) if organisation else None
            account = auth.create_account(session, cluster, role, name, owner)
            made[name] = Reader(name, auth.issue_token(session, account), server)
        session.commit()
    yield made
    server.kill()


def _reads(paths: dict[str, list[str]]) -> list[str]:
    """Every address that can be read, with every id that there is for it, and those of nothing."""
    found = []
    for path, item in create_app(Settings()).openapi()["paths"].items():
        if "get" not in item or not path.startswith("/api/v1/"):
            continue
        path = path.removeprefix("/api/v1")
        name = "".join(re.findall(r"{(\w+)}", path))
        for one in paths.get(name, ["00000000-0000-4000-8000-000000000000"]) if name else [""]:
            filled = path.replace(f"{{{name}}}", one)
            found.append(filled)
            if filled.endswith("/matches") and name:
                found.append(f"{filled}?reasons=true&misses=true")
    return found


def _wrong(reader: Reader, need: str, seed: str) -> None:
    """Requests with confidential words in the wrong places, or that are wrong themselves."""
    reader.call("PATCH", f"/needs/{need}", {"description": ["canary-fuji"]}, If_Match="*")
    reader.call("PATCH", f"/needs/{need}", {"budget_yen": "48151623 yen", "title": None}, If_Match='"9"')
    reader.call("PATCH", f"/seeds/{seed}", {"unpublished": "canary-tsubaki\x00"}, If_Match="*")
    reader.call("POST", "/needs", {"description": "canary-fuji"})
    reader.call("POST", "/needs", {"title": "T", "canary-kiku": "canary-fuji"} if reader.name == "coordinator" else {})
    reader.call("POST", "/match", {"text": f"feed made of {PUBLIC}", "against": "needs", "limit": 100})
    reader.call("POST", "/match", {"text": f"{PUBLIC} paint", "misses": True})
    reader.call("POST", "/needs/check", {"title": "canary", "description": "canary-fuji", "budget_yen": 48_151_623})
    headers = {"Authorization": f"Bearer {reader.token}", "Content-Type": "application/json"}
    broken = reader.server.client.post("/api/v1/needs", content='{"description": "canary-fuji', headers=headers)
    reader.check(broken, "broken JSON")
    for noun in ("seeds", "needs", "organisations"):
        for word in ("fuji", "tsubaki", "ran", "sumire"):
            reader.call("GET", f"/{noun}?q={word}")
    reader.call("GET", "/needs?external_id=canary-sumire%2F2026%2F3")


def test_no_canary_is_anywhere_it_should_not_be(home: Home, readers: dict[str, Reader]) -> None:
    """After a whole story as everybody: in no reply to a wrong reader, log, snapshot, export or report for others."""
    coordinator, company = readers["coordinator"], readers["company"]
    server = coordinator.server
    posted = company.call("POST", "/needs", {"title": f"{PUBLIC} again", "description": POSTED, "requirements": POSTED})
    assert posted.status_code == 201
    match = next(
        each["match"]
        for need in coordinator.ids("needs")
        for each in coordinator.call("GET", f"/needs/{need}/matches?misses=true").json()["ranking"]
        if each["match"]
    )
    noted = coordinator.call("POST", f"/matches/{match}/reviews", {"verdict": "shortlist", "note": NOTE}, If_Match="*")
    assert noted.status_code == 201, noted.text
    ids = {f"{noun.rstrip('s') if noun != 'matches' else 'match'}_id": coordinator.ids(noun)
           for noun in ("seeds", "needs", "organisations", "matches")}  # fmt: skip
    assert all(ids.values())
    reads = _reads(ids)
    assert len(reads) > 30
    seen: dict[str, set[str]] = {}
    for reader in readers.values():
        for path in reads:
            seen.setdefault(reader.name, set()).update(canaries_in(reader.call("GET", path).content))
        _wrong(reader, ids["need_id"][0], ids["seed_id"][0])
    # They are there for those they are meant for, so that their absence elsewhere says something.
    assert seen["coordinator"] == set(ALL) - {"yuri"}
    assert seen["company"] == {*OF_NEED, "asagao"} - {"yuri"}
    assert seen["university"] == {"tsubaki"}
    for path in ("/health/live", "/health/ready", "/api/v1/openapi.json"):
        assert not canaries_in(server.client.get(path).content)

    exported = home.run("audit", "export", home.folder / "record.jsonl")
    assert exported.status == 0, exported.errors
    home.must("index")
    wait_for(lambda: server.health("ready") == 200, "readiness")
    assert server.terminate() == 0
    log = server.log.read_text(encoding="utf-8")
    assert "DEBUG" in log
    assert "Traceback" not in log
    looked_at = {"log": 0, "snapshots": 0, "record.jsonl": 0, "reports": 0}
    for file in home.folder.rglob("*"):
        place = file.relative_to(home.folder)
        # The database itself holds them, and must.
        if not file.is_file() or (place.parts[0] == "postgres" and "log" not in place.parts):
            continue
        kind = "log" if file.suffix == ".log" or "log" in place.parts else place.parts[0]
        looked_at[kind] = looked_at.get(kind, 0) + 1
        if kind == "reports":
            # They quote what was refused, to those who may read the file.
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert not canaries_in(file.read_bytes()) - {"yuri"}
        else:
            assert not canaries_in(file.read_bytes()), place
    assert looked_at["log"] >= 2  # the service's and PostgreSQL's own
    assert all(looked_at.values()), looked_at
    # The index holds terms, not texts: words of the public ones, and none of a canary.
    index = "".join(written(path.read_bytes()) for path in home.snapshots.rglob("*") if path.is_file())
    assert PUBLIC[:5] in index
    assert "canar" not in index.lower()
    assert json.loads((home.folder / "record.jsonl").read_text(encoding="utf-8").splitlines()[0])
