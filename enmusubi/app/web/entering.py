"""Sign in and out, and where each role's work begins."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from enmusubi.app.credentials import forget_session, keep_session
from enmusubi.app.errors import TooManyAttemptsError, UnauthenticatedError
from enmusubi.app.signing_in import sessions
from enmusubi.app.vocabulary import Language
from enmusubi.app.web.asking import Entrance, EntranceNow, ScreenNow, text_of
from enmusubi.app.web.cookies import forget_wanted, keep_language, keep_wanted, wanted_by
from enmusubi.app.web.going import FIRST, own_path
from enmusubi.app.web.languages import N_

router = APIRouter()
PROVIDER = "/api/v1/oidc/start"

_REFUSED = {
    "unknown": N_("No account belongs to you yet. Ask your coordinator for an invitation."),
    "failed": N_("Your organisation's sign-in did not let you in, or took too long. Try again."),
}


@router.get("/")
def page_first(screen: ScreenNow) -> Response:
    """Send everybody to where their work is, and who comes from the identity provider to where they wanted to go."""
    wanted = wanted_by(screen.request)
    response = screen.go(FIRST[screen.caller.role] if wanted in (None, "/") else wanted)
    keep_language(response, screen.runtime.settings, screen.speech.language)
    if wanted is not None:
        forget_wanted(response, screen.runtime.settings)
    return response


@router.get("/sign-in")
def page_sign_in(entrance: EntranceNow, next: str = "/", refused: str = "") -> Response:  # noqa: A002 a parameter
    """The form to sign in; `refused` is why the identity provider's way did not lead in."""
    return _sign_in_form(entrance, next, _REFUSED.get(refused))


@router.post("/sign-in")
def do_sign_in(entrance: EntranceNow) -> Response:
    """Sign in with e-mail address and password."""
    form = entrance.form
    try:
        opened = sessions.sign_in(entrance.visit, text_of(form, "email")[:254], text_of(form, "password")[:2_000])
    except UnauthenticatedError:
        said = N_("The e-mail address or the password is not right.")
        return _sign_in_form(entrance, text_of(form, "next"), said, 401)
    except TooManyAttemptsError as error:
        said = N_("That was tried too often. Wait %(minutes)s minutes, then try again.")
        return _sign_in_form(entrance, text_of(form, "next"), said, 429, minutes=-(-error.retry_after // 60))
    response = RedirectResponse(own_path(text_of(form, "next")), 303)
    keep_session(response, entrance.runtime, opened)
    keep_language(response, entrance.runtime.settings, opened.person.language)
    return response


@router.get("/sign-in/provider")
def page_provider(entrance: EntranceNow, next: str = "/", *, confirm: bool = False) -> Response:  # noqa: A002
    """Send the browser to the identity provider, and remember where it is to go afterwards."""
    response = RedirectResponse(f"{PROVIDER}?confirm=true" if confirm else PROVIDER, 303)
    keep_wanted(response, entrance.runtime.settings, next)
    return response


@router.post("/sign-out")
def do_sign_out(screen: ScreenNow) -> Response:
    """Sign out."""
    sessions.end_current(screen.session, screen.asked.identified)
    response = screen.go("/sign-in", done="signed-out")
    forget_session(response, screen.runtime.settings)
    return response


@router.post("/language")
def do_choose_language(entrance: EntranceNow) -> Response:
    """Remember in this browser which language it is spoken to in, before somebody has signed in."""
    response = RedirectResponse(own_path(text_of(entrance.form, "next")), 303)
    chosen = text_of(entrance.form, "language")
    if chosen in tuple(Language):
        keep_language(response, entrance.runtime.settings, Language(chosen))
    return response


def _sign_in_form(
    entrance: Entrance, wanted: str, said: str | None = None, status: int = 200, **values: int
) -> Response:
    error = None if said is None else entrance.speech.say(said, **values)
    return entrance.show(
        "sign_in.html", status, next=own_path(wanted), error=error, email=text_of(entrance.form, "email")[:254],
        provider=entrance.runtime.desk.provider is not None,
    )  # fmt: skip
