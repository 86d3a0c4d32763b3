"""People by the command line: invite, deactivate, let in again, a link for a forgotten password."""

from rich.console import Console

from enmusubi.app.cli.accounts import checked_email, find_account, owner_of
from enmusubi.app.cli.opening import find_cluster, opened, read_settings
from enmusubi.app.recording import Operator
from enmusubi.app.signing_in import invitations, people, resets
from enmusubi.app.signing_in.drafts import InvitationDraft
from enmusubi.app.signing_in.visits import desk_for
from enmusubi.app.vocabulary import Language, Role


def invite(
    email: str, role: Role, organisation: str | None, name: str | None, language: Language, cluster_name: str | None
) -> None:
    """Invite a person by letter, or print the link to hand over."""
    settings = read_settings()
    with opened(settings) as database, database.session() as session:
        cluster = find_cluster(session, cluster_name)
        draft = InvitationDraft(email=checked_email(email), role=role, name=name, language=language)
        owner = owner_of(session, cluster, role, organisation)
        made, secret = invitations.add(session, Operator(cluster.id), draft, owner)
        shown = invitations.deliver(session, desk_for(settings, database.session), made, secret)
    if shown.sent:
        Console().print(f"a letter to {shown.email} was sent", markup=False, highlight=False)
        return
    Console().print(f"no letter was sent; hand this to {shown.email}, it works once", markup=False, highlight=False)
    print(shown.link)  # noqa: T201 alone on its line, so that a script can take it


def deactivate(account_id: str) -> None:
    """End the account's sessions and tokens, and let it in no more."""
    with opened(read_settings()) as database, database.session() as session:
        account = find_account(session, account_id)
        people.end(session, Operator(account.cluster_id), account)
        session.commit()
        Console().print(f"{account.name} is deactivated", markup=False, highlight=False)


def reactivate(account_id: str) -> None:
    """Let the account sign in again."""
    with opened(read_settings()) as database, database.session() as session:
        account = find_account(session, account_id)
        people.let_in(session, Operator(account.cluster_id), account)
        session.commit()
        Console().print(f"{account.name} may sign in again", markup=False, highlight=False)


def reset(account_id: str) -> None:
    """Print a link to choose a new password."""
    settings = read_settings()
    with opened(settings) as database, database.session() as session:
        account = find_account(session, account_id)
        link = resets.make_link(session, desk_for(settings, database.session), account)
        session.commit()
    Console().print(f"hand this link to {account.name}, it works once and for an hour", markup=False, highlight=False)
    print(link)  # noqa: T201 alone on its line, so that a script can take it
