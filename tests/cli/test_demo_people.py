"""The people of the demo: made once, with tokens and a password in a file that only its owner reads."""

# ruff: noqa: F811  fixtures are parameters of the same name

import json
import stat

from fastapi.testclient import TestClient
from sqlalchemy import select

from enmusubi.app.cli.accounts import add_cluster
from enmusubi.app.cli.demonstrating import make_people
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.models import Account
from enmusubi.app.vocabulary import OrganisationKind
from tests.app.browsers import Browser
from tests.app.conftest import Serve, committed, migrated, serve, service, settings  # noqa: F401 fixtures
from tests.app.factories import an_organisation

ROLES = ("company", "university", "coordinator", "cluster_administrator")


def _signs_in(client: TestClient, email: str, password: str) -> bool:
    return Browser(client).sign_in(email, password).status_code == 201


def test_each_role_has_a_token_and_signs_in(
    committed: Database,
    settings: Settings,
    serve: Serve,
) -> None:
    """By what is in the file; the second time nothing changes."""
    with committed.session() as session:
        cluster = add_cluster(session, "Demo")
        an_organisation(session, cluster, OrganisationKind.COMPANY)
        an_organisation(session, cluster, OrganisationKind.UNIVERSITY)
        session.commit()
    path = make_people(settings, committed, cluster)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text())
    assert set(told) == {*ROLES, "sign_in"}
    assert set(told["sign_in"]) == {*ROLES, "password"}
    client = serve()
    for role in ROLES:
        headers = {"Authorization": f"Bearer {told[role]}"}
        assert client.get("/api/v1/account", headers=headers).json()["role"] == role
        assert _signs_in(client, told["sign_in"][role], told["sign_in"]["password"])
    assert make_people(settings, committed, cluster) == path
    assert json.loads(path.read_text()) == told
    assert [file.name for file in path.parent.glob("demo-tokens*")] == ["demo-tokens.json"]


def test_a_file_of_before_keeps_its_tokens(
    committed: Database,
    settings: Settings,
    serve: Serve,
) -> None:
    """A home of an earlier demo has no passwords yet: its accounts get one."""
    with committed.session() as session:
        cluster = add_cluster(session, "Demo")
        an_organisation(session, cluster, OrganisationKind.COMPANY)
        an_organisation(session, cluster, OrganisationKind.UNIVERSITY)
        session.commit()
    path = make_people(settings, committed, cluster)
    before = {role: token for role, token in json.loads(path.read_text()).items() if role in ROLES}
    path.write_text(json.dumps(before))
    after = json.loads(make_people(settings, committed, cluster).read_text())
    assert {role: after[role] for role in ROLES} == before
    with committed.session() as session:
        assert len(session.scalars(select(Account)).all()) == len(ROLES)
    assert _signs_in(serve(), after["sign_in"]["coordinator"], after["sign_in"]["password"])
