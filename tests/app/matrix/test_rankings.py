"""Rankings hold the pairs that may be read as matches, and none that is hidden or excluded, in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from enmusubi.app.models import NeedOpening, SeedOpening
from enmusubi.app.permissions import POLICY, Answer, Relation, Right
from enmusubi.app.vocabulary import EntryStatus, Role
from tests.app.factories import EXPIRED, a_need, a_seed, put_into, ranked_ids
from tests.app.matrix.world import World

WORDS = "frost resistant kerbstone"
HIDDEN = (EntryStatus.DRAFT, EntryStatus.ON_HOLD, EntryStatus.WITHDRAWN, EXPIRED)


@dataclass(frozen=True)
class Planted:
    """An entry that says the same as all others."""

    public_id: str
    cluster: str
    owner: str
    opened: bool
    state: str


Entries = Mapping[str, list[Planted]]


@pytest.fixture(scope="module")
def planted(world: World) -> Entries:
    """Of each owner a published entry, and in the first cluster one in every other state; both kinds."""
    made: dict[str, list[Planted]] = {"seeds": [], "needs": []}
    sides = {"seeds": Role.UNIVERSITY, "needs": Role.COMPANY}
    with world.database.session() as session:
        excluded = session.merge(world.others[Role.UNIVERSITY]).name
        for kind, side in sides.items():
            own = world.people[side].organisation
            for owner, organisation, opened in (
                ("own", own, False),
                ("other", world.others[side], False),
                ("far", world.far[side], True),
                ("far", world.far[side], False),
            ):
                assert organisation is not None
                cluster = session.merge(world.there if owner == "far" else world.here)
                for state in (EntryStatus.PUBLISHED, *(HIDDEN if owner != "far" else ())):
                    if kind == "seeds":
                        entry = a_seed(session, cluster, session.merge(organisation), title=WORDS, language="en")
                        if opened:
                            session.add(SeedOpening(seed_id=entry.id, cluster_id=world.here.id))
                    else:
                        shut = [excluded] if owner == "own" else []
                        need = a_need(
                            session,
                            cluster,
                            session.merge(organisation),
                            title=WORDS,
                            language="en",
                            excluded_organisations=shut,
                        )
                        if opened:
                            session.add(NeedOpening(need_id=need.id, cluster_id=world.here.id))
                        entry = need  # type: ignore[assignment]
                    put_into(entry, state)
                    made[kind].append(
                        Planted(str(entry.public_id), "here" if owner != "far" else "there", owner, opened, state)
                    )
        session.commit()
    return made


def _is_seen(entry: Planted, right: Right, role: Role, side: Role) -> bool:
    relation = (
        Relation.OWN if entry.owner == "own" and role is side
        else Relation.HERE if entry.cluster == "here"
        else Relation.OPENED if entry.opened
        else Relation.ELSEWHERE
    )  # fmt: skip
    return POLICY[right][role][relation] is Answer.YES


def may_be_proposed(need: Planted, seed: Planted, role: Role) -> bool:
    """Whether the table lets the role see the pair, as a match that may be proposed."""
    if {need.state, seed.state} != {EntryStatus.PUBLISHED}:
        return False
    if need.owner == "own" and seed.owner == "other":
        return False  # excluded
    if not _is_seen(need, Right.READ_NEED, role, Role.COMPANY):
        return False
    if not _is_seen(seed, Right.READ_SEED, role, Role.UNIVERSITY):
        return False
    own = (role is Role.COMPANY and need.owner == "own") or (role is Role.UNIVERSITY and seed.owner == "own")
    relation = Relation.OWN if own else Relation.HERE if need.cluster == "here" else Relation.ELSEWHERE
    return POLICY[Right.READ_MATCH][role][relation] is Answer.YES


@pytest.mark.parametrize("role", Role)
def test_seeds_of_needs_and_needs_of_seeds(world: World, planted: Entries, role: Role) -> None:
    """For each entry that is seen, just the pairs that may be proposed to the one who asks."""
    shown = 0
    for kind, other in (("needs", "seeds"), ("seeds", "needs")):
        for entry in planted[kind]:
            reply = world.ask(role, "GET", f"/{kind}/{entry.public_id}/matches", limit=100, misses=True)
            expected = {
                each.public_id
                for each in planted[other]
                if may_be_proposed(*((entry, each) if kind == "needs" else (each, entry)), role)
            }
            if reply.status_code == 404:
                assert not expected
                continue
            assert set(ranked_ids(reply.json())) == expected, (role, kind, entry)
            shown += len(expected)
    assert shown


@pytest.mark.parametrize("role", Role)
def test_a_text_among_seeds_and_needs(world: World, planted: Entries, role: Role) -> None:
    """The published entries that are seen, but for one's own."""
    for kind, right, side in (
        ("seeds", Right.READ_SEED, Role.UNIVERSITY), ("needs", Right.READ_NEED, Role.COMPANY)
    ):  # fmt: skip
        asked = {"text": WORDS, "against": kind, "limit": 100, "misses": True}
        expected = {
            each.public_id
            for each in planted[kind]
            if each.state == EntryStatus.PUBLISHED
            and _is_seen(each, right, role, side)
            and not (each.owner == "own" and role is side)
        }
        assert set(ranked_ids(world.ask(role, "POST", "/match", asked).json())) == expected, (role, kind)


@pytest.mark.parametrize("role", Role)
def test_stored_matches(world: World, planted: Entries, role: Role) -> None:
    """What rankings of all have stored is listed to each as far as the table says; an excluded pair was never made."""
    for asking in (Role.COMPANY, Role.UNIVERSITY, Role.COORDINATOR):
        for kind in planted:
            for entry in planted[kind]:
                world.ask(asking, "GET", f"/{kind}/{entry.public_id}/matches", limit=100)
    entries = {each.public_id: each for kind in planted for each in planted[kind]}
    listed = world.walk(role, "/matches", 200)
    assert listed
    for match in listed:
        assert may_be_proposed(entries[match["need"]["id"]], entries[match["seed"]["id"]], role), (role, match)
