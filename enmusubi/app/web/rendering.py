"""Templates to pages: escaped, with a policy that lets nothing run or load but our own."""

import secrets
from collections.abc import Mapping
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from enmusubi.app.vocabulary import Language
from enmusubi.app.web import going, saying, words
from enmusubi.app.web.languages import Speech, catalogue

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
_NONCE_BYTES: Final = 16


@cache
def static_version() -> str:
    """Changes with every change of a static file: browsers keep these for a year."""
    digest = sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def static(name: str) -> str:
    """Where a static file of ours is served."""
    return f"/static/{static_version()}/{name}"


@cache
def environment(language: Language) -> Environment:
    """The templates in a language."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    speech, messages = Speech(language), catalogue(language)
    made.install_gettext_callables(  # type: ignore[attr-defined]  # of the i18n extension
        messages.gettext, messages.ngettext, newstyle=True, pgettext=messages.pgettext, npgettext=messages.npgettext
    )
    made.filters.update(
        day=speech.day, moment=speech.moment, number=speech.number, percent=speech.percent, yen=speech.yen,
        word=partial(words.word, speech), lines=str.splitlines,
    )  # fmt: skip
    made.globals.update(static=static, language=str(language), words=partial(words.choices, speech), say=speech.say,
                        places=partial(going.places, speech), DONE=saying.DONE)  # fmt: skip
    return made


def rendered(
    speech: Speech, template: str, status: int, values: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """A page."""
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    text = environment(speech.language).get_template(template).render(**values, nonce=nonce)
    return HTMLResponse(
        text,
        status_code=status,
        headers={
            "Content-Security-Policy": policy(nonce),
            "Content-Language": str(speech.language),
            "Vary": "Cookie, Accept-Language",
            **(headers or {}),
        },
    )


def policy(nonce: str) -> str:
    """What a page may do: run and style what carries its nonce, ask and send forms to nobody but us."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
