"""Who looks at a page, and what a page's endpoint answers with: shown, or sent on."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from enmusubi.app.caller import Caller, act_as
from enmusubi.app.credentials import SESSION_ONLY, Credentials, read_visit
from enmusubi.app.dependencies import Asked, PlaceNow, RuntimeNow, asked_by
from enmusubi.app.errors import ForbiddenError, UnauthenticatedError
from enmusubi.app.runtime import Runtime
from enmusubi.app.signing_in import people
from enmusubi.app.signing_in.people import Badge
from enmusubi.app.signing_in.visits import Visit
from enmusubi.app.vocabulary import Language
from enmusubi.app.web import resending
from enmusubi.app.web.languages import Speech, speech_of
from enmusubi.app.web.rendering import rendered
from enmusubi.app.web.resending import CSRF_FIELD

DONE: Final = "done"
"""Query parameter that says what was just done, by a code of `saying.DONE`."""
_MOST_FIELDS: Final = 2_000
_MOST_FILES: Final = 1


async def _form(request: Request) -> AsyncIterator[FormData]:
    if request.method != "POST":
        yield FormData()
        return
    async with request.form(
        max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=request.app.state.runtime.settings.max_body_bytes
    ) as form:
        resending.note(request, form)
        yield form


class StaleFormError(ForbiddenError):
    """The form is of a session that has ended, or of nobody's; its sender may look at it and send it once more."""

    may_be_sent_again = True


FormNow = Annotated[FormData, Depends(_form)]
"""The fields of the form that was sent; empty where none was."""


def text_of(form: FormData, name: str) -> str:
    """A field's text, "" where it is not there; files are no text."""
    value = form.get(name)
    return "" if value is None or isinstance(value, UploadFile) else value


@dataclass(frozen=True, slots=True)
class Screen:
    """A page that is being made: for whom, in which language, in which transaction."""

    request: Request
    runtime: Runtime
    speech: Speech
    asked: Asked
    badge: Badge
    csrf_token: str
    form: FormData = field(repr=False)

    @property
    def session(self) -> Session:
        """The request's transaction."""
        return self.asked.session

    @property
    def caller(self) -> Caller:
        """The account that looks."""
        return self.asked.caller

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page."""
        return rendered(self.speech, template, status, {**frame_of(self.request), **self.own, **values})

    def go(self, path: str, done: str | None = None, **query: str) -> Response:
        """Send the browser on with GET, and say there what was done (see `saying`)."""
        added = {**query, **({DONE: done} if done else {})}
        return RedirectResponse(path + ("?" + urlencode(added) if added else ""), 303)

    def start_over(self) -> None:
        """Undo what this request did so far, for a form that is shown again with what is wrong in it."""
        self.session.rollback()
        act_as(self.session, self.caller)

    @property
    def own(self) -> dict[str, Any]:
        """What the page is told of who looks at it."""
        return {"person": self.badge, "role": self.caller.role, "caller": self.caller, "csrf_token": self.csrf_token}


def frame_of(request: Request) -> dict[str, Any]:
    """What every page is told of its request."""
    return {
        "path": request.url.path,
        "query": request.url.query,
        "done": request.query_params.get(DONE),
        "person": None,
    }


# The form comes first: a file may be long on its way, and holds no place of a request until it is there.
def _screen(request: Request, form: FormNow, place: PlaceNow, runtime: RuntimeNow) -> Iterator[Screen]:
    visit = read_visit(request, runtime)
    request.state.sent = form  # by a page of ours: what was typed is shown again, should it not be taken
    secret = visit.session_secret
    if secret is None:
        raise UnauthenticatedError("sign in")
    signatures = runtime.desk.signatures
    if request.method == "POST" and not signatures.is_csrf_token(text_of(form, CSRF_FIELD), secret):
        raise StaleFormError("the form is of another session; open the page again, and send it once more")
    credentials = Credentials(runtime, visit.address, None, secret, SESSION_ONLY)
    with asked_by(runtime, credentials) as asked:
        badge = people.badge(asked.session, asked.caller)
        speech = Speech(Language(badge.language))
        screen = Screen(request, runtime, speech, asked, badge, signatures.csrf_token(secret), form)
        request.state.screen = screen  # whose head an error's page has too
        yield screen


# Scope "function": the commit happens before the page goes out, not after.
ScreenNow = Annotated[Screen, Depends(_screen, scope="function")]


@dataclass(frozen=True, slots=True)
class Entrance:
    """A page of somebody who is not signed in, as far as it matters."""

    request: Request
    runtime: Runtime
    speech: Speech
    visit: Visit
    form: FormData = field(repr=False)

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page."""
        return rendered(self.speech, template, status, {**frame_of(self.request), **values})


async def _entrance(request: Request, place: PlaceNow, runtime: RuntimeNow, form: FormNow) -> Entrance:
    return Entrance(request, runtime, speech_of(request), read_visit(request, runtime), form)


EntranceNow = Annotated[Entrance, Depends(_entrance)]
