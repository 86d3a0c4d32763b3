"""Prove once more who one is, for sensitive steps, and go on to what was wanted."""

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.errors import TooManyAttemptsError, UnauthenticatedError
from enmusubi.app.signing_in import people, sessions
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.going import own_path
from enmusubi.app.web.languages import N_

router = APIRouter(prefix="/account")


@router.get("/confirm")
def page_confirm(screen: ScreenNow, next: str = "/account") -> Response:  # noqa: A002 the name of the parameter
    """The form that asks for the password."""
    return _form(screen, next)


@router.post("/confirm")
def do_confirm(screen: ScreenNow) -> Response:
    """Confirm by the password."""
    wanted = text_of(screen.form, "next")
    try:
        password = text_of(screen.form, "password")[:2_000]
        sessions.confirm(screen.session, screen.runtime.desk, screen.asked.identified, password)
    except UnauthenticatedError:
        screen.start_over()
        return _form(screen, wanted, screen.speech.say(N_("The password is not right.")), 422)
    except TooManyAttemptsError as error:
        screen.start_over()
        said = N_("That was tried too often. Wait %(minutes)s minutes, then try again.")
        return _form(screen, wanted, screen.speech.say(said, minutes=-(-error.retry_after // 60)), 429)
    return screen.go(own_path(wanted))


def _form(screen: Screen, wanted: str, error: str | None = None, status: int = 200) -> Response:
    own = people.own_out(screen.session, screen.caller)
    provider = screen.runtime.desk.provider is not None
    return screen.show("accounts/confirm.html", status, next=own_path(wanted), error=error, own=own, provider=provider)
