"""A form that is sent twice makes one entry: its random number is the key of a repeat."""

import secrets
from hashlib import sha256

from starlette.datastructures import FormData

from enmusubi.app import idempotency
from enmusubi.app.web.asking import Screen, text_of
from enmusubi.app.web.resending import CSRF_FIELD

FIELD = "once"
_BYTES = 16
_MOST = 100


def new() -> str:
    """For a form that has not been sent."""
    return secrets.token_urlsafe(_BYTES)


def made_before(screen: Screen) -> str | None:
    """Where the browser was sent when this very form was sent before; the number is taken from now on.

    Raises InvalidInputError where it was sent with something else in it.
    """
    number = text_of(screen.form, FIELD)[:_MOST]
    if not number:
        return None
    earlier = idempotency.claim(screen.session, screen.caller, _key(number), _digest(screen.form))
    return None if earlier is None else (earlier.headers or {}).get("Location", "/")


def keep(screen: Screen, address: str) -> None:
    """Where the browser is sent now, and with each repeat."""
    if number := text_of(screen.form, FIELD)[:_MOST]:
        idempotency.keep(screen.session, screen.caller, _key(number), 303, {"Location": address}, {})


def _key(number: str) -> str:
    return f"page/{number}"


def _digest(form: FormData) -> bytes:
    digest = sha256()
    for name, value in form.multi_items():
        if name != CSRF_FIELD and isinstance(value, str):
            # With their lengths: two texts do not flow into each other.
            for part in (name, value):
                raw = part.encode("utf-8", "surrogatepass")
                digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.digest()
