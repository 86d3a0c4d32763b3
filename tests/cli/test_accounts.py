"""Clusters, accounts and tokens from the command line."""

import hashlib
import re

import pytest
from sqlalchemy import select

from enmusubi.app.database import Database
from enmusubi.app.models import Account, ApiToken, Invitation, Organisation, PasswordReset
from tests.cli.conftest import Command


@pytest.fixture
def cluster(command: Command) -> str:
    """The name of the only cluster."""
    assert command("cluster", "create", "北星湾").status == 0
    return "北星湾"


def _only_line(out: str) -> str:
    lines = [line for line in out.splitlines() if line.startswith("enm_")]
    assert len(lines) == 1
    return lines[0]


def test_a_cluster_is_created_once(command: Command, cluster: str) -> None:
    """It is listed; its name cannot be taken twice, nor be empty."""
    assert cluster in command("cluster", "list").out
    again = command("cluster", "create", cluster)
    assert (again.status, "there is a cluster" in again.errors) == (2, True)
    assert command("cluster", "create", " ").status == 2


@pytest.mark.usefixtures("cluster")
def test_a_token_is_printed_once_and_kept_as_a_hash(command: Command, own: Database) -> None:
    """The token stands alone on a line of standard output; the database holds nothing but its hash."""
    made = command("account", "create", "Sato", "--role", "coordinator")
    assert made.status == 0
    token = _only_line(made.out)
    with own.session() as session:
        (stored,) = session.scalars(select(ApiToken)).all()
        assert stored.token_hash == hashlib.sha256(token.encode()).digest()
    assert token not in command("account", "list").out


def test_an_account_joins_its_organisation(command: Command, cluster: str, own: Database) -> None:
    """A company's or university's organisation is added where it is new, and shared by the next account."""
    for person in ("Sato", "Ito"):
        made = command(
            "account", "create", person, "--role", "company", "--organisation", "凍沢製氷", "--cluster", cluster
        )
        assert made.status == 0
    with own.session() as session:
        (company,) = session.scalars(select(Organisation)).all()
        accounts = session.scalars(select(Account)).all()
    assert company.kind == "company"
    assert {account.organisation_id for account in accounts} == {company.id}
    listed = command("account", "list").out
    assert "Sato" in listed
    assert "凍沢製氷" in listed


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--role", "company"), "needs --organisation"),
        (("--role", "auditor", "--organisation", "A"), "belongs to no organisation"),
        (("--role", "cluster_administrator", "--organisation", "A"), "belongs to no organisation"),
        (("--role", "coordinator", "--organisation", "Nobody"), "no organisation 'Nobody'"),
        (("--role", "coordinator", "--cluster", "Elsewhere"), "there is no cluster 'Elsewhere'"),
    ],
)
def test_a_wrong_account_is_one_line(command: Command, arguments: tuple[str, ...], reason: str) -> None:
    """What is missing is said in one line, without a token and without an account."""
    made = command("account", "create", "Sato", *arguments)
    assert (made.status, made.out) == (2, "")
    assert reason in made.errors
    assert made.errors.count("\n") == 1


@pytest.mark.usefixtures("cluster")
def test_a_university_cannot_be_a_company(command: Command) -> None:
    """An organisation has accounts of its own kind."""
    command("account", "create", "Sato", "--role", "university", "--organisation", "北星湾大学")
    made = command("account", "create", "Ito", "--role", "company", "--organisation", "北星湾大学")
    assert made.status == 2
    assert "北星湾大学 is a university" in made.errors


@pytest.mark.usefixtures("cluster")
def test_tokens_are_added_and_revoked(command: Command, own: Database) -> None:
    """A further token works beside the first; revoking ends all of them."""
    command("account", "create", "Sato", "--role", "coordinator")
    (account_id,) = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", command("account", "list").out)
    _only_line(command("account", "token", account_id).out)
    assert command("account", "token", account_id, "--revoke").out == "2 tokens revoked\n"
    with own.session() as session:
        assert all(token.revoked for token in session.scalars(select(ApiToken)))
    unknown = command("account", "token", "someone")
    assert (unknown.status, "there is no account" in unknown.errors) == (2, True)


def _only_id(command: Command) -> str:
    (account_id,) = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", command("account", "list").out)
    return str(account_id)


@pytest.mark.usefixtures("cluster")
def test_a_token_for_some_uses_and_some_time(command: Command, own: Database) -> None:
    """As long and as far as was said; for everything and without end where nothing was."""
    command("account", "create", "Sato", "--role", "coordinator")
    options = ("--scope", "read", "--scope", "review", "--expires", "30")
    _only_line(command("account", "token", _only_id(command), *options).out)
    with own.session() as session:
        first, second = session.scalars(select(ApiToken).order_by(ApiToken.id))
    assert (first.scopes, first.expires) == (["read", "write", "review", "administer"], None)
    assert second.scopes == ["read", "review"]
    assert second.expires is not None
    assert (second.expires - second.created).days == 30


@pytest.mark.usefixtures("cluster")
def test_an_account_with_an_address(command: Command, own: Database) -> None:
    """It is checked, kept once, and enough for a link to choose a password by."""
    wrong = command("account", "create", "Sato", "--role", "coordinator", "--email", "nonsense")
    assert (wrong.status, "not an e-mail address" in wrong.errors) == (2, True)
    made = command("account", "create", "Sato", "--role", "coordinator", "--email", "Sato@example.org")
    assert made.status == 0
    again = command("account", "create", "Ito", "--role", "coordinator", "--email", "sato@EXAMPLE.org")
    assert (again.status, "already" in again.errors) == (2, True)
    reset = command("account", "reset", _only_id(command))
    link = reset.out.splitlines()[-1]
    assert link.startswith("http://127.0.0.1:8000/new-password#enr_")
    with own.session() as session:
        (stored,) = session.scalars(select(PasswordReset)).all()
    assert stored.token_hash == hashlib.sha256(link.partition("#")[2].encode()).digest()


@pytest.mark.usefixtures("cluster")
def test_a_person_is_invited(command: Command, own: Database) -> None:
    """Without a mail server the link is printed, alone on its line; the organisation is added."""
    invited = command("account", "invite", "ken@example.org", "--role", "company", "--organisation", "凍沢製氷")
    link = invited.out.splitlines()[-1]
    assert link.startswith("http://127.0.0.1:8000/invitation#eni_")
    with own.session() as session:
        (stored,) = session.scalars(select(Invitation)).all()
        assert session.scalars(select(Organisation.name)).all() == ["凍沢製氷"]
    assert stored.token_hash == hashlib.sha256(link.partition("#")[2].encode()).digest()
    assert command("account", "invite", "ken@example.org", "--role", "company").status == 2


@pytest.mark.usefixtures("cluster")
def test_an_account_is_deactivated_and_let_in_again(command: Command, own: Database) -> None:
    """Its tokens stay revoked; a deactivated account gets none."""
    command("account", "create", "Sato", "--role", "coordinator")
    account_id = _only_id(command)
    assert command("account", "deactivate", account_id).out == "Sato is deactivated\n"
    assert command("account", "token", account_id).status == 2
    with own.session() as session:
        assert all(token.revoked for token in session.scalars(select(ApiToken)))
    assert command("account", "reactivate", account_id).status == 0
    _only_line(command("account", "token", account_id).out)
    assert command("account", "deactivate", "nobody").status == 2


def test_several_clusters_must_be_told_apart(command: Command, cluster: str) -> None:
    """With two clusters a command asks which, and names them."""
    command("cluster", "create", "Other")
    asked = command("account", "list")
    assert asked.status == 2
    assert "--cluster" in asked.errors
    assert cluster in asked.errors
    assert "Other" in asked.errors
