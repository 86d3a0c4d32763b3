"""Invite people, and take invitations back."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue import listing
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.signing_in import invitations, sessions
from enmusubi.app.signing_in.drafts import InvitationDraft
from enmusubi.app.web.accounts.fields import refused
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.forms import Filled, read
from enmusubi.app.web.words import choices

router = APIRouter(prefix="/people")
_AT_ONCE = 200


@router.get("/invite")
def page_invite(screen: ScreenNow) -> Response:
    """The form; who has to be confirmed is asked before it is filled in."""
    require(screen.caller, Right.INVITE_SIDE, Relation.HERE)
    sessions.require_confirmed(screen.runtime.desk, screen.asked.identified)
    return _form(screen, Filled({"language": str(screen.speech.language)}))


@router.post("/invite")
def do_invite(screen: ScreenNow) -> Response:
    """Invite; a link that no letter carries is on the page that answers, and nowhere else."""
    draft, filled = read(InvitationDraft, screen.form, screen.speech)
    if draft is None:
        return _form(screen, filled, 422)
    desk = screen.runtime.desk
    try:
        made, secret = invitations.invite(screen.session, desk, screen.asked.identified, draft)
    except (ConflictError, InvalidInputError) as error:
        screen.start_over()
        return _form(screen, refused(filled, error, screen.speech), error.status)
    shown = invitations.deliver(screen.session, desk, made, secret)
    return screen.go("/people", done="invited") if shown.sent else screen.show("accounts/invited.html", made=shown)


@router.post("/invitations/{invitation_id}/withdraw")
def do_withdraw_invitation(invitation_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Its link stops working."""
    invitations.withdraw(screen.session, screen.caller, invitation_id)
    return screen.go("/people", done="withdrawn")


def _form(screen: Screen, filled: Filled, status: int = 200) -> Response:
    may_be = invitations.roles_to_invite(screen.caller)
    roles = [(role, said) for role, said in choices(screen.speech, "Role") if role in may_be]
    return screen.show("accounts/invite.html", status, filled=filled, roles=roles, owners=_organisations(screen))


def _organisations(screen: Screen) -> list[tuple[str, str]]:
    """All of the cluster, by name."""
    found: list[tuple[str, str]] = []
    cursor: str | None = None
    while True:
        query = listing.OrganisationQuery(limit=_AT_ONCE, cursor=cursor)
        listed = listing.list_organisations(screen.session, screen.caller, query)
        own = [row for row in listed.rows if row.cluster_id == screen.caller.cluster_id]
        found += [(str(row.public_id), row.name) for row in own]
        cursor = listed.next
        if cursor is None:
            return sorted(found, key=lambda one: one[1])
