"""An invitation is taken up: by the secret behind the # of its link, which no address of ours ever holds."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from enmusubi.app import opaque
from enmusubi.app.credentials import keep_session
from enmusubi.app.errors import ConflictError, InvalidInputError, NotFoundError, TooManyAttemptsError
from enmusubi.app.signing_in import invitations
from enmusubi.app.signing_in.drafts import AcceptanceDraft
from enmusubi.app.signing_in.shown import InvitationRead
from enmusubi.app.web.accounts.fields import refused, refused_password
from enmusubi.app.web.asking import Entrance, EntranceNow, text_of
from enmusubi.app.web.cookies import keep_language
from enmusubi.app.web.forms import Filled, read
from enmusubi.app.web.languages import N_, Speech

router = APIRouter()
GONE = N_("This link is not valid any more: it was used, withdrawn, or has expired. Ask who invited you for a new one.")


@router.get("/invitation")
def page_invitation(entrance: EntranceNow) -> Response:
    """Takes the link: the script sends what stands behind its #, without it the whole link is pasted."""
    return _ask(entrance, Filled())


@router.post("/invitation")
def do_take_invitation(entrance: EntranceNow) -> Response:
    """Show what one is invited to; with a password, make the account and sign in."""
    secret = secret_of(text_of(entrance.form, "link") or text_of(entrance.form, "token"))
    try:
        asked = invitations.read(entrance.visit, secret)
    except NotFoundError:
        return _ask(entrance, _gone(entrance), 404)
    except TooManyAttemptsError as error:
        return _ask(entrance, _too_often(entrance, error), 429)
    # In the language that the letter was written in.
    entrance = replace(entrance, speech=Speech(asked.language))
    if "password" not in entrance.form:
        return _show(entrance, asked, secret, Filled({"name": asked.name or "", "language": str(asked.language)}))
    draft, filled = read(AcceptanceDraft, entrance.form, entrance.speech, given={"token": secret})
    if not filled.text("name").strip():
        filled.add("name", entrance.speech.say(N_("is needed")))
    if draft is None or not filled.is_right:
        return _show(entrance, asked, secret, filled, 422)
    try:
        opened = invitations.accept(entrance.visit, draft)
    except InvalidInputError as error:
        refused_password(filled, error, draft.password.get_secret_value(), entrance.speech)
        return _show(entrance, asked, secret, filled, 422)
    except ConflictError as error:
        return _show(entrance, asked, secret, refused(filled, error, entrance.speech), 409)
    except NotFoundError:
        return _ask(entrance, _gone(entrance), 404)
    response = RedirectResponse("/", 303)
    keep_session(response, entrance.runtime, opened)
    keep_language(response, entrance.runtime.settings, opened.person.language)
    return response


def secret_of(given: str) -> str:
    """What stands behind the # of a link, or the whole where there is none."""
    return given.strip().rpartition("#")[2][:200]


def _gone(entrance: Entrance) -> Filled:
    return Filled(errors={"link": [entrance.speech.say(GONE)]})


def _too_often(entrance: Entrance, error: TooManyAttemptsError) -> Filled:
    said = N_("That was tried too often. Wait %(minutes)s minutes, then try again.")
    return Filled(errors={"link": [entrance.speech.say(said, minutes=-(-error.retry_after // 60))]})


def _ask(entrance: Entrance, filled: Filled, status: int = 200) -> Response:
    return entrance.show("accounts/invitation.html", status, filled=filled, beginning=opaque.INVITATION)


def _show(entrance: Entrance, asked: InvitationRead, secret: str, filled: Filled, status: int = 200) -> Response:
    return entrance.show("accounts/join.html", status, asked=asked, secret=secret, filled=filled)
