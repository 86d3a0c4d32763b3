"""What the forms of these pages share: versions, errors of the use cases, passwords, forms that are sent twice."""

import hashlib
import secrets

from starlette.datastructures import FormData

from enmusubi.app import idempotency
from enmusubi.app.errors import EnmusubiError, InvalidInputError
from enmusubi.app.signing_in import passwords
from enmusubi.app.web.asking import Screen, text_of
from enmusubi.app.web.forms import WHOLE, Filled
from enmusubi.app.web.languages import N_, Speech


def version_of(form: FormData) -> int:
    """The version that the form was made from."""
    given = text_of(form, "version")
    if not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise InvalidInputError("the form is not whole; open the page again")
    return int(given)


def is_first(screen: Screen) -> bool:
    """Whether a form that creates something comes for the first time: a second click makes nothing twice."""
    once = text_of(screen.form, "once")[:200]
    if not once:
        raise InvalidInputError("the form is not whole; open the page again")
    digest = hashlib.sha256(screen.request.url.path.encode()).digest()
    if idempotency.claim(screen.session, screen.caller, once, digest) is not None:
        return False
    idempotency.keep(screen.session, screen.caller, once, 303, {}, {})
    return True


def new_once() -> str:
    """What tells two forms from one that is sent twice."""
    return secrets.token_urlsafe(16)


def refused(filled: Filled, error: EnmusubiError, speech: Speech) -> Filled:
    """The form with what a use case said is wrong, at the field that it names."""
    place, _, said = error.detail.partition(": ")
    if said and place in filled.values:
        whole = speech.say(error.detail)
        filled.add(place, speech.say(said) if whole == error.detail else whole)
    else:
        filled.add(WHOLE, speech.say(error.detail))
    return filled


def refused_password(filled: Filled, error: InvalidInputError, chosen: str, speech: Speech) -> Filled:
    """The same for a password that is not taken, with its reason."""
    reasons = [one["reason"] for one in error.extra.get("errors", ()) if one["kind"] == "password"]
    if not reasons:
        return refused(filled, error, speech)
    if not passwords.fits(chosen):
        length = N_("is not taken: %(least)s characters are the least, %(most)s the most")
        reasons = [speech.say(length, least=passwords.LEAST, most=speech.number(passwords.MOST))]
    for reason in reasons:
        filled.add("password", speech.say(reason))
    return filled
