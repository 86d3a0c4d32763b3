"""What a request brings to say who asks: a token, or a browser's cookie with proof that its page sent it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from enmusubi.app import auth
from enmusubi.app.auth import Identified
from enmusubi.app.config import Settings
from enmusubi.app.errors import ForbiddenError, UnauthenticatedError
from enmusubi.app.runtime import Runtime
from enmusubi.app.signing_in import throttling
from enmusubi.app.signing_in.visits import Opened, Visit
from enmusubi.app.vocabulary import Scope

CSRF_HEADER: Final = "X-CSRF-Token"
SCOPE: Final = "x-token-scope"
SESSION_ONLY: Final = "session"
_COOKIE: Final = "enmusubi"
_OIDC_COOKIE: Final = "enmusubi-oidc"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_MISSING: Final = "send a token, Authorization: Bearer enm_…, or sign in"


def allows(scope: Scope) -> dict[str, Any]:
    """For `openapi_extra` of a route: which scope a token needs for it. A session needs none."""
    return {SCOPE: str(scope)}


def session_only() -> dict[str, Any]:
    """For `openapi_extra` of a route: no token does, a person has to be signed in."""
    return {SCOPE: SESSION_ONLY}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token or the secret of a session, checked as far as that needs no database, and what the route asks of it."""

    runtime: Runtime
    address: str
    token: str | None
    session_secret: str | None
    needed: str

    def identify(self, session: Session) -> Identified:
        """Who asks, where that may be used for this route; TooManyAttemptsError where the account calls too often."""
        identified = self._known(session)
        # Before anything else can fail: what is refused is counted too.
        self.runtime.calls.count(identified, lambda: self._aside(session))
        if self.token is not None and self.needed not in (identified.scopes or ()):
            raise ForbiddenError(
                "a token does not do for this: sign in"
                if self.needed == SESSION_ONLY
                else f"the token lacks the scope {self.needed}"
            )
        return identified

    def _known(self, session: Session) -> Identified:
        if self.token is not None:
            return auth.identify(session, self.token)
        assert self.session_secret is not None  # read_credentials refuses a request with neither
        return auth.identify_session(session, self.session_secret, self.runtime.desk.idle)

    @contextmanager
    def _aside(self, session: Session) -> Iterator[Session]:
        """Another session, for which the request's lets go of its connection; that one may only read."""
        # Holding one while waiting for a second, requests could wait for each other for ever.
        session.rollback()
        with self.runtime.session() as counting:
            yield counting

    def count_failure(self, session: Session) -> None:
        """Count a token that is not known; TooManyAttemptsError where an address sends too many."""
        if self.token is not None:
            throttling.take(session, throttling.WRONG_TOKENS, throttling.network(self.address))


def read_credentials(request: Request, runtime: Runtime, token: str | None) -> Credentials:
    """What the request brings. A token that is sent is meant; a cookie comes along by itself, and needs proof."""
    # A route that declares nothing is closed to tokens.
    needed = str((request.scope["route"].openapi_extra or {}).get(SCOPE, SESSION_ONLY))
    secret = None if token is not None else _session_secret(request, runtime)
    if token is None and secret is None:
        raise UnauthenticatedError(_MISSING)
    if secret is not None and request.method not in _SAFE:
        refuse_cross_site(request, runtime.settings)
        if not runtime.desk.signatures.is_csrf_token(request.headers.get(CSRF_HEADER), secret):
            raise ForbiddenError(f"send {CSRF_HEADER} with the csrf_token of your session (GET /session)")
    return Credentials(runtime, _address(request), token, secret, needed)


def refuse_cross_site(request: Request, settings: Settings) -> None:
    """ForbiddenError where a browser says that another site makes this request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        elsewhere = site not in ("same-origin", "none")
    else:
        # Older browsers; they send Origin with every change.
        origin, host = request.headers.get("origin"), request.headers.get("host")
        elsewhere = origin is not None and origin != settings.address and origin.partition("://")[2] != host
    if elsewhere:
        raise ForbiddenError("the request comes from another site")


def read_visit(request: Request, runtime: Runtime) -> Visit:
    """Who comes, before it is known who that is."""
    if request.method not in _SAFE:
        refuse_cross_site(request, runtime.settings)
    return Visit(
        desk=runtime.desk,
        address=_address(request),
        user_agent=request.headers.get("user-agent", ""),
        session_secret=_session_secret(request, runtime),
    )


def keep_session(response: Response, runtime: Runtime, opened: Opened) -> None:
    """Put the session into the browser, for as long as it may last."""
    desk = runtime.desk
    _set(response, runtime.settings, _COOKIE, desk.signatures.cookie(opened.secret), int(desk.lifetime.total_seconds()))


def forget_session(response: Response, settings: Settings) -> None:
    """Take the session out of the browser."""
    _set(response, settings, _COOKIE, "", 0)


def keep_browser(response: Response, settings: Settings, browser: str, seconds: int) -> None:
    """What a browser that is sent to the identity provider must bring back."""
    _set(response, settings, _OIDC_COOKIE, browser, seconds)


def browser_of(request: Request, settings: Settings) -> str | None:
    """What it brought back."""
    return request.cookies.get(_name(settings, _OIDC_COOKIE))


def _session_secret(request: Request, runtime: Runtime) -> str | None:
    cookie = request.cookies.get(_name(runtime.settings, _COOKIE))
    return None if not cookie else runtime.desk.signatures.secret(cookie)


def _address(request: Request) -> str:
    # uvicorn has put a proxy's word in its place, if the settings trust that proxy.
    return request.client.host if request.client else ""


def _name(settings: Settings, name: str) -> str:
    # The prefix binds a cookie to this host and to TLS: no other host of the domain can plant one.
    return f"__Host-{name}" if settings.is_https else name


def _set(response: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        _name(settings, name), value, max_age=seconds, path="/", secure=settings.is_https, httponly=True, samesite="lax"
    )
