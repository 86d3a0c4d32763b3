"""API tokens of one's own: made, shown once, revoked."""

import uuid

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.errors import ConflictError
from enmusubi.app.signing_in import sessions, tokens
from enmusubi.app.signing_in.drafts import TokenDraft
from enmusubi.app.web.accounts.fields import is_first, new_once, refused
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.forms import Filled, read

router = APIRouter(prefix="/account/tokens")


@router.get("/new")
def page_make_token(screen: ScreenNow) -> Response:
    """The form; who has to be confirmed is asked before it is filled in."""
    sessions.require_confirmed(screen.runtime.desk, screen.asked.identified)
    return _form(screen, Filled({"days": "90", "scopes": ["read"]}))


@router.post("/new")
def do_make_token(screen: ScreenNow) -> Response:
    """Make it; its text is on the page that answers, and nowhere else."""
    draft, filled = read(TokenDraft, screen.form, screen.speech)
    if draft is None:
        return _form(screen, filled, 422)
    try:
        if not is_first(screen):
            return screen.go("/account", done="twice")
        made, text = tokens.make(screen.session, screen.runtime.desk, screen.asked.identified, draft)
    except ConflictError as error:
        screen.start_over()
        return _form(screen, refused(filled, error, screen.speech), 409)
    return screen.show("accounts/token_made.html", made=made, text=text)


@router.post("/{token_id}/revoke")
def do_revoke_token(token_id: uuid.UUID, screen: ScreenNow) -> Response:
    """It stops working at once."""
    tokens.revoke(screen.session, screen.caller, token_id)
    return screen.go("/account", done="token-revoked")


def _form(screen: Screen, filled: Filled, status: int = 200) -> Response:
    return screen.show("accounts/token.html", status, filled=filled, once=new_once())
