"""Sign in and out, confirm, and the sessions of one's own."""

import uuid

from fastapi import APIRouter, Response

from enmusubi.app.credentials import forget_session, keep_session, session_only
from enmusubi.app.dependencies import AskedNow, CredentialsNow, DeskNow, RuntimeNow, VisitNow
from enmusubi.app.runtime import Runtime
from enmusubi.app.signing_in import sessions
from enmusubi.app.signing_in.drafts import ConfirmationDraft, SignInDraft
from enmusubi.app.signing_in.shown import EndedOut, SessionsOut, SignedInOut
from enmusubi.app.signing_in.visits import Opened

router = APIRouter(tags=["signing in"])


def signed_in(runtime: Runtime, response: Response, opened: Opened) -> SignedInOut:
    """The session that has begun, put into the browser."""
    keep_session(response, runtime, opened)
    return _shown(runtime, opened)


def _shown(runtime: Runtime, opened: Opened) -> SignedInOut:
    csrf_token = runtime.desk.signatures.csrf_token(opened.secret)
    return SignedInOut(**dict(opened.session), csrf_token=csrf_token, account=opened.person)


@router.post("/session", status_code=201)
def sign_in(draft: SignInDraft, visit: VisitNow, runtime: RuntimeNow, response: Response) -> SignedInOut:
    """Sign in with e-mail address and password; the reply sets the session's cookie."""
    return signed_in(runtime, response, sessions.sign_in(visit, draft.email, draft.password.get_secret_value()))


@router.get("/session", openapi_extra=session_only())
def read_session(asked: AskedNow, credentials: CredentialsNow, runtime: RuntimeNow) -> SignedInOut:
    """The session that asks, with the token that its changes need."""
    assert credentials.session_secret is not None  # the route is open to sessions only
    return _shown(runtime, sessions.current(asked.session, asked.identified, credentials.session_secret))


@router.delete("/session", status_code=204, openapi_extra=session_only())
def sign_out(asked: AskedNow, runtime: RuntimeNow, response: Response) -> None:
    """Sign out."""
    sessions.end_current(asked.session, asked.identified)
    forget_session(response, runtime.settings)


@router.post("/session/confirm", openapi_extra=session_only())
def confirm_session(
    draft: ConfirmationDraft, asked: AskedNow, credentials: CredentialsNow, desk: DeskNow, runtime: RuntimeNow
) -> SignedInOut:
    """Prove once more who you are, for the sensitive steps of the next minutes."""
    sessions.confirm(asked.session, desk, asked.identified, draft.password.get_secret_value())
    return read_session(asked, credentials, runtime)


@router.get("/sessions", openapi_extra=session_only())
def list_sessions(asked: AskedNow, desk: DeskNow) -> SessionsOut:
    """Your sessions that have not ended, the last used first."""
    return sessions.list_sessions(asked.session, asked.identified, desk.idle)


@router.delete("/sessions", openapi_extra=session_only())
def end_other_sessions(asked: AskedNow) -> EndedOut:
    """End all your sessions but this one."""
    return EndedOut(ended=sessions.end_others(asked.session, asked.identified))


@router.delete("/sessions/{session_id}", status_code=204, openapi_extra=session_only())
def end_session(session_id: uuid.UUID, asked: AskedNow) -> None:
    """End one of your sessions."""
    sessions.end_session(asked.session, asked.caller, session_id)
