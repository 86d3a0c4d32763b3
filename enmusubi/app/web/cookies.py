"""What the pages keep in a browser beside its session: a language, and where somebody wanted to go."""

from typing import Final

from fastapi import Request
from fastapi.responses import Response

from enmusubi.app.config import Settings
from enmusubi.app.vocabulary import Language
from enmusubi.app.web.going import own_path
from enmusubi.app.web.languages import COOKIE

_WANTED: Final = "enmusubi-wanted"
_YEAR: Final = 365 * 24 * 3600
_WANTED_FOR: Final = 10 * 60  # as long as a sign-in by the provider may take


def keep_language(response: Response, settings: Settings, language: Language) -> None:
    """Speak this language in this browser also where it is not known whose it is: before signing in, in errors."""
    _set(response, settings, COOKIE, str(language), _YEAR)


def keep_wanted(response: Response, settings: Settings, path: str) -> None:
    """Remember where somebody wanted to go while the identity provider is asked who that is."""
    _set(response, settings, _WANTED, own_path(path), _WANTED_FOR)


def wanted_by(request: Request) -> str | None:
    """Where somebody wanted to go who comes back from there."""
    wanted = request.cookies.get(_WANTED)
    return None if wanted is None else own_path(wanted)


def forget_wanted(response: Response, settings: Settings) -> None:
    """They are there."""
    _set(response, settings, _WANTED, "", 0)


def _set(response: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, secure=settings.is_https, httponly=True, samesite="lax")
