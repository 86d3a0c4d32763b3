"""How each route is called for something that is in a relation to the account that asks."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from enmusubi.app import recording
from enmusubi.app.config import Settings
from enmusubi.app.main import create_app
from enmusubi.app.permissions import Relation
from enmusubi.app.vocabulary import MatchStatus, OrganisationKind, Role
from tests.app.factories import Json
from tests.app.matrix.world import SIDES, World


@dataclass(frozen=True)
class Call:
    """A call for one thing, and the same call for a thing that is nowhere."""

    path: str
    body: Any = None
    nowhere: str = ""
    """The path with an id that nothing has."""
    nowhere_body: Any = None
    listed: str | None = None
    """Of a list, the id that it holds for those who may see the thing."""
    version: str = "*"
    """If-Match."""


Making = Callable[[World, Role, Relation], Call]

DESCRIBED: Final = create_app(Settings()).openapi()["paths"]
METHODS: Final[Mapping[str, tuple[str, str]]] = {
    described["operationId"]: (method.upper(), path.removeprefix("/api/v1"))
    for path, item in DESCRIBED.items()
    for method, described in item.items()
}
"""Method and path of every route, by its name."""


def with_id(name: str) -> list[str]:
    """The routes whose path holds this parameter."""
    return [route for route, (_, path) in METHODS.items() if f"{{{name}}}" in path]


BODIES: Final[Mapping[str, Callable[[], Json]]] = {
    "revise_seed": lambda: {"reference": "R"},
    "revise_need": lambda: {"reference": "R"},
    "revise_organisation": lambda: {"name": f"Organisation {uuid.uuid4()}"},
    "review_match": lambda: {"verdict": "shortlist"},
    "reconsider_match": dict,
    "introduce_match": dict,
    "express_interest": dict,
    "accept_match": dict,
    "decline_match": lambda: {"reason": "terms"},
    "disclose_match": dict,
    "report_meeting": dict,
    "report_negotiation": dict,
    "report_agreement": dict,
    "report_outcome": lambda: {"kind": "licence", "agreed_on": "2027-04-01"},
    "close_match": lambda: {"reason": "terms"},
    "revise_webhook": lambda: {"active": True},
    "replay_deliveries": dict,
}
STATUSES: Final[Mapping[str, MatchStatus]] = {
    "reconsider_match": MatchStatus.SHORTLISTED,
    "introduce_match": MatchStatus.SHORTLISTED,
    "accept_match": MatchStatus.INTRODUCED,
    "decline_match": MatchStatus.INTRODUCED,
    "preview_disclosure": MatchStatus.ACCEPTED,
    "disclose_match": MatchStatus.ACCEPTED,
    "report_meeting": MatchStatus.DISCLOSED,
    "report_negotiation": MatchStatus.MEETING,
    "report_agreement": MatchStatus.NEGOTIATION,
    "report_outcome": MatchStatus.AGREEMENT,
    "close_match": MatchStatus.ACCEPTED,
}
"""Where a match is for a route that is a step of it; suggested, unless said."""


def about(route: str, public_id: str, listed: str | None = None) -> Call:
    """A call of a route with an id in its path."""
    _, path = METHODS[route]
    before, _, rest = path.partition("{")
    after = rest.partition("}")[2]
    body = BODIES[route]() if route in BODIES else None
    return Call(f"{before}{public_id}{after}", body, f"{before}{uuid.uuid4()}{after}", body, listed)


def _seed(route: str) -> Making:
    return lambda world, role, relation: about(route, world.seed(role, relation))


def _need(route: str) -> Making:
    return lambda world, role, relation: about(route, world.need(role, relation))


def _match(route: str) -> Making:
    status = STATUSES.get(route, MatchStatus.SUGGESTED)
    return lambda world, role, relation: about(route, world.match(role, relation, status=status))


def _disclosure(world: World, role: Role, relation: Relation) -> Call:
    """A disclosure of what a coordinator who may see it was shown."""
    call = about("disclose_match", world.match(role, relation, status=MatchStatus.ACCEPTED))
    shown = world.ask(Role.COORDINATOR, "GET", call.path)
    return replace(call, version=shown.headers.get("ETag", f'"{"0" * 64}"'))


def _pair(world: World, role: Role, relation: Relation) -> Call:
    """Pair a seed that everybody sees with a need in the relation."""
    seed = world.seed(Role.AUDITOR, Relation.HERE)
    owner = role if role in SIDES else Role.COMPANY
    need = world.need(owner, relation)
    nowhere = {"need": str(uuid.uuid4()), "seed": seed}
    return Call("/matches", {"need": need, "seed": seed}, "/matches", nowhere)


def _hand_over(world: World, role: Role, relation: Relation) -> Call:
    """A coordinator's matches to another one; of a colleague where the account is one's own."""
    leaving = world.account(role, relation, as_role=None if relation is Relation.OWN else Role.COORDINATOR)
    body = {"to": world.account(role, Relation.HERE, as_role=Role.COORDINATOR)}
    return replace(about("hand_over", leaving), body=body, nowhere_body=body)


def _organisation(route: str) -> Making:
    kind = OrganisationKind.UNIVERSITY
    return lambda world, role, relation: about(route, world.new_organisation(role, relation, kind))


def _cluster(route: str) -> Making:
    return lambda world, role, relation: about(route, str(world.cluster(relation).public_id))


def _account(route: str, *, active: bool = True) -> Making:
    return lambda world, role, relation: about(route, world.account(role, relation, active=active))


def _webhook(route: str) -> Making:
    return lambda world, role, relation: about(route, world.webhook(role, relation))


def _listed(path: str, making: Callable[[World, Role, Relation], str]) -> Making:
    return lambda world, role, relation: Call(path, listed=making(world, role, relation))


def _entered(path: str, side: Role) -> Making:
    """Enter something for an organisation; for one's own by saying nothing."""

    def make(world: World, role: Role, relation: Relation) -> Call:
        body = {"title": "Entered"}
        if relation is Relation.OWN:
            return Call(path, body)
        owner = str(world.organisation(role, relation, side).public_id)
        nowhere = {**body, "organisation": str(uuid.uuid4())}
        return Call(path, {**body, "organisation": owner}, path, nowhere)

    return make


def an_event(world: World, role: Role, relation: Relation) -> str:
    """Something that was done in the cluster, linked into the chain; the id of what it was done to."""
    made = world.new_organisation(role, relation, OrganisationKind.UNIVERSITY)
    recording.chain(world.database)
    return made


def an_invitation(role: Role) -> Making:
    """Invite a person to an organisation of the cluster."""

    def make(world: World, _: Role, relation: Relation) -> Call:
        owner = {"organisation": str(world.others[Role.COMPANY].public_id)} if role is Role.COMPANY else {}
        return Call("/invitations", {"email": f"{uuid.uuid4()}@example.org", "role": role, **owner})

    return make


CALLS: Final[Mapping[str, Making]] = {
    "register_seed": _entered("/seeds", Role.UNIVERSITY),
    "list_seeds": _listed("/seeds", World.seed),
    **{route: _seed(route) for route in with_id("seed_id")},
    "post_need": _entered("/needs", Role.COMPANY),
    "check_need": _entered("/needs/check", Role.COMPANY),
    "list_needs": _listed("/needs", World.need),
    **{route: _need(route) for route in with_id("need_id")},
    "match_text": lambda world, role, relation: Call("/match", {"text": "ice"}),
    "list_matches": _listed("/matches", World.match),
    **{route: _match(route) for route in with_id("match_id")},
    "disclose_match": _disclosure,
    "pair_match": _pair,
    "hand_over": _hand_over,
    "add_organisation": lambda world, role, relation: Call(
        "/organisations", {"name": f"Organisation {uuid.uuid4()}", "kind": "company"}
    ),
    "list_organisations": _listed(
        "/organisations",
        lambda world, role, relation: world.new_organisation(role, relation, OrganisationKind.UNIVERSITY),
    ),
    **{route: _organisation(route) for route in with_id("organisation_id")},
    "list_accounts": _listed("/accounts", World.account),
    "deactivate_account": _account("deactivate_account"),
    "reactivate_account": _account("reactivate_account", active=False),
    "list_invitations": _listed("/invitations", lambda world, role, relation: world.invitation(relation)),
    "withdraw_invitation": lambda world, role, relation: about("withdraw_invitation", world.invitation(relation)),
    "invite": an_invitation(Role.COMPANY),
    "make_webhook": lambda world, role, relation: Call("/webhooks", {"url": "https://hooks.example.org/"}),
    "list_webhooks": _listed("/webhooks", World.webhook),
    **{route: _webhook(route) for route in with_id("webhook_id")},
    "list_events": _listed("/audit", an_event),
    "export_events": _listed("/audit/export?limit=10000", an_event),
    **{route: _cluster(route) for route in with_id("cluster_id")},
}
"""Every route of `permissions.ROUTES`: a new one without a row here fails."""
