"""A database with 100,000 matches in all states over five fiscal years, with their steps, answers, waits and outcomes.

Written with COPY as the owner of the tables. Every date lies in the five years before the day of the filling; nothing
in it is of a real organisation or person.
"""

import datetime
import json
import os
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from psycopg import Cursor
from sqlalchemy import Engine, NullPool, create_engine, select, text
from sqlalchemy.orm import Session

from benchmarks import prepared
from enmusubi.app import auth
from enmusubi.app.catalogue import organisations
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.embedded import SUPERUSER
from enmusubi.app.models import Account, Cluster, Organisation
from enmusubi.app.schemas import OrganisationDraft
from enmusubi.app.vocabulary import OrganisationKind, Role

ORGANISATIONS, COORDINATORS, YEARS = 40, 3, 5
NEEDS_TO_SEEDS = 10
_FIELDS: Final = (
    *("IPC:A23L 3/36", "IPC:C04B 28/02", "IPC:H01M 10/05", "CPC:G06N 3/08"),
    *("FORD:2.11", "JSIC:E29", "KAKENHI:D"),
)
_REASONS: Final = ("too_early", "benefit_unclear", "out_of_scope", "capacity", "terms", "ip_position")
_OUTCOMES: Final = (
    *("joint_research", "commissioned_research", "licence"),  # with amounts
    *("patent_application", "start_up", "commercialisation"),
)
# The path of a match, and how probable it is that it goes on from each status; the rest stays there or is turned down.
_PATH: Final = (
    *("suggested", "shortlisted", "introduced", "accepted", "disclosed"),
    *("meeting", "negotiation", "agreement", "outcome"),
)
_STEPS: Final = ("shortlist", "introduce", "accept", "disclose", "meet", "negotiate", "agree", "report_outcome")
_GOES_ON: Final = (0.72, 0.8, 0.6, 0.85, 0.85, 0.7, 0.65, 0.75)
_TURNED_DOWN: Final = (0.12, 0.1, 0.3, 0.05, 0.05, 0.1, 0.1, 0.0)
_PARTS: Final = json.dumps(
    {
        name: {"value": 0.4321, "weight": 1.25, "estimated": False}
        for name in ("similarity", "terms", "background", "phrases", "hub_across", "hub_within")
    }
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a benchmark asks for: tokens of a coordinator, a university and a company, the cluster, some needs."""

    token: str
    university: str
    company: str
    cluster: str
    needs: list[str]


@dataclass(slots=True)
class _Rows:
    """Rows of the tables of introductions, as they are copied."""

    steps: list[tuple[object, ...]] = field(default_factory=list)
    interests: list[tuple[object, ...]] = field(default_factory=list)
    waits: list[tuple[object, ...]] = field(default_factory=list)
    outcomes: list[tuple[object, ...]] = field(default_factory=list)

    def step(
        self,
        key: int,
        step: str,
        before: str,
        after: str,
        side: str,
        reason: str | None,
        at: datetime.datetime,
        draw: random.Random,
    ) -> None:
        """Add a step of a match."""
        self.steps.append((uuid.UUID(int=draw.getrandbits(128)), key, step, before, after, side, reason, at))


def fill(home: Path, matches: int, seeds: int) -> Filled:
    """Migrate a database and fill it; a tenth as many needs as seeds."""
    prepared.new_database(home)
    draw = random.Random(7)
    with connect(Settings(home=home)) as database:
        with database.session() as session:
            cluster, coordinators, token = _people(session)
            universities, companies = _organisations(session, cluster)
            university = _token(session, cluster, Role.UNIVERSITY, universities[0])
            company = _token(session, cluster, Role.COMPANY, companies[0])
            session.commit()
            public_id = str(cluster.public_id)
        with _loading(database).begin() as connection:
            cursor: Any = connection.connection.cursor()
            _entries(cursor, "seeds", seeds, cluster.id, universities, draw)
            needs = _entries(cursor, "needs", seeds // NEEDS_TO_SEEDS, cluster.id, companies, draw)
            _matches(cursor, matches, seeds, len(needs), cluster.id, coordinators, draw)
            _origins(cursor, seeds // 20, draw)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze"))
    return Filled(token, university, company, public_id, draw.sample(needs, min(50, len(needs))))


def _loading(database: Database) -> Engine:
    """The same database as its superuser, whom policies do not stop from copying."""
    assert database.embedded is not None
    login = database.embedded.login(SUPERUSER)
    url = database.engine.url.set(username=login.role, password=login.password)
    return create_engine(url, poolclass=NullPool)


def _people(session: Session) -> tuple[Cluster, list[int], str]:
    cluster = session.scalars(select(Cluster)).one()
    accounts: list[Account] = [
        auth.create_account(session, cluster, Role.COORDINATOR, f"Coordinator {number}", None)
        for number in range(COORDINATORS)
    ]
    session.flush()
    return cluster, [account.id for account in accounts], auth.issue_token(session, accounts[0])


def _organisations(session: Session, cluster: Cluster) -> tuple[list[int], list[int]]:
    made: dict[OrganisationKind, list[int]] = {OrganisationKind.UNIVERSITY: [], OrganisationKind.COMPANY: []}
    for number in range(ORGANISATIONS):
        kind = OrganisationKind.COMPANY if number % 2 else OrganisationKind.UNIVERSITY
        draft = OrganisationDraft(name=f"Example {kind} {number}", kind=kind)
        made[kind].append(organisations.create_organisation(session, cluster.id, draft).id)
    return made[OrganisationKind.UNIVERSITY], made[OrganisationKind.COMPANY]


def _token(session: Session, cluster: Cluster, role: Role, organisation_id: int) -> str:
    organisation = session.get_one(Organisation, organisation_id)
    return auth.issue_token(session, auth.create_account(session, cluster, role, f"Example {role}", organisation))


def _copy(cursor: Cursor[Any], table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(f"copy {table} ({columns}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _entries(
    cursor: Cursor[Any], table: str, count: int, cluster: int, owners: list[int], draw: random.Random
) -> list[str]:
    """Entries of the five years, with texts and vectors of the usual size; their public ids."""
    columns = (
        "public_id, cluster_id, source, title, summary, search_text, expires_on, status, submitted, embedding, "
        "embedding_key, embedding_encoder, field_codes, created, last_modified, version, organisation_id"
    )
    ids = [uuid.UUID(int=draw.getrandbits(128)) for _ in range(count)]

    def rows() -> Iterator[tuple[object, ...]]:
        for number, public_id in enumerate(ids):
            created = _now() - datetime.timedelta(days=draw.uniform(0, 365 * YEARS))
            codes = draw.sample(_FIELDS, draw.choice((1, 1, 2)))
            owner = draw.choice(owners) if table == "seeds" else None
            words = f"Example entry {number}. " * 20
            yield (
                public_id, cluster, "benchmark", f"Entry {number}", words, words.casefold(), "2099-01-01", "published",
                True, os.urandom(1536), b"", "benchmark", codes, created, created, 1, owner,
            )  # fmt: skip

    _copy(cursor, table, columns, rows())
    if table == "needs":
        cursor.execute("select id from needs order by id")
        keys = [key for (key,) in cursor.fetchall()]
        _copy(cursor, "need_details", "need_id, owner_id", ((key, draw.choice(owners)) for key in keys))
    return [str(public_id) for public_id in ids]


def _matches(
    cursor: Cursor[Any], count: int, seeds: int, needs: int, cluster: int, coordinators: list[int], draw: random.Random
) -> None:
    columns = (
        "id, public_id, need_id, seed_id, cluster_id, status, score, parts, model, revision, precision, policy, "
        "coordinator_id, version, created, scored"
    )
    rows = _Rows()
    told: list[tuple[object, ...]] = []
    pairs = draw.sample(range(seeds * needs), count)
    for key, pair in enumerate(sorted(pairs, key=lambda _: draw.random()), 1):
        created = _now() - datetime.timedelta(days=draw.uniform(0, 365 * YEARS))
        coordinator = draw.choice(coordinators)
        status = _walk(rows, key, created, coordinator, draw)
        handled = None if status == "suggested" else coordinator
        told.append((
            key, uuid.UUID(int=draw.getrandbits(128)), pair % needs + 1, pair // needs + 1, cluster, status,
            draw.random(), _PARTS, "m", "r", "float32", "p", handled, 1, created, created,
        ))  # fmt: skip
    _copy(cursor, "matches", columns, told)
    cursor.execute("select setval(pg_get_serial_sequence('matches', 'id'), max(id)) from matches")
    steps = sorted(rows.steps, key=lambda row: str(row[-1]))
    columns = "cluster_id, public_id, match_id, step, before, after, side, reason, taken"
    _copy(cursor, "match_steps", columns, ((cluster, *row) for row in steps))
    _copy(cursor, "interests", "match_id, side, asked, answer, answered, reason", rows.interests)
    columns = "cluster_id, public_id, acts, match_id, awaited, side, since, due_on, ended"
    _copy(cursor, "waits", columns, ((cluster, uuid.uuid4(), row[2], *row) for row in rows.waits))
    _copy(cursor, "outcomes", "public_id, match_id, kind, amount_yen, agreed_on, account_id", rows.outcomes)


def _walk(rows: _Rows, key: int, created: datetime.datetime, coordinator: int, draw: random.Random) -> str:
    """Take a match as far as chance has it go, and say where it is."""
    at, now = created, _now()
    since = at
    for number, (status, following) in enumerate(pairwise(_PATH)):
        at += datetime.timedelta(days=draw.expovariate(1 / 14))
        chance = draw.random()
        turned_down = chance < _TURNED_DOWN[number]
        if at > now or (not turned_down and chance > _TURNED_DOWN[number] + _GOES_ON[number]):
            _wait(rows, key, status, at, None, draw)
            return status
        ending = "dismissed" if number == 0 else "declined"
        step = ("dismiss" if number == 0 else "decline") if turned_down else _STEPS[number]
        after = ending if turned_down else following
        reason = draw.choice(_REASONS) if turned_down else None
        side = draw.choice(("need", "seed")) if status == "introduced" else "cluster"
        if status == "introduced":
            _answer(rows, key, (since, at), side if turned_down else None, draw)
        else:
            _wait(rows, key, status, at, at, draw)
        rows.step(key, step, status, after, side, reason, at, draw)
        if turned_down:
            return after
        since = at
    kind = draw.choice(_OUTCOMES)
    amount = draw.randrange(100_000, 20_000_000) if kind in _OUTCOMES[:3] else None
    rows.outcomes.append((uuid.UUID(int=draw.getrandbits(128)), key, kind, amount, at.date(), coordinator))
    return _PATH[-1]


def _answer(
    rows: _Rows, key: int, asked: tuple[datetime.datetime, datetime.datetime], refusing: str | None, draw: random.Random
) -> None:
    """Both sides answer: one of them no, or both yes, and the last one closes it."""
    since, at = asked
    for side in ("need", "seed"):
        answer = "no" if side == refusing else "yes"
        rows.interests.append((key, side, since, answer, at, "capacity" if answer == "no" else None))
        rows.waits.append((key, "answer", side, since, (since + datetime.timedelta(days=14)).date(), at))
    if refusing is None:
        rows.step(key, "accept", "introduced", "introduced", "seed", None, since + (at - since) / 2, draw)


_AWAITED: Final = {
    "shortlisted": "introduction", "accepted": "disclosure", "disclosed": "meeting", "meeting": "report",
    "negotiation": "report", "agreement": "outcome",
}  # fmt: skip


def _wait(
    rows: _Rows, key: int, status: str, at: datetime.datetime, ended: datetime.datetime | None, draw: random.Random
) -> None:
    if status in _AWAITED:
        since = at - datetime.timedelta(days=draw.uniform(1, 20))
        rows.waits.append(
            (key, _AWAITED[status], "cluster", since, (since + datetime.timedelta(days=14)).date(), ended)
        )
    elif status == "introduced" and ended is None:
        due = (at + datetime.timedelta(days=14)).date()
        rows.waits += [(key, "answer", side, at, due, None) for side in ("need", "seed")]
        rows.interests += [(key, side, at, "waiting", None, None) for side in ("need", "seed")]


def _origins(cursor: Cursor[Any], count: int, draw: random.Random) -> None:
    """Chains of seeds that grew from outcomes and from each other, always from what has a smaller key."""
    cursor.execute(
        "select outcomes.id, matches.seed_id from outcomes join matches on matches.id = match_id "
        "order by outcomes.id limit %s",
        (count,),
    )
    rows: list[tuple[object, ...]] = []
    cursor_rows = cursor.fetchall()
    cursor.execute("select max(id) from seeds")
    (last,) = cursor.fetchall()[0]
    for outcome, seed in cursor_rows:
        if seed < last - 1:
            grown = draw.randrange(seed + 1, last)
            rows.append((grown, outcome, None))
            rows.append((last, None, grown))
    # The check of each row walks back to the beginning; these make no loop, since keys only grow.
    cursor.execute("alter table origins disable trigger origins_refuse_loop")
    _copy(cursor, "origins", "seed_id, from_outcome_id, from_seed_id", dict.fromkeys(rows))
    cursor.execute("alter table origins enable trigger origins_refuse_loop")
