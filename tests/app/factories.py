"""Typed factories: small, complete rows that tests can read aloud."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import needs, organisations, seeds
from enmusubi.app.embeddings import embed
from enmusubi.app.models import Account, ApiToken, Cluster, Interest, Match, Need, Organisation, Seed
from enmusubi.app.schemas import NeedDraft, OrganisationDraft, SeedDraft
from enmusubi.app.stepping.machine import HIDDEN
from enmusubi.app.stepping.waiting import settle
from enmusubi.app.vocabulary import EntryStatus, InterestAnswer, MatchStatus, OrganisationKind, Role, Side
from enmusubi.matching.encoder import Encoder, HashEncoder

ENCODER = HashEncoder()
API = "/api/v1"
Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """An account that calls the API with its token; paths start after `/api/v1`."""

    client: TestClient
    caller: Caller
    organisation: Organisation | None
    token: str

    @property
    def role(self) -> Role:
        """The account's role."""
        return self.caller.role

    @property
    def headers(self) -> dict[str, str]:
        """What identifies the account."""
        return {"Authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        """Any call."""
        return self.client.request(method, API + path, json=body, headers={**self.headers, **(headers or {})})

    def get(self, path: str, **query: Any) -> Response:
        """Read."""
        return self.client.get(API + path, params=query, headers=self.headers)

    def read(self, path: str, **query: Any) -> Any:
        """Read what is there, as JSON."""
        reply = self.get(path, **query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        """Create, or withdraw; header names with `_` for `-`."""
        return self.call("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def create(self, path: str, body: Any) -> Json:
        """Create what must be accepted."""
        reply = self.post(path, body)
        assert reply.status_code == 201, reply.text
        made: Json = reply.json()
        return made

    def patch(self, path: str, body: Any, version: str = "*") -> Response:
        """Revise, with `version` as If-Match."""
        return self.call("PATCH", path, body, {"If-Match": version})

    def withdraw(self, path: str, version: str = "*") -> Response:
        """Withdraw, with `version` as If-Match."""
        return self.call("POST", f"{path}/withdraw", None, {"If-Match": version})


def a_cluster(session: Session, name: str | None = None) -> Cluster:
    """A cluster."""
    cluster = Cluster(name=name or f"Cluster {uuid.uuid4()}")
    session.add(cluster)
    session.flush()
    return cluster


def an_organisation(
    session: Session,
    cluster: Cluster,
    kind: OrganisationKind = OrganisationKind.COMPANY,
    name: str | None = None,
    **fields: Any,
) -> Organisation:
    """An organisation of a cluster, a company unless said otherwise."""
    draft = OrganisationDraft(name=name or f"Organisation {uuid.uuid4()}", kind=kind, **fields)
    return organisations.create_organisation(session, cluster.id, draft)


def a_university(session: Session, cluster: Cluster, name: str | None = None) -> Organisation:
    """A university of a cluster."""
    return an_organisation(session, cluster, OrganisationKind.UNIVERSITY, name)


def a_caller(session: Session, cluster: Cluster, role: Role, organisation: Organisation | None = None) -> Caller:
    """An account with that role, as the one that asks; a new organisation where the role needs one."""
    if organisation is None and role in (Role.COMPANY, Role.UNIVERSITY):
        kind = OrganisationKind.COMPANY if role is Role.COMPANY else OrganisationKind.UNIVERSITY
        organisation = an_organisation(session, cluster, kind)
    account = auth.create_account(session, cluster, role, f"{role} person", organisation)
    return Caller(account.id, account.public_id, account.cluster_id, account.organisation_id, role)


def a_person(
    client: TestClient, session: Session, cluster: Cluster, role: Role, organisation: Organisation | None = None
) -> Person:
    """An account of that role with a token, in the organisation given or one of its own."""
    caller = a_caller(session, cluster, role, organisation)
    owner = session.get(Organisation, caller.organisation_id) if caller.organisation_id else None
    return Person(client, caller, owner, a_token(session, caller))


def a_token(session: Session, caller: Caller) -> str:
    """A token of the caller's account."""
    account = session.get(Account, caller.id)
    assert account is not None
    return auth.issue_token(session, account)


def a_seed(
    session: Session,
    cluster: Cluster,
    owner: Organisation | None = None,
    encoder: Encoder | None = ENCODER,
    **fields: Any,
) -> Seed:
    """A published seed of a cluster, embedded unless `encoder` is None."""
    seed = seeds.new_seed(cluster.id, "test")
    seeds.fill_seed(seed, SeedDraft(**{"title": "Collagen concrete", **fields}), owner.id if owner else None)
    session.add(seed)
    session.flush()
    if encoder is not None:
        embed(seed, encoder)
        session.flush()
    return seed


def a_need(
    session: Session,
    cluster: Cluster,
    owner: Organisation | None = None,
    encoder: Encoder | None = ENCODER,
    **fields: Any,
) -> Need:
    """A published, anonymous need of a cluster, embedded unless `encoder` is None."""
    need = needs.new_need(cluster.id, "test")
    draft = NeedDraft(**{"title": "Concrete that does not freeze", **fields})
    needs.fill_need(session, need, draft, owner.id if owner else None)
    session.add(need)
    session.flush()
    if encoder is not None:
        embed(need, encoder)
        session.flush()
    return need


def a_match(session: Session, need: Need, seed: Seed) -> Match:
    """A stored, suggested match."""
    match = Match(
        need_id=need.id,
        seed_id=seed.id,
        cluster_id=need.cluster_id,
        score=0.5,
        parts={"similarity": {"value": 0.5, "weight": 1.0, "estimated": False}},
        model="m",
        revision="r",
        precision="float32",
        policy="p",
    )
    session.add(match)
    session.flush()
    return match


def put_match_into(session: Session, match: Match, status: MatchStatus) -> None:
    """Bring a match into a status, with the answers and waits that belong to it, whatever the rules on the way."""
    match.status = status
    asked = (
        (InterestAnswer.WAITING if status is MatchStatus.INTRODUCED else InterestAnswer.YES)
        if (status not in HIDDEN | {MatchStatus.DECLINED})
        else None
    )
    answers = {} if asked is None else dict.fromkeys((Side.NEED, Side.SEED), asked)
    session.add_all(Interest(match_id=match.id, side=side, answer=answer) for side, answer in answers.items())
    session.flush()
    settle(session, match, answers, datetime.datetime.now(datetime.UTC), renews=True)


EXPIRED = "expired by date"
STATES = (EntryStatus.PUBLISHED, EntryStatus.DRAFT, EntryStatus.ON_HOLD, EntryStatus.WITHDRAWN, EXPIRED)


def put_into(entry: Seed | Need, state: str) -> None:
    """Bring an entry into a state, whatever the rules on the way there."""
    if state == EXPIRED:
        entry.expires_on = days_from_now(-2)
    else:
        entry.status = state


def days_from_now(days: int) -> datetime.date:
    """A day of the server's calendar."""
    return datetime.date.today() + datetime.timedelta(days=days)  # noqa: DTZ011 the rules compare with the same


def ranked_ids(ranking: Json) -> list[str]:
    """The public ids of a ranking, best first."""
    return [ranked["entry"]["id"] for ranked in ranking["ranking"]]


def tokens_of(session: Session, caller: Caller) -> list[ApiToken]:
    """The stored tokens of the caller's account."""
    return list(session.scalars(select(ApiToken).where(ApiToken.account_id == caller.id)))
