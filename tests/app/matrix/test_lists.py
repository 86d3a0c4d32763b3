"""Lists hold what the table says, and no filter, order, cursor or word of a list tells what it does not hold."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from enmusubi.app import recording
from enmusubi.app.catalogue import listing
from enmusubi.app.models import Match, Need, Organisation, Seed
from enmusubi.app.permissions import POLICY, Answer, Relation, Right
from enmusubi.app.vocabulary import EntryStatus, OrganisationKind, Role
from tests.app.factories import EXPIRED, Json
from tests.app.matrix.world import DRAFT_WITHDRAWN, SIDES, World, as_sent, ids

STATES = (EntryStatus.PUBLISHED, EntryStatus.ON_HOLD, EXPIRED, EntryStatus.DRAFT, DRAFT_WITHDRAWN)
RELATIONS = (Relation.OWN, Relation.HERE, Relation.OPENED, Relation.ELSEWHERE)
RIGHTS = {
    "seeds": (Right.READ_SEED, Right.READ_HIDDEN_SEED, Right.READ_SEED_DRAFT, Right.READ_SEED_DETAIL),
    "needs": (Right.READ_NEED, Right.READ_HIDDEN_NEED, Right.READ_NEED_DRAFT, Right.READ_NEED_DETAIL),
}


@dataclass(frozen=True)
class Planted:
    """An entry with words that stand nowhere else."""

    public_id: str
    word: str
    code: str
    state: str
    owner: Role
    """Whose it is: of the person of that role, where it is somebody's own."""
    relation: Relation
    """To the person of that role."""

    def relation_to(self, role: Role) -> Relation:
        """What it is to the person of another role."""
        return Relation.HERE if self.relation is Relation.OWN and role is not self.owner else self.relation

    def answer(self, kind: str, role: Role) -> Answer:
        """What the table says of reading it."""
        published, hidden, draft, _ = RIGHTS[kind]
        right = {EntryStatus.PUBLISHED: published, EntryStatus.DRAFT: draft, DRAFT_WITHDRAWN: draft}.get(
            self.state, hidden
        )
        return POLICY[right][role][self.relation_to(role)]

    def knows_owner(self, kind: str, role: Role) -> bool:
        """Whether the person sees it and may know whose it is: of a seed, always."""
        seen = self.answer(kind, role) is Answer.YES
        return seen and (kind == "seeds" or POLICY[RIGHTS[kind][3]][role][self.relation_to(role)] is Answer.YES)


@pytest.fixture(scope="module")
def planted(world: World) -> Mapping[str, list[Planted]]:
    """Seeds and needs of every owner in every state."""
    made: dict[str, list[Planted]] = {"seeds": [], "needs": []}
    for kind, make, owner in (("seeds", world.seed, Role.UNIVERSITY), ("needs", world.need, Role.COMPANY)):
        for relation in RELATIONS:
            for state in STATES:
                word = f"w{uuid.uuid4().hex}"
                code = f"IPC:A01B {100 + len(made[kind])}/00"
                fields: Json = {
                    "title": f"Ice {word}",
                    "external_id": word,
                    "technology_keywords": [word],
                    "regions": [word],
                }
                public_id = make(owner, relation, state, field_codes=[code], **fields)
                made[kind].append(Planted(public_id, word, code, state, owner, relation))
    with world.database.session() as session:
        for row in (*session.scalars(select(Seed)), *session.scalars(select(Need))):
            row.source = f"source {row.external_id}"
        session.commit()
    return made


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ["seeds", "needs"])
def test_entries(world: World, planted: Mapping[str, list[Planted]], kind: str, role: Role) -> None:
    """Walked one by one, newest first, exactly what may be read is there."""
    expected = [each.public_id for each in planted[kind] if each.answer(kind, role) is Answer.YES]
    assert expected
    assert ids(world.walk(role, f"/{kind}", q="ICE")) == expected[::-1]
    known = {each.public_id for each in planted[kind]}
    assert [one for one in ids(world.walk(role, f"/{kind}")) if one in known] == expected[::-1]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ["seeds", "needs"])
def test_filters(world: World, planted: Mapping[str, list[Planted]], kind: str, role: Role) -> None:
    """What stands in hidden entries alone is answered as what stands nowhere."""
    nowhere = f"w{uuid.uuid4().hex}"
    for each in planted[kind]:
        seen = each.answer(kind, role) is Answer.YES
        for name in ("q", "keyword", "region", "field", "external_id", "source"):
            told = (role, each, name)
            values = {"field": (each.code, "IPC:A01B 99/00"), "source": (f"source {each.word}", f"source {nowhere}")}
            value, other = values.get(name, (each.word, nowhere))
            found = world.ask(role, "GET", f"/{kind}", **{name: value})
            if each.knows_owner(kind, role) if name in ("external_id", "source") else seen:
                assert ids(found.json()["items"]) == [each.public_id], told
            else:
                assert as_sent(found) == as_sent(world.ask(role, "GET", f"/{kind}", **{name: other})), told


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ["seeds", "needs"])
def test_cursors(world: World, planted: Mapping[str, list[Planted]], kind: str, role: Role) -> None:
    """A cursor made of a hidden entry is a place in time, with what may be read before it and after it."""
    table = Seed if kind == "seeds" else Need
    visible = [each.public_id for each in planted[kind] if each.answer(kind, role) is Answer.YES]
    with world.database.session() as session:
        created = {str(row.public_id): row.created for row in session.execute(select(table.public_id, table.created))}
    for each in planted[kind]:
        older = [public_id for public_id in visible if created[public_id] < created[each.public_id]]
        for public_id in (each.public_id, str(uuid.UUID(int=0))):
            cursor = listing.cursor_at(created[each.public_id], uuid.UUID(public_id))
            page = world.ask(role, "GET", f"/{kind}", q="ice", limit=200, cursor=cursor).json()
            assert ids(page["items"]) == older[::-1]
            assert page["next"] is None


@pytest.mark.parametrize("role", Role)
def test_owners_in_filters(world: World, planted: Mapping[str, list[Planted]], role: Role) -> None:
    """Entries of an organisation are those whose owner one may know; of one that is hidden, as of none."""
    nowhere = {kind: as_sent(world.ask(role, "GET", f"/{kind}", organisation=uuid.uuid4())) for kind in planted}
    for kind, entries in planted.items():
        for relation in (Relation.OWN, Relation.HERE, Relation.OPENED):
            of = [each for each in entries if each.relation is relation or {relation, each.relation} == FAR]
            owner = world.organisation(of[0].owner, relation, of[0].owner)
            expected = [each.public_id for each in of if each.knows_owner(kind, role)]
            found = world.ask(role, "GET", f"/{kind}", limit=200, organisation=owner.public_id)
            assert ids(found.json()["items"]) == expected[::-1], (role, kind, relation)
            if not expected:
                assert as_sent(found) == nowhere[kind]


FAR = {Relation.OPENED, Relation.ELSEWHERE}
"""Both are of the same organisations of the second cluster."""


@pytest.mark.parametrize("role", Role)
def test_organisations(world: World, planted: Mapping[str, list[Planted]], role: Role) -> None:
    """What is listed can be read and the other way round; names of hidden ones are found nowhere."""
    with world.database.session() as session:
        rows = session.scalars(select(Organisation).order_by(Organisation.created, Organisation.public_id)).all()
    listed = ids(world.walk(role, "/organisations"))
    readable = [
        str(row.public_id)
        for row in rows
        if world.ask(role, "GET", f"/organisations/{row.public_id}").status_code == 200
    ]
    assert listed == readable[::-1]
    nowhere = as_sent(world.ask(role, "GET", "/organisations", q=f"Organisation {uuid.uuid4()}"))
    for row in rows:
        found = world.ask(role, "GET", "/organisations", q=row.name)
        if str(row.public_id) in readable:
            assert ids(found.json()["items"]) == [str(row.public_id)]
        else:
            assert as_sent(found) == nowhere
    for side, relation in ((side, relation) for side in SIDES for relation in (Relation.HERE, Relation.ELSEWHERE)):
        right = Right.READ_COMPANY if side is Role.COMPANY else Right.READ_ORGANISATION
        of = world.others[side] if relation is Relation.HERE else world.far[side]
        named = relation is Relation.ELSEWHERE and side is Role.UNIVERSITY  # by its seed that is opened
        assert (str(of.public_id) in listed) == (named or POLICY[right][role][relation] is Answer.YES)


@pytest.mark.parametrize("role", Role)
def test_matches(world: World, role: Role) -> None:
    """Walked one by one; filters by need, seed and status tell nothing of hidden ones."""
    made = {relation: world.match(role, relation) for relation in POLICY[Right.READ_MATCH][role]}
    listed = ids(world.walk(role, "/matches"))
    nowhere = as_sent(world.ask(role, "GET", "/matches", need=uuid.uuid4()))
    for relation, public_id in made.items():
        seen = POLICY[Right.READ_MATCH][role][relation] is Answer.YES
        assert (public_id in listed) == seen
        with world.database.session() as session:
            query = select(Need.public_id, Seed.public_id).select_from(Match).join(Need, Match.need_id == Need.id)
            query = query.join(Seed, Match.seed_id == Seed.id).where(Match.public_id == uuid.UUID(public_id))
            sides = dict(zip(("need", "seed"), session.execute(query).one(), strict=True))
        for name, side in sides.items():
            found = world.ask(role, "GET", "/matches", **{name: str(side)})
            assert bool(found.json()["items"]) == seen
            if not seen:
                assert as_sent(found) == nowhere


@pytest.mark.parametrize("role", Role)
def test_accounts(world: World, role: Role) -> None:
    """Walked one by one; no one of another cluster, nor of another company for a side."""
    made = {relation: world.account(role, relation) for relation in POLICY[Right.READ_ACCOUNT][role]}
    listed = ids(world.walk(role, "/accounts"))
    for relation, public_id in made.items():
        assert (public_id in listed) == (POLICY[Right.READ_ACCOUNT][role][relation] is Answer.YES)
    assert str(world.people[role].caller.public_id) in listed


@pytest.mark.parametrize("role", [Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR])
def test_events(world: World, role: Role) -> None:
    """Nothing of another cluster's record is found by its object, its kind or its time."""
    foreign = world.new_organisation(role, Relation.ELSEWHERE, OrganisationKind.UNIVERSITY)
    recording.chain(world.database)
    assert foreign not in world.whole(role, "/audit")
    nowhere = as_sent(world.ask(role, "GET", "/audit", object=uuid.uuid4()))
    assert as_sent(world.ask(role, "GET", "/audit", object=foreign)) == nowhere
