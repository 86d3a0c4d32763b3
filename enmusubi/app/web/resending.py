"""What was typed into a form that could not be taken: kept on the page that says so, to be sent once more.

A form asks for it by its field `writer`: whose words they are. The page holds nothing but what this browser has just
sent, confidential texts included; nothing of it is stored or logged, and no page is kept by browsers or proxies.
"""

from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData

from enmusubi.app.credentials import read_visit
from enmusubi.app.errors import EnmusubiError

WRITER: Final = "writer"
CSRF_FIELD: Final = "csrf"
# Errors after which the same may be taken. What a session may not do, it may not do again either.
_MENDED: Final = (401, 409, 412, 429, 500, 503)
_SECRETS: Final = ("password", "secret", "token")


@dataclass(frozen=True, slots=True)
class Resend:
    """A form to be sent once more."""

    address: str
    csrf_token: str | None
    """None where nobody is signed in: the page then says how it goes on."""
    fields: tuple[tuple[str, str], ...] = field(repr=False)


def note(request: Request, form: FormData) -> None:
    """Remember the form of a request until it is answered."""
    request.state.typed = form


def kept(request: Request, status: int, error: EnmusubiError | None) -> Resend | None:
    """The form of a request that ended with an error, where it may be sent again; None where there is nothing to keep.

    The new proof that a page of this session sent it is given to nobody but a page that was ours: another site's form
    is refused by `read_visit`.
    """
    form: FormData | None = getattr(request.state, "typed", None)
    stale = getattr(error, "may_be_sent_again", False)
    if form is None or WRITER not in form or not (stale or status in _MENDED):
        return None
    try:
        secret = read_visit(request, request.app.state.runtime).session_secret
    except EnmusubiError:
        return None
    known = secret is not None and status != 401
    token = request.app.state.runtime.desk.signatures.csrf_token(secret) if known else None
    fields = tuple(
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and name != CSRF_FIELD and not any(word in name for word in _SECRETS)
    )
    return Resend(request.url.path, token, fields)
