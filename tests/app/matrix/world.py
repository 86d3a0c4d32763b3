"""Two clusters, people of all five roles in the first, and things of every kind in every relation to them."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from enmusubi.app.database import Database
from enmusubi.app.delivering import signing
from enmusubi.app.models import (
    Account,
    Cluster,
    Import,
    Need,
    NeedOpening,
    Organisation,
    Review,
    Seed,
    SeedDetail,
    SeedOpening,
    WebhookEndpoint,
)
from enmusubi.app.permissions import Relation
from enmusubi.app.recording import Operator
from enmusubi.app.signing_in import invitations
from enmusubi.app.signing_in.drafts import InvitationDraft
from enmusubi.app.vocabulary import EntryStatus, Language, MatchStatus, OrganisationKind, Role, Verdict
from tests.app.factories import (
    Json,
    Person,
    a_caller,
    a_cluster,
    a_match,
    a_need,
    a_person,
    a_seed,
    an_organisation,
    put_into,
    put_match_into,
)

SIDES: Final = (Role.COMPANY, Role.UNIVERSITY)
KIND_OF: Final = {Role.COMPANY: OrganisationKind.COMPANY, Role.UNIVERSITY: OrganisationKind.UNIVERSITY}
SECRET: Final = "NADESHIKO"
"""Stands in every confidential part, and nowhere else."""
DRAFT_WITHDRAWN: Final = "withdrawn without ever having been more than a draft"


@dataclass(frozen=True)
class World:
    """The two clusters; the people who ask are of the first."""

    client: TestClient
    database: Database
    """As the operator reaches it, who sees everything."""
    service: Database
    here: Cluster
    there: Cluster
    people: Mapping[Role, Person]
    others: Mapping[Role, Organisation]
    """A company and a university of the first cluster that nobody who asks is of."""
    far: Mapping[Role, Organisation]
    """A company and a university of the second cluster."""

    def organisation(self, role: Role, relation: Relation, side: Role) -> Organisation:
        """Who owns what is in this relation to the person of that role: a company or a university, by its role."""
        if relation is Relation.OWN:
            own = self.people[role].organisation
            assert own is not None
            return own
        return self.others[side] if relation is Relation.HERE else self.far[side]

    def cluster(self, relation: Relation) -> Cluster:
        """Where what is in this relation is."""
        return self.here if relation in (Relation.OWN, Relation.HERE) else self.there

    def seed(
        self, role: Role, relation: Relation, state: str = EntryStatus.PUBLISHED, owner: bool = True, **fields: Any
    ) -> str:
        """A seed with an unpublished part; its public id."""
        with self.database.session() as session:
            by = self.organisation(role, relation, Role.UNIVERSITY) if owner else None
            begun = {"status": "draft"} if state == DRAFT_WITHDRAWN else {}
            made = a_seed(session, self.cluster(relation), by, **{"title": "A seed", **fields, **begun})
            made.detail = made.detail or SeedDetail(unpublished=SECRET)
            put_into(made, EntryStatus.WITHDRAWN if state == DRAFT_WITHDRAWN else state)
            if relation is Relation.OPENED:
                session.add(SeedOpening(seed_id=made.id, cluster_id=self.here.id))
            session.commit()
            return str(made.public_id)

    def need(
        self, role: Role, relation: Relation, state: str = EntryStatus.PUBLISHED, owner: bool = True, **fields: Any
    ) -> str:
        """A need, anonymous unless said otherwise, with something in every confidential field; its public id."""
        confidential = dict.fromkeys(("description", "requirements", "constraints"), SECRET)
        with self.database.session() as session:
            by = self.organisation(role, relation, Role.COMPANY) if owner else None
            begun = {"status": "draft"} if state == DRAFT_WITHDRAWN else {}
            values = {"title": "A need", "excluded_organisations": [SECRET], **confidential, **fields, **begun}
            made = a_need(session, self.cluster(relation), by, **values)
            put_into(made, EntryStatus.WITHDRAWN if state == DRAFT_WITHDRAWN else state)
            if relation is Relation.OPENED:
                session.add(NeedOpening(need_id=made.id, cluster_id=self.here.id))
            session.commit()
            return str(made.public_id)

    def posted_file(self, role: Role, relation: Relation) -> str:
        """A file that the person posted, or somebody else of its organisation or of the other cluster."""
        with self.database.session() as session:
            caller = self.people[role].caller
            if relation is not Relation.OWN:
                far = self.far[Role.COMPANY] if relation is Relation.ELSEWHERE else self.people[role].organisation
                side = role if role in SIDES and relation is Relation.HERE else Role.COMPANY
                caller = a_caller(session, self.cluster(relation), side, session.merge(far) if far else None)
            made = Import(
                account_id=caller.id, cluster_id=caller.cluster_id, kind="seeds", source="s", file="f.csv", size=1,
                content=b"x",
            )  # fmt: skip
            session.add(made)
            session.commit()
            return str(made.public_id)

    def let_wait(self, public_id: str) -> None:
        """Have an entry wait for a second pair of eyes, as if its words had been revised."""
        with self.database.session() as session:
            for kind in (Seed, Need):
                session.execute(update(kind).where(kind.public_id == uuid.UUID(public_id)).values(review_due=True))
            session.commit()

    def match(
        self,
        role: Role,
        relation: Relation,
        note: str | None = None,
        status: MatchStatus = MatchStatus.SUGGESTED,
    ) -> str:
        """A match: the person's own by the side that his organisation has in it; with a verdict if there is a note."""
        cluster = self.cluster(relation)
        near = self.far if relation is Relation.ELSEWHERE else self.others
        own = self.people[role].organisation if relation is Relation.OWN else None
        with self.database.session() as session:
            need = a_need(session, cluster, own if own and role is Role.COMPANY else near[Role.COMPANY])
            seed = a_seed(session, cluster, own if own and role is Role.UNIVERSITY else near[Role.UNIVERSITY])
            made = a_match(session, need, seed)
            if note is not None:
                by = self.people[Role.COORDINATOR].caller.id
                session.add(Review(match_id=made.id, account_id=by, verdict=Verdict.SHORTLIST, note=note))
            put_match_into(session, made, status)
            session.commit()
            return str(made.public_id)

    def new_organisation(self, role: Role, relation: Relation, kind: OrganisationKind) -> str:
        """An organisation with no entries, but for one of another cluster that a seed opened to this one names."""
        own = self.people[role].organisation
        if relation is Relation.OWN and own is not None:
            return str(own.public_id)
        with self.database.session() as session:
            made = an_organisation(session, self.cluster(relation), kind)
            if relation is Relation.OPENED:
                seed = a_seed(session, self.there, made)
                session.add(SeedOpening(seed_id=seed.id, cluster_id=self.here.id))
            session.commit()
            return str(made.public_id)

    def account(self, role: Role, relation: Relation, *, active: bool = True, as_role: Role | None = None) -> str:
        """An account of another person: of a side, or with the role that is said."""
        with self.database.session() as session:
            side = as_role or (role if role in SIDES else Role.COMPANY)
            own = self.people[role].organisation if relation is Relation.OWN else None
            caller = a_caller(session, self.cluster(relation), side, session.merge(own) if own else None)
            session.get_one(Account, caller.id).active = active
            session.commit()
            return str(caller.public_id)

    def invitation(self, relation: Relation) -> str:
        """An open invitation of a company's person."""
        with self.database.session() as session:
            owner = session.merge(self.organisation(Role.AUDITOR, relation, Role.COMPANY))
            draft = InvitationDraft(
                email=f"{uuid.uuid4()}@example.org",
                role=Role.COMPANY,
                organisation=owner.public_id,
                language=Language.EN,
            )
            cluster = self.cluster(relation)
            made, _ = invitations.add(session, Operator(cluster.id), draft, owner)
            session.commit()
            return str(made.public_id)

    def send(self, role: Role, method: str, path: str, file: bytes) -> Response:
        """A call with a file as it is, JSON Lines."""
        headers = {**self.people[role].headers, "Content-Type": "application/x-ndjson"}
        return self.client.request(method, f"/api/v1{path}", content=file, headers=headers)

    def webhook(self, role: Role, relation: Relation) -> str:
        """A webhook of a side's organisation, or of a cluster itself, whose address nothing can be sent to."""
        with self.database.session() as session:
            owner = self.organisation(role, relation, role) if role in SIDES else None
            cluster = self.cluster(relation)
            made = WebhookEndpoint(
                cluster_id=cluster.id,
                organisation_id=None if owner is None else owner.id,
                created_by_id=self.people[role].caller.id,
                url="https://127.0.0.1/hook",
                secret=signing.new_secret(),
            )
            session.add(made)
            session.commit()
            return str(made.public_id)

    def ask(self, role: Role, method: str, path: str, body: Any = None, version: Any = "*", **query: Any) -> Response:
        """A call of the API by the person of that role, who accepts any version unless one is said."""
        headers = {**self.people[role].headers, "If-Match": version}
        return self.client.request(method, f"/api/v1{path}", json=body, params=query, headers=headers)

    def walk(self, role: Role, path: str, limit: int = 1, **query: Any) -> list[Json]:
        """A whole list, by its cursors."""
        found: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.ask(role, "GET", path, limit=limit, **query, **cursor)
            assert page.status_code == 200, page.text
            assert len(page.json()["items"]) <= limit
            found += page.json()["items"]
            if page.json()["next"] is None:
                return found
            cursor = {"cursor": page.json()["next"]}

    def whole(self, role: Role, path: str) -> str:
        """All that a list holds, as it is sent."""
        reply = self.ask(role, "GET", path)
        is_paged = reply.headers["content-type"] == "application/json" and "next" in reply.json()
        return json.dumps(self.walk(role, path, 200)) if is_paged else reply.text


def a_world(client: TestClient, database: Database, service: Database) -> World:
    """The clusters and their people; committed."""
    with database.session() as session:
        here, there = a_cluster(session), a_cluster(session)
        people = {role: a_person(client, session, here, role) for role in Role}
        others, far = (
            {side: an_organisation(session, cluster, KIND_OF[side]) for side in SIDES} for cluster in (here, there)
        )
        for cluster, owners in ((here, others), (there, far)):
            for side, owner in owners.items():
                a_caller(session, cluster, side, owner)  # nobody is introduced where nobody could answer
        session.commit()
        for made in (here, there, *others.values(), *far.values()):
            session.refresh(made)
        for person in people.values():
            if person.organisation is not None:
                session.refresh(person.organisation)
        session.expunge_all()
    world = World(client, database, service, here, there, people, others, far)
    for role in Role:
        world.ask(role, "GET", "/account")  # the use of a token is noted at its first call, and then once a minute
    return world


def ids(items: Sequence[Json]) -> list[str]:
    """Their public ids, in their order."""
    return [item["id"] for item in items]


def as_sent(reply: Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All of a reply but when it was sent."""
    headers = [(name, value) for name, value in reply.headers.multi_items() if name.lower() != "date"]
    return reply.status_code, reply.content, headers
