"""Routes about oneself reach nobody else's sessions, tokens or account."""

import re
import uuid

import pytest

from enmusubi.app.permissions import OPEN, PERSONAL
from enmusubi.app.vocabulary import Role
from tests.app.browsers import Browser, a_browser
from tests.app.matrix.calls import METHODS
from tests.app.matrix.world import World, as_sent


@pytest.fixture(scope="module")
def browsers(world: World) -> dict[Role, Browser]:
    """Everybody in front of a browser, signed in."""
    with world.database.session() as session:
        return {role: a_browser(session, person) for role, person in world.people.items()}


@pytest.mark.parametrize("role", Role)
def test_sessions_and_tokens_of_others(browsers: dict[Role, Browser], role: Role) -> None:
    """They are not listed, and ending or revoking them is answered as for ones that are nowhere."""
    mine = browsers[role]
    for path in ("/sessions", "/tokens"):
        own = {item["id"] for item in mine.get(path).json()["items"]}
        nowhere = as_sent(mine.call("DELETE", f"{path}/{uuid.uuid4()}"))
        assert nowhere[0] == 404
        for other, browser in browsers.items():
            if other is role:
                continue
            theirs = {item["id"] for item in browser.get(path).json()["items"]}
            assert theirs
            assert not theirs & own
            for public_id in theirs:
                assert as_sent(mine.call("DELETE", f"{path}/{public_id}")) == nowhere
            assert {item["id"] for item in browser.get(path).json()["items"]} == theirs


@pytest.mark.parametrize("role", Role)
def test_what_is_shown_of_oneself(world: World, browsers: dict[Role, Browser], role: Role) -> None:
    """One's own account, by session and by token."""
    own = str(world.people[role].caller.public_id)
    assert browsers[role].get("/account").json()["id"] == own
    assert browsers[role].get("/session").json()["account"]["id"] == own
    assert world.ask(role, "GET", "/account").json()["id"] == own


def test_personal_routes_name_nobody_else() -> None:
    """No id in their paths but that of a session, token or notice; all others but the open ones are in the table."""
    named = {name: METHODS[name][1].partition("{")[2].partition("}")[0] for name in PERSONAL}
    assert {name for name in named.values() if name} == {"session_id", "token_id", "notice_id"}
    assert not any("{" in METHODS[name][1] for name in OPEN)


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_personal_routes_need_somebody(world: World, name: str) -> None:
    """Nobody and an unknown token are answered alike, whatever they name."""
    method, path = METHODS[name]
    path = re.sub(r"\{\w+_id\}", str(uuid.uuid4()), path)
    for headers in ({}, {"Authorization": f"Bearer enm_{'x' * 43}"}):
        assert world.client.request(method, f"/api/v1{path}", json={}, headers=headers).status_code == 401
