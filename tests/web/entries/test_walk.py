"""Every page and form of this part answers every role as the policy says, and shows nobody what is not for them."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update

from enmusubi.app.models import Account
from enmusubi.app.permissions import PAGES, POLICY, Answer, Relation, Right
from enmusubi.app.vocabulary import Role
from enmusubi.app.web.entries import disclosure, lists, matches, needs, seeds, taking
from tests.app.browsers import with_password
from tests.app.matrix.conftest import world  # noqa: F401 the fixture
from tests.app.matrix.world import SECRET, World
from tests.web.conftest import PageBrowser

_ROUTES: Final = {
    route.name: route
    for part in (disclosure, lists, matches, needs, seeds, taking)
    for route in part.router.routes
    if isinstance(route, APIRoute)
}
_WITH_ID: Final = [name for name, route in _ROUTES.items() if "{" in route.path_format]
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "do_move_need": {"step": "hold"},
    "do_move_seed": {"step": "hold"},
    "do_review_need": {"verdict": "approve"},
    "do_review_seed": {"verdict": "approve"},
    "do_dismiss": {"reason": "terms"},
    "do_decline": {"reason": "terms"},
    "do_close": {"reason": "terms"},
    "do_report_outcome": {"kind": "licence", "agreed_on": "2027-04-01"},
}


@pytest.fixture(scope="module")
def browsers(world: World) -> Mapping[Role, PageBrowser]:  # noqa: F811 the fixture
    """Somebody of every role, signed in."""
    found = {}
    for role, person in world.people.items():
        with world.database.session() as session:
            email = with_password(session, person)
            session.execute(update(Account).where(Account.id == person.caller.id).values(language="en"))
            session.commit()
        found[role] = PageBrowser(world.client, "en")
        assert found[role].sign_in(email).status_code == 303
    return found


def ask(browser: PageBrowser, name: str, public_id: str) -> Any:
    """Open a page, or send its form, about a thing."""
    route = _ROUTES[name]
    before, _, rest = route.path_format.partition("{")
    path = before + public_id + rest.partition("}")[2]
    return browser.get(path) if name.startswith("page_") else browser.send(path, **_FIELDS.get(name, {}))


def a_thing(world: World, name: str, role: Role, relation: Relation) -> str:  # noqa: F811
    """What the page is about, in that relation to the role."""
    path = _ROUTES[name].path_format
    make = world.match if "/matches/" in path else world.need if "/needs/" in path else world.seed
    return make(role, relation)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", _WITH_ID)
def test_page(world: World, browsers: Mapping[Role, PageBrowser], name: str, role: Role) -> None:  # noqa: F811
    """What is allowed is there, what is refused is 403, and what is hidden is 404, as where there is nothing."""
    for relation, answer in POLICY[PAGES[name]][role].items():
        reply = ask(browsers[role], name, a_thing(world, name, role, relation))
        if answer is Answer.YES:
            assert reply.status_code in (200, 303, 409, 412, 422), (relation, reply.status_code)
            assert reply.status_code == 200 or not name.startswith("page_") or name == "page_disclosure"
        else:
            assert reply.status_code == (403 if answer is Answer.NO else 404), (relation, reply.status_code)
        assert ask(browsers[role], name, str(uuid.uuid4())).status_code == 404


@pytest.mark.parametrize("role", Role)
def test_lists(world: World, browsers: Mapping[Role, PageBrowser], role: Role) -> None:  # noqa: F811
    """They hold what may be seen and nothing else, and no confidential word."""
    browser = browsers[role]
    for kind, right in (("need", Right.READ_NEED), ("seed", Right.READ_SEED)):
        for relation, answer in POLICY[right][role].items():
            public_id = (world.need if kind == "need" else world.seed)(role, relation)
            page = browser.open(f"/{kind}s")
            assert (f'href="/{kind}s/{public_id}"' in page) == (answer is Answer.YES), (kind, relation)
            mine = browser.open(f"/{kind}s?mine=true")
            assert (public_id in mine) == (relation is Relation.OWN), (kind, relation)
            assert SECRET not in page + mine
    allowed = POLICY[Right.READ_WAITING][role][Relation.HERE] is Answer.YES
    assert browser.get("/waiting").status_code == (200 if allowed else 403)
    assert browser.get("/work").status_code == 200


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ["need", "seed"])
def test_confidential_parts(
    world: World,  # noqa: F811
    browsers: Mapping[Role, PageBrowser],
    kind: str,
    role: Role,
) -> None:
    """They stand on the page of their entry, for those who may read them, and say that looks are recorded."""
    right = Right.READ_NEED_DETAIL if kind == "need" else Right.READ_SEED_DETAIL
    for relation, answer in POLICY[right][role].items():
        public_id = (world.need if kind == "need" else world.seed)(role, relation)
        reply = browsers[role].get(f"/{kind}s/{public_id}")
        text = reply.text.partition('id="matches"')[0]
        assert (SECRET in text) == (answer is Answer.YES), (relation, reply.status_code)
        if answer is Answer.YES:
            assert "recorded" in text
        if role in (Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR):
            assert SECRET not in reply.text


@pytest.mark.parametrize("role", [Role.UNIVERSITY, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR])
def test_an_anonymous_owner_is_on_no_page(
    world: World,  # noqa: F811
    browsers: Mapping[Role, PageBrowser],
    role: Role,
) -> None:
    """Neither of the need, nor of its matches, nor of lists: kind, size and region alone."""
    name = world.others[Role.COMPANY].name
    need, match = world.need(role, Relation.HERE), world.match(role, Relation.HERE)
    own = world.match(role, Relation.OWN) if role is Role.UNIVERSITY else match
    for path in (f"/needs/{need}", "/needs", f"/matches/{own}"):
        page = browsers[role].open(path)
        assert name not in page, path
        assert "anonymous" in page, path
