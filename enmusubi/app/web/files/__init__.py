"""Files of entries: dropped, looked through, confirmed, followed while they are read, and reported on."""

from typing import Final

from enmusubi.app.web.files import dropping, following, imports

ROUTERS: Final = (dropping.router, following.router, imports.router)
