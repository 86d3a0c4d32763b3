"""The people of a cluster or organisation: seen, deactivated with their work handed over, let in again."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.errors import ConflictError, InvalidInputError
from enmusubi.app.introducing.drafts import HandOverDraft
from enmusubi.app.introducing.handing_over import hand_over
from enmusubi.app.permissions import Relation, Right, may
from enmusubi.app.signing_in import invitations, people
from enmusubi.app.signing_in.shown import InvitationOut, PersonOut
from enmusubi.app.web.accounts import office
from enmusubi.app.web.accounts.fields import refused
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.forms import Filled, read

router = APIRouter(prefix="/people")


@router.get("")
def page_people(screen: ScreenNow, cursor: str | None = None) -> Response:
    """Accounts, newest first, and open invitations."""
    listed = people.list_people(screen.session, screen.caller, PageQuery(cursor=cursor))
    reads = may(screen.caller, Right.READ_INVITATIONS, Relation.HERE)
    invited = invitations.list_open(screen.session, screen.caller) if reads and cursor is None else ()
    roles = invitations.roles_to_invite(screen.caller)
    return screen.show(
        "accounts/people.html",
        people=[PersonOut.model_validate(row) for row in listed.rows], next=listed.next,
        invited=[InvitationOut.model_validate(row) for row in invited], roles=roles,
        administers=may(screen.caller, Right.ADMINISTER_ACCOUNT, Relation.HERE), office=office.links(screen),
    )  # fmt: skip


@router.get("/{account_id}/deactivate")
def page_deactivate(account_id: uuid.UUID, screen: ScreenNow) -> Response:
    """What the account leaves behind, and who could take it over."""
    return _leaving(screen, account_id)


@router.post("/{account_id}/deactivate")
def do_deactivate(account_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Hand its matches over, if somebody is chosen, and deactivate it: both or neither."""
    filled = Filled({"to": text_of(screen.form, "to")})
    try:
        people.deactivate(screen.session, screen.runtime.desk, screen.asked.identified, account_id)
        if filled.text("to"):
            draft, filled = read(HandOverDraft, screen.form, screen.speech, leave_out=("note",))
            if draft is not None:
                hand_over(screen.session, screen.caller, account_id, draft, screen.runtime.clock.now())
    except (ConflictError, InvalidInputError) as error:
        refused(filled, error, screen.speech)
    if not filled.is_right:
        screen.start_over()
        return _leaving(screen, account_id, filled, 422)
    return screen.go("/people", done="deactivated")


@router.get("/{account_id}/reactivate")
def page_reactivate(account_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Ask whether to let it in again."""
    leaving = people.read_leaving(screen.session, screen.runtime.desk, screen.asked.identified, account_id)
    return screen.show("accounts/reactivate.html", account=PersonOut.model_validate(leaving.account))


@router.post("/{account_id}/reactivate")
def do_reactivate(account_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Let it in again."""
    people.reactivate(screen.session, screen.runtime.desk, screen.asked.identified, account_id)
    return screen.go("/people", done="reactivated")


def _leaving(screen: Screen, account_id: uuid.UUID, filled: Filled | None = None, status: int = 200) -> Response:
    leaving = people.read_leaving(screen.session, screen.runtime.desk, screen.asked.identified, account_id)
    return screen.show(
        "accounts/deactivate.html", status, filled=filled or Filled(), leaving=leaving,
        followers=[(str(one.public_id), one.name) for one in leaving.followers],
    )  # fmt: skip
