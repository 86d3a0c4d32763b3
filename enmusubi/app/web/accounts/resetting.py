"""A forgotten password: a letter is asked for, and its link takes a new one."""

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import RedirectResponse, Response

from enmusubi.app import opaque
from enmusubi.app.credentials import keep_session
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, TooManyAttemptsError
from enmusubi.app.signing_in import resets
from enmusubi.app.signing_in.drafts import NewPasswordDraft
from enmusubi.app.web.accounts.fields import refused_password
from enmusubi.app.web.accounts.joining import secret_of
from enmusubi.app.web.asking import Entrance, EntranceNow, text_of
from enmusubi.app.web.cookies import keep_language
from enmusubi.app.web.forms import Filled, read
from enmusubi.app.web.languages import N_

router = APIRouter()
_GONE = N_("This link is not valid any more: it was used or has expired. Ask for a new letter.")
_OFTEN = N_("That was tried too often. Wait %(minutes)s minutes, then try again.")


@router.get("/forgotten")
def page_forgotten(entrance: EntranceNow) -> Response:
    """The form that asks for the letter."""
    return _forgotten(entrance)


@router.post("/forgotten")
def do_ask_for_reset(entrance: EntranceNow, after: BackgroundTasks) -> Response:
    """Ask for it; the answer is the same for every address."""
    email = text_of(entrance.form, "email")
    try:
        after.add_task(resets.begin(entrance.visit, email[:254]))
    except ConflictError:
        said = N_("This installation sends no letters. Ask your cluster administrator for a link.")
        return _forgotten(entrance, entrance.speech.say(said), 409)
    except TooManyAttemptsError as error:
        return _forgotten(entrance, entrance.speech.say(_OFTEN, minutes=-(-error.retry_after // 60)), 429)
    return entrance.show("accounts/asked.html")


@router.get("/new-password")
def page_new_password(entrance: EntranceNow) -> Response:
    """The form for the new password; the script takes the secret from behind the # of the link."""
    return _new_password(entrance, Filled())


@router.post("/new-password")
def do_choose_password(entrance: EntranceNow) -> Response:
    """Store it, and sign in; all other sessions end."""
    given = {"token": secret_of(text_of(entrance.form, "link"))}
    draft, filled = read(NewPasswordDraft, entrance.form, entrance.speech, given=given)
    filled.values = {**filled.values, "link": text_of(entrance.form, "link")[:2_000]}
    if draft is None:
        return _new_password(entrance, filled, 422)
    try:
        opened = resets.accept(entrance.visit, draft)
    except InvalidInputError as error:
        refused_password(filled, error, draft.password.get_secret_value(), entrance.speech)
        return _new_password(entrance, filled, 422)
    except NotFoundError:
        filled.add("link", entrance.speech.say(_GONE))
        return _new_password(entrance, filled, 404)
    except TooManyAttemptsError as error:
        filled.add("link", entrance.speech.say(_OFTEN, minutes=-(-error.retry_after // 60)))
        return _new_password(entrance, filled, 429)
    response = RedirectResponse("/", 303)
    keep_session(response, entrance.runtime, opened)
    keep_language(response, entrance.runtime.settings, opened.person.language)
    return response


def _forgotten(entrance: Entrance, error: str | None = None, status: int = 200) -> Response:
    email = text_of(entrance.form, "email")[:254]
    return entrance.show("accounts/forgotten.html", status, error=error, email=email)


def _new_password(entrance: Entrance, filled: Filled, status: int = 200) -> Response:
    return entrance.show("accounts/new_password.html", status, filled=filled, beginning=opaque.RESET)
