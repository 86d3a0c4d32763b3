"""The routers of this part; apart from the package itself, whose words others import."""

from typing import Final

from enmusubi.app.web.entries import disclosure, lists, matches, needs, seeds, taking

ROUTERS: Final = (lists.router, needs.router, seeds.router, matches.router, taking.router, disclosure.router)
