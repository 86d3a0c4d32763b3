"""The review queue: its page, decisions, saved views."""

from typing import Final

from enmusubi.app.web.queue import deciding, pages, views

ROUTERS: Final = (pages.router, deciding.router, views.router)
