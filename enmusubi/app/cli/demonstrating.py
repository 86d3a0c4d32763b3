"""`enmusubi demo`: a fictional cluster from files to ranked matches, then the pages and the API."""

import json
import os
import secrets
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

import enmusubi
from enmusubi.app import migrating, visibility
from enmusubi.app.caller import Caller
from enmusubi.app.cli import ingesting, serving, showing
from enmusubi.app.cli.accounts import add_account, add_cluster
from enmusubi.app.cli.matching import find_need, matchmaking, rank_need
from enmusubi.app.cli.opening import operator, read_settings
from enmusubi.app.config import Settings
from enmusubi.app.database import Database, connect
from enmusubi.app.embeddings import Kind
from enmusubi.app.errors import ConfigurationError
from enmusubi.app.matchmaking import Matchmaking
from enmusubi.app.models import Account, Cluster, Match, Need, Organisation, Seed
from enmusubi.app.recording import Operator
from enmusubi.app.runtime import encoder_for
from enmusubi.app.signing_in.noting import note
from enmusubi.app.signing_in.passwords import Passwords
from enmusubi.app.vocabulary import Action, OrganisationKind, Role
from enmusubi.ingest import sources
from enmusubi.ingest.loading import Destination
from enmusubi.ingest.organisations import load_organisations
from enmusubi.ingest.run import load_file

CLUSTER = "北星湾ナレッジクラスター / Hokuseiwan Knowledge Cluster"
SAMPLES = Path(enmusubi.__file__).resolve().parent.parent / "samples"
FILES: tuple[tuple[str, Kind], ...] = (
    ("seeds_ja.xlsx", Seed),
    ("seeds_en.jsonl", Seed),
    ("needs_ja.csv", Need),
    ("needs_en.jsonl", Need),
)
_PEOPLE = {
    Role.COORDINATOR: "Demo coordinator",
    Role.COMPANY: "Demo company",
    Role.UNIVERSITY: "Demo university",
    Role.CLUSTER_ADMINISTRATOR: "Demo office",
}
_SIGN_IN = "sign_in"
# A Japanese need, an English one, and one whose best seed is in the other language.
SHOWN_NEEDS = ("HKN-26-023", "HKN-26-120", "HKN-26-011")


def demo(samples: Path | None, *, serve_api: bool) -> None:
    """Set up, ingest the samples, show three needs with their matches, and serve."""
    settings = read_settings()
    console = Console()
    folder = samples or SAMPLES
    if not folder.is_dir():
        raise ConfigurationError(f"no samples in {folder}; run in a checkout, or give --samples")
    listening = serving.take_port(settings) if serve_api else None
    encoder = encoder_for(settings)
    with connect(settings) as database:
        migrating.upgrade(database)
        with database.session() as session:
            cluster = session.scalar(select(Cluster).where(Cluster.name == CLUSTER)) or add_cluster(session, CLUSTER)
            load_organisations(session, cluster.id, folder / "organisations.jsonl")
            session.commit()
        for name, kind in FILES:
            _ingest(console, database, cluster, folder / name, kind)
        embedded, published = ingesting.embed_and_publish(settings, database, encoder)
        ingesting.show_published(console, database, embedded, published)
        ingesting.draw_maps(settings, database, encoder)
        console.print(f"sentences of {ingesting.store_sentences(database, encoder)} entries stored", highlight=False)
        with matchmaking(settings, database, cluster, encoder) as matchmaker, database.session() as session:
            caller = operator(cluster)
            for reference in SHOWN_NEEDS:
                need = find_need(session, caller, reference)
                ranking = rank_need(session, caller, matchmaker, need, 5)
                console.print()
                showing.show_ranking(console, f"{reference}  {need.title or need.summary or ''}", ranking)
            ranked = _rank_others(session, caller, matchmaker)
            session.commit()
            console.print(f"\n{ranked} further needs ranked, for the review queue", highlight=False)
        tokens = make_people(settings, database, cluster)
        if listening is None:
            return
        _say_where_to_look(console, listening.getsockname()[1], tokens)
        serving.run(settings, listening)


def _rank_others(session: Session, caller: Caller, matchmaker: Matchmaking) -> int:
    """Rank the needs that have no match yet, so that a coordinator has something to review; how many."""
    unranked = select(Need).where(visibility.needs_visible_to(caller), ~exists().where(Match.need_id == Need.id))
    needs = session.scalars(unranked.order_by(Need.id)).all()
    for need in needs:
        rank_need(session, caller, matchmaker, need, 5)
    return len(needs)


def _ingest(console: Console, database: Database, cluster: Cluster, path: Path, kind: Kind) -> None:
    source = sources.read(path, "seed" if kind is Seed else "need")
    destination = Destination(cluster.id, path.stem)
    report = load_file(database, source, kind, destination, file=path.name, source_name=path.stem)
    console.print(
        f"{path.name}: {report.read} read, {report.new} new, {report.unchanged} unchanged, {report.rejected} rejected",
        highlight=False,
    )
    if report.problems:
        showing.show_report(console, report)


def make_people(settings: Settings, database: Database, cluster: Cluster) -> Path:
    """Accounts of every role, made once; their tokens and how they sign in, in a file that only its owner reads.

    The file has a token for each role, and under `sign_in` their one password and the address of each role.
    """
    path = settings.home / "demo-tokens.json"
    with database.session() as session:
        # A file left from another database names tokens that this one does not know.
        if path.exists() and _accounts_exist(session, cluster):
            tokens = json.loads(path.read_text(encoding="utf-8"))
        else:
            owners = {
                Role.COMPANY: _first(session, cluster, OrganisationKind.COMPANY),
                Role.UNIVERSITY: _first(session, cluster, OrganisationKind.UNIVERSITY),
            }
            tokens = {
                str(role): add_account(session, cluster, name, role, owners.get(role)) for role, name in _PEOPLE.items()
            }
        if _SIGN_IN in tokens:
            return path
        tokens[_SIGN_IN] = _let_sign_in(session, cluster)
        # Another file first: one that is half written would lose tokens that are stored as hashes alone.
        aside = path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(tokens, file, indent=2)
        session.commit()
        aside.replace(path)
    return path


def _let_sign_in(session: Session, cluster: Cluster) -> dict[str, str]:
    """Give the accounts of the demo an address each and one random password; both as they are to be typed."""
    password = secrets.token_urlsafe(12)
    stored = Passwords().hash(password)
    told = {"password": password}
    for role, name in _PEOPLE.items():
        chosen = select(Account).where(Account.cluster_id == cluster.id, Account.role == role, Account.name == name)
        account = session.scalar(chosen.order_by(Account.id.desc()).limit(1))
        if account is not None:
            told[str(role)] = account.email = account.email_key = f"{role}@example.org"
            account.password_hash = stored
            note(session, Operator(cluster.id), Action.PASSWORD_CHANGED, account.id, through="demo")
    session.flush()
    return told


def _accounts_exist(session: Session, cluster: Cluster) -> bool:
    return session.scalar(select(Account.id).where(Account.cluster_id == cluster.id).limit(1)) is not None


def _first(session: Session, cluster: Cluster, kind: OrganisationKind) -> str:
    name = session.scalar(
        select(Organisation.name)
        .where(Organisation.cluster_id == cluster.id, Organisation.kind == kind)
        .order_by(Organisation.id)
        .limit(1)
    )
    assert name is not None  # the samples name organisations of every kind
    return name


def _say_where_to_look(console: Console, port: int, tokens: Path) -> None:
    address = f"http://127.0.0.1:{port}"
    console.print(
        Panel(
            f"pages          {address}/\n"
            f"sign in as     coordinator@example.org, company@example.org, university@example.org\n"
            f"               or cluster_administrator@example.org; the password of all of them:\n"
            f"               python3 -c \"import json; print(json.load(open('{tokens}'))['sign_in']['password'])\"\n\n"
            f"API            {address}/api/v1\n"
            f"description    {address}/api/v1/openapi.json\n"
            f"health         {address}/health/ready\n"
            f"tokens         {tokens}\n\n"
            f"TOKEN=$(python3 -c \"import json; print(json.load(open('{tokens}'))['coordinator'])\")\n"
            f'curl -s {address}/api/v1/match -H "Authorization: Bearer $TOKEN" \\\n'
            '  -H "Content-Type: application/json" -d \'{"text": "凍結に強いコンクリート", "limit": 3}\'\n\n'
            "Ctrl-C ends the service.",
            title="Enmusubi is serving",
        ),
        highlight=False,
        markup=False,
    )
