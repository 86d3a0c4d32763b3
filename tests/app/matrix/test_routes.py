"""Every route, every role, everything that is in each relation to it: answered as the policy's table says."""

import json
import uuid

import pytest

from enmusubi.app.models import NeedOpening
from enmusubi.app.permissions import OPEN, PERSONAL, POLICY, ROUTES, Answer, Relation, Right
from enmusubi.app.vocabulary import EntryStatus, OrganisationKind, Role
from tests.app.factories import EXPIRED, a_match, a_need, a_person, a_seed
from tests.app.matrix.calls import CALLS, METHODS, Call, about, an_invitation, with_id
from tests.app.matrix.world import DRAFT_WITHDRAWN, SECRET, World, as_sent

STATES = {
    Right.READ_HIDDEN_SEED: (EntryStatus.ON_HOLD, EntryStatus.WITHDRAWN, EXPIRED),
    Right.READ_HIDDEN_NEED: (EntryStatus.ON_HOLD, EntryStatus.WITHDRAWN, EXPIRED),
    Right.READ_SEED_DRAFT: (EntryStatus.DRAFT, DRAFT_WITHDRAWN),
    Right.READ_NEED_DRAFT: (EntryStatus.DRAFT, DRAFT_WITHDRAWN),
}
PARTS = (
    Right.READ_SEED_DETAIL,
    Right.READ_NEED_DETAIL,
    Right.READ_COMPANY,
    Right.READ_REVIEWS,
    Right.INVITE_OVERSEER,
)
"""Rights to a part of what a route shows or takes."""


def test_every_route_has_a_row() -> None:
    """A new route is in exactly one of the three lists, and is called below."""
    assert set(METHODS) == set(ROUTES) | PERSONAL | OPEN
    assert len(METHODS) == len(ROUTES) + len(PERSONAL) + len(OPEN)
    assert set(CALLS) == set(ROUTES)
    assert set(Right) == set(ROUTES.values()) | set(STATES) | set(PARTS) == set(POLICY)
    for right, answers in POLICY.items():
        assert set(answers) == set(Role), right


def check(world: World, role: Role, route: str, call: Call, answer: Answer) -> None:
    """The call is answered so, and a hidden thing as one that is nowhere."""
    method, _ = METHODS[route]
    reply = world.ask(role, method, call.path, call.body, call.version)
    told = (route, role, answer, reply.text)
    if answer is Answer.NO:
        assert reply.status_code == 403, told
    elif call.listed is not None:
        assert reply.status_code == 200, told
        assert (call.listed in world.whole(role, call.path)) == (answer is Answer.YES), told
    elif answer is Answer.YES:
        assert reply.is_success, told
    else:
        assert reply.status_code == 404, told
        assert as_sent(reply) == as_sent(world.ask(role, method, call.nowhere, call.nowhere_body, call.version))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ROUTES)
def test_route(world: World, route: str, role: Role) -> None:
    """Yes is a success, no is 403, and what is hidden is answered as if it were not there."""
    for relation, answer in POLICY[ROUTES[route]][role].items():
        check(world, role, route, CALLS[route](world, role, relation), answer)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("right", "state"), [(right, state) for right, states in STATES.items() for state in states])
def test_entries_that_are_not_published(world: World, right: Right, state: str, role: Role) -> None:
    """On hold, withdrawn, expired, drafts: hidden from all routes at once, or read."""
    kind = "seed" if right in (Right.READ_HIDDEN_SEED, Right.READ_SEED_DRAFT) else "need"
    make = world.seed if kind == "seed" else world.need
    for relation, answer in POLICY[right][role].items():
        public_id = make(role, relation, state)
        hidden = answer is Answer.HIDDEN
        for route in with_id(f"{kind}_id") if hidden else [f"read_{kind}"]:
            check(world, role, route, about(route, public_id), answer)
        check(world, role, f"list_{kind}s", Call(f"/{kind}s", listed=public_id), answer)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ["seed", "need"])
def test_confidential_parts(world: World, kind: str, role: Role) -> None:
    """They are read with the entry, or are not there, nor anywhere else in the reply."""
    right, whole = (
        (Right.READ_SEED_DETAIL, Right.READ_SEED) if kind == "seed" else (Right.READ_NEED_DETAIL, Right.READ_NEED)
    )
    for relation, answer in POLICY[right][role].items():
        public_id = (world.seed if kind == "seed" else world.need)(role, relation)
        for path in (f"/{kind}s/{public_id}", f"/{kind}s?limit=200", f"/{kind}s/{public_id}/matches?reasons=true"):
            reply = world.ask(role, "GET", path)
            is_there = POLICY[whole][role][relation] is Answer.YES or path.endswith("200")
            assert reply.status_code == (200 if is_there else 404), path
            shown = answer is Answer.YES and path == f"/{kind}s/{public_id}"
            if shown:
                assert reply.json()["confidential"] is not None
            if shown or answer is not Answer.YES:
                assert (SECRET in reply.text) == shown, (role, relation, path)


@pytest.mark.parametrize("role", Role)
def test_companies(world: World, role: Role) -> None:
    """A company that nothing names is read by itself and by those who oversee its cluster."""
    for relation, answer in POLICY[Right.READ_COMPANY][role].items():
        public_id = world.new_organisation(role, relation, OrganisationKind.COMPANY)
        routes = with_id("organisation_id") if answer is Answer.HIDDEN else ["read_organisation"]
        for route in routes:
            check(world, role, route, about(route, public_id), answer)
        check(world, role, "list_organisations", Call("/organisations", listed=public_id), answer)


@pytest.mark.parametrize("role", Role)
def test_verdicts(world: World, role: Role) -> None:
    """Verdicts are read with the match; the note that a coordinator leaves, by coordinators alone."""
    for relation, answer in POLICY[Right.READ_REVIEWS][role].items():
        public_id = world.match(role, relation, note=SECRET)
        reply = world.ask(role, "GET", f"/matches/{public_id}")
        seen = POLICY[Right.READ_MATCH][role][relation] is Answer.YES
        assert reply.status_code == (200 if seen else 404)
        verdicts = reply.json().get("reviews")
        assert bool(verdicts) == (answer is Answer.YES), (role, relation)
        assert (SECRET in reply.text) == (role is Role.COORDINATOR and seen)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("invited", [Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR])
def test_inviting_those_who_oversee(world: World, role: Role, invited: Role) -> None:
    """Cluster administrators alone invite others who oversee the cluster."""
    for relation, answer in POLICY[Right.INVITE_OVERSEER][role].items():
        check(world, role, "invite", an_invitation(invited)(world, role, relation), answer)


@pytest.mark.parametrize("role", Role)
def test_what_is_refused_is_refused_whatever_is_named(world: World, role: Role) -> None:
    """A reply of 403 to who may not enter something is the same for every organisation, there or not."""
    named = [str(world.others[side].public_id) for side in world.others]
    named += [str(world.far[side].public_id) for side in world.far]
    for path, right in (
        ("/seeds", Right.REGISTER_SEED),
        ("/needs", Right.POST_NEED),
        ("/needs/check", Right.CHECK_NEED),
    ):
        if POLICY[right][role].get(Relation.HERE) is not Answer.NO:
            continue
        nowhere = world.ask(role, "POST", path, {"title": "T", "organisation": str(uuid.uuid4())})
        assert nowhere.status_code == 403
        for public_id in named:
            assert as_sent(world.ask(role, "POST", path, {"title": "T", "organisation": public_id})) == as_sent(nowhere)


def test_an_export_holds_nothing_of_another_cluster(world: World) -> None:
    """Its links are there, what they say is not."""
    foreign = world.new_organisation(Role.AUDITOR, Relation.ELSEWHERE, OrganisationKind.UNIVERSITY)
    lines = world.ask(Role.AUDITOR, "GET", "/audit/export", limit=10_000).text.splitlines()
    assert foreign not in "".join(lines)
    assert any(json.loads(line).get("withheld") for line in lines)


def test_nobody_gives_a_verdict_in_another_cluster(world: World) -> None:
    """Also not a coordinator whose organisation has a side in the match, and who reads it by that."""
    with world.database.session() as session:
        own = session.merge(world.others[Role.UNIVERSITY])
        coordinator = a_person(world.client, session, session.merge(world.here), Role.COORDINATOR, own)
        need = a_need(session, session.merge(world.there), session.merge(world.far[Role.COMPANY]))
        session.add(NeedOpening(need_id=need.id, cluster_id=world.here.id))
        path = f"/matches/{a_match(session, need, a_seed(session, session.merge(world.here), own)).public_id}"
        session.commit()
    assert coordinator.read(path)["reviews"] is None
    assert coordinator.post(f"{path}/reviews", {"verdict": "shortlist"}, If_Match="*").status_code == 404
