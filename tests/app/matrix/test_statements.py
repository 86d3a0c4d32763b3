"""Looking for what is hidden is the same work for the database as looking for what is nowhere."""

import pytest

from enmusubi.app.permissions import POLICY, ROUTES, Answer, Right
from enmusubi.app.vocabulary import Role
from tests.app.matrix.calls import CALLS, METHODS
from tests.app.matrix.world import World
from tests.app.test_statements import counted

SEEN = {"seed_views": Right.READ_SEED, "need_views": Right.READ_NEED}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", [name for name in ROUTES if "{" in METHODS[name][1]])
def test_hidden_and_missing_ids_take_the_same_statements(world: World, route: str, role: Role) -> None:
    """As many, with the same texts, in the same order; times are not promised."""
    method, _ = METHODS[route]
    for relation, answer in POLICY[ROUTES[route]][role].items():
        # Who sees the entry, and only not who looked at it, has nothing to find out.
        seen = POLICY[SEEN[route]][role][relation] is Answer.YES if route in SEEN else False
        if answer is not Answer.HIDDEN or seen:
            continue
        call = CALLS[route](world, role, relation)
        with counted(world.service) as hidden:
            assert world.ask(role, method, call.path, call.body, call.version).status_code == 404
        with counted(world.service) as missing:
            assert world.ask(role, method, call.nowhere, call.nowhere_body, call.version).status_code == 404
        assert hidden == missing, (role, relation)
        assert hidden
