"""One's own account: name, language, letters, password, alerts, sessions."""

import uuid
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.alerting import stopping
from enmusubi.app.alerting.drafts import AlertSettingsDraft
from enmusubi.app.errors import InvalidInputError, UnauthenticatedError
from enmusubi.app.signing_in import people, sessions, tokens
from enmusubi.app.signing_in.drafts import AccountDraft, PasswordDraft
from enmusubi.app.web.accounts import office
from enmusubi.app.web.accounts.fields import refused_password
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.cookies import keep_language
from enmusubi.app.web.forms import Filled, read
from enmusubi.app.web.languages import N_

router = APIRouter(prefix="/account")

# In the order in which they are told apart: each calls itself by the names of those that come later, too.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@router.get("")
def page_account(screen: ScreenNow) -> Response:
    """All of it on one page."""
    return _account(screen)


@router.post("")
def do_revise_account(screen: ScreenNow) -> Response:
    """Change name, language, or which letters come."""
    draft, filled = read(AccountDraft, screen.form, screen.speech)
    if not text_of(screen.form, "name").strip():
        filled.add("name", screen.speech.say(N_("is needed")))
    if draft is None or not filled.is_right:
        return _account(screen, filled)
    people.revise_own(screen.session, screen.caller, draft)
    response = screen.go("/account", done="saved")
    if draft.language is not None:
        keep_language(response, screen.runtime.settings, draft.language)
    return response


@router.post("/alerts")
def do_revise_alerts(screen: ScreenNow) -> Response:
    """Change when one is told of new partners."""
    draft, filled = read(AlertSettingsDraft, screen.form, screen.speech)
    if draft is None:
        return _account(screen, filled)
    stopping.revise_settings(screen.session, screen.caller, draft)
    return screen.go("/account", done="saved")


@router.get("/password")
def page_password(screen: ScreenNow) -> Response:
    """The form for a new password; where there is none yet, for a session that was confirmed lately."""
    if not people.own_out(screen.session, screen.caller).has_password:
        sessions.require_confirmed(screen.runtime.desk, screen.asked.identified)
    return _password(screen)


@router.post("/password")
def do_change_password(screen: ScreenNow) -> Response:
    """Choose a new password; the other sessions end."""
    draft, filled = read(PasswordDraft, screen.form, screen.speech)
    if draft is None:
        return _password(screen, filled)
    try:
        people.change_own_password(screen.session, screen.runtime.desk, screen.asked.identified, draft)
    except UnauthenticatedError:
        screen.start_over()
        filled.add("present", screen.speech.say(N_("is not right")))
    except InvalidInputError as error:
        screen.start_over()
        refused_password(filled, error, draft.password.get_secret_value(), screen.speech)
    return screen.go("/account", done="password") if filled.is_right else _password(screen, filled)


@router.post("/sessions/end-others")
def do_end_other_sessions(screen: ScreenNow) -> Response:
    """End all sessions but this one."""
    sessions.end_others(screen.session, screen.asked.identified)
    return screen.go("/account", done="sessions-ended")


@router.post("/sessions/{session_id}/end")
def do_end_session(session_id: uuid.UUID, screen: ScreenNow) -> Response:
    """End one session."""
    sessions.end_session(screen.session, screen.caller, session_id)
    return screen.go("/account", done="session-ended")


def browser_named(user_agent: str) -> str:
    """A browser and its system by name, as people know them; what it calls itself where it is none of these."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    return " · ".join(filter(None, (browser, system))) if browser else user_agent


def _account(screen: Screen, filled: Filled | None = None) -> Response:
    desk = screen.runtime.desk
    listed = sessions.list_sessions(screen.session, screen.asked.identified, desk.idle).items
    return screen.show(
        "accounts/account.html", 422 if filled else 200, filled=filled,
        own=people.own_out(screen.session, screen.caller),
        alerts=stopping.read_settings(screen.session, screen.caller),
        sessions=listed,
        agents={one.id: browser_named(one.user_agent) for one in listed},
        tokens=tokens.list_tokens(screen.session, screen.caller),
        provider=desk.provider is not None,
        office=office.links(screen),
    )  # fmt: skip


def _password(screen: Screen, filled: Filled | None = None) -> Response:
    own = people.own_out(screen.session, screen.caller)
    return screen.show("accounts/password.html", 422 if filled else 200, filled=filled, own=own)
