"""Invitations and new passwords, by links in letters."""

import uuid

from fastapi import APIRouter, BackgroundTasks, Response

from enmusubi.app.api.session import signed_in
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, DeskNow, RuntimeNow, VisitNow
from enmusubi.app.signing_in import invitations, resets
from enmusubi.app.signing_in.drafts import AcceptanceDraft, InvitationDraft, LinkDraft, NewPasswordDraft, ResetDraft
from enmusubi.app.signing_in.shown import (
    InvitationMade,
    InvitationOut,
    InvitationRead,
    InvitationsOut,
    ResetAsked,
    SignedInOut,
)
from enmusubi.app.vocabulary import Scope

router = APIRouter(tags=["signing in"])

_ASKED = "If there is an account with this address, a letter with a link is on its way to it."


@router.post("/invitations", status_code=201, openapi_extra=allows(Scope.ADMINISTER))
def invite(draft: InvitationDraft, asked: AskedNow, desk: DeskNow) -> InvitationMade:
    """Invite a person to your cluster by a letter; for coordinators and cluster administrators."""
    return invitations.deliver(asked.session, desk, *invitations.invite(asked.session, desk, asked.identified, draft))


@router.get("/invitations", openapi_extra=allows(Scope.ADMINISTER))
def list_invitations(asked: AskedNow) -> InvitationsOut:
    """The open invitations of your cluster, the newest first."""
    rows = invitations.list_open(asked.session, asked.caller)
    return InvitationsOut(items=[InvitationOut.model_validate(row) for row in rows])


@router.delete("/invitations/{invitation_id}", status_code=204, openapi_extra=allows(Scope.ADMINISTER))
def withdraw_invitation(invitation_id: uuid.UUID, asked: AskedNow) -> None:
    """Withdraw an open invitation; its link stops working."""
    invitations.withdraw(asked.session, asked.caller, invitation_id)


@router.post("/invitations/read")
def read_invitation(draft: LinkDraft, visit: VisitNow) -> InvitationRead:
    """What the link of a letter invites to."""
    return invitations.read(visit, draft.token.get_secret_value())


@router.post("/invitations/accept", status_code=201)
def accept_invitation(draft: AcceptanceDraft, visit: VisitNow, runtime: RuntimeNow, response: Response) -> SignedInOut:
    """Make the account that a letter invites to, and sign in; each link works once."""
    return signed_in(runtime, response, invitations.accept(visit, draft))


@router.post("/password-resets", status_code=202)
def ask_for_reset(draft: ResetDraft, visit: VisitNow, after: BackgroundTasks) -> ResetAsked:
    """Ask for a letter with a link to choose a new password; the reply is the same for every address."""
    after.add_task(resets.begin(visit, draft.email))
    return ResetAsked(message=_ASKED)


@router.post("/password-resets/accept", status_code=201)
def accept_reset(draft: NewPasswordDraft, visit: VisitNow, runtime: RuntimeNow, response: Response) -> SignedInOut:
    """Choose a new password by the link of a letter, and sign in; all other sessions end."""
    return signed_in(runtime, response, resets.accept(visit, draft))
