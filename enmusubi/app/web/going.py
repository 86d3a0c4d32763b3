"""Where pages of the service begin, and which address a form may send the browser on to."""

from typing import Final

from fastapi import Request
from starlette.routing import Match

from enmusubi.app.vocabulary import Role
from enmusubi.app.web.languages import N_, Speech

FIRST: Final[dict[Role, str]] = {
    Role.COMPANY: "/needs?mine=true",
    Role.UNIVERSITY: "/seeds?mine=true",
    Role.COORDINATOR: "/queue",
    Role.CLUSTER_ADMINISTRATOR: "/board",
    Role.AUDITOR: "/board",
}
"""The page that each role works on."""

_SIDES: Final = (("/needs", N_("Needs")), ("/seeds", N_("Seeds")))
_OVERSIGHT: Final = (
    ("/queue", N_("Review queue")), ("/board", N_("Board")), *_SIDES, ("/waiting", N_("To approve")),
)  # fmt: skip
_PLACES: Final[dict[Role, tuple[tuple[str, str], ...]]] = {
    Role.COMPANY: (("/needs?mine=true", N_("Our needs")), ("/needs/new", N_("Post a need")), ("/seeds", N_("Seeds")),
                   ("/board/map", N_("Map"))),
    Role.UNIVERSITY: (
        ("/seeds?mine=true", N_("Our seeds")), ("/seeds/new", N_("Register a seed")), ("/imports", N_("Files")),
        ("/needs", N_("Needs")), ("/board/map", N_("Map")),
    ),
    Role.COORDINATOR: (*_OVERSIGHT, ("/imports", N_("Files"))),
    Role.CLUSTER_ADMINISTRATOR: (*_OVERSIGHT, ("/people", N_("People"))),
    Role.AUDITOR: _OVERSIGHT,
}  # fmt: skip


def places(speech: Speech, role: Role) -> list[tuple[str, str]]:
    """What the head of every page leads to: addresses and their names."""
    return [(address, speech.say(name)) for address, name in _PLACES[role]]


def own_path(wanted: str | None) -> str:
    """An address of this service, "/" for everything else: nobody is sent elsewhere by a link to our sign-in."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or not wanted.isprintable():
        return "/"
    return wanted if "\\" not in wanted else "/"


def page_of(request: Request) -> str:
    """The page that a request is of: itself, or of a form the nearest page at its address or above."""
    path = request.url.path
    if request.method in ("GET", "HEAD"):
        return path + (f"?{request.url.query}" if request.url.query else "")
    while path not in ("", "/"):
        asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0]
    return "/"
